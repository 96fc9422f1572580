"""What is inside services: databases, topics, flags and accounts, as tables and as JSON documents."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Protocol

from arcctl.core.contents import Database, Flag, Identity, Topic
from arcctl.ui import terminal
from arcctl.ui.info import HIDDEN


class Entry(Protocol):
    """What `db list` tells of one database."""

    @property
    def database(self) -> Database: ...
    @property
    def service(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def secret(self) -> str: ...


def _document(schema: str, **parts: Any) -> None:
    terminal.line(json.dumps({"schema": schema, **parts}, indent=2))


def url(entry: Entry, *, reveal: bool) -> str:
    """Where a program connects; with the password only where it was asked for."""
    secret = f":{entry.secret}" if reveal and entry.secret else ""
    return f"postgresql://{entry.database.owner}{secret}@{entry.address}"


def databases(entries: Iterable[Entry], *, reveal: bool) -> None:
    rows = [
        (e.database.name, e.database.owner, terminal.size(e.database.bytes), e.service, url(e, reveal=reveal))
        for e in entries
    ]
    terminal.table(("DATABASE", "OWNER", "SIZE", "SERVICE", "ADDRESS"), rows)
    if not reveal:
        terminal.say("passwords are hidden: arcctl db list --reveal")


def databases_json(entries: Iterable[Entry], *, reveal: bool) -> None:
    items = [
        {
            "name": e.database.name,
            "owner": e.database.owner,
            "bytes": e.database.bytes,
            "service": e.service,
            "url": url(e, reveal=reveal),
            "secret": e.secret if reveal or not e.secret else HIDDEN,
        }
        for e in entries
    ]
    _document("arcctl.db/v1", databases=items)


def size(topic: Topic) -> str:
    """All that is in a topic, in one line."""
    parts = (terminal.count(topic.messages, "message"), terminal.size(topic.bytes))
    return ", ".join((*parts, terminal.count(topic.readers, "subscription")))


class Listed(Protocol):
    """What `topics list` tells."""

    @property
    def topics(self) -> tuple[Topic, ...]: ...
    @property
    def absent(self) -> tuple[str, ...]: ...


def topics(listed: Listed) -> None:
    rows = [
        (t.service, t.name, str(t.messages), terminal.size(t.bytes), str(t.readers), ", ".join(t.subjects))
        for t in listed.topics
    ]
    terminal.table(("SERVICE", "NAME", "MESSAGES", "SIZE", "READERS", "SUBJECTS"), rows)


def topics_json(listed: Listed) -> None:
    items = [{"address": t.address, **asdict(t)} for t in listed.topics]
    _document("arcctl.topics/v1", topics=items, not_running=list(listed.absent))


def message(data: bytes) -> None:
    """One message as one line, at once: what would break a line or is no text is written as an escape."""
    text = data.decode(errors="backslashreplace").replace("\r", "\\r").replace("\n", "\\n")
    terminal.line(text)
    sys.stdout.flush()


def flags(found: Iterable[Flag]) -> None:
    rows = [(f.name, f.project, f.type, ", ".join(e for e, on in f.environments.items() if on)) for f in found]
    terminal.table(("FLAG", "PROJECT", "TYPE", "ON IN"), rows)


def flags_json(found: Iterable[Flag]) -> None:
    _document("arcctl.flags/v1", flags=[asdict(flag) for flag in found])


def identities(found: Iterable[Identity]) -> None:
    rows = [(i.id, i.state, i.schema, i.created_at, _flat(i.traits)) for i in found]
    terminal.table(("ID", "STATE", "SCHEMA", "CREATED", "TRAITS"), rows)


def _flat(traits: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in traits.items()
    )


def identities_json(found: Iterable[Identity]) -> None:
    _document("arcctl.identities/v1", identities=[asdict(identity) for identity in found])
