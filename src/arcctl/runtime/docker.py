"""The Docker engine. Changes go through python-on-whales; observations are single bounded calls of the same CLI.

python-on-whales has no time-outs, costs 200 ms to import and inspects a container again at each attribute. So what
`health` needs is one `docker container inspect` with a deadline, copied at once into a frozen snapshot.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO

from arcctl.core.compose import PROJECT
from arcctl.core.model import Catalogue, Layer, container_name
from arcctl.core.observed import Observed
from arcctl.core.ports import NOTHING, EngineFacts, Executed
from arcctl.core.proof import Guest
from arcctl.core.usage import Usage
from arcctl.errors import ArcError, EngineError
from arcctl.runtime import docker_usage, execution, inspection
from arcctl.runtime.environment import snapshot

if TYPE_CHECKING:
    from python_on_whales import DockerClient

GUEST = "arcctl.guest"
"""The label of containers that no Compose file names."""
SECONDS = 20.0
"""Longest time that one observation may take."""
_NAMES = '{{.Names}} {{.Label "com.docker.compose.service"}}'
_NO_ENGINE = "start Docker and try again; `docker version` shows what it says"


class DockerEngine:
    """The services as containers of one Compose project."""

    name = "docker"
    usual: tuple[str, ...] = (Layer.OBSERVABILITY,)
    defaults: Mapping[str, str] = MappingProxyType({})

    def __init__(self, catalogue: Catalogue, files: Iterable[Path], env_file: Path, project: str = PROJECT) -> None:
        self._catalogue = catalogue
        self._files = tuple(files)
        self._env_file = env_file
        self.project = project

    def facts(self) -> EngineFacts:
        """Versions and sizes, as the engine sees them."""
        info = json.loads(self._read("info", "--format", "{{json .}}"))
        if info.get("ServerErrors"):
            raise EngineError(f"no Docker engine answers: {info['ServerErrors'][0]}", hint=_NO_ENGINE)
        compose = self._read("compose", "version", "--short").strip().lstrip("v")
        return EngineFacts(
            versions={"Docker": info.get("ServerVersion", ""), "Compose": compose},
            memory=int(info.get("MemTotal", 0)),
            cpus=int(info.get("NCPU", 0)),
            disk_free=_disk_free(Path(info.get("DockerRootDir", ""))),
        )

    def answers(self) -> bool:
        """Whether there is an engine at all; asks no more than that."""
        if shutil.which("docker") is None:
            return False
        try:
            return bool(self._read("version", "--format", "{{.Server.Version}}").strip())
        except EngineError:
            return False

    def observe(self) -> Observed:
        """The state of every container of the catalogue, in one call."""
        keys = {container_name(self.project, key): key for key in self._catalogue.containers()}
        text = self._read("container", "inspect", *keys, missing_is_fine=True)
        found = (item for item in json.loads(text or "[]") if inspection.project(item) == self.project)
        return Observed({keys[item["Name"].lstrip("/")]: inspection.state(item) for item in found})

    def hashes(self) -> Mapping[str, str]:
        """The hash of each service's configuration, as Compose computes it from the files of now."""
        lines = self._read(*self._compose_arguments(), "config", "--hash", "*").splitlines()
        return dict(line.split(maxsplit=1) for line in lines)

    def volumes(self) -> tuple[str, ...]:
        """Names of the project's data volumes."""
        label = f"label=com.docker.compose.project={self.project}"
        return tuple(sorted(self._read("volume", "ls", "-q", "--filter", label).split()))

    def images(self, references: Iterable[str]) -> Mapping[str, str]:
        """The id of each image that the engine has, by its reference."""
        return {tag: item["Id"] for item in self.inspect_images(references) for tag in item["RepoTags"] or []}

    def inspect_images(self, references: Iterable[str]) -> list[dict[str, Any]]:
        """What the engine says of each of these images that it has."""
        text = self._read("image", "inspect", *sorted(set(references)), missing_is_fine=True)
        return list(json.loads(text or "[]"))

    def port_owner(self, port: int) -> str:
        """The container that publishes a host port, empty where none does."""
        names = self._read("container", "ls", "--filter", f"publish={port}", "--format", "{{.Names}}").split()
        return f"container {names[0]}" if names else ""

    def fetch(self, key: str) -> Iterator[str]:
        """Pull or build the image of one container; yields what the engine reports."""
        container = self._catalogue.containers()[key]
        yield f"{'build' if container.build else 'pull'} {container.image}"
        yield from self._build(key) if container.build else self._pull(key, container.image)

    def _pull(self, key: str, image: str) -> Iterator[str]:
        with translated(f"cannot pull {image}", "check the network, or bring it by `docker load`, then arcctl up"):
            for _, line in self._client().compose.pull([key], stream_logs=True) or ():
                yield line.decode(errors="replace").strip()

    def _build(self, key: str) -> Iterator[str]:
        with translated():
            for _, line in self._client().compose.build([key], stream_logs=True) or ():
                yield line.decode(errors="replace").strip()

    def recover(self) -> bool:
        """Give back the name of a container that Compose was replacing when it was interrupted.

        The new one has another name until the old one is gone. Where that is still there, the new one goes.
        """
        ours = ("--filter", f"label=com.docker.compose.project={self.project}")
        lines = self._read("container", "ls", "--all", *ours, "--format", _NAMES).splitlines()
        named = {name: container_name(self.project, key) for name, key in map(str.split, lines)}
        odd = {name: wanted for name, wanted in named.items() if name != wanted}
        for name, wanted in odd.items():
            action = ("rm", "--force", name) if wanted in named else ("rename", name, wanted)
            self._read("container", *action, missing_is_fine=True)
        return bool(odd)

    def start(self, keys: Iterable[str], *, recreate: bool = False) -> None:
        """Create and start these containers and no others; returns before they are ready.

        With `recreate` they are made anew in any case: Compose itself does not see that a mounted file changed.
        """
        with translated():
            self._client().compose.up(
                list(keys), detach=True, dependencies=False, quiet=True, no_build=True, force_recreate=recreate
            )

    def unpause(self, keys: Iterable[str]) -> None:
        with translated():
            self._client().compose.unpause(list(keys))

    def invite(self, key: str, guest: Guest) -> bool:
        """A guest on the common network, with no right beyond that."""
        with translated(f"cannot start a guest of {key}"):
            self._client().run(
                self._catalogue.containers()[key].image,
                list(guest.command),
                detach=True,
                remove=True,
                pull="never",
                networks=[self.project],
                labels={**guest.labels, GUEST: key},
                cap_drop=["ALL"],
                security_options=["no-new-privileges"],
                memory="64m",
                pids_limit=64,
            )
        return True

    def dismiss(self) -> None:
        """Remove every guest, also one that an interrupted run left."""
        guests = self._read("container", "ls", "--all", "--quiet", "--filter", f"label={GUEST}").split()
        if guests:
            self._read("container", "rm", "--force", *guests, missing_is_fine=True)

    def ask(self, *arguments: str) -> str:
        """What `docker` prints to a question."""
        return self._read(*arguments)

    def execute(
        self,
        key: str,
        words: tuple[str, ...],
        *,
        environment: Mapping[str, str] = NOTHING,
        stdin: BinaryIO | None = None,
        stdout: BinaryIO | None = None,
        terminal: bool = False,
    ) -> Executed:
        """`docker exec`; a variable is named on its command line and its value is not."""
        named = tuple(word for name in environment for word in ("--env", name))
        tty = ("--tty",) if terminal and sys.stdin.isatty() else ()
        command = ("docker", "exec", "--interactive", *tty, *named, container_name(self.project, key), *words)
        variables = {**snapshot(), **environment}
        return execution.execute(command, variables, stdin=stdin, stdout=stdout, terminal=terminal)

    def usage(self, keys: tuple[str, ...]) -> Mapping[str, Usage]:
        return docker_usage.usage(self._read, keys)

    def disk(self) -> Mapping[str, int]:
        return docker_usage.disk(self._read, self._catalogue)

    def stop(self, keys: Iterable[str]) -> None:
        with translated():
            self._client().compose.stop(list(keys))

    def restart(self, keys: Iterable[str]) -> None:
        with translated():
            self._client().compose.restart(list(keys))

    def remove(self, keys: Iterable[str], volumes: Iterable[str]) -> None:
        names = [container_name(PROJECT, key) for key in keys]
        for kind, gone in (("container", names), ("volume", list(volumes))):
            if gone:
                self._read(kind, "rm", "--force", *gone, missing_is_fine=True)

    def down(self, *, volumes: bool = False) -> None:
        """Remove containers and networks; with `volumes` the data too, and nobody gets time to save it."""
        self.dismiss()
        with translated():
            grace = 0 if volumes else None
            self._client().compose.down(remove_orphans=True, volumes=volumes, timeout=grace, quiet=True)

    def logs(self, keys: Iterable[str], *, follow: bool = False, since: str = "", tail: str = "") -> Iterator[str]:
        """Log lines, each with the name of its container."""
        with translated():
            stream = self._client().compose.logs(
                list(keys), follow=follow, since=since or None, tail=tail or None, stream=True
            )
            for _, line in stream:
                yield line.decode(errors="replace").rstrip("\n")

    def command(self) -> tuple[str, ...]:
        """The `docker compose` call that this engine makes, for pass-through."""
        return ("docker", *self._compose_arguments())

    def _compose_arguments(self) -> tuple[str, ...]:
        files = (part for file in self._files for part in ("-f", str(file)))
        env = ("--env-file", str(self._env_file)) if self._env_file.is_file() else ()
        return ("compose", *files, *env)

    def _client(self) -> DockerClient:
        from python_on_whales import DockerClient

        env_files = [self._env_file] if self._env_file.is_file() else []
        return DockerClient(compose_files=list(self._files), compose_env_files=list(env_files))

    def _read(self, *arguments: str, missing_is_fine: bool = False) -> str:
        try:
            # A process group of its own: Ctrl-C is ours to answer, not the child's.
            done = subprocess.run(
                ("docker", *arguments),
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
                process_group=0,
            )
        except FileNotFoundError:
            raise EngineError("the program `docker` is not on the PATH", hint="install Docker 25 or newer") from None
        except subprocess.TimeoutExpired:
            raise EngineError(f"the Docker engine did not answer in {SECONDS:.0f} s", hint=_NO_ENGINE) from None
        if done.returncode and not (missing_is_fine and "no such" in done.stderr.lower()):
            raise _refusal(done.stderr)
        return done.stdout


def _refusal(stderr: str, what: str = "docker", hint: str = "arcctl doctor") -> ArcError:
    lines = [line for line in stderr.strip().splitlines() if line.strip()] or ["docker failed without a word"]
    text = lines[-1].removeprefix("Error response from daemon: ").removeprefix("error: ")
    if "connect to the docker daemon" in stderr.lower() or "docker daemon is not running" in stderr.lower():
        return EngineError("no Docker engine answers", hint=_NO_ENGINE)
    if "permission denied" in stderr.lower() and "docker" in stderr.lower():
        return EngineError(
            "the Docker engine refuses this user", hint="sudo usermod -aG docker $USER, then log in again"
        )
    if "unknown command: docker compose" in stderr.lower() or "'compose' is not a docker command" in stderr.lower():
        return EngineError("Docker has no Compose plugin", hint="install the docker-compose plugin 2.24 or newer")
    return EngineError(f"{what}: {text}", hint=hint)


@contextmanager
def translated(what: str = "docker", hint: str = "arcctl doctor") -> Iterator[None]:
    """Turn the library's exceptions into ours; its message repeats the whole command line, so only stderr is kept."""
    from python_on_whales.exceptions import DockerException

    try:
        yield
    except DockerException as error:
        raise _refusal(error.stderr or "", what, hint) from None


def _disk_free(root: Path) -> int:
    """Bytes free where the engine keeps its data; 0 where that is in another machine."""
    return shutil.disk_usage(root).free if root.is_absolute() and root.is_dir() else 0
