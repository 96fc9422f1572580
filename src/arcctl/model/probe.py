"""Probes as data: how to find out from outside whether a service serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field


@dataclass(frozen=True)
class Http:
    """GET `path`; healthy when the status is `status` and, where given, the body contains `body`."""

    port: int
    """The container's port; the prober resolves it to the published one."""
    path: str = "/"
    _: KW_ONLY
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
    """Log in and run `SELECT 1`, which tests the password, the database and the server at once."""

    port: int
    user: str
    password: str = field(repr=False)
    database: str


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Running is enough."""

    port: int = 0


Probe = Http | Tcp | Postgres | Runs


@dataclass(frozen=True)
class Answer:
    """The result of one attempt; `reason` is set in either case."""

    ok: bool
    reason: str
    seconds: float = 0.0
    version: str = ""
