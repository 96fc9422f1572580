"""What databases, brokers and flag services contain, as clients and commands report it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Database:
    name: str
    owner: str
    bytes: int
    template: bool = False
    invalid: bool = False
    """Left by a DROP DATABASE that was interrupted: it can only be dropped."""
    open: bool = True
    """Whether anybody can connect to it."""


@dataclass(frozen=True, kw_only=True)
class ListedDatabase:
    """A database with how a program reaches it."""

    name: str
    owner: str
    bytes: int
    service: str
    """The service that it belongs to; empty for one of the user."""
    address: str
    """Host, port and name, as in a connection URL."""
    secret: str = field(repr=False)
    """The owner's password; empty where it is not known."""
    invalid: bool = False
    """Left by a DROP DATABASE that was interrupted: it can only be dropped."""


@dataclass(frozen=True, kw_only=True)
class Table:
    name: str
    """With its schema."""
    bytes: int


@dataclass(frozen=True, kw_only=True)
class DropImpact:
    """What dropping a database destroys."""

    bytes: int
    sessions: int
    """Open connections, which are closed."""
    tables: int | None
    """None where nobody can connect to look."""
    largest: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Obstacle:
    """What refuses that a database and its role are dropped."""

    what: str
    database: str
    """Where to look at it, or to remove it."""
    sql: str
    """What shows it there, or removes it."""

    def __str__(self) -> str:
        return self.what


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """What a newer server or operating system made necessary in a database."""

    database: str
    reindexed: bool
    """Whether its indexes were rebuilt, because text is sorted in another way now."""
    extensions: tuple[str, ...]
    """The extensions that were updated."""

    def __str__(self) -> str:
        done = ("indexes rebuilt",) if self.reindexed else ()
        return f"{self.database}: {', '.join((*done, *(f'{name} updated' for name in self.extensions)))}"


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A topic or a stream of a broker."""

    service: str
    name: str
    messages: int
    bytes: int
    readers: int
    """Subscriptions or consumers."""
    subjects: tuple[str, ...] = ()
    """The subjects that a stream stores."""

    @property
    def address(self) -> str:
        return f"{self.service}:{self.name}"


@dataclass(frozen=True, kw_only=True)
class TopicList:
    topics: tuple[Topic, ...]
    not_running: tuple[str, ...]
    """Brokers that could not be asked."""


@dataclass(frozen=True, kw_only=True)
class NewTopic:
    """A topic to be created."""

    name: str
    minutes: int = 0
    """How long messages are kept; 0 for the broker's default."""
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Flag:
    name: str
    project: str
    type: str
    environments: Mapping[str, bool]
    """Whether it is on, by environment."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    id: str
    schema: str
    state: str
    created_at: str
    traits: Mapping[str, Any]


def read_flags(body: str) -> tuple[Flag, ...]:
    """One page of flags."""
    return tuple(_flag(item) for item in json.loads(body)["features"])


def _flag(item: Mapping[str, Any]) -> Flag:
    environments = {e["name"]: bool(e["enabled"]) for e in item.get("environments", ())}
    return Flag(
        name=item["name"], project=item.get("project") or "", type=item.get("type") or "", environments=environments
    )


def read_identities(body: str) -> tuple[Identity, ...]:
    """One page of accounts."""
    return tuple(_identity(item) for item in json.loads(body))


def _identity(item: Mapping[str, Any]) -> Identity:
    state, created_at, traits = item.get("state") or "", item.get("created_at") or "", item.get("traits") or {}
    return Identity(id=item["id"], schema=item["schema_id"], state=state, created_at=created_at, traits=traits)
