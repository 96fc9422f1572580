"""What is inside services: how a client gets at databases, topics, flags and accounts, and what it finds there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from arcctl.core.bootstrap import Resource
from arcctl.core.proof import Call


@dataclass(frozen=True, kw_only=True)
class Databases:
    """Databases of a Postgres server, seen by its superuser."""

    port: int
    """The container's port, as everywhere in this module."""
    user: str
    """The superuser; also the name of the database that everybody may enter."""
    password: str = field(repr=False)
    own: Callable[[str, SecretStr], tuple[Resource, ...]] = field(repr=False)
    """What a database and the role of the same name are made of, for a name and a password."""


@dataclass(frozen=True, kw_only=True)
class Topics:
    """Topics of a Pulsar cluster."""

    port: int
    admin_port: int
    listener: str
    """What a client on the host passes as its listener name."""
    own_tenant: str
    """Where the servers keep topics of their own, which are not shown."""


@dataclass(frozen=True, kw_only=True)
class Streams:
    """Streams of a NATS server."""

    port: int
    user: str
    password: str = field(repr=False)


PAGE = 100
"""What one answer of a paged list holds at the most."""
MOST_PAGES = 50


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Feature flags, by calls. Their texts may hold `{offset}`, `{project}`, `{flag}` and `{environment}`."""

    page: Call
    on: Call
    off: Call


@dataclass(frozen=True, kw_only=True)
class Identities:
    """Accounts of people, by a call whose text may hold `{page}`, counted from 0."""

    page: Call


Broker = Topics | Streams
Holding = Databases | Broker | Flags | Identities


@dataclass(frozen=True, kw_only=True)
class Database:
    name: str
    owner: str
    bytes: int
    template: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    name: str
    """With its schema."""
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What goes when a database is dropped."""

    bytes: int
    sessions: int
    """Clients that are in it now."""
    tables: int
    largest: tuple[Table, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A topic, or a stream: what a broker keeps messages in."""

    service: str
    name: str
    messages: int
    bytes: int
    readers: int
    """Subscriptions, or consumers."""
    subjects: tuple[str, ...] = ()
    """What a stream keeps."""

    @property
    def address(self) -> str:
        return f"{self.service}:{self.name}"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A topic that is to be made."""

    name: str
    minutes: int = 0
    """How long its messages stay; 0 for what is usual at the broker."""
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
    return tuple(
        Flag(
            name=item["name"],
            project=item.get("project") or "",
            type=item.get("type") or "",
            environments={e["name"]: bool(e["enabled"]) for e in item.get("environments", ())},
        )
        for item in json.loads(body)["features"]
    )


def read_identities(body: str) -> tuple[Identity, ...]:
    """One page of accounts."""
    return tuple(
        Identity(
            id=item["id"],
            schema=item["schema_id"],
            state=item.get("state") or "",
            created_at=item.get("created_at") or "",
            traits=item.get("traits") or {},
        )
        for item in json.loads(body)
    )
