"""How each secret of a service is rotated, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Generic, TypeVar

from arcctl.model.env import ServiceEnv
from arcctl.model.smoke_test import SmokeTest

E = TypeVar("E", bound=ServiceEnv)


@dataclass(frozen=True)
class Rotation(Generic[E]):
    """A secret that can be rotated. Functions get the settings with the old value, the new value, or both."""

    field: str
    """The setting that holds it."""
    login: Callable[[E], SmokeTest]
    """Passes while the server accepts the secret in the settings."""
    _: KW_ONLY
    add_credential: Callable[[E, E], tuple[SmokeTest, ...]] | None = None
    """Makes the server accept the new value, with the old one as login; None where it reads a file at its start."""
    server_generated: bool = False
    """Whether the server generates the new value: `add_credential` takes it from the answer as the field's name."""
    accepts_both: bool = False
    """Whether the server then accepts both values, so its clients can change before it is recreated."""
    revoke_credential: Callable[[E, E], tuple[SmokeTest, ...]] | None = None
    """Makes the server refuse the old value; None where its restart does that."""
    kept_in: str = ""
    """The setting that keeps the old value, so what it signed or encrypted stays valid."""
    is_login: bool = True
    """Whether a login with the old value is refused in the end; False for keys that only sign or encrypt."""
    warning: str = ""
    """What users notice."""
    by_hand: str = ""
    """What to do first where the value is set by hand."""


@dataclass(frozen=True)
class Fixed:
    """A secret that arcctl cannot rotate."""

    field: str
    reason: str
    hint: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """One secret in a running rotation, as the journal keeps it until all are done."""

    name: str
    old: str = field(repr=False)
    new: str = field(repr=False)
    done: bool = False
