"""The cache of servers that were made from their sources: named by content, whole or not there at all."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import importlib.metadata
import importlib.resources
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from arcctl.core.sources import EXTRA, Collector, Maven, OnPath, Requirements, Source, Wheel
from arcctl.errors import BuildError
from arcctl.runtime import environment

READABLE = 0o755


def folder() -> Path:
    """Where artifacts are: in the user's cache, or where unprivileged servers can read them when root makes them."""
    import platformdirs

    named = environment.snapshot().get("ARCCTL_CACHE", "")
    shared = Path("/var/cache/arcctl")
    cache = Path(named) if named else shared if os.geteuid() == 0 else platformdirs.user_cache_path("arcctl")
    found = cache / "artifacts"
    found.mkdir(mode=READABLE, parents=True, exist_ok=True)
    return found


def manifest(name: str) -> str:
    """The text of a file that recipes of this package are made from."""
    return packaged(f"manifests/{name}")


def packaged(path: str) -> str:
    """The text of a file of this package."""
    return importlib.resources.files("arcctl").joinpath(path).read_text()


class Artifacts:
    """What there is, and what can be made, for the sources of one home."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folder = folder()

    def path(self, source: Source) -> Path:
        """The folder that a source's result is in, or will be."""
        if isinstance(source, OnPath):
            return Path(shutil.which(source.program) or source.program).parent
        return self._folder / f"{source.name}-{self._fingerprint(source)}"

    def _fingerprint(self, source: Source) -> str:
        text = f"{source!r} {platform.machine()}"
        match source:
            case Wheel(package=package):
                text += _installed(package)
            case Requirements(lock=lock):
                text += sys.version + (self._home / lock).read_text() if self._has(lock) else ""
            case Collector(manifest=name) | Maven(pom=name):
                text += manifest(name)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def program(self, source: Source) -> Path:
        """The server itself."""
        return self.path(source) / source.program

    def ready(self, source: Source) -> bool:
        return self.program(source).exists()

    def _has(self, file: str) -> bool:
        return (self._home / file).is_file()

    def missing_tools(self, source: Source) -> tuple[str, ...]:
        """What this machine, or this home, lacks to make it."""
        match source:
            case OnPath(program=program):
                return () if shutil.which(program) else (program,)
            case Wheel(package=package):
                return () if _installed(package) else (EXTRA,)
            case Requirements(lock=lock) if not self._has(lock):
                return (lock,)
            case _:
                return tuple(tool for tool in source.toolchain if shutil.which(tool) is None)

    def version(self, source: Source) -> str:
        """What the server is, as far as its source says."""
        if isinstance(source, Wheel):
            return f"{source.package} {_installed(source.package)}"
        return str(getattr(source, "version", ""))

    def make(self, source: Source) -> Iterator[str]:
        """Make it unless it is there, and yield what happens; who asks at the same time waits and gets the same folder.

        Raises BuildError with the last words of the tool that failed.
        """
        if isinstance(source, OnPath):
            return
        target = self.path(source)
        with self._locked(source.name):
            if not target.is_dir():
                yield from self._make_into(source, target)

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        with (self._folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for left in self._folder.glob(f".{name}.*"):  # of a build that was killed
                _remove(left)
            yield

    def _make_into(self, source: Source, target: Path) -> Iterator[str]:
        from arcctl.runtime.builders import Workshop, build

        began = time.monotonic()
        missing = self.missing_tools(source)
        if missing:
            raise BuildError(f"making {source.name} takes {', '.join(missing)}", hint="arcctl engine list")
        yield f"making {source.name}" + (f", about {source.minutes} min" if source.minutes else "")
        work = Path(tempfile.mkdtemp(prefix=f".{source.name}.", dir=self._folder))
        try:
            work.chmod(READABLE)
            result = work / "result"
            result.mkdir()
            build(source, Workshop(work, result, self._home, self._folder / f"{source.name}.log"))
            _open_up(result)
            result.rename(target)
        finally:
            _remove(work)
        yield f"made {source.name} in {time.monotonic() - began:.0f} s"

    def size(self) -> int:
        """Bytes of all that was made."""
        found = [p for p in self._folder.rglob("*") if p.is_file() and not p.is_symlink()]
        return sum(p.stat().st_size for p in found)

    def clean(self) -> None:
        """Remove everything."""
        for path in self._folder.iterdir():
            _remove(path)


@functools.lru_cache
def _installed(package: str) -> str:
    """The version of an installed distribution, empty where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _remove(path: Path) -> None:
    """Go's module files are read-only, which does not stop us."""

    def again(function: Callable[[str], None], name: str, _: object) -> None:
        Path(name).parent.chmod(0o700)
        function(name)

    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, onerror=again)
    else:
        path.unlink(missing_ok=True)


def _open_up(result: Path) -> None:
    """Everybody may read, and run what is a program."""
    for path in (result, *result.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o444 | (0o111 if path.is_dir() or mode & 0o100 else 0))
