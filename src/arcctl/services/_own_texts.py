"""What stands behind the variables that the texts of a user's own service name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arcctl.core.connect import Side, Where
from arcctl.core.env import Variable, symbolic, unknown
from arcctl.core.model import Catalogue, Service
from arcctl.core.names import own_file
from arcctl.core.own import VARIABLE
from arcctl.core.settings import owned
from arcctl.errors import SettingsError

_SETTING = re.compile(r"\$\{([A-Z][A-Z0-9_]*):-[^}]*\}")
"""A setting with its default, as declarations are rendered."""


@dataclass(frozen=True)
class Texts:
    """Variables of a program, in terms of settings."""

    values: Mapping[str, str]
    settings: Mapping[str, Variable]
    """The settings of other services that they name."""
    secret: frozenset[str]
    """Those that hold a secret."""


def wrong(service: str, field: str, message: str) -> SettingsError:
    file = own_file(service)
    return SettingsError(f"{file}: {field}: {message}", hint=f"edit {file}")


def resolve(
    service: str,
    said: Mapping[str, str],
    known: Mapping[str, Service[Any]],
    needed: set[str],
    nearer: Mapping[str, str],
    own_secret: str,
) -> Texts:
    """Settings in place of connection variables; `nearer` are connection variables of its own, made of `own_secret`.

    Raises SettingsError for a variable that nobody has, and for one of a service that it does not need.
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
    return Texts(values, settings, secret)


def _connections(known: Mapping[str, Service[Any]]) -> dict[str, tuple[str, str]]:
    """The service behind each connection variable, and what it is on the common network, in terms of settings."""
    return {
        name: (service.id, _SETTING.sub(r"${\1}", text))
        for service in known.values()
        for name, text in service.connect(symbolic(service.env), Where(side=Side.CONTAINER, host=service.id)).items()
    }
