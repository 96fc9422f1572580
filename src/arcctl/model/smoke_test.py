"""Smoke tests as data: how a service shows that it does its job.

Each one writes, reads back and cleans up, under names that are reserved for it, so it can run while others use the
service, and the next run removes what an interrupted one left. Texts may contain `{run}` (different in each run),
`{trace_id}` and `{span_id}` (hexadecimal), `{now_ns}` (Unix time in nanoseconds) and what a call took from its answer.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Call:
    """An HTTP call and the answer that it must get."""

    name: str
    """What it does, for the screen: `create a flag`."""
    port: int
    """The container's port."""
    path: str
    _: KW_ONLY
    method: str = "GET"
    at: str = ""
    """The service that is called; empty for the one that is tested."""
    json: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    status: tuple[int, ...] = (200,)
    expect: str = ""
    """What the body contains."""
    take: Mapping[str, str] = field(default_factory=dict)
    """Values to keep for later calls: name to place in the JSON answer, such as `session.id`, `0.id`, or
    `projects.slug=arc.id` for the item of a list whose slug is arc. Only an answer with the first status has them."""
    seconds: float = 10.0
    """Time limit of one try."""
    patience: float = 0.0
    """Seconds to repeat it until it passes."""


@dataclass(frozen=True)
class Calls:
    """Calls in order; `cleanup` runs before and after them, and ends at the first call that finds nothing."""

    steps: tuple[Call, ...]
    cleanup: tuple[Call, ...] = ()


@dataclass(frozen=True)
class Statement:
    name: str
    sql: str = field(repr=False)
    expect: str = ""
    """The first row's values, comma-separated; empty where none is asked for."""


@dataclass(frozen=True, kw_only=True)
class Sql:
    """SQL statements under one login."""

    user: str
    password: str = field(repr=False)
    port: int
    database: str
    everywhere: bool = False
    """In each database that is no template, not only in `database`."""
    at: str = ""
    steps: tuple[Statement, ...]
    cleanup: tuple[str, ...] = ()


@dataclass(frozen=True)
class Command:
    name: str
    words: tuple[str, ...]
    expect: str
    """The answer as text; lists comma-separated."""


@dataclass(frozen=True, kw_only=True)
class Commands:
    """Commands of the Redis protocol."""

    port: int
    password: str = field(repr=False)
    steps: tuple[Command, ...]
    cleanup: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Messaging:
    """NATS: publish, request, and a stream that delivers again what was not acknowledged."""

    port: int
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class EventLog:
    """Pulsar: produce, consume, replay, a schema and a policy of a topic."""

    port: int
    http_port: int
    listener: str
    """What a client on the host passes as its listener name."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """NATS: a stream that keeps these subjects; `make` creates it."""

    port: int
    user: str
    password: str = field(repr=False)
    stream: str
    subjects: tuple[str, ...]
    make: bool = False


@dataclass(frozen=True, kw_only=True)
class StoredMessages:
    """NATS: every stream has the messages that it says it has, as far as the server knows and `samples` show."""

    port: int
    user: str
    password: str = field(repr=False)
    samples: int = 0
    """Messages of each stream that are read."""


@dataclass(frozen=True, kw_only=True)
class EphemeralContainer:
    """A short-lived container from the image of the tested service. It publishes no port."""

    name: str
    """What it does, for the screen."""
    command: tuple[str, ...]
    labels: Mapping[str, str]
    while_running: Calls
    """Passes while it runs."""
    after_removal: Calls
    """Passes after it was removed."""


SmokeTest = Calls | Sql | Commands | Messaging | Stream | StoredMessages | EventLog | EphemeralContainer


@dataclass(frozen=True, kw_only=True)
class Step:
    """The result of one step. `since_ms` is the time since its smoke test began."""

    owner: str
    """The service whose smoke test it belongs to."""
    service: str
    """The service that it called."""
    name: str
    ok: bool
    ms: int
    since_ms: int
    message: str = ""


def services_exercised(smoke_test: SmokeTest, owner: str) -> frozenset[str]:
    """The services that a smoke test calls."""
    match smoke_test:
        case Calls(steps=steps):
            return frozenset({owner, *(call.at or owner for call in steps)})
        case Sql(at=at):
            return frozenset({owner, at or owner})
        case _:
            return frozenset({owner})


def without(smoke_test: SmokeTest, gone: Container[str]) -> SmokeTest:
    """The part of a smoke test that does not need these services."""
    if not isinstance(smoke_test, Calls):
        return smoke_test
    return replace(smoke_test, steps=tuple(call for call in smoke_test.steps if call.at not in gone))
