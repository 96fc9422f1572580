"""What a probe of a Postgres server means for its clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arcctl.model.probe import Answer, Finding, Postgres, Usage

REFRESH = "arcctl db refresh"
FULL = ("connection slots", "too many c")
"""In the words of the server: the slots that are left are not for clients, or there are too many clients."""


@dataclass(frozen=True)
class ServerState:
    """What the superuser sees."""

    slots: int
    """The connections that a server has for roles without a right to reserved ones."""
    holders: Mapping[str, int]
    """Open connections by role and program."""
    outdated: Sequence[str]
    """Databases that another collation version sorted."""
    ready: bool
    """Whether the client's role and database exist."""


@dataclass(frozen=True)
class Extension:
    database: str
    name: str
    version: str
    available: str


def answer(probe: Postgres, state: ServerState, refused: str, extensions: tuple[Extension, ...]) -> Answer:
    """`refused` is why the client could not log in; empty where it could.

    A server without the client's role, or with another password for it, answers: set-up corrects that.
    """
    usage = Usage(what="connections", used=sum(state.holders.values()), limit=state.slots, holders=state.holders)
    hint = (
        f"give the largest a smaller pool; to see what each does: arcctl shell {probe.service} --as {probe.superuser}"
    )
    findings = (usage.finding(hint), *_outdated(state.outdated), *_behind(extensions))
    if not refused:
        return Answer(True, f"logged in as {probe.user}", findings=findings)
    cannot = f"{probe.user} cannot log in: {refused}"
    if any(words in refused for words in FULL):
        return Answer(False, f"{cannot}; {usage}", findings=findings, hint=hint)
    status, text = ("fail", cannot) if state.ready else ("warn", f"{probe.user} has no role or no database yet")
    login = Finding(id="login", status=status, message=text, hint=f"arcctl bootstrap {probe.service}")
    return Answer(True, f"logged in as {probe.superuser}", findings=(login, *findings))


def _outdated(databases: Sequence[str]) -> tuple[Finding, ...]:
    if not databases:
        return ()
    text = (
        f"the operating system sorts text in another way than it did for {', '.join(databases)}: indexes may miss rows"
        " and let duplicates in, until REINDEX DATABASE and ALTER DATABASE ... REFRESH COLLATION VERSION"
    )
    return (Finding(id="collation", status="warn", message=text, hint=REFRESH),)


def _behind(extensions: tuple[Extension, ...]) -> tuple[Finding, ...]:
    """Each version once, with the databases that have it."""
    where: dict[str, list[str]] = {}
    for e in extensions:
        where.setdefault(f"{e.name} is {e.version} and the server has {e.available}", []).append(e.database)
    text = "; ".join(f"{found} (in {', '.join(databases)})" for found, databases in where.items())
    text += ", until ALTER EXTENSION ... UPDATE"
    return (Finding(id="extensions", status="warn", message=text, hint=REFRESH),) if extensions else ()
