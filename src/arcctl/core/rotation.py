"""Decides how secrets are changed: who holds each one, and the steps that never lock anybody out."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from arcctl.core.env import Variable, symbolic, variables
from arcctl.core.graph import resolve, start_order
from arcctl.core.model import Catalogue, Helper, Inline, Layer
from arcctl.core.proof import Calls, Proof, Sql
from arcctl.core.secret import Fixed, Rotation
from arcctl.core.settings import owned
from arcctl.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Secret:
    """One secret and everybody whom it concerns."""

    name: str
    owner: str
    variable: Variable
    way: Rotation[Any] | Fixed
    servers: tuple[str, ...]
    """The services that take it or refuse it."""
    users: tuple[str, ...]
    """The servers, and the services that hold it or share the setting."""
    containers: tuple[str, ...]
    """Those that hold it, and are made anew when it changes."""
    restarts: tuple[str, ...]
    """Those of them that run for long."""
    kept_in: str = ""
    """The name of the setting that keeps the old value."""


class Action(StrEnum):
    ADMIT = "admit"
    WRITE = "write"
    RECREATE = "recreate"
    RETIRE = "retire"
    PROVE = "prove"


@dataclass(frozen=True)
class Step:
    action: Action
    targets: tuple[str, ...]
    """Containers for RECREATE, nothing for WRITE, services for all others."""
    cause: str

    def __str__(self) -> str:
        return f"{' '.join((self.action, ', '.join(self.targets))).strip()}: {self.cause}"


def secrets(catalogue: Catalogue) -> dict[str, Secret]:
    """All secrets by their names, in the order in which they are changed.

    Those of a service that others stand on come first, and those of one service as its `rotations` say.
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
    one_shots = {k for k, c in catalogue.containers().items() if isinstance(c, Helper) and c.one_shot}
    holding = {i: _holding(i, name, catalogue) for i in start_order(catalogue)}
    sharing = {i for i, s in catalogue.services.items() if name in {v.name for v in variables(s.env)}}
    return Secret(
        name=name,
        owner=owner,
        variable=variable,
        way=way,
        servers=servers,
        users=tuple(i for i, keys in holding.items() if keys or i in sharing or i in servers),
        containers=tuple(key for keys in holding.values() for key in keys),
        restarts=tuple(key for keys in holding.values() for key in keys if key not in one_shots),
        kept_in=names.get(way.kept_in, "") if isinstance(way, Rotation) else "",
    )


def _undeclared(owner: str, variable: Variable) -> Fixed:
    return Fixed(
        field=variable.field,
        reason=f"the declaration of {owner} does not say how",
        hint="add it to the `rotations` of its service",
    )


def _servers(login: Proof, owner: str) -> tuple[str, ...]:
    match login:
        case Sql(at=at):
            return (at or owner,)
        case Calls(steps=steps):
            return tuple(dict.fromkeys(call.at or owner for call in steps))
        case _:
            return (owner,)


def _holding(service: str, name: str, catalogue: Catalogue) -> tuple[str, ...]:
    """The containers of a service in whose files the secret stands, beyond those that only a first start reads."""
    stands = re.compile(rf"\$\{{{name}[:}}]")
    return tuple(
        key
        for key, container in catalogue.containers((service,)).items()
        if any(
            stands.search(mount.text)
            for mount in container.mounts(symbolic(container.env))
            if isinstance(mount, Inline) and not mount.first_run
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
            near = difflib.get_close_matches(word.upper(), every, n=1)
            hint = f"did you mean {near[0]}?" if near else "arcctl secrets list"
            raise UsageError(f"no secret and no service is called {word!r}", hint=hint)
    return tuple(name for name in every if name in found)


def plan(secret: Secret, catalogue: Catalogue, there: Collection[str]) -> tuple[Step, ...]:
    """The steps for one secret; `there` are the containers that exist.

    Where the server takes both secrets at once, whoever uses it changes before the server forgets the old one.
    """
    way = secret.way
    if isinstance(way, Fixed):
        return ()
    own = set(catalogue.containers((secret.owner,)))
    held = [key for key in secret.containers if key in there]
    mine, others = (tuple(k for k in held if (k in own) is is_own) for is_own in (True, False))
    cause = f"holds {secret.name}"
    retire = [Step(Action.RETIRE, secret.servers, "forgets the old one")] if way.retire else []
    renew = [Step(Action.RECREATE, others, cause), *retire, Step(Action.RECREATE, mine, cause)]
    if not way.both:
        renew = [Step(Action.RECREATE, mine, cause), Step(Action.RECREATE, others, cause), *retire]
    takes = "takes the old one and the new one" if way.both else "takes the new one instead of the old one"
    admit = [Step(Action.ADMIT, secret.servers, takes)] if way.admit else []
    proof = "takes the new one, refuses the old one" if way.tells else "works with the new one"
    return (
        *admit,
        Step(Action.WRITE, (), f"{secret.name} in the files of the home"),
        *(step for step in renew if step.targets),
        Step(Action.PROVE, secret.servers, proof),
    )
