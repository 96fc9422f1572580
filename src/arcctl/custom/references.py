"""References: what the variables in the texts of a custom service stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arcctl.custom.schema import VARIABLE
from arcctl.errors import SettingsError
from arcctl.model.connection import Side, Where
from arcctl.model.env import Variable, symbolic, unknown
from arcctl.model.service import Catalogue, Service
from arcctl.settings.location import custom_file
from arcctl.settings.resolve import owned

_SETTING = re.compile(r"\$\{([A-Z][A-Z0-9_]*):-[^}]*\}")
"""A setting with its default, as in rendered files."""


@dataclass(frozen=True)
class References:
    """The environment of a program, written with settings."""

    values: Mapping[str, str]
    settings: Mapping[str, Variable]
    """The settings of other services in it."""
    secret: frozenset[str]
    """The variables with a secret."""


def wrong(service: str, field: str, message: str) -> SettingsError:
    file = custom_file(service)
    return SettingsError(f"{file}: {field}: {message}", hint=f"edit {file}")


def resolve(
    service: str,
    said: Mapping[str, str],
    known: Mapping[str, Service[Any]],
    needed: set[str],
    nearer: Mapping[str, str],
    own_secret: str,
) -> References:
    """Replace connection variables by settings; `nearer` are its own connection variables, made of `own_secret`.

    Raises SettingsError for an unknown variable, and for one of a service that it does not depend on.
    """
    theirs, connections = owned(Catalogue(known)), _connections(known)
    owners = {name: owner for name, (owner, _) in {**theirs, **connections}.items()} | dict.fromkeys(nearer, "")
    short = {name: text for name, (_, text) in connections.items()} | dict(nearer)
    for field, text in said.items():
        names = VARIABLE.findall(text)
        for problem in unknown(names, owners, "variable"):
            raise wrong(service, f"environment.{field}", problem)
        for name in names:
            if owners[name] and owners[name] not in needed:
                raise wrong(service, f"environment.{field}", f"{name} belongs to {owners[name]}: add it to needs")
    values = {field: VARIABLE.sub(lambda match: short.get(match[1], match[0]), text) for field, text in said.items()}
    named = {name for text in values.values() for name in VARIABLE.findall(text)} - {own_secret}
    settings = {name: theirs[name][1] for name in sorted(named)}
    secrets = {name for name, variable in settings.items() if variable.secret} | {own_secret}
    secret = frozenset(field for field, text in values.items() if secrets & set(VARIABLE.findall(text)))
    return References(values, settings, secret)


def _connections(known: Mapping[str, Service[Any]]) -> dict[str, tuple[str, str]]:
    """For each connection variable its service and its value on the common network, written with settings."""
    return {
        name: (service.id, _SETTING.sub(r"${\1}", text))
        for service in known.values()
        for name, text in service.network.connect(
            symbolic(service.env), Where(side=Side.CONTAINER, host=service.id)
        ).items()
    }
