"""Names of databases, topics and flags: which are valid, and which topic a word means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import assert_never

from arcctl.data.report import Topic
from arcctl.errors import UsageError
from arcctl.model.data_store import Broker, Streams, Topics

_DATABASE = re.compile(r"[a-z][a-z0-9_]{0,62}")
_RESERVED = ("pg_", "public", "none")
_TOPIC = re.compile(r"[\w=:.-]+/[\w=:.-]+/[^\s/]+")
_STREAM = re.compile(r"[^\s.*>/\\]{1,255}")
_SUBJECT = re.compile(r"[^\s.]+(\.[^\s.]+)*")
_WILDCARDS = {"*", ">"}
_FLAG = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_DURATION = re.compile(r"(\d{1,6})(m|h|d)")
_MINUTES = {"m": 1, "h": 60, "d": 60 * 24}
SCHEME, DEFAULT_NAMESPACE = "persistent://", "public/default/"
SHAPES = {Topics: "tenant/namespace/topic", Streams: "a word without dots and slashes"}


def _invalid(text: str, kind: str, hint: str) -> UsageError:
    return UsageError(f"{text!r} is not a valid {kind}", hint=hint)


def check_database(name: str) -> None:
    """Raises UsageError for a name that Postgres does not take, without quotes, for a role and a database."""
    if not _DATABASE.fullmatch(name) or name.startswith(_RESERVED[0]) or name in _RESERVED:
        hint = "at most 63 of a-z, 0-9 and _, beginning with a letter, and not with pg_"
        raise _invalid(name, "database name", hint)


def check_flag(name: str) -> None:
    """Raises UsageError for a name that cannot be part of a URL."""
    if not _FLAG.fullmatch(name) or not name.strip("."):
        raise _invalid(name, "flag name", "letters, digits and . _ ~ - only")


def has_wildcards(subject: str) -> bool:
    return bool(_WILDCARDS & set(subject.split(".")))


def check_subject(text: str, *, wildcards: bool = False) -> str:
    """A NATS subject, unchanged; `wildcards` allows the patterns that a stream stores. Raises UsageError."""
    if not _SUBJECT.fullmatch(text) or (not wildcards and has_wildcards(text)):
        example = "orders.eu or orders.>" if wildcards else "orders.eu, without * and >"
        raise _invalid(text, "subject", f"words separated by dots, such as {example}")
    return text


def subject_matches(pattern: str, subject: str) -> bool:
    """Whether a stream that stores `pattern` stores this subject."""
    wanted, words = pattern.split("."), subject.split(".")
    if wanted[-1] == ">" and len(words) >= len(wanted):
        wanted, words = wanted[:-1], words[: len(wanted) - 1]
    return len(wanted) == len(words) and all(w in ("*", word) for w, word in zip(wanted, words, strict=True))


def example_subject(pattern: str) -> str:
    """A subject that matches the pattern: `orders.name` for `orders.>`."""
    return ".".join("name" if word in _WILDCARDS else word for word in pattern.split("."))


def minutes(text: str) -> int:
    """`30m`, `12h` or `7d` in minutes. Raises UsageError."""
    found = _DURATION.fullmatch(text)
    if not found or not int(found[1]):
        raise _invalid(text, "duration", "such as 30m, 12h or 7d")
    return int(found[1]) * _MINUTES[found[2]]


def _full_name(name: str, broker: Broker) -> str:
    """The full name of the topic at this broker; empty where `name` is not valid there."""
    match broker:
        case Topics():
            plain = name.removeprefix(SCHEME)
            full = plain if "/" in plain else DEFAULT_NAMESPACE + plain
            return full if _TOPIC.fullmatch(full) else ""
        case Streams():
            return name if _STREAM.fullmatch(name) else ""
        case never:
            assert_never(never)


def candidates(word: str, brokers: Mapping[str, Broker]) -> dict[str, str]:
    """The full name that `word` means at each service where it is valid.

    Raises UsageError where it is valid nowhere.
    """
    service, _, name = word.partition(":")
    named = service != word and service in brokers
    chosen = {service: brokers[service]} if named else brokers
    found = {i: full for i, broker in chosen.items() if (full := _full_name(name if named else word, broker))}
    if not found:
        hint = "; ".join(f"{i}: {SHAPES[type(broker)]}" for i, broker in chosen.items())
        raise _invalid(word, "topic name", hint)
    return found


def resolve_new(word: str, brokers: Mapping[str, Broker]) -> tuple[str, str]:
    """The service and the full name of a topic to be created. Raises UsageError where it fits two services."""
    found = candidates(word, brokers)
    if len(found) > 1:
        raise _ambiguous(word, [f"{i}:{full}" for i, full in found.items()])
    ((service, full),) = found.items()
    return service, full


def resolve_existing(word: str, brokers: Mapping[str, Broker], topics: tuple[Topic, ...], hint: str) -> Topic:
    """The topic that `word` means. Raises UsageError for two, and for none, with the nearest name or the hint."""
    wanted = candidates(word, brokers)
    found = [t for t in topics if wanted.get(t.service) == t.name]
    if len(found) > 1:
        raise _ambiguous(word, [t.address for t in found])
    if not found:
        known = {spelling: t.address for t in topics for spelling in (t.name.rpartition("/")[2], t.name, t.address)}
        near = difflib.get_close_matches(word, known, n=1)
        raise UsageError(f"there is no topic {word!r}", hint=f"did you mean {known[near[0]]}?" if near else hint)
    return found[0]


def _ambiguous(word: str, addresses: list[str]) -> UsageError:
    return UsageError(f"{word!r} could be {' or '.join(addresses)}", hint=f"name the service too: {addresses[0]}")
