"""Databases, topics, flags and accounts as tables and as JSON documents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from arcctl.data.report import DropImpact, Flag, Identity, ListedDatabase, Refreshed, Topic, TopicList
from arcctl.terminal import console as terminal
from arcctl.terminal import document


def databases(listed: Iterable[ListedDatabase], *, reveal: bool) -> None:
    shown = tuple(listed)
    rows = [(d.name, d.owner, terminal.size(d.bytes), d.service, url(d, reveal=reveal)) for d in shown]
    terminal.table(("DATABASE", "OWNER", "SIZE", "SERVICE", "ADDRESS"), rows)
    if not reveal:
        terminal.say("passwords are hidden: arcctl db list --reveal")
    for name in (d.name for d in shown if d.invalid):
        text = (
            f"{name} was left by a DROP DATABASE that was interrupted, and can only be dropped: arcctl db drop {name}"
        )
        terminal.say(text, style="yellow")


def databases_json(listed: Iterable[ListedDatabase], *, reveal: bool) -> None:
    shown = (d if reveal or not d.secret else replace(d, secret=terminal.HIDDEN) for d in listed)
    items = [{**asdict(d), "url": url(d, reveal=reveal)} for d in shown]
    terminal.line(document.text("arcctl.db/v1", {"databases": items}))


def created_database(database: ListedDatabase, *, created: bool, reveal: bool, as_json: bool) -> None:
    terminal.say(f"database {database.name}: {'created' if created else 'exists already'}", style="green")
    if as_json:
        databases_json([database], reveal=reveal)
    else:
        terminal.line(url(database, reveal=reveal))
    if not reveal:
        terminal.say(f"with its password: arcctl db list {database.name} --reveal")


def url(database: ListedDatabase, *, reveal: bool) -> str:
    """A connection URL, with the password only on `reveal`."""
    secret = f":{database.secret}" if reveal and database.secret else ""
    return f"postgresql://{database.owner}{secret}@{database.address}"


def drop_impact(name: str, impact: DropImpact) -> None:
    tables = "nobody can connect to it" if impact.tables is None else terminal.count(impact.tables, "table")
    terminal.say(f"database {name}: {terminal.size(impact.bytes)}, {tables}")
    for table in impact.largest:
        terminal.say(f"  {table.name}  {terminal.size(table.bytes)}")
    if impact.sessions:
        terminal.say(f"open connections that are closed: {impact.sessions}", style="yellow")


def dropped_database(name: str) -> None:
    terminal.say(f"dropped {name}")


def refreshed(done: tuple[Refreshed, ...]) -> None:
    for one in done:
        terminal.say(str(one), style="green")
    if not done:
        terminal.say("every database is up to date")


def migrated(services: tuple[str, ...]) -> None:
    terminal.say(f"migrated: {', '.join(services)}", style="green")


def topic_size(topic: Topic) -> None:
    parts = (terminal.count(topic.messages, "message"), terminal.size(topic.bytes))
    terminal.say(f"{topic.address}: {', '.join((*parts, terminal.count(topic.readers, 'subscription')))}")


def created_topic(topic: Topic) -> None:
    stored = f", stores {', '.join(topic.subjects)}" if topic.subjects else ""
    terminal.say(f"created {topic.address}{stored}", style="green")


def deleted_topic(topic: Topic) -> None:
    terminal.say(f"deleted {topic.address}")


def produced(topic: Topic, count: int) -> None:
    terminal.say(f"{topic.address}: {terminal.count(count, 'message')} stored", style="green")


def topics(listed: TopicList) -> None:
    rows = [
        (t.service, t.name, str(t.messages), terminal.size(t.bytes), str(t.readers), ", ".join(t.subjects))
        for t in listed.topics
    ]
    terminal.table(("SERVICE", "NAME", "MESSAGES", "SIZE", "READERS", "SUBJECTS"), rows)


def topics_json(listed: TopicList) -> None:
    items = [{"address": topic.address, **asdict(topic)} for topic in listed.topics]
    terminal.line(document.text("arcctl.topics/v1", listed, topics=items))


def message(data: bytes) -> None:
    """One message in one line; line breaks and bytes that are no text are escaped."""
    text = data.decode(errors="backslashreplace").replace("\r", "\\r").replace("\n", "\\n")
    terminal.line(text)


def flags(listed: Iterable[Flag]) -> None:
    rows = [(f.name, f.project, f.type, ", ".join(e for e, on in f.environments.items() if on)) for f in listed]
    terminal.table(("FLAG", "PROJECT", "TYPE", "ON IN"), rows)


def flags_json(listed: tuple[Flag, ...]) -> None:
    terminal.line(document.text("arcctl.flags/v1", {"flags": listed}))


def switched(flag: str, environment: str, *, on: bool, changed: bool) -> None:
    state = ("is" if changed else "was already") + (" on" if on else " off")
    terminal.say(f"{flag} {state} in {environment}", style="green")


def identities(listed: Iterable[Identity]) -> None:
    rows = [(i.id, i.state, i.schema, i.created_at, _flat(i.traits)) for i in listed]
    terminal.table(("ID", "STATE", "SCHEMA", "CREATED", "TRAITS"), rows)


def _flat(traits: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in traits.items()
    )


def identities_json(listed: tuple[Identity, ...]) -> None:
    terminal.line(document.text("arcctl.identities/v1", {"identities": listed}))
