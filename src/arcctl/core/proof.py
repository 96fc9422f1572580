"""Proofs: data that says how a service shows that it does its job. `runtime.proving` carries them out.

Each proof writes, reads back and cleans up, in names that are reserved for it, so that it may run beside real work and
a later run removes what an interrupted one left. Texts may hold `{run}` (unlike in any other run), `{trace_id}` and
`{span_id}` (hexadecimal), `{now_ns}` (Unix time in nanoseconds) and what a call took from its answer.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Call:
    """An HTTP call, and what must come of it."""

    name: str
    """What it shows, as a person would say it: `create a flag`."""
    port: int
    """The container's port."""
    path: str
    method: str = "GET"
    at: str = ""
    """The service that is asked; empty for the one that is proved."""
    json: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    status: tuple[int, ...] = (200,)
    expect: str = ""
    """What the body contains."""
    take: Mapping[str, str] = field(default_factory=dict)
    """Values to keep for later calls: name to place in the JSON answer, such as `session.id`, `0.id`, or
    `projects.slug=arc.id` for the item of a list whose slug is arc. Only an answer with the first status has them."""
    seconds: float = 10.0
    """What one try may take."""
    patience: float = 0.0
    """Seconds to ask again until it holds."""


@dataclass(frozen=True, kw_only=True)
class Calls:
    """Calls one after the other; `cleanup` runs before and after, and ends where it finds nothing."""

    steps: tuple[Call, ...]
    cleanup: tuple[Call, ...] = ()


@dataclass(frozen=True, kw_only=True)
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
    at: str = ""
    steps: tuple[Statement, ...]
    cleanup: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
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
    """NATS: a stream that keeps these subjects; with `make` it is made."""

    port: int
    user: str
    password: str = field(repr=False)
    stream: str
    subjects: tuple[str, ...]
    make: bool = False


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A container that joins for a moment, made from the image of the service that is proved. It publishes nothing."""

    name: str
    """What it shows, as a person would say it."""
    command: tuple[str, ...]
    labels: Mapping[str, str]
    here: Calls
    """What holds while it is there."""
    gone: Calls
    """What holds when it has left."""


Proof = Calls | Sql | Commands | Messaging | Stream | EventLog | Guest


class Outcome(StrEnum):
    PROVED = "proved"
    BROKEN = "broken"
    SKIPPED = "skipped"
    """It does not run, or declares no proof that runs without others."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that was tried. `since_ms` is the time since its proof began: the delay of a hop."""

    owner: str
    """The service whose proof it belongs to."""
    service: str
    """The service that it exercised."""
    name: str
    ok: bool
    ms: int
    since_ms: int
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    service: str
    outcome: Outcome
    double: bool
    steps: tuple[Step, ...]
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was shown. `passed` holds when every service that should run was proved."""

    passed: bool
    started_at: str
    duration_ms: int
    engine: str
    services: tuple[Verdict, ...]

    @property
    def summary(self) -> dict[str, int]:
        return {o.value: sum(v.outcome is o for v in self.services) for o in Outcome}

    @property
    def doubles(self) -> tuple[str, ...]:
        return tuple(v.service for v in self.services if v.double)


def proofs_at(proof: Proof, owner: str) -> frozenset[str]:
    """The services that a proof exercises."""
    match proof:
        case Calls(steps=steps):
            return frozenset({owner, *(call.at or owner for call in steps)})
        case Sql(at=at):
            return frozenset({owner, at or owner})
        case _:
            return frozenset({owner})


def without(proof: Proof, gone: Container[str]) -> Proof:
    """What can be shown where these services cannot be."""
    if not isinstance(proof, Calls):
        return proof
    return replace(proof, steps=tuple(call for call in proof.steps if call.at not in gone))


def judge(service: str, steps: tuple[Step, ...], *, double: bool, absent: str) -> Verdict:
    """What the steps that concern a service say of it; `absent` is why there are none."""
    mine = tuple(s for s in steps if service in (s.owner, s.service))
    broken = [s for s in mine if not s.ok]
    if broken:
        hop = f" at {broken[0].service}" if broken[0].service != service else ""
        reason, outcome = f"{broken[0].name}{hop}: {broken[0].message}", Outcome.BROKEN
    elif mine and not absent:
        reason, outcome = "", Outcome.PROVED
    else:
        reason, outcome = absent or "declares no proof", Outcome.SKIPPED
    return Verdict(service=service, outcome=outcome, double=double, steps=mine, reason=reason)
