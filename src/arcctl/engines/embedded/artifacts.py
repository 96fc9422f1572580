"""The cache of servers that were built: a folder for each, named by a hash of its source, complete or absent."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import importlib.metadata
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from arcctl.engines import machine
from arcctl.engines.embedded import processes
from arcctl.errors import BuildError
from arcctl.model.binaries import EXTRA, Maven, OnPath, OtelCollector, Requirements, Source, Wheel
from arcctl.settings import environment
from arcctl.settings.files import SHARED_FOLDER, shared_folder
from arcctl.settings.text import packaged, read_text

SHARED_CACHE = Path("/var/cache/arcctl")
"""The cache of root."""


def cache() -> Path:
    """Below the user's cache, or for root where unprivileged servers can read; `ARCCTL_CACHE` overrides both."""
    import platformdirs

    named = environment.snapshot().get("ARCCTL_CACHE", "")
    top = Path(named) if named else SHARED_CACHE if os.geteuid() == 0 else platformdirs.user_cache_path("arcctl")
    return top / "artifacts"


class Artifacts:
    """What is built, and what can be, for the sources of one project."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._folder = cache()

    def path(self, source: Source) -> Path:
        """The folder of a source's result, built or not."""
        if isinstance(source, OnPath):
            return Path(shutil.which(source.program) or source.program).parent
        return self._folder / f"{source.name}-{self._fingerprint(source)}"

    def _fingerprint(self, source: Source) -> str:
        text = f"{source!r} {machine.architecture()}"
        match source:
            case Wheel(package=package):
                text += installed(package)
            case Requirements(lock=lock):
                text += sys.version + read_text(self._directory / lock) if self._has(lock) else ""
            case OtelCollector(manifest=name) | Maven(pom=name):
                text += packaged(f"manifests/{name}")
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def program(self, source: Source) -> Path:
        """The server itself."""
        return self.path(source) / source.program

    def built(self, source: Source) -> bool:
        return self.program(source).exists()

    def _has(self, file: str) -> bool:
        return (self._directory / file).is_file()

    def missing_tools(self, source: Source) -> tuple[str, ...]:
        """What this machine, or this project, lacks to build it."""
        match source:
            case OnPath(program=program):
                return () if shutil.which(program) else (program,)
            case Wheel(package=package):
                return () if installed(package) else (EXTRA,)
            case Requirements(lock=lock) if not self._has(lock):
                return (lock,)
            case _:
                return tuple(tool for tool in source.toolchain if shutil.which(tool) is None)

    def version(self, source: Source) -> str:
        """The server's version; empty where its source does not say."""
        if isinstance(source, Wheel):
            return f"{source.package} {installed(source.package)}"
        return str(getattr(source, "version", ""))

    def build(self, source: Source) -> Iterator[str]:
        """Build a server that is not built; yields lines of progress.

        A second command that builds the same one waits for the first. Raises BuildError with the output's last lines.
        """
        if isinstance(source, OnPath):
            return
        target = self.path(source)
        with self._locked(source.name):
            if not target.is_dir():
                yield from self._build_into(source, target)

    def share(self) -> None:
        """Everybody may enter the cache; a folder that the user named is left as it is."""
        for folder in (self._folder.parent, self._folder) if self._folder.parent == SHARED_CACHE else (self._folder,):
            shared_folder(folder)

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        self.share()
        with (self._folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for left in self._folder.glob(f".{name}.*"):  # from a build that was killed
                _remove(left)
            yield

    def _build_into(self, source: Source, target: Path) -> Iterator[str]:
        from arcctl.engines.embedded.builders import BuildContext, run

        began = time.monotonic()
        missing = self.missing_tools(source)
        if missing:
            raise BuildError(f"building {source.name} requires {', '.join(missing)}", hint="arcctl engine list")
        yield f"building {source.name}" + (f", about {source.minutes} min" if source.minutes else "")
        work = Path(tempfile.mkdtemp(prefix=f".{source.name}.", dir=self._folder))
        try:
            work.chmod(SHARED_FOLDER)
            result = work / "result"
            result.mkdir()
            run(source, BuildContext(work, result, self._directory, self._folder / f"{source.name}.log"))
            _make_readable(result)
            result.rename(target)
        finally:
            _remove(work)
        yield f"built {source.name} in {time.monotonic() - began:.0f} s"

    def size(self) -> int:
        found = [p for p in self._folder.rglob("*") if p.is_file() and not p.is_symlink()]
        return sum(p.stat().st_size for p in found)

    def used_by(self) -> tuple[str, ...]:
        """The projects whose servers run, else the processes."""
        found = processes.running_from(self._folder)
        return tuple(sorted({project or f"the process {pid}" for pid, project in found.items()}))

    def clean(self) -> None:
        for path in self._folder.glob("*"):
            _remove(path)


@functools.lru_cache
def installed(package: str) -> str:
    """The version of a distribution; empty where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _remove(path: Path) -> None:
    def again(function: Callable[[str], None], name: str, _: object) -> None:
        Path(name).parent.chmod(0o700)  # Go's module files are in read-only folders
        function(name)

    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, onerror=again)
    else:
        path.unlink(missing_ok=True)


def _make_readable(result: Path) -> None:
    """Everybody may read the files and run the programs: servers run as another user than root."""
    for path in (result, *result.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o444 | (0o111 if path.is_dir() or mode & 0o100 else 0))
