"""How secrets are changed, as data: what a declaration says of each of its own. `core.rotation` makes a plan of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from arcctl.core.env import ServiceEnv
from arcctl.core.proof import Proof

E = TypeVar("E", bound=ServiceEnv)


@dataclass(frozen=True, kw_only=True)
class Rotation(Generic[E]):
    """A secret that can be changed. Each proof is made from the settings with the old or with the new value in them."""

    field: str
    """The setting that holds it."""
    login: Callable[[E], Proof]
    """Holds for as long as the server takes the secret that is in the settings."""
    admit: Callable[[E, E], tuple[Proof, ...]] | None = None
    """Lets a server that knows the old one take the new one; None where it reads a file at its start."""
    issues: bool = False
    """Whether the server draws the new one itself: `admit` takes it from its answer, under the name of the field."""
    both: bool = False
    """Whether it takes both from then on, so that whoever uses it can change before the server is made anew."""
    retire: Callable[[E, E], tuple[Proof, ...]] | None = None
    """Takes the old one away; None where a new start of the server does."""
    kept_in: str = ""
    """The setting that keeps the old value: what it signed or encrypted stays good."""
    tells: bool = True
    """Whether a login with the old one is refused in the end; False for keys that only sign or encrypt."""
    warning: str = ""
    """What a user will notice."""
    by_hand: str = ""
    """What a person does first, where the value is set by hand."""


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """A secret that cannot be changed from here."""

    field: str
    reason: str
    hint: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """One secret that is being changed, as the journal keeps it until all are done."""

    name: str
    old: str = field(repr=False)
    new: str = field(repr=False)
    done: bool = False
