"""Turns the files of custom services into the same declarations as the built-in ones."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from pydantic import Field, SecretStr, create_model

from arcctl import services
from arcctl.custom.references import References, resolve, wrong
from arcctl.custom.schema import HTTP, VARIABLE, CustomPort, CustomService
from arcctl.errors import SettingsError, UsageError
from arcctl.model.backup_method import Folder
from arcctl.model.binaries import OnPath, Requirements, Source
from arcctl.model.connection import Endpoint, Where
from arcctl.model.env import NAME, HostPort, ServiceEnv, plain, reveal, unknown
from arcctl.model.graph import reserved
from arcctl.model.probe import Http, Probe, Runs, Tcp
from arcctl.model.resource import Resource
from arcctl.model.service import (
    Catalogue,
    Checks,
    ConfigFile,
    Container,
    Layer,
    Mount,
    Network,
    Port,
    Process,
    Service,
    SetUp,
    Storage,
    Volume,
)
from arcctl.model.smoke_test import Call, Calls, SmokeTest
from arcctl.model.telemetry import Scrape, Telemetry, Unit, rate
from arcctl.services import otel_collector, postgres, prometheus, traefik
from arcctl.services.presets.containers import START_AS_ROOT
from arcctl.services.presets.web import web
from arcctl.settings.location import custom_file, refuse_name

_PASSFILE, _ENV_FILE = "/run/arc/pgpass", "/run/arc/env"
_READ_ENV = f'set -a && . {_ENV_FILE} && set +a && exec "$$@"'
_CALLS = rate('traces_span_metrics_calls_total{service_name="$id", span_kind="SPAN_KIND_SERVER"}')


def catalogue(files: Mapping[str, CustomService]) -> Catalogue:
    """The built-in services and those that these files declare, in the order of their ids.

    Raises SettingsError for a file that is wrong.
    """
    builtin = services.load()
    declared = declare(files, builtin.services) if files else {}
    return Catalogue(dict(sorted({**builtin.services, **declared}.items())))


def declare(files: Mapping[str, CustomService], builtin: Mapping[str, Service[Any]]) -> dict[str, Service[Any]]:
    """A declaration for each file.

    Raises SettingsError, with the field, for a file that conflicts with the others.
    """
    known, taken = dict(builtin), reserved(Catalogue(builtin))
    for name in files:
        _check(name, files, taken)
    for name in files:
        _declare(name, files, known, ())
    return {name: known[name] for name in files}


def _check(name: str, files: Mapping[str, CustomService], taken: frozenset[str]) -> None:
    try:
        refuse_name(name, taken)
    except UsageError as error:
        raise SettingsError(f"{custom_file(name)}: {error.message}", hint="give the file another name") from None
    if files[name].database and f"{name}-db" in taken | set(files):
        raise wrong(name, "database", f"it needs the name {name}-db, which another service has")


def _declare(
    name: str, files: Mapping[str, CustomService], known: dict[str, Service[Any]], behind: tuple[str, ...]
) -> None:
    """Add one service to the known ones, after the custom services that it needs."""
    if name in behind:
        raise wrong(name, "needs", f"services depend on each other in a circle: {' -> '.join((*behind, name))}")
    if name in known:
        return
    for need in files[name].needs:
        if need in files:
            _declare(need, files, known, (*behind, name))
    known[name] = _Declaration(name, files[name], known).service()


@dataclass(frozen=True)
class _Declaration:
    """One file being turned into a service."""

    name: str
    spec: CustomService
    known: Mapping[str, Service[Any]]

    def service(self) -> Service[Any]:
        spec, env = self.spec, self._env()
        components, volumes = (postgres.database(self.name, env, self._role),), tuple(spec.volumes)
        rotation = postgres.role_rotation(self._role, "db_password", superuser="superuser")
        return Service(
            id=self.name,
            title=spec.title or self.name,
            layer=Layer.CUSTOM,
            env=env,
            needs=self._needs(),
            components=components if spec.database else (),
            container=Container(
                image=spec.image or f"{NAME}-{self.name}:0.1.0",
                build=spec.build or "",
                user=spec.user,
                entrypoint=("/bin/sh", "-c", _READ_ENV, "--") if self._secret else (),
                command=tuple(word.replace("${PORT}", str(self._port)) for word in spec.command),
                environment=lambda env: {n: t for n, t in self._environment(env).items() if n not in self._secret},
                capabilities=() if spec.user else START_AS_ROOT,
                memory_mb=spec.memory_mb,
            ),
            network=Network(
                ports=self._ports,
                labels=lambda env: web(self.name, self._port, env.project) if spec.web else {},
                endpoints=lambda env: tuple(_endpoint(port) for port in self._ports(env)),
                connect=self._connect,
            ),
            storage=Storage(mounts=self._mounts),
            checks=Checks(probe=self._probe, smoke_tests=self._smoke_tests),
            setup=SetUp(resources=self._resources),
            backup=lambda env: Folder(volumes[0], volumes[1:]) if volumes else None,
            rotations=(rotation,) if spec.database else (),
            telemetry=self._telemetry(),
            process=self._process(),
        )

    @property
    def _role(self) -> str:
        """Unlike any word of SQL and any role of the platform."""
        return f"own_{self.name.replace('-', '_')}"

    @property
    def _port(self) -> int:
        return self.spec.ports[0].container if self.spec.ports else 0

    def _needs(self) -> tuple[Service[Any], ...]:
        implied = {
            postgres.SERVICE.id: self.spec.database,
            traefik.SERVICE.id: self.spec.web,
            prometheus.SERVICE.id: self.spec.metrics is not None,
        }
        names = (*self.spec.needs, *(name for name, wanted in implied.items() if wanted))
        for problem in unknown(names, self.known, "service"):
            raise wrong(self.name, "needs", problem)
        return tuple(self.known[name] for name in dict.fromkeys(names))

    def _env(self) -> type[ServiceEnv]:
        """Its settings: a port of the host each, the password of its database, and the values that its texts name."""
        base: type[ServiceEnv] = postgres.ConsumerEnv if self.spec.database else ServiceEnv
        fields: dict[str, Any] = {
            field: (HostPort, Field(default=port.host, description="Port on the host's loopback address."))
            for field, port in self._port_fields().items()
        }
        for name, variable in self._references.settings.items():
            value: Any = Field(validation_alias=name, description=variable.description)
            fields[name.lower()] = (SecretStr if variable.secret else str, value)
        return create_model("Env", __base__=base, __cls_kwargs__={"env_prefix": self._prefix}, **fields)

    def _port_fields(self) -> dict[str, CustomPort]:
        first, *others = self.spec.ports or (None,)
        found = {"host_port": first} if first else {}
        return found | {f"{port.name}_port": port for port in others}

    @cached_property
    def _references(self) -> References:
        """Its variables. In them its own database is meant, where it has one."""
        nearer, secret = {}, ""
        if self.spec.database:
            secret = f"{self._prefix}DB_PASSWORD"
            nearer = {"DATABASE_URL": postgres.url(self._role, SecretStr(f"${{{secret}}}"))}
        return resolve(self.name, self.spec.environment, self.known, self._closure(), nearer, secret)

    @property
    def _prefix(self) -> str:
        return f"{self.name.upper().replace('-', '_')}_"

    def _closure(self) -> set[str]:
        queue, found = list(self._needs()), set[str]()
        while queue:
            service = queue.pop()
            found.add(service.id)
            queue += service.needs
        return found

    @cached_property
    def _secret(self) -> frozenset[str]:
        """The variables that may not be seen in what the engine shows of a container.

        Raises SettingsError where no command is known that could read them from a file.
        """
        found = self._references.secret
        if found and not self.spec.command:
            raise wrong(
                self.name,
                f"environment.{min(found)}",
                "names a secret, which reaches the program through a file: say its command, for a shell to start",
            )
        return found

    def _environment(self, env: Any) -> dict[str, str]:
        """All variables, with the values of other services' settings in them."""
        values = {name: plain(getattr(env, name.lower())) for name in self._references.settings}
        values |= {f"{self._prefix}DB_PASSWORD": plain(env.db_password)} if self.spec.database else {}
        texts = {
            name: VARIABLE.sub(lambda match: values[match[1]], text) for name, text in self._references.values.items()
        }
        observed = otel_collector.SERVICE.id in self._closure()
        telemetry = otel_collector.exporting(self.name, env.project) if observed else {}
        login = {"DATABASE_URL": postgres.url(self._role), "PGPASSFILE": _PASSFILE} if self.spec.database else {}
        return {**telemetry, **login, **texts}

    def _mounts(self, env: Any) -> tuple[Mount, ...]:
        """Files with secrets belong to the account that the program runs as."""
        uid, gid = map(int, (self.spec.user or "0:0").split(":"))
        mounts: list[Mount] = [Volume(name, path) for name, path in self.spec.volumes.items()]
        if self.spec.database:
            secret = reveal(env.db_password)
            mounts.append(ConfigFile(_PASSFILE, f"*:*:*:{self._role}:{secret}\n", uid=uid, gid=gid))
        if self._secret:
            texts = self._environment(env)
            lines = (f"{name}={shlex.quote(texts[name])}\n" for name in sorted(self._secret))
            mounts.append(ConfigFile(_ENV_FILE, "".join(lines), uid=uid, gid=gid))
        return tuple(mounts)

    def _ports(self, env: Any) -> tuple[Port, ...]:
        fields = self._port_fields().items()
        return tuple(Port(p.container, getattr(env, field), p.name) for field, p in fields)

    def _process(self) -> Process[Any] | None:
        spec = self.spec.embedded
        if spec is None:
            return None
        program = spec.command[0]
        ours = bool(spec.lock) and program == "python"
        source: Source = OnPath(name=program, program=program)
        if spec.lock:
            source = Requirements(name=f"custom-{self.name}", lock=spec.lock)
        path = f"{{directory}}/{PurePosixPath(spec.lock).parent}/src"
        python = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"} if spec.lock else {}

        def command(env: Any) -> tuple[str, ...]:
            port = str(env.host_port) if self.spec.ports else ""
            words = (_literal(word.replace("${PORT}", port)) for word in spec.command[1:])
            return ("{program}" if ours or not spec.lock else program, *words)

        return Process(
            sources=(source,),
            command=command,
            environment=lambda env: python | {n: _literal(t) for n, t in self._environment(env).items()},
        )

    def _probe(self, env: Any) -> Probe:
        probe = self.spec.probe or ("tcp" if self.spec.ports else "none")
        if probe.startswith("/"):
            return Http(self._port, probe)
        return Tcp(port=self._port) if probe == "tcp" else Runs()

    def _smoke_tests(self, env: Any) -> tuple[SmokeTest, ...]:
        probe, found = self._probe(env), list[SmokeTest]()
        if isinstance(probe, Http):
            found.append(Calls((Call(f"answer {probe.path}", probe.port, probe.path),)))
        if self.spec.database:
            found.append(postgres.login(self._role, env.db_password))
        return tuple(found)

    def _resources(self, env: Any) -> tuple[Resource, ...]:
        return postgres.service_database(self._role, env.db_password, env.superuser) if self.spec.database else ()

    def _connect(self, env: Any, where: Where) -> dict[str, str]:
        """Its first port, as others find it."""
        first = self.spec.ports[:1]
        return {f"{self._prefix}URL": f"{_scheme(port.name)}://{where.at(self._port)}" for port in first}

    def _telemetry(self) -> Telemetry:
        """By what it is scraped for, and by its traces."""
        spec = self.spec.metrics
        if spec is None:
            return Telemetry(
                up='max(target_info{service_name="$id"})', latency="", memory="", rate=_CALLS, unit=Unit.REQUESTS
            )
        return Telemetry(rate=_CALLS, unit=Unit.REQUESTS, scrape=Scrape(spec.port or self._port, spec.path))


def _scheme(port: str) -> str:
    """What a port speaks, by its name."""
    return HTTP if port == HTTP else "tcp"


def _endpoint(port: Port) -> Endpoint:
    return Endpoint(port.name, f"{_scheme(port.name)}://127.0.0.1:{port.host}", is_web_page=port.name == HTTP)


def _literal(text: str) -> str:
    """Without what Compose wants a dollar sign to be written like."""
    return text.replace("$$", "$")
