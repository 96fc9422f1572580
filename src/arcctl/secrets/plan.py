"""Decides how secrets are rotated: who uses each one, whether it can change, and the steps that lock nobody out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from arcctl.errors import UsageError, did_you_mean
from arcctl.model.env import NOT_ISSUED, Variable, symbolic, variables
from arcctl.model.graph import resolve, start_order
from arcctl.model.rotation import Fixed, Rotation
from arcctl.model.service import Catalogue, ConfigFile, Layer, Role
from arcctl.model.smoke_test import Calls, SmokeTest, Sql
from arcctl.settings.resolve import ENVIRONMENT, Source, Value, owned

UNSET, GENERATED, SERVER_ISSUED = "not set yet", "generated", "issued by its server"
"""Where a value comes from that no user has set."""


@dataclass(frozen=True, kw_only=True)
class Secret:
    """One secret, and the services and containers that it concerns."""

    name: str
    owner: str
    variable: Variable
    way: Rotation[Any] | Fixed
    servers: tuple[str, ...]
    """The services that accept or refuse it."""
    users: tuple[str, ...]
    """The servers, and the services that have it in a file or among their settings."""
    containers: tuple[str, ...]
    """Those that read it from a file, and are recreated when it changes."""
    restarts: tuple[str, ...]
    """Those of them that are no init containers."""
    kept_in: str = ""
    """The name of the setting that keeps the old value."""

    @property
    def rotation(self) -> Rotation[Any]:
        """How it changes, of a secret that can."""
        assert isinstance(self.way, Rotation), self.name
        return self.way


class Action(StrEnum):
    ADD_CREDENTIAL = "add-credential"
    WRITE = "write"
    RECREATE = "recreate"
    REVOKE_CREDENTIAL = "revoke-credential"
    VERIFY = "verify"


PHRASES = {Action.ADD_CREDENTIAL: "set the new one on", Action.REVOKE_CREDENTIAL: "revoke the old one on"}


@dataclass(frozen=True)
class Step:
    action: Action
    targets: tuple[str, ...]
    """Containers for RECREATE, the secret for WRITE, services for all others."""
    cause: str

    def __str__(self) -> str:
        return f"{PHRASES.get(self.action, self.action)} {', '.join(self.targets)}: {self.cause}"


def secrets(catalogue: Catalogue) -> dict[str, Secret]:
    """All secrets by name, in the order in which they are rotated.

    Those of a service that others depend on come first, and those of one service in the order of its `rotations`.
    """
    order = {way: place for i in start_order(catalogue) for place, way in enumerate(catalogue.services[i].rotations)}
    owners = start_order(catalogue)
    found = [_secret(n, owner, v, catalogue) for n, (owner, v) in owned(catalogue).items() if v.secret]
    found.sort(key=lambda secret: (owners.index(secret.owner), order.get(secret.way, len(order))))
    return {secret.name: secret for secret in found}


def _secret(name: str, owner: str, variable: Variable, catalogue: Catalogue) -> Secret:
    service = catalogue.services[owner]
    way = next((way for way in service.rotations if way.field == variable.field), _undeclared(owner, variable))
    names = {v.field: v.name for v in variables(service.env)}
    login = way.login(symbolic(service.env)) if isinstance(way, Rotation) else None
    servers = _servers(login, owner) if login else (owner,)
    init_containers = {k for k, c in catalogue.components().items() if c.role is Role.INIT}
    readers = {i: _readers(i, name, catalogue) for i in start_order(catalogue)}
    sharing = {i for i, s in catalogue.services.items() if name in {v.name for v in variables(s.env)}}
    return Secret(
        name=name,
        owner=owner,
        variable=variable,
        way=way,
        servers=servers,
        users=tuple(i for i, keys in readers.items() if keys or i in sharing or i in servers),
        containers=tuple(key for keys in readers.values() for key in keys),
        restarts=tuple(key for keys in readers.values() for key in keys if key not in init_containers),
        kept_in=names.get(way.kept_in, "") if isinstance(way, Rotation) else "",
    )


def _undeclared(owner: str, variable: Variable) -> Fixed:
    return Fixed(
        variable.field, f"the declaration of {owner} does not say how", "add it to the `rotations` of its service"
    )


def _servers(login: SmokeTest, owner: str) -> tuple[str, ...]:
    match login:
        case Sql(at=at):
            return (at or owner,)
        case Calls(steps=steps):
            return tuple(dict.fromkeys(call.at or owner for call in steps))
        case _:
            return (owner,)


def _readers(service: str, name: str, catalogue: Catalogue) -> tuple[str, ...]:
    """The containers of a service with the secret in a file, other than a file that only the first start reads."""
    reference = re.compile(rf"\$\{{{name}[:}}]")
    return tuple(
        key
        for key, container in catalogue.components((service,)).items()
        if any(
            reference.search(mount.text)
            for mount in container.storage.mounts(symbolic(container.env))
            if isinstance(mount, ConfigFile) and not mount.first_run
        )
    )


def chosen(words: Iterable[str], catalogue: Catalogue) -> tuple[str, ...]:
    """The names of the secrets that words name: each by its own name, or all of a service or a layer.

    Raises UsageError with the nearest name.
    """
    every, found = secrets(catalogue), list[str]()
    for word in words:
        if word in every:
            found.append(word)
        elif word in (*catalogue.services, *Layer, "all"):
            services = resolve((word,), catalogue)
            found += [name for name, secret in every.items() if secret.owner in services]
        else:
            hint = did_you_mean(word.upper(), every, "arcctl secrets list")
            raise UsageError(f"no secret and no service is called {word!r}", hint=hint)
    return tuple(name for name in every if name in found)


def generated_origins(sources: Iterable[Source]) -> frozenset[str]:
    """The sources that arcctl writes itself, as opposed to the user's environment and files."""
    return frozenset(s.origin for s in sources if not s.owner and s.origin != ENVIRONMENT)


def origin_of(value: Value, generated: Collection[str]) -> str:
    """Where a value comes from; a file of the user or the environment by its own name."""
    if value.text is None or (value.variable.server_issued and value.text == NOT_ISSUED):
        return UNSET
    if value.origin not in generated:
        return value.origin
    return SERVER_ISSUED if value.variable.server_issued else GENERATED


def not_rotatable(secret: Secret, value: Value, generated: Collection[str]) -> tuple[str, str]:
    """Why a secret cannot be rotated, and what to do instead; both empty where it can."""
    if isinstance(secret.way, Fixed):
        return secret.way.reason, secret.way.hint
    origin = origin_of(value, generated)
    if origin == UNSET:
        return (
            "it is not set yet",
            f"arcctl bootstrap {secret.owner}" if secret.variable.server_issued else "arcctl init",
        )
    if origin != (SERVER_ISSUED if secret.way.server_generated else GENERATED):
        first = f"{secret.way.by_hand}, then " if secret.way.by_hand else ""
        again = f"arcctl up {' '.join(secret.users)}"
        return f"it was set by hand, in {origin}", f"{first}change {secret.name} in {origin} and run: {again}"
    return "", ""


def plan(secret: Secret, catalogue: Catalogue, existing: Collection[str]) -> tuple[Step, ...]:
    """The steps for one secret that can be rotated; `existing` are the containers that exist.

    A server that accepts both secrets at once is changed last, after everybody who uses it.
    """
    way = secret.rotation
    of_owner = set(catalogue.components((secret.owner,)))
    readers = [key for key in secret.containers if key in existing]
    cause = f"uses {secret.name}"
    server = Step(Action.RECREATE, tuple(k for k in readers if k in of_owner), cause)
    clients = Step(Action.RECREATE, tuple(k for k in readers if k not in of_owner), cause)
    revoke = (Step(Action.REVOKE_CREDENTIAL, secret.servers, "no longer needed"),) if way.revoke_credential else ()
    change = (clients, *revoke, server) if way.accepts_both else (server, clients, *revoke)
    accepts = "it accepts the old one too" if way.accepts_both else "it replaces the old one"
    verified = "accepts the new one, refuses the old one" if way.is_login else "works with the new one"
    return (
        *((Step(Action.ADD_CREDENTIAL, secret.servers, accepts),) if way.add_credential else ()),
        Step(Action.WRITE, (secret.name,), "to the files of the project"),
        *(step for step in change if step.targets),
        Step(Action.VERIFY, secret.servers, verified),
    )
