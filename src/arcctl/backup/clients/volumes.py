"""Volumes as tar streams, and their content replaced at one moment, by the same scripts on every engine.

A copy is unpacked into a folder of the volume itself, because a volume cannot be renamed and what is in it can.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from arcctl.backup.manifest import Kind
from arcctl.engines import disks, execution
from arcctl.engines.base import Executed
from arcctl.errors import BackupError
from arcctl.model.backup_method import Folder
from arcctl.model.service import volume_name
from arcctl.settings.environment import snapshot

_MOVE = "find {0} -mindepth 1 -maxdepth 1 ! -name '.arcctl-*' -exec mv {{}} {1} \\;\n"
# `going` has some of the old content, `old` all of it, `new` some of the new: it shows where a script was cut off.
_UNDO = (
    "if [ -d .arcctl-going ]; then\n"
    + _MOVE.format(".arcctl-going", "./")
    + "rmdir .arcctl-going\nelif [ -d .arcctl-old ]; then\nmkdir -p .arcctl-bad\n"
    + _MOVE.format(".", ".arcctl-bad/")
    + _MOVE.format(".arcctl-old", "./")
    + "rmdir .arcctl-old\nfi\n"
)
_DROP = "rm -rf .arcctl-old .arcctl-new .arcctl-bad\n"
_RECOVER = f"if [ -d .arcctl-going ] || [ -d .arcctl-new ]; then\n{_UNDO}fi\nrm -rf .arcctl-new .arcctl-bad\n"
# The data from before a restore that ended after its swap and before it said so: kept.
_KEEP = (
    "if [ -d .arcctl-old ]; then\nn=1\nwhile [ -e .arcctl-kept-$n ]; do n=$((n+1)); done\n"
    "mv .arcctl-old .arcctl-kept-$n\necho .arcctl-kept-$n\nfi\n"
)
SAVE = f"set -e\n{_RECOVER}exec tar --numeric-owner --exclude './.arcctl-*' -cf - .\n"
# A volume that no server has used gets the owner and the mode that the copied one has: the archive of a folder alone.
_ADOPT = (
    "if [ -z \"$(find . -mindepth 1 -maxdepth 1 ! -name '.arcctl-*')\" ]; then\n"
    "tar --numeric-owner --exclude './?*' -cf - -C .arcctl-new . | tar --numeric-owner -xpf -\nfi\n"
)
LOAD = (
    f"set -e\n{_RECOVER}{_KEEP}mkdir .arcctl-new\ntar --numeric-owner -xpf - -C .arcctl-new\n"
    f'[ -z "$OWNER" ] || chown -R "$OWNER" .arcctl-new\n{_ADOPT}'
)
SWAP = (
    "set -e\n[ -d .arcctl-new ] || exit 0\nmkdir .arcctl-going\n"
    + _MOVE.format(".", ".arcctl-going/")
    + "mv .arcctl-going .arcctl-old\n"
    + _MOVE.format(".arcctl-new", "./")
    + "rmdir .arcctl-new\n"
)
UNDO = f"set -e\n{_UNDO}{_DROP}"
SIZE = "du -sk . | cut -f1\n"


class Shell(Protocol):
    """Runs a script in the folder of a volume."""

    def exists(self, name: str) -> bool: ...
    def run(self, name: str, script: str, stdin: BinaryIO | None, stdout: BinaryIO | None) -> Executed: ...


class LocalShell:
    """The data folders of local processes."""

    def __init__(self, base: Path) -> None:
        self._data = base / "data"

    def exists(self, name: str) -> bool:
        return (self._data / name).is_dir()

    def run(self, name: str, script: str, stdin: BinaryIO | None, stdout: BinaryIO | None) -> Executed:
        """The folder's owner owns everything in it: on another machine that is another number."""
        folder = self._data / name
        owner = f"{folder.stat().st_uid}:{folder.stat().st_gid}"
        return _detached(
            ("sh", "-c", script), {"PATH": snapshot().get("PATH", ""), "OWNER": owner}, stdin, stdout, folder
        )


class DockerShell:
    """A temporary container with the volume mounted, without a network, from an image that was pulled before."""

    def __init__(self, project: str, image: Callable[[], str], label: str) -> None:
        self._project, self._image, self._label = project, image, label

    def exists(self, name: str) -> bool:
        words = ("docker", "volume", "inspect", f"{self._project}_{name}")
        return execution.execute(words, snapshot(), stdin=None, stdout=None, terminal=False).code == 0

    def run(self, name: str, script: str, stdin: BinaryIO | None, stdout: BinaryIO | None) -> Executed:
        kept = ("CHOWN", "DAC_OVERRIDE", "FOWNER")
        words = (
            *("docker", "run", "--rm", "--interactive", "--pull", "never", "--network", "none", "--user", "0:0"),
            *("--log-driver", "none"),  # it would keep a copy of what is written to stdout
            *("--cap-drop", "ALL", *(word for name in kept for word in ("--cap-add", name))),
            *("--security-opt", "no-new-privileges", "--label", self._label, "--env", "OWNER="),
            *("--volume", f"{self._project}_{name}:/volume", "--workdir", "/volume", "--entrypoint", "sh"),
            *(self._image(), "-c", script),
        )
        return _detached(words, snapshot(), stdin, stdout)


def _detached(
    words: tuple[str, ...],
    environment: Mapping[str, str],
    stdin: BinaryIO | None,
    stdout: BinaryIO | None,
    folder: Path | None = None,
) -> Executed:
    """In its own process group: Ctrl-C lets it finish, so that no folder is left between two states.

    It holds the project's lock, and on when this process is killed.
    """
    done = subprocess.run(
        words,
        env=environment,
        cwd=folder,
        stdin=stdin or subprocess.DEVNULL,
        stdout=stdout or subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
        process_group=0,
        close_fds=False,
    )
    return Executed(done.returncode, done.stdout or b"", done.stderr.decode(errors="replace").strip())


class VolumeCopier:
    """Carries out `Folder` for one service."""

    def __init__(self, shell: Shell, key: str, method: Folder) -> None:
        self._shell, self._key, self._method = shell, key, method
        self._remarks: list[str] = []

    def contents(self) -> tuple[tuple[Kind, str], ...]:
        return tuple((Kind.FOLDER, name) for name in self._existing())

    def _existing(self) -> list[str]:
        return [name for name in self._method.volumes if self._shell.exists(volume_name(self._key, name))]

    def save(self, kind: Kind, name: str, target: BinaryIO) -> None:
        del kind
        self._run(name, SAVE, stdout=target)

    def load(self, kind: Kind, name: str, source: BinaryIO) -> None:
        del kind
        kept = self._run(name, LOAD, stdin=source).decode().strip()
        if kept:
            text = f"the data from before an earlier restore, which did not end, is kept in its volume {name} as {kept}"
            self._remarks.append(text)

    def swap(self) -> None:
        self._each(SWAP)

    def undo(self) -> None:
        self._each(UNDO)

    def commit(self) -> None:
        self._each(_DROP)

    def remarks(self) -> tuple[str, ...]:
        return tuple(self._remarks)

    def present(self, names: Collection[str]) -> str:
        sizes = [int(self._run(name, SIZE)) for name in self._existing() if name in names]
        total = sum(sizes)
        return "" if not sizes else f"{total / 1024:.1f} MiB" if total >= 1024 else f"{total} KiB"

    def set_password(self, password: str) -> None:
        """Files are read without one."""

    def _each(self, script: str) -> None:
        for name in self._existing():
            self._run(name, script)

    def _run(self, volume: str, script: str, *, stdin: BinaryIO | None = None, stdout: BinaryIO | None = None) -> bytes:
        name = volume_name(self._key, volume)
        done = self._shell.run(name, script, stdin, stdout)
        if done.code:
            words = done.stderr.splitlines() or [f"exit code {done.code}"]
            raise BackupError(f"the volume {name}: {words[-1]}", hint=disks.hint(words[-1], f"arcctl logs {self._key}"))
        return done.stdout
