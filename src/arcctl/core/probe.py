"""Probes: data that says how to ask a service whether it serves. `runtime.probing` executes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Http:
    """GET `path`; healthy when the status is `status` and, where given, the body contains `body`."""

    port: int
    """The container's port; the edge resolves it to the published one."""
    path: str = "/"
    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Tcp:
    """Connect, `send` bytes, read until `expect` is seen; without both the connection has to stay open a moment."""

    port: int
    send: bytes = field(default=b"", repr=False)
    expect: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """Log in and run `SELECT 1`, which proves the password, the database and the server at once."""

    port: int
    user: str
    password: str = field(repr=False)
    database: str


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Nothing is asked: it is enough that it runs."""

    port: int = 0


Probe = Http | Tcp | Postgres | Runs


@dataclass(frozen=True)
class Answer:
    """What one attempt brought: `reason` says what was seen in either case; `seconds` it took."""

    ok: bool
    reason: str
    seconds: float = 0.0
    version: str = ""
