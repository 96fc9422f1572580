"""Turns what a user's own files say into the same values as the built-in declarations."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from pydantic import Field, SecretStr, create_model

from arcctl.core.backup import Folder
from arcctl.core.bootstrap import Resource
from arcctl.core.connect import Where
from arcctl.core.env import HostPort, ServiceEnv, unknown
from arcctl.core.graph import reserved
from arcctl.core.model import Catalogue, Inline, Layer, Limits, Link, Mount, Port, Process, Service, Volume
from arcctl.core.monitoring import Monitoring, Scrape, Unit
from arcctl.core.names import own_file, refuse_name
from arcctl.core.own import HTTP, VARIABLE, Own, OwnPort
from arcctl.core.probe import Http, Probe, Runs, Tcp
from arcctl.core.proof import Call, Calls, Proof
from arcctl.core.sources import OnPath, Requirements, Source
from arcctl.errors import SettingsError, UsageError
from arcctl.services import otel_collector, postgres, prometheus, traefik
from arcctl.services._own_texts import Texts, resolve, wrong
from arcctl.services._presets import web

_PASSFILE, _ENV_FILE = "/run/arc/pgpass", "/run/arc/env"
_READ_ENV = f'set -a && . {_ENV_FILE} && set +a && exec "$$@"'
# What an image that starts as root takes to become somebody else.
_OF_ROOT = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID")
_CALLS = 'sum(rate(traces_span_metrics_calls_total{service_name="$id", span_kind="SPAN_KIND_SERVER"}[2m]))'


def declare(files: Mapping[str, Own], builtin: Mapping[str, Service[Any]]) -> dict[str, Service[Any]]:
    """A declaration for each file.

    Raises SettingsError for a file that does not fit to the others, with its field.
    """
    known, taken = dict(builtin), reserved(Catalogue(builtin))
    for name in files:
        _check(name, files, taken)
    for name in files:
        _declare(name, files, known, ())
    return {name: known[name] for name in files}


def _check(name: str, files: Mapping[str, Own], taken: frozenset[str]) -> None:
    try:
        refuse_name(name, taken)
    except UsageError as error:
        raise SettingsError(f"{own_file(name)}: {error.message}", hint="give the file another name") from None
    if files[name].database and f"{name}-db" in taken | set(files):
        raise wrong(name, "database", f"its helper would be called {name}-db, as another service is")


def _declare(name: str, files: Mapping[str, Own], known: dict[str, Service[Any]], behind: tuple[str, ...]) -> None:
    """Adds one service to the known ones, and before it those of the user's that it needs."""
    if name in behind:
        raise wrong(name, "needs", f"services need each other in a circle: {' -> '.join((*behind, name))}")
    if name in known:
        return
    for need in files[name].needs:
        if need in files:
            _declare(need, files, known, (*behind, name))
    known[name] = _Declaration(name, files[name], known).service()


def _copied(volumes: tuple[str, ...]) -> Folder | None:
    return Folder(volumes[0], volumes[1:]) if volumes else None


def _wrong(name: str, field: str, message: str) -> SettingsError:
    file = own_file(name)
    return SettingsError(f"{file}: {field}: {message}", hint=f"edit {file}")


@dataclass(frozen=True)
class _Declaration:
    """One file being turned into a service."""

    name: str
    own: Own
    known: Mapping[str, Service[Any]]

    def service(self) -> Service[Any]:
        said, env = self.own, self._env()
        helpers = (postgres.database(self.name, env, self._role),)
        rotation = postgres.role_rotation(self._role, "db_password", superuser="superuser")
        return Service(
            module=f"own.{self.name}",
            title=said.title or self.name,
            layer=Layer.OWN,
            env=env,
            image=said.image or f"arcctl-own/{self.name}:0.1.0",
            build=said.build or "",
            needs=self._needs(),
            user=said.user,
            entrypoint=("/bin/sh", "-c", _READ_ENV, "--") if self._secret else (),
            command=tuple(word.replace("${PORT}", str(self._port)) for word in said.command),
            environment=lambda env: {n: t for n, t in self._environment(env).items() if n not in self._secret},
            mounts=self._mounts,
            labels=lambda env: web(self.name, self._port) if said.web else {},
            ports=self._ports,
            capabilities=() if said.user else _OF_ROOT,
            limits=Limits(memory_mb=said.memory_mb),
            process=self._process(),
            probe=self._probe,
            helpers=helpers if said.database else (),
            links=lambda env: tuple(_link(port) for port in self._ports(env)),
            proofs=self._proofs,
            resources=self._resources,
            rotations=(rotation,) if said.database else (),
            connect=self._connect,
            monitoring=self._monitoring(),
            backup=lambda env: _copied(tuple(said.volumes)),
        )

    @property
    def _role(self) -> str:
        """Unlike any word of SQL and any role of the platform."""
        return f"own_{self.name.replace('-', '_')}"

    @property
    def _port(self) -> int:
        return self.own.ports[0].container if self.own.ports else 0

    def _needs(self) -> tuple[Service[Any], ...]:
        implied = {
            postgres.SERVICE.id: self.own.database,
            traefik.SERVICE.id: self.own.web,
            prometheus.SERVICE.id: self.own.metrics is not None,
        }
        names = (*self.own.needs, *(name for name, wanted in implied.items() if wanted))
        for problem in unknown(names, self.known, "service"):
            raise wrong(self.name, "needs", problem)
        return tuple(self.known[name] for name in dict.fromkeys(names))

    def _env(self) -> type[ServiceEnv]:
        """Its settings: a port of the host each, the password of its database, and the values that its texts name."""
        base: type[ServiceEnv] = postgres.ConsumerEnv if self.own.database else ServiceEnv
        fields: dict[str, Any] = {
            field: (HostPort, Field(default=port.host, description="Port on the host's loopback address."))
            for field, port in self._port_fields().items()
        }
        for name, variable in self._texts.settings.items():
            value: Any = Field(validation_alias=name, description=variable.description)
            fields[name.lower()] = (SecretStr if variable.secret else str, value)
        return create_model("Env", __base__=base, __cls_kwargs__={"env_prefix": self._prefix}, **fields)

    def _port_fields(self) -> dict[str, OwnPort]:
        first, *others = self.own.ports or (None,)
        found = {"host_port": first} if first else {}
        return found | {f"{port.name}_port": port for port in others}

    @cached_property
    def _texts(self) -> Texts:
        """Its variables. In them its own database is meant, where it has one."""
        nearer, secret = {}, ""
        if self.own.database:
            secret = f"{self._prefix}DB_PASSWORD"
            nearer = {"DATABASE_URL": postgres.url(self._role, SecretStr(f"${{{secret}}}"))}
        return resolve(self.name, self.own.environment, self.known, self._closure(), nearer, secret)

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
        found = self._texts.secret
        if found and not self.own.command:
            raise wrong(
                self.name,
                f"environment.{min(found)}",
                "names a secret, which reaches the program through a file: say its command, for a shell to start",
            )
        return found

    def _environment(self, env: Any) -> dict[str, str]:
        """All variables, with the values of other services' settings in them."""
        values = {name: _plain(getattr(env, name.lower())) for name in self._texts.settings}
        values |= {f"{self._prefix}DB_PASSWORD": _plain(env.db_password)} if self.own.database else {}
        texts = {name: VARIABLE.sub(lambda match: values[match[1]], text) for name, text in self._texts.values.items()}
        observed = otel_collector.SERVICE.id in self._closure()
        telemetry = otel_collector.exporting(self.name) if observed else {}
        login = {"DATABASE_URL": postgres.url(self._role), "PGPASSFILE": _PASSFILE} if self.own.database else {}
        return {**telemetry, **login, **texts}

    def _mounts(self, env: Any) -> tuple[Mount, ...]:
        """Files with secrets belong to the account that the program runs as."""
        uid, gid = map(int, (self.own.user or "0:0").split(":"))
        mounts: list[Mount] = [Volume(name, path) for name, path in self.own.volumes.items()]
        if self.own.database:
            secret = env.db_password.get_secret_value()
            mounts.append(Inline(path=_PASSFILE, text=f"*:*:*:{self._role}:{secret}\n", uid=uid, gid=gid))
        if self._secret:
            texts = self._environment(env)
            lines = (f"{name}={shlex.quote(texts[name])}\n" for name in sorted(self._secret))
            mounts.append(Inline(path=_ENV_FILE, text="".join(lines), uid=uid, gid=gid))
        return tuple(mounts)

    def _ports(self, env: Any) -> tuple[Port, ...]:
        fields = self._port_fields().items()
        return tuple(Port(container=p.container, host=getattr(env, field), name=p.name) for field, p in fields)

    def _process(self) -> Process[Any] | None:
        said = self.own.embedded
        if said is None:
            return None
        program = said.command[0]
        ours = bool(said.lock) and program == "python"
        source: Source = OnPath(name=program, program=program)
        if said.lock:
            source = Requirements(name=f"own-{self.name}", lock=said.lock)
        path = f"{{home}}/{PurePosixPath(said.lock).parent}/src"
        python = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"} if said.lock else {}

        def command(env: Any) -> tuple[str, ...]:
            port = str(env.host_port) if self.own.ports else ""
            words = (_literal(word.replace("${PORT}", port)) for word in said.command[1:])
            return ("{program}" if ours or not said.lock else program, *words)

        return Process(
            sources=(source,),
            command=command,
            environment=lambda env: python | {n: _literal(t) for n, t in self._environment(env).items()},
        )

    def _probe(self, env: Any) -> Probe:
        said = self.own.probe or ("tcp" if self.own.ports else "none")
        if said.startswith("/"):
            return Http(port=self._port, path=said)
        return Tcp(port=self._port) if said == "tcp" else Runs()

    def _proofs(self, env: Any) -> tuple[Proof, ...]:
        probe, found = self._probe(env), list[Proof]()
        if isinstance(probe, Http):
            found.append(Calls(steps=(Call(name=f"answer {probe.path}", port=probe.port, path=probe.path),)))
        if self.own.database:
            found.append(postgres.login(self._role, env.db_password))
        return tuple(found)

    def _resources(self, env: Any) -> tuple[Resource, ...]:
        return postgres.own_database(self._role, env.db_password, env.superuser) if self.own.database else ()

    def _connect(self, env: Any, where: Where) -> dict[str, str]:
        """Its first port, as others find it."""
        first = self.own.ports[:1]
        return {f"{self._prefix}URL": f"{_scheme(port.name)}://{where.at(self._port)}" for port in first}

    def _monitoring(self) -> Monitoring:
        """By what it is scraped for, and by its traces."""
        said = self.own.metrics
        if said is None:
            return Monitoring(
                up='max(target_info{service_name="$id"})', latency="", memory="", rate=_CALLS, unit=Unit.REQUESTS
            )
        return Monitoring(rate=_CALLS, unit=Unit.REQUESTS, scrape=Scrape(port=said.port or self._port, path=said.path))


def _scheme(port: str) -> str:
    """What a port speaks, by its name."""
    return HTTP if port == HTTP else "tcp"


def _link(port: Port) -> Link:
    return Link(name=port.name, url=f"{_scheme(port.name)}://127.0.0.1:{port.host}", page=port.name == HTTP)


def _plain(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _literal(text: str) -> str:
    """Without what Compose wants a dollar sign to be written like."""
    return text.replace("$$", "$")
