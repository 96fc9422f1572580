"""The embedded engine: the same services as local processes under one supervisor, for machines without Docker."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

from arcctl.core import local
from arcctl.core.env import ServiceEnv, load
from arcctl.core.graph import heights
from arcctl.core.model import Catalogue, Helper
from arcctl.core.observed import ContainerState, Observed
from arcctl.core.ports import NOTHING, EngineFacts, Executed
from arcctl.core.proof import Guest
from arcctl.core.usage import Usage
from arcctl.errors import EngineError, UsageError
from arcctl.runtime import accounts, execution, files, process_logs, process_usage, supervision
from arcctl.runtime.environment import snapshot
from arcctl.runtime.layout import Layout
from arcctl.runtime.supervision import Supervised, Supervisor
from arcctl.runtime.supply import Supply

_STATES = {
    "RUNNING": "running",
    "STARTING": "running",
    "STOPPING": "running",
    "STOPPED": "exited",
    "EXITED": "exited",
    "BACKOFF": "restarting",
}
"""The supervisor's words in the engine's; FATAL and all others are `dead`."""
FIRST_RUN_SECONDS = 120.0


def base(home: Path) -> Path:
    """Where processes of a home keep their files: in the home, or where an unprivileged user can reach it."""
    if accounts.unprivileged() is None:
        return home / files.STATE / "embedded"
    return Path("/var/lib/arcctl") / hashlib.sha256(str(home).encode()).hexdigest()[:12]


class EmbeddedEngine:
    """The services as supervised processes."""

    name = "embedded"
    usual = ("all",)

    def __init__(self, catalogue: Catalogue, home: files.Home) -> None:
        self._catalogue = catalogue
        self._containers = {k: c for k, c in catalogue.containers().items() if c.process is not None}
        self._home = home
        self._base = base(home.root)
        self._supply = Supply(home.root, catalogue)
        self._supervisor = Supervisor(self._base)
        self.defaults = local.defaults(catalogue)

    def facts(self) -> EngineFacts:
        """Versions and sizes of this machine."""
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        folder = next(p for p in (self._base, *self._base.parents) if p.is_dir())
        return EngineFacts(
            versions={"Supervisor": version("supervisor")},
            memory=pages,
            cpus=os.cpu_count() or 1,
            disk_free=shutil.disk_usage(folder).free,
        )

    def observe(self) -> Observed:
        """The state of every process that was started, and what cannot run here."""
        made = {key: self._made(key) for key in self._containers}
        found = self._supervisor.processes() if any(made.values()) else {}
        envs = self._envs()
        states = {}
        for key, record in made.items():
            if record:
                info = (found or {}).get(key)
                states[key] = self._state(key, info, record, envs)
        return Observed(states, self._supply.unavailable())

    def _state(
        self, key: str, info: Mapping[str, Any] | None, record: Mapping[str, str], envs: Mapping[str, ServiceEnv]
    ) -> ContainerState:
        state = _STATES.get(info["statename"], "dead") if info else "dead"
        return ContainerState(
            state="paused" if state == "running" and info and supervision.frozen(info["pid"]) else state,
            exit_code=info["exitstatus"] if info else 0,
            config_hash=record["hash"],
            image=self._containers[key].image,
            image_id=record["artifact"],
            version=record["version"],
            ports=local.local_ports(self._containers[key], envs[key]) if envs else {},
        )

    def hashes(self) -> Mapping[str, str]:
        """A hash over everything that each process would be started with now."""
        if not self._envs():
            return {}
        layout = self._layout()
        return {key: layout.digest(key) for key, c in self._containers.items() if self._supply.source(c)}

    def volumes(self) -> tuple[str, ...]:
        """Names of the data folders."""
        folder = self._base / "data"
        return tuple(sorted(p.name for p in folder.iterdir() if p.suffix != ".new")) if folder.is_dir() else ()

    def images(self, references: Iterable[str]) -> Mapping[str, str]:
        """The artifact that stands for each image reference, where it is ready."""
        wanted, found = set(references), {}
        for container in self._containers.values():
            source = self._supply.source(container) if container.image in wanted else None
            if source and self._supply.artifacts.ready(source):
                found[container.image] = self._supply.artifacts.path(source).name
        return found

    def port_owner(self, port: int) -> str:
        """The host knows the owners of its ports better."""
        del port
        return ""

    def fetch(self, key: str) -> Iterator[str]:
        """Make the artifact of one process; yields what happens."""
        yield from self._supply.make(self._supply.needed(key, self._containers[key]))

    def recover(self) -> bool:
        """End servers whose supervisor was killed: they hold their ports, and nobody would restart them."""
        if not self._base.is_dir() or self._supervisor.processes() is not None:
            return False
        with self._supervisor.locked():
            if self._supervisor.processes() is None:  # another `up` may have been faster
                self._supervisor.sweep()
        return True

    def start(self, keys: Iterable[str], *, recreate: bool = False) -> None:
        """Start these processes and no others; returns before they are ready."""
        keys = tuple(keys)
        with self._supervisor.locked():
            layout = self._layout()
            self._supervisor.ensure(self._supervised(layout))
            if recreate:
                self._supervisor.stop(keys)
            for key in keys:
                self._lay_out(layout, key)
                self._supervisor.start(key)

    def _lay_out(self, layout: Layout, key: str) -> None:
        container = self._containers[key]
        source = self._supply.needed(key, container)
        layout.write(key)
        first = local.process_of(container).first_run
        for volume in layout.volumes(key):
            if first and not any(volume.iterdir()):
                self._first_run(layout, key, first, volume)
        record = {
            "hash": layout.digest(key),
            "artifact": self._supply.artifacts.path(source).name,
            "version": self._supply.artifacts.version(source),
        }
        files.write_whole(self._base / "run" / key / "made.json", json.dumps(record), files.PRIVATE_FILE)

    def _first_run(self, layout: Layout, key: str, command: tuple[str, ...], volume: Path) -> None:
        """Make a data folder beside its place and move it there when it is whole."""
        user, log = layout.user(key), self._supervisor.log(key)
        fresh = volume.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        accounts.give(fresh, user)
        words = tuple(local.filled(word, {"{data}": str(fresh)}) for word in layout.words(key, command))
        with log.open("a") as stream:
            done = subprocess.run(
                words,
                env=layout.environment(key),
                cwd=fresh,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                timeout=FIRST_RUN_SECONDS,
                check=False,
                **accounts.as_user(user),
            )
        if done.returncode:
            raise EngineError(f"{Path(words[0]).name} failed with {done.returncode}", hint=f"read {log}")
        volume.rmdir()
        fresh.rename(volume)

    def _supervised(self, layout: Layout) -> dict[str, Supervised]:
        """Every process that could be started here."""
        owners = {k: n for i, n in heights(self._catalogue).items() for k in self._catalogue.containers((i,))}
        return {
            key: Supervised(
                key=key,
                start=self._base / "run" / key / "start",
                priority=owners[key],
                stop_signal=local.process_of(container).stop_signal,
                grace=container.stop_grace,
                one_shot=isinstance(container, Helper) and container.one_shot,
                user=user.pw_name if (user := layout.user(key)) else "",
            )
            for key, container in self._containers.items()
            if self._supply.source(container)
        }

    def unpause(self, keys: Iterable[str]) -> None:
        self._supervisor.wake(tuple(keys))

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
        """The program of the server's artifact, or else the machine's own, with the server's environment."""
        self._supply.needed(key, self._containers[key])
        layout = self._layout()
        local_words = layout.words(key, (f"{{artifact}}/bin/{words[0]}", *words[1:]))
        if not Path(local_words[0]).is_file():
            local_words = layout.words(key, words)
        variables = {"TERM": snapshot().get("TERM", "dumb"), **layout.environment(key), **environment}
        return execution.execute(local_words, variables, stdin=stdin, stdout=stdout, terminal=terminal)

    def usage(self, keys: tuple[str, ...]) -> Mapping[str, Usage]:
        found = self._supervisor.processes() or {}
        return process_usage.usage({key: found[key]["pid"] for key in keys if key in found})

    def disk(self) -> Mapping[str, int]:
        layout = self._layout() if self._envs() else None
        folders = {key: layout.volumes(key) for key in self._containers} if layout else {}
        return {key: process_usage.disk(found) for key, found in folders.items() if found}

    def stop(self, keys: Iterable[str]) -> None:
        if self._supervisor.processes() is not None:
            self._supervisor.stop(tuple(keys))

    def restart(self, keys: Iterable[str]) -> None:
        self.start(keys, recreate=True)

    def invite(self, key: str, guest: Guest) -> bool:
        """There are no containers here."""
        return False

    def dismiss(self) -> None:
        """Nobody was invited."""

    def remove(self, keys: Iterable[str], volumes: Iterable[str]) -> None:
        keys = tuple(keys)
        self.stop(keys)
        for path in (*(self._base / "run" / key for key in keys), *(self._base / "data" / name for name in volumes)):
            shutil.rmtree(path, ignore_errors=True)

    def down(self, *, volumes: bool = False) -> None:
        """End everything; with `volumes` the data goes too."""
        if not self._base.is_dir():
            return
        with self._supervisor.locked():
            self._supervisor.shutdown()
            shutil.rmtree(self._base / "run", ignore_errors=True)
            if volumes:
                shutil.rmtree(self._base)

    def logs(self, keys: Iterable[str], *, follow: bool = False, since: str = "", tail: str = "") -> Iterator[str]:
        """Log lines, each with the name of its process."""
        if since:
            raise UsageError(
                "--since works on the docker engine only: servers write their own times here", hint="--tail"
            )
        return process_logs.read({key: self._supervisor.log(key) for key in keys}, follow=follow, tail=tail)

    def command(self) -> tuple[str, ...]:
        raise UsageError("this home runs without Docker, so there is no Compose to pass words to", hint="arcctl ps")

    def _envs(self) -> dict[str, ServiceEnv]:
        """The settings of each process as they were merged last; empty before `init`."""
        if not self._home.compose_env.is_file():
            return {}
        values = files.read_env(self._home.compose_env, str(self._home.compose_env))
        return {key: load(container.env, values) for key, container in self._containers.items()}

    def _layout(self) -> Layout:
        chosen = {key: self._supply.source(c) for key, c in self._containers.items()}
        programs = {
            key: (self._supply.artifacts.program(source), self._supply.artifacts.path(source))
            for key, source in chosen.items()
            if source
        }
        return Layout(self._base, self._home.root, self._containers, self._envs(), programs)

    def _made(self, key: str) -> dict[str, str]:
        path = self._base / "run" / key / "made.json"
        return dict(json.loads(path.read_text())) if path.is_file() else {}
