"""The Docker engine: single calls of `docker`; python-on-whales follows those that print as they go.

python-on-whales has no timeouts, costs 200 ms to import, inspects a container again for each attribute, and closes the
project's lock in the programs that it starts.
"""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from arcctl.engines import disks, execution, machine
from arcctl.engines.base import (
    NOTHING,
    ContainerState,
    EngineFacts,
    Executed,
    Images,
    Observed,
    RunsAs,
    Tell,
    Unavailable,
    Usage,
    silent,
)
from arcctl.engines.changes import at_each_line
from arcctl.engines.docker import config_volume, inspection, products
from arcctl.engines.docker.endpoint import LOCAL, Endpoint
from arcctl.engines.docker.images import DockerImages
from arcctl.engines.docker.refusals import NO_ENGINE, no_engine, not_installed, refusal, translated
from arcctl.engines.volumes import declared
from arcctl.errors import ArcError, EngineError, PreflightError
from arcctl.model.disk import Disk, fullest
from arcctl.model.env import symbolic, variables
from arcctl.model.names import LOOPBACK, PROJECT, PROJECT_NAME
from arcctl.model.service import Catalogue, Layer, Volume, container_name, network_name, volume_name
from arcctl.model.smoke_test import EphemeralContainer
from arcctl.render.compose import CONFIG_VOLUME, FILES, REMOTE, config_paths
from arcctl.settings import built_images
from arcctl.settings.environment import snapshot
from arcctl.settings.known_projects import is_gone
from arcctl.settings.text import read_text

if TYPE_CHECKING:
    import asyncio

    from python_on_whales import DockerClient

OVERRIDES = (
    "COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR", "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES", "COMPOSE_ENV_FILES",
    "COMPOSE_DISABLE_ENV_FILE", "COMPOSE_REMOVE_ORPHANS", "COMPOSE_IGNORE_ORPHANS", "COMPOSE_PARALLEL_LIMIT",
    "COMPOSE_HTTP_TIMEOUT", "COMPOSE_CONVERT_WINDOWS_PATHS", "COMPOSE_ANSI", "COMPOSE_PROGRESS", "COMPOSE_MENU",
    "COMPOSE_STATUS_STDOUT", "COMPOSE_BAKE", "COMPOSE_EXPERIMENTAL", "COMPOSE_DRY_RUN", "COMPOSE_COMPATIBILITY",
    "DOCKER_DEFAULT_PLATFORM", "DOCKER_BUILDKIT", "BUILDX_BUILDER", "BUILDX_EXPERIMENTAL", "BUILDKIT_PROGRESS",
    "PYTHON_ON_WHALES_DEBUG",
)  # fmt: skip
"""Variables with which Docker would start something else, or print it otherwise.

Which engine it talks to is the user's choice: DOCKER_HOST, DOCKER_CONTEXT and DOCKER_CONFIG stay.
"""
EPHEMERAL, OLD_EPHEMERAL = "arcctl.ephemeral", "arcctl.guest"
"""The label of ephemeral containers, its value being their project; the old one says nothing of the project."""
SECONDS = 20.0
"""Longest time that a call of `docker` which only looks may take."""
LOOK_SECONDS = 2.0
"""The same for a look at the disk, which is part of every report on health."""
_FILES = f'{{{{.Names}}}}\t{{{{.Label "com.docker.compose.service"}}}}\t{{{{.Label "{inspection.CONFIG_FILES}"}}}}'
_VOLUMES = f'{{{{.Name}}}}\t{{{{.Label "{CONFIG_VOLUME}"}}}}'
_EPHEMERAL = f'{{{{.ID}}}}\t{{{{.Label "{EPHEMERAL}"}}}}\t{{{{.Label "{OLD_EPHEMERAL}"}}}}'
_NOT_AS_IT_IS = re.compile(r"(?i)network \w+ not found|no such container")
_OLD_PORT = f"- {LOOPBACK}:$"
_EVENTS = ("start", "die", "pause", "unpause", "destroy")
_UNITS = {
    unit: factor**power
    for factor, units in ((1000, ("B", "kB", "MB", "GB", "TB")), (1024, ("B", "KiB", "MiB", "GiB", "TiB")))
    for power, unit in enumerate(units)
}


class DockerEngine:
    """The services as containers of one Compose project."""

    name = "docker"
    default_services: tuple[str, ...] = (Layer.OBSERVABILITY,)

    def __init__(
        self,
        catalogue: Catalogue,
        files: Iterable[Path],
        env_file: Path,
        project: str = PROJECT,
        *,
        endpoint: Endpoint = LOCAL,
        host: str = LOOPBACK,
    ) -> None:
        self._catalogue = built_images.of_project(catalogue, project)
        self._files = tuple(files)
        self._env_file = env_file
        self.project = project
        self.endpoint = endpoint
        self.host = host

    @property
    def remote(self) -> bool:
        return self.endpoint.remote

    @property
    def defaults(self) -> Mapping[str, str]:
        """What servers tell clients of their own address, where that is not this machine."""
        if self.host == LOOPBACK:
            return {}
        known = (v for c in self._catalogue.components().values() for v in variables(c.env))
        return {v.name: self.host for v in known if v.published_host}

    def named(self, project: str) -> DockerEngine:
        return DockerEngine(
            self._catalogue, self._files, self._env_file, project, endpoint=self.endpoint, host=self.host
        )

    def project_names(self) -> frozenset[str]:
        """Of the Compose projects that have containers or volumes, and of all networks."""
        label = '{{.Label "com.docker.compose.project"}}'
        kinds = {"container": ("--all", "--format", label), "volume": ("--format", label)}
        kinds["network"] = ("--format", "{{.Name}}")
        with ThreadPoolExecutor(len(kinds)) as pool:
            texts = pool.map(lambda kind: self.read(kind, "ls", *kinds[kind]), kinds)
            return frozenset(name for text in texts for name in text.split())

    def others(self) -> Mapping[str, str]:
        """Containers of the same Compose project: Compose would replace those that have the name of a service."""
        return {name: file for name, _, file in self._containers() if not self._is_own(file)}

    def _containers(self) -> Iterator[tuple[str, str, str]]:
        """Of the Compose project: the name of each, its service, and the first file that it was created from."""
        text = self.read("container", "ls", "--all", *self.project_filter, "--format", _FILES)
        for name, key, files in (line.split("\t") for line in text.splitlines()):
            yield name, key, files.partition(",")[0]

    def _is_own(self, first: str) -> bool:
        """Also where the project directory was moved."""
        file = Path(first)
        here = {own.parent.resolve() for own in self._files}
        return file.parent.resolve() in here or (file.name in FILES.values() and is_gone(str(file.parent)))

    @property
    def project_filter(self) -> tuple[str, str]:
        """The filter of `docker … ls` that leaves what belongs to the project."""
        return "--filter", f"label=com.docker.compose.project={self.project}"

    @property
    def unavailable(self) -> Mapping[str, Unavailable]:
        return {}

    @property
    def image_store(self) -> Images:
        return DockerImages(self.inspect_images)

    def facts(self) -> EngineFacts:
        """Versions and sizes, as the engine sees them."""
        with ThreadPoolExecutor(1) as pool:
            compose = pool.submit(self.read, "compose", "version", "--short")
            info = json.loads(self.read("info", "--format", "{{json .}}"))
        if info.get("ServerErrors"):
            raise refusal(info["ServerErrors"][0], "cannot reach the Docker engine", NO_ENGINE)
        return EngineFacts(
            untested=products.untested(info),
            versions={**products.versions(info), "Compose": compose.result().strip().lstrip("v")},
            memory=int(info.get("MemTotal", 0)),
            cpus=int(info.get("NCPU", 0)),
            disk=None if self.endpoint.remote else disks.look(Path(info.get("DockerRootDir", ""))),
            lowest_port=0 if self.endpoint.remote else _lowest_port(info),
            id=products.engine_id(info),
            way=_way(info.get("ClientInfo", {}).get("Context", "")),
        )

    def refuse_address(self, address: str) -> None:
        if self.endpoint.elsewhere and address == LOOPBACK:
            text = f"the Docker engine is on {self.host}, whose ports on {LOOPBACK} cannot be reached from here"
            hint = (
                "arcctl --bind-address 0.0.0.0 up, where only you reach that machine (as in a CI job);"
                " else --bind-address with the address of one of its interfaces"
            )
            raise PreflightError(text, hint=hint)
        if old := self._old_files(address):
            text = f"compose/{old}: written by an earlier arcctl, for an engine and clients on this machine only"
            raise PreflightError(text, hint="arcctl render, then arcctl up")

    def _old_files(self, address: str) -> str:
        """The first Compose file that lacks what this endpoint or this address needs."""
        copied = self.endpoint.remote and any(map(config_paths, self._catalogue.components().values()))
        if copied and not any(file.name == REMOTE for file in self._files):
            return REMOTE
        known = (file for file in self._files if address != LOOPBACK)
        return next((file.name for file in known if _OLD_PORT in read_text(file, "")), "")

    def refusal(self) -> ArcError | None:
        """Why there is no engine that this user can use; None where there is one. Asks no more than that."""
        try:
            found = self.read("version", "--format", "{{.Server.Version}}").strip()
        except ArcError as error:
            return error
        return None if found else EngineError("cannot reach the Docker engine", hint=NO_ENGINE)

    def observe(self) -> Observed:
        keys = {container_name(self.project, key): key for key in self._catalogue.components()}
        text = self.read("container", "inspect", *keys, missing_is_fine=True)
        found = (item for item in json.loads(text or "[]") if inspection.project(item) == self.project)
        return Observed({key: self._state(key, item) for item in found for key in (keys[item["Name"].lstrip("/")],)})

    def _state(self, key: str, item: Mapping[str, Any]) -> ContainerState:
        wanted = self._catalogue.components()[key].network.networks
        return inspection.state(item, key, {name: network_name(self.project, name) for name in wanted})

    def disks(self, observed: Observed) -> Mapping[str, Disk]:
        """Where the volumes are on another machine, a container that has a shell is asked for its own."""
        keys = {key for key, _ in declared(self._catalogue, self).values()}  # others have volumes of their image only
        volumes = {key: observed.of(key).volumes for key in sorted(keys) if observed.of(key).volumes}
        near = {} if self.endpoint.remote else volumes
        seen = {key: fullest(filter(None, map(disks.look, map(Path, v.values())))) for key, v in near.items()}
        found = {key: disk for key, disk in seen.items() if disk}
        containers = {key: self._catalogue.components()[key].container for key in volumes}
        able = (key for key, container in containers.items() if container.has_nc or container.has_tar)
        asked = next((key for key in able if observed.of(key).running), "")
        if found or not asked:
            return found
        inside = self._inner_disk(asked, next(iter(volumes[asked])))
        if inside is None:
            return {}
        same = replace(inside, path=f"the disk of {asked}", refuses="")
        return {**dict.fromkeys(volumes, same), asked: inside}

    def _inner_disk(self, key: str, path: str) -> Disk | None:
        """The file system at a path in a container, which is that of the engine's volumes."""
        words = ("exec", container_name(self.project, key), "sh", "-c", disks.SCRIPT, "sh", path)
        try:
            return disks.parsed(self.read(*words, seconds=LOOK_SECONDS))
        except EngineError:
            return None

    def hashes(self) -> Mapping[str, str]:
        """As Compose computes them from its files."""
        lines = self.read(*self._compose_arguments(), "config", "--hash", "*").splitlines()
        return dict(line.split(maxsplit=1) for line in lines)

    def volumes(self) -> tuple[str, ...]:
        """Without those that have config files."""
        lines = self.read("volume", "ls", *self.project_filter, "--format", _VOLUMES).splitlines()
        return tuple(sorted(name for name, _, config in (line.partition("\t") for line in lines) if not config))

    def volume_name(self, key: str, name: str) -> str:
        return f"{self.project}_{volume_name(key, name)}"

    def create_volume(self, key: str, name: str) -> None:
        """With the labels by which Compose knows its own."""
        labels = {"project": self.project, "volume": volume_name(key, name)}
        words = (word for what, value in labels.items() for word in ("--label", f"com.docker.compose.{what}={value}"))
        self.read("volume", "create", *words, self.volume_name(key, name))

    def images(self, references: Iterable[str]) -> Mapping[str, str]:
        return {tag: item["Id"] for item in self.inspect_images(references) for tag in item["RepoTags"] or []}

    def inspect_images(self, references: Iterable[str]) -> list[dict[str, Any]]:
        """`docker image inspect` of those that the engine has."""
        text = self.read("image", "inspect", *sorted(set(references)), missing_is_fine=True)
        return list(json.loads(text or "[]"))

    def runs_as(self, key: str) -> RunsAs:
        return RunsAs(self._catalogue.components()[key].container.user)

    def published_ports(self) -> frozenset[int]:
        return inspection.published(self.read("container", "ls", "--format", "{{.Ports}}"))

    def port_owner(self, port: int) -> str:
        """Podman knows no such filter: there no container is named."""
        names: list[str] = []
        with contextlib.suppress(EngineError):
            names = self.read("container", "ls", "--filter", f"publish={port}", "--format", "{{.Names}}").split()
        return f"container {names[0]}" if names else ""

    def fetch(self, key: str) -> Iterator[str]:
        image = self._catalogue.components()[key].container.image
        yield f"build {image}"
        with translated(f"cannot build {image}"):
            for _, line in self._client().compose.build([key], stream_logs=True) or ():
                yield line.decode(errors="replace").strip()

    def recover(self, tell: Tell = silent) -> tuple[str, ...]:
        """Finish what Compose was doing when it was interrupted while it replaced a container.

        The new container has a temporary name until the old one is removed: rename it, or remove it where the old one
        still exists.
        """
        keys = {name: key for name, key, file in self._containers() if self._is_own(file)}
        odd = {name: key for name, key in keys.items() if name != container_name(self.project, key)}
        for name, key in odd.items():
            wanted = container_name(self.project, key)
            action = ("rm", "--force", name) if wanted in keys else ("rename", name, wanted)
            self.read("container", *action, missing_is_fine=True)
        return tuple(sorted(set(odd.values())))

    def changes(self) -> AbstractAsyncContextManager[asyncio.Event]:
        happened = (part for event in _EVENTS for part in ("--filter", f"event={event}"))
        return at_each_line("docker", "events", *self.project_filter, *happened, "--format", "{{.Action}}")

    def create(self, keys: Iterable[str], *, recreate: bool = False) -> None:
        """Compose does not see that a mounted file changed: `recreate` replaces the containers in any case."""
        keys = list(keys)
        self._put_config(keys)
        self._up(keys, "--no-start", *(("--force-recreate",) if recreate else ()))

    def _put_config(self, keys: Iterable[str]) -> None:
        """On an engine elsewhere: give these components their config files, in the place of those that they had."""
        components = self._catalogue.components()
        paths = {key: config_paths(components[key]) for key in keys if config_paths(components[key])}
        if not (self.endpoint.remote and paths):
            return
        image = components[next(iter(paths))].container.image
        label = ("--label", f"{EPHEMERAL}={self.project}")
        self._compose("rm", "--stop", "--force", *paths)
        self.remove((), config_volume.volumes(paths, self.project).values())
        made = config_volume.mounts(paths, self.project)
        container = self.read("container", "create", "--network", "none", "--pull", "never", *label, *made, image, "-")
        try:
            with config_volume.archive(paths, self._config) as content:
                self.read("container", "cp", "-", f"{container.strip()}:/", stdin=content, seconds=None)
        finally:
            self.read("container", "rm", "--force", "--volumes", container.strip(), missing_is_fine=True)

    @property
    def _config(self) -> Path:
        return self._env_file.parents[1] / "config"

    def start(self, keys: Iterable[str]) -> None:
        """By Compose, which first puts secrets and configurations into a new container; `docker start` does not.

        A stopped container whose network was removed cannot start any more, so it is replaced.
        """
        keys = list(keys)
        try:
            self._up(keys, "--no-recreate", "--detach")
        except EngineError as error:
            if not _NOT_AS_IT_IS.search(error.message):
                raise
            for key in keys:
                self._start_or_replace(key)

    def _start_or_replace(self, key: str) -> None:
        try:
            self._up([key], "--no-recreate", "--detach")
        except EngineError as error:
            if not _NOT_AS_IT_IS.search(error.message):
                raise
            self._up([key], "--force-recreate", "--detach")

    def _up(self, keys: Iterable[str], *options: str) -> None:
        self._change(keys, "up", "--no-deps", "--no-build", *options)

    def unpause(self, keys: Iterable[str]) -> None:
        self._change(keys, "unpause")

    def start_ephemeral(self, key: str, ephemeral: EphemeralContainer) -> bool:
        """On the shared network, with no capabilities."""
        with translated(f"cannot start an ephemeral container from the image of {key}"):
            self._client().run(
                self._catalogue.components()[key].container.image,
                list(ephemeral.command),
                detach=True,
                remove=True,
                pull="never",
                networks=[self.project],
                labels={**ephemeral.labels, EPHEMERAL: self.project},
                cap_drop=["ALL"],
                security_options=["no-new-privileges"],
                memory="64m",
                pids_limit=64,
            )
        return True

    def remove_ephemeral(self) -> None:
        """An earlier arcctl knew one name only, and did not write it down."""
        lines = [
            line.split("\t") for line in self.read("container", "ls", "--all", "--format", _EPHEMERAL).splitlines()
        ]
        found = [id for id, project, old in lines if self.project == (PROJECT if old else project)]
        if found:
            self.read("container", "rm", "--force", *found, missing_is_fine=True)

    def execute(
        self,
        key: str,
        words: tuple[str, ...],
        *,
        environment: Mapping[str, str] = NOTHING,
        stdin: BinaryIO | None = None,
        stdout: BinaryIO | None = None,
        terminal: bool = False,
        seconds: float | None = None,
    ) -> Executed:
        """`docker exec`; a variable is named on its command line and its value is not."""
        named = tuple(word for name in environment for word in ("--env", name))
        tty = ("--tty",) if terminal and sys.stdin.isatty() else ()
        command = ("docker", "exec", "--interactive", *tty, *named, container_name(self.project, key), *words)
        variables = {**snapshot(), **environment}
        return execution.execute(command, variables, stdin=stdin, stdout=stdout, terminal=terminal, seconds=seconds)

    def usage(self, keys: tuple[str, ...]) -> Mapping[str, Usage]:
        if not keys:  # without a name `docker stats` reports every container
            return {}
        names = {container_name(self.project, key): key for key in keys}
        lines = self.read("stats", "--no-stream", "--format", "json", *names, missing_is_fine=True).splitlines()
        return {names[item["Name"]]: _usage(item) for item in map(json.loads, lines) if item["Name"] in names}

    def volume_sizes(self, seconds: float) -> dict[str, int]:
        """Bytes of each volume of the engine; empty where it takes longer to add them up."""
        with contextlib.suppress(EngineError):
            text = self.read("system", "df", "--verbose", "--format", "{{json .Volumes}}", seconds=seconds)
            return {volume["Name"]: size(volume["Size"]) for volume in json.loads(text) or ()}
        return {}

    def disk(self) -> Mapping[str, int]:
        sizes = self.volume_sizes(SECONDS)
        found: dict[str, int] = {}
        for key, component in self._catalogue.components().items():
            for mount in component.storage.mounts(symbolic(component.env)):
                if isinstance(mount, Volume) and (name := self.volume_name(key, mount.name)) in sizes:
                    found[key] = found.get(key, 0) + sizes[name]
        return found

    def stop(self, keys: Iterable[str]) -> None:
        self._change(keys, "stop")

    def restart(self, keys: Iterable[str]) -> None:
        self._change(keys, "restart")

    def remove(self, keys: Iterable[str], volumes: Iterable[str]) -> None:
        names = [container_name(self.project, key) for key in keys]
        for kind, gone in (("container", names), ("volume", list(volumes))):
            if gone:
                self.read(kind, "rm", "--force", *gone, missing_is_fine=True)

    def down(self, tell: Tell = silent, *, volumes: bool = False) -> None:
        """With `volumes`, containers are killed at once: nothing has to be saved."""
        self.remove_ephemeral()
        self._compose("down", "--remove-orphans", *(("--volumes", "--timeout", "0") if volumes else ()))

    def logs(self, keys: Iterable[str], *, follow: bool = False, since: str = "", tail: str = "") -> Iterator[str]:
        with translated():
            stream = self._client().compose.logs(
                list(keys), follow=follow, since=since or None, tail=tail or None, stream=True
            )
            for _, line in stream:
                yield line.decode(errors="replace").rstrip("\n")

    def logs_of_last_run(self, key: str, *, tail: str) -> Iterator[str]:
        text = self.read("container", "inspect", container_name(self.project, key), missing_is_fine=True)
        since = next(map(inspection.last_run, json.loads(text or "[]")), "")
        return self.logs([key], since=since, tail=tail)

    def command(self) -> tuple[str, ...]:
        return ("docker", *self._compose_arguments())

    def _compose_arguments(self) -> tuple[str, ...]:
        files = (part for file in self._files for part in ("-f", str(file)))
        env = ("--env-file", str(self._env_file)) if self._env_file.is_file() else ()
        return ("compose", "--project-name", self.project, *files, *env)

    def _client(self) -> DockerClient:
        from python_on_whales import DockerClient

        env_files = [self._env_file] if self._env_file.is_file() else []
        return DockerClient(
            compose_files=list(self._files), compose_env_files=list(env_files), compose_project_name=self.project
        )

    def _change(self, keys: Iterable[str], *words: str) -> None:
        """Change these: without a name, Compose would change all."""
        if keys := tuple(keys):
            self._compose(*words, *keys)

    def _compose(self, *words: str) -> None:
        """Change something; that takes as long as it takes."""
        self.read(*self._compose_arguments(), *words, seconds=None)

    def read(
        self,
        *arguments: str,
        missing_is_fine: bool = False,
        seconds: float | None = SECONDS,
        stdin: BinaryIO | None = None,
    ) -> str:
        """What `docker` prints. Raises EngineError; with `missing_is_fine` not for an object that does not exist.

        Where this process holds the project's lock, `docker` holds it too, and on when this process is killed.
        """
        if self.endpoint.refused:
            raise self.endpoint.refused
        try:
            # In a process group of its own, so that Ctrl-C reaches arcctl only.
            done = subprocess.run(
                ("docker", *arguments),
                stdin=stdin,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=seconds,
                check=False,
                process_group=0,
                close_fds=False,
                env={**snapshot(), PROJECT_NAME: self.project},
            )
        except FileNotFoundError:
            raise not_installed() from None
        except subprocess.TimeoutExpired:
            raise EngineError(f"the Docker engine did not answer in {seconds:.0f} s", hint=NO_ENGINE) from None
        missing = missing_is_fine and "no such" in done.stderr.lower() and not no_engine(done.stderr)
        if done.returncode and not missing:
            raise refusal(done.stderr)
        return done.stdout


def _lowest_port(info: Mapping[str, Any]) -> int:
    """The first port that an engine on this machine may publish; 0 where nothing limits it."""
    helper = shutil.which("rootlesskit")
    if not products.is_rootless(info) or (helper and machine.has_capabilities(Path(helper))):
        return 0
    return machine.lowest_port() or 0


def _way(context: str) -> str:
    """How to get to the engine that answered; the variables win over a context."""
    if host := snapshot().get("DOCKER_HOST", ""):
        return f"export DOCKER_HOST={shlex.quote(host)}"
    return f"unset DOCKER_HOST DOCKER_CONTEXT; docker context use {shlex.quote(context)}" if context else ""


def _usage(item: Mapping[str, str]) -> Usage:
    memory, _, limit = item["MemUsage"].partition("/")
    return Usage(memory=size(memory), limit=size(limit), cpu=float(item["CPUPerc"].rstrip("%").replace("--", "0")))


def size(text: str) -> int:
    """Bytes of a size as Docker writes it, `10.5MiB` or `48.2MB`; 0 for anything else."""
    found = re.fullmatch(r"([\d.]+) ?([A-Za-z]+)", text.strip())
    return round(float(found[1]) * _UNITS[found[2]]) if found and found[2] in _UNITS else 0
