"""Data that users keep in services, and how a client reads it: databases, topics, streams, flags, accounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import SecretStr

from arcctl.model.resource import Resource
from arcctl.model.smoke_test import Call


@dataclass(frozen=True, kw_only=True)
class Databases:
    """Databases of a Postgres server, seen by its superuser."""

    port: int
    """The container's port, as everywhere in this module."""
    user: str
    """The superuser; also the name of the database that every role can connect to."""
    password: str = field(repr=False)
    new_database: Callable[[str, SecretStr], tuple[Resource, ...]] = field(repr=False)
    """The resources of a database and the role of the same name, for a name and a password."""


@dataclass(frozen=True, kw_only=True)
class Topics:
    """Topics of a Pulsar cluster."""

    port: int
    admin_port: int
    listener: str
    """What a client on the host passes as its listener name."""
    system_tenant: str
    """The tenant with the topics of the servers, which are not shown."""


@dataclass(frozen=True, kw_only=True)
class Streams:
    """Streams of a NATS server."""

    port: int
    user: str
    password: str = field(repr=False)


LOCK_SECONDS = 20
"""How long a statement of arcctl waits for one lock of a database server."""
PAGE = 100
"""Most items in one page."""
MOST_PAGES = 50
FIRST = "00000000-0000-0000-0000-000000000000"
"""What all items come after."""


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Feature flags, by calls. Their texts may hold `{offset}`, `{project}`, `{flag}` and `{environment}`."""

    page: Call
    on: Call
    off: Call


@dataclass(frozen=True, kw_only=True)
class Identities:
    """Accounts of people, by a call whose text may hold `{after}`: the id of the last account of the page before."""

    page: Call


Broker = Topics | Streams
DataStore = Databases | Broker | Flags | Identities
