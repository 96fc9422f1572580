"""Names that people give to what is inside services: which are allowed, and what is meant by one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import assert_never

from arcctl.core.contents import Broker, Streams, Topic, Topics
from arcctl.errors import UsageError

_DATABASE = re.compile(r"[a-z][a-z0-9_]{0,62}")
_RESERVED = ("pg_", "public", "none")
_TOPIC = re.compile(r"[\w=:.-]+/[\w=:.-]+/[^\s/]+")
_STREAM = re.compile(r"[^\s.*>/\\]{1,255}")
_SUBJECT = re.compile(r"[^\s.]+(\.[^\s.]+)*")
_FLAG = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_RETENTION = re.compile(r"(\d{1,6})(m|h|d)")
_MINUTES = {"m": 1, "h": 60, "d": 60 * 24}
SCHEME, USUAL_NAMESPACE = "persistent://", "public/default/"


def database(name: str) -> str:
    """A name that Postgres takes for a role and a database without quotes. Raises UsageError for any other."""
    if not _DATABASE.fullmatch(name) or name.startswith(_RESERVED[0]) or name in _RESERVED:
        raise UsageError(
            f"{name!r} is not a name for a database",
            hint="at most 63 small letters, digits and _, a letter first, and not pg_…",
        )
    return name


def flag(name: str) -> str:
    """A name that can stand in an address. Raises UsageError for any other."""
    if not _FLAG.fullmatch(name) or not name.strip("."):
        raise UsageError(f"{name!r} is not a name for a flag", hint="letters, digits and . _ ~ - only")
    return name


def subject(text: str, *, wildcards: bool = False) -> str:
    """A subject of NATS; `wildcards` for one that a stream keeps. Raises UsageError."""
    if not _SUBJECT.fullmatch(text) or (not wildcards and {"*", ">"} & set(text.split("."))):
        hint = "words between dots, such as orders.eu" + (" or orders.>" if wildcards else ", without * and >")
        raise UsageError(f"{text!r} is not a subject", hint=hint)
    return text


def keeps(pattern: str, subject: str) -> bool:
    """Whether a stream that keeps `pattern` keeps this subject too."""
    wanted, words = pattern.split("."), subject.split(".")
    if wanted[-1] == ">" and len(words) >= len(wanted):
        wanted, words = wanted[:-1], words[: len(wanted) - 1]
    return len(wanted) == len(words) and all(w in ("*", word) for w, word in zip(wanted, words, strict=True))


def minutes(text: str) -> int:
    """`30m`, `12h` or `7d` in minutes. Raises UsageError."""
    found = _RETENTION.fullmatch(text)
    if not found or not int(found[1]):
        raise UsageError(f"{text!r} is not a length of time", hint="such as 30m, 12h or 7d")
    return int(found[1]) * _MINUTES[found[2]]


def whole(name: str, broker: Broker) -> str:
    """The full name that `name` would have at this broker; empty where it cannot be one there."""
    match broker:
        case Topics():
            plain = name.removeprefix(SCHEME)
            full = plain if "/" in plain else USUAL_NAMESPACE + plain
            return full if _TOPIC.fullmatch(full) else ""
        case Streams():
            return name if _STREAM.fullmatch(name) else ""
        case never:
            assert_never(never)


def places(word: str, brokers: Mapping[str, Broker]) -> dict[str, str]:
    """The full name that `word` would have, by each service that could hold it.

    Raises UsageError for what is a name nowhere.
    """
    service, _, name = word.partition(":")
    named = service != word and service in brokers
    chosen = {service: brokers[service]} if named else brokers
    found = {i: full for i, broker in chosen.items() if (full := whole(name if named else word, broker))}
    if not found:
        shapes = {Topics: "tenant/namespace/topic", Streams: "a word without dots and slashes"}
        hint = "; ".join(f"{i}: {shapes[type(broker)]}" for i, broker in chosen.items())
        raise UsageError(f"{word!r} is not a name for a topic", hint=hint)
    return found


def place_for(word: str, brokers: Mapping[str, Broker]) -> tuple[str, str]:
    """The service and the full name of a topic that does not exist yet. Raises UsageError where two could hold it."""
    found = places(word, brokers)
    if len(found) > 1:
        raise _ambiguous(word, [f"{i}:{full}" for i, full in found.items()])
    ((service, full),) = found.items()
    return service, full


def existing(word: str, brokers: Mapping[str, Broker], topics: tuple[Topic, ...], hint: str) -> Topic:
    """The topic that `word` means. Raises UsageError for two, and for none, with the nearest one or the hint."""
    wanted = places(word, brokers)
    found = [t for t in topics if wanted.get(t.service) == t.name]
    if len(found) > 1:
        raise _ambiguous(word, [t.address for t in found])
    if not found:
        spoken = {w: t.address for t in topics for w in (t.name.rpartition("/")[2], t.name, t.address)}
        raise unknown("topic", word, spoken, hint)
    return found[0]


def _ambiguous(word: str, addresses: Iterable[str]) -> UsageError:
    addresses = list(addresses)
    return UsageError(f"{word!r} could be {' or '.join(addresses)}", hint=f"say which: {addresses[0]}")


def unknown(kind: str, word: str, known: Mapping[str, str], hint: str) -> UsageError:
    """What to raise for a name that is not there; `known` has the name to show for each that could be meant."""
    near = difflib.get_close_matches(word, known, n=1)
    return UsageError(f"no {kind} {word!r}", hint=f"did you mean {known[near[0]]}?" if near else hint)
