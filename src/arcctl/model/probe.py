"""Probes as data: how to find out from outside whether a service serves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field

TIGHT = 0.8
"""The part of a limit from which health says that it gets tight."""
MOST_HOLDERS = 4
"""Those that are named of the ones that hold something."""
_UNITS = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a probe saw of a server that answers."""

    id: str
    status: str
    """pass, warn or fail."""
    message: str
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """How much of something is used that a server has only so much of. A limit of 0 or less is none."""

    what: str
    used: int
    limit: int
    in_bytes: bool = False
    holders: Mapping[str, int] = field(default_factory=dict)

    @property
    def tight(self) -> bool:
        return 0 < self.limit * TIGHT <= self.used

    @property
    def full(self) -> bool:
        return 0 < self.limit <= self.used

    def finding(self, hint: str) -> Finding:
        status = "fail" if self.full else "warn" if self.tight else "pass"
        return Finding(id=self.what, status=status, message=str(self), hint=hint if self.tight else "")

    def __str__(self) -> str:
        """Whoever holds some is named only where it matters."""
        used, limit = (_amount(n, in_bytes=self.in_bytes) for n in (self.used, self.limit))
        if self.limit <= 0:
            return f"{self.what}: {used} used"
        text = f"{self.what}: {used} of {limit} used ({self.used * 100 // self.limit} %)"
        most = sorted(self.holders.items(), key=lambda one: (-one[1], one[0]))
        named = [f"{who} {number}" for who, number in most[:MOST_HOLDERS]]
        named += [f"others {sum(number for _, number in most[MOST_HOLDERS:])}"] if most[MOST_HOLDERS:] else []
        return f"{text}: {', '.join(named)}" if self.tight and named else text


def _amount(number: int, *, in_bytes: bool) -> str:
    unit, size = next(((unit, size) for unit, size in _UNITS if in_bytes and number >= size), ("", 1))
    return f"{number / size:.1f} {unit}" if unit else str(number)


@dataclass(frozen=True)
class Figure:
    """A `Usage` by the names that its numbers have in what a server says."""

    what: str
    used: str
    limit: str
    _: KW_ONLY
    hint: str
    in_bytes: bool = False

    def usage(self, values: Mapping[str, int]) -> Usage:
        return Usage(what=self.what, used=values[self.used], limit=values[self.limit], in_bytes=self.in_bytes)


def findings(figures: Iterable[Figure], values: Mapping[str, int]) -> tuple[Finding, ...]:
    """Of the figures that the server gave."""
    given = (f for f in figures if f.used in values and f.limit in values)
    return tuple(figure.usage(values).finding(figure.hint) for figure in given)


@dataclass(frozen=True)
class Page:
    """A page in JSON with figures, by dotted places; `port` is the container's."""

    port: int
    path: str
    figures: tuple[Figure, ...]


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
    page: Page | None = None


@dataclass(frozen=True, kw_only=True)
class Tcp:
    """Connect, `send` bytes, read until `expect` is seen; without both the connection has to stay open a moment."""

    port: int
    send: bytes = field(default=b"", repr=False)
    expect: bytes = b""
    figures: tuple[Figure, ...] = ()
    """Read from lines `name:number` that come after `expect`."""
    page: Page | None = None


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """Log in as clients do, to the database of the same name, and as the superuser, who sees what is wrong."""

    port: int
    user: str
    password: str = field(repr=False)
    superuser: str
    """Also the name of the database that it logs in to."""
    superuser_password: str = field(repr=False)
    service: str
    """Its id, for hints."""


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
    findings: tuple[Finding, ...] = ()
    hint: str = ""
    """What to do where it is not `ok`; empty for the server's log."""
    timed_out: bool = False
    """Whether no answer came in time, which is not the same as one that says what is wrong."""
