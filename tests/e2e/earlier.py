"""A project directory as arcctl wrote it when projects had no names, started as it was started then: not by arcctl.

`tests/earlier_home` has its files, of Postgres, Redis and NATS only. `@word@` stands for what differs from machine to
machine: paths, ports, an id, a user. Of today are the programs of local processes, the images, and the files of other
services, which are not started.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import hashlib
import os
import pwd
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg

from arcctl import services
from arcctl.engines.embedded import accounts, processes, translation
from arcctl.engines.embedded.resolver import BinaryResolver
from arcctl.engines.embedded.supervisor import SETTINGS, Supervisor
from arcctl.model.image import split
from arcctl.settings import image_tags
from tests.e2e.clients import nats_client, sql
from tests.e2e.driver import Platform, eventually
from tests.e2e.user_data import USER_DATA

FILES = Path(__file__).parents[1] / "earlier_home"
CONFIG = Path(__file__).parents[2] / "config"
OF_A_CHECKOUT = shutil.ignore_patterns(".env", "custom.yml")
"""What no new project has."""
SERVERS = ("postgres", "redis", "nats")
PORTS = (5432, 6379, 4222)
SET_UP = "postgres-setup"
PLACE = re.compile(r"@(\w+)@")
ROOT, SERVERS_USER = Path("/var/lib/arcctl"), "nobody"
"""Where the files of local processes were that root started, and whom these ran as."""
COMPOSE = ("compose", "-f", "compose/base.yaml", "-f", "compose/stack.yaml", "--env-file", ".arcctl/compose.env")


@dataclass
class EarlierHome(abc.ABC):
    platform: Platform

    @property
    def directory(self) -> Path:
        return self.platform.directory

    @abc.abstractmethod
    def start(self) -> None:
        """Write its files and start its servers, which have nothing in them."""

    @abc.abstractmethod
    def stores(self) -> set[str]:
        """Where there is data of this project, or of one that took its place."""

    @abc.abstractmethod
    def remove(self) -> None:
        """What arcctl did not remove."""

    def write(self) -> None:
        asyncio.run(_add_stream(self.platform))
        for name in SERVERS:
            USER_DATA[name].write(self.platform)

    def read(self) -> dict[str, Any]:
        return {name: USER_DATA[name].read(self.platform) for name in SERVERS}

    def _copy(self, engine: str, values: Mapping[str, str]) -> None:
        for part in ("common", engine):
            for name in ("compose", "config", ".arcctl"):
                _fill(FILES / part / name, self.directory / name, values)
        for folder in (found for found in CONFIG.iterdir() if not (self.directory / "config" / found.name).exists()):
            shutil.copytree(folder, self.directory / "config" / folder.name, ignore=OF_A_CHECKOUT)
        (self.directory / "compose" / ".env").symlink_to("../.arcctl/compose.env")
        _make_private(self.directory / ".arcctl")

    def _wait(self) -> None:
        assert eventually(lambda: all(map(_listens, map(self.platform.port, PORTS))))

    def _wait_for_database(self) -> None:
        assert eventually(lambda: _can_log_in(self.platform))


@dataclass
class OnDocker(EarlierHome):
    """By plain `docker compose`, with its files of then and the images that the tests have."""

    _others: set[str] = field(default_factory=set)
    """The volumes that were there before."""

    def start(self) -> None:
        self._others = self._volumes()
        self._copy("docker", {"engine": self._engine()})
        self._compose("up", "--detach", "--wait", *SERVERS)
        self._compose("up", "--detach")  # with what goes with them
        self._wait()
        self._wait_for_database()

    def _engine(self) -> str:
        """What arcctl noted of an engine: its id, and how to get to it."""
        host = self.platform.environment.get("DOCKER_HOST")
        way = f"export DOCKER_HOST={shlex.quote(host)}" if host else "docker context use default"
        return f"{self.platform.docker('info', '--format', '{{.ID}}').strip()} {way}"

    def _compose(self, *words: str) -> None:
        tags = {t.name: split(t.current)[1] for t in image_tags.tag_settings(services.load()).values()}
        replace(self.platform, environment={**self.platform.environment, **tags}).docker(*COMPOSE, *words)

    def stores(self) -> set[str]:
        return self._volumes() - self._others

    def containers(self) -> set[str]:
        return set(self.platform.docker("container", "ls", "--format", "{{.Names}}").split())

    def _volumes(self) -> set[str]:
        """Of every Compose project."""
        listed = ("volume", "ls", "--quiet", "--filter", "label=com.docker.compose.project")
        return set(self.platform.docker(*listed).split())

    def remove(self) -> None:
        self._compose("down", "--volumes", "--remove-orphans", "--timeout", "0")


class AsProcesses(EarlierHome):
    """By the supervisor, with its configuration and start scripts of then."""

    @property
    def base(self) -> Path:
        """The folder of its processes."""
        if os.geteuid():
            return self.directory / ".arcctl" / "embedded"
        return ROOT / self._id

    @property
    def _id(self) -> str:
        return hashlib.sha256(str(self.directory).encode()).hexdigest()[:12]

    def start(self) -> None:
        values = self._values()
        self._copy("embedded", values)
        if os.geteuid():  # files that only one user can reach have no id
            (self.directory / ".arcctl" / "project-id").unlink()
        _fill(FILES / "embedded" / "base", self.base, values)
        self._make_data(values["postgres"])
        self._start_supervisor()
        for name in SERVERS:
            Supervisor(self.base).call("startProcess", name, True)
        self._wait()
        Supervisor(self.base).call("startProcess", SET_UP, False)
        self._wait_for_database()

    def _values(self) -> dict[str, str]:
        ports = {name: value for name, value in self.platform.environment.items() if name.endswith("_PORT")}
        root = not os.geteuid()
        return {
            **ports,
            **_programs(self.directory),
            "id": self._id,
            "base": str(self.base),
            "directory": str(self.directory),
            "inode": str(self.directory.stat().st_ino),
            "user_of_supervisor": "user=root\n" if root else "",
            "user_of_servers": f"user={SERVERS_USER}\n" if root else "",
        }

    def _make_data(self, postgres: str) -> None:
        """As the first start of each server made it: empty, but for Postgres."""
        (self.base / "log").mkdir()
        for name in SERVERS:
            (self.base / "data" / f"{name}_data").mkdir(parents=True)
        for folder in (*self.base.glob("run/*"), *self.base.glob("data/*")):
            _make_private(folder, _user())
        password = self.base / "run/postgres/run/arc/password"
        words = (f"{postgres}/bin/initdb", "--username=postgres", f"--pwfile={password}", "--auth=scram-sha-256")
        data = self.base / "data/postgres_data"
        subprocess.run(
            (*words, "--encoding=UTF8", "--locale=C.UTF-8", "-D", data),
            cwd=data,
            env={**SETTINGS, "LD_LIBRARY_PATH": f"{postgres}/lib"},
            stdout=subprocess.DEVNULL,
            check=True,
            **accounts.as_user(_user()),
        )

    def _start_supervisor(self) -> None:
        command = (sys.executable, "-P", "-W", "ignore", "-m", "supervisor.supervisord")
        subprocess.run(
            (*command, "-c", self.base / "supervisor.conf"),
            cwd=self.base,
            env=SETTINGS,
            stdin=subprocess.DEVNULL,
            check=True,
        )
        assert eventually((self.base / "s").exists)

    def stores(self) -> set[str]:
        """The folders with data in every folder that names this project directory."""
        own = f"{self.directory}\n"
        notes = [n for n in self.base.parent.glob("*/project-directory") if n.read_text().startswith(own)]
        return {str(data) for note in notes for data in note.parent.glob("data/*")}

    def remove(self) -> None:
        processes.end([*processes.supervisors(self.base)], 60)
        processes.end([*processes.working_below(self.base)])
        shutil.rmtree(self.base, ignore_errors=True)


async def _add_stream(platform: Platform) -> None:
    """The one that arcctl added after the first start."""
    async with nats_client(platform) as client:
        await client.jetstream().add_stream(name="AGENTS", subjects=["agents.>"])


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _can_log_in(platform: Platform) -> bool:
    with contextlib.suppress(psycopg.OperationalError), sql(platform):
        return True
    return False


def _fill(source: Path, target: Path, values: Mapping[str, str]) -> None:
    """Copy a folder, with the values of this machine in the places of its texts."""
    for path in sorted(source.rglob("*")):
        if path.is_file():
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(PLACE.sub(lambda found: values[found[1]], path.read_text()))


def _user() -> pwd.struct_passwd | None:
    """Whom servers run as; None for the caller."""
    return None if os.geteuid() else pwd.getpwnam(SERVERS_USER)


def _make_private(folder: Path, user: pwd.struct_passwd | None = None) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        accounts.give(path, user)


def _programs(directory: Path) -> dict[str, str]:
    """Of Postgres the folder, of the others the server."""
    catalogue = translation.local_catalogue(services.load())
    resolver = BinaryResolver(directory, catalogue)
    sources = {name: resolver.needed(catalogue.services[name]) for name in SERVERS}
    for source in sources.values():
        _exhaust(resolver.artifacts.build(source))
    resolver.artifacts.share()
    programs = {name: str(resolver.artifacts.program(source)) for name, source in sources.items()}
    return {**programs, "postgres": str(resolver.artifacts.path(sources["postgres"]))}


def _exhaust(lines: Iterator[str]) -> None:
    for _ in lines:
        pass
