"""One request in the three stores: reads their answers and arranges spans as a tree."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from arcctl.errors import UsageError
from arcctl.model.telemetry import Signal

_ID = re.compile(r"[0-9a-f]{32}")
_BEFORE_NS, _AFTER_NS = 60 * 10**9, 3600 * 10**9
"""Nanoseconds around a request in which its log lines are looked for: clocks differ, and work may go on after it."""
_FAILED = 2
"""The status code of OpenTelemetry for an error."""


@dataclass(frozen=True, kw_only=True)
class Span:
    id: str
    parent: str
    """Empty for the first span."""
    service: str
    name: str
    start_ns: int
    """Unix time in nanoseconds."""
    duration_ms: float
    ok: bool


@dataclass(frozen=True, kw_only=True)
class LogLine:
    time_ns: int
    service: str
    level: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Series:
    """A counter of spans."""

    labels: Mapping[str, str]
    value: str


@dataclass(frozen=True, kw_only=True)
class Hop:
    """An answer of one store. `ms` is the time from the end of the request until the store had it."""

    service: str
    signal: Signal
    ok: bool
    """Whether the store answered, and has what a new request leaves there."""
    found: bool = True
    """Whether it has anything of the request."""
    ms: int
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Trace:
    id: str
    spans: tuple[Span, ...]
    lines: tuple[LogLine, ...]
    series: tuple[Series, ...]
    hops: tuple[Hop, ...]


def valid_id(text: str) -> str:
    """The id in lower case without dashes. Raises UsageError for any other text."""
    found = text.strip().lower().replace("-", "")
    if not _ID.fullmatch(found):
        raise UsageError(f"{text!r} is not a trace id: it must have 32 hexadecimal digits", hint="arcctl trace --new")
    return found


def read_spans(text: str) -> tuple[Span, ...]:
    """Spans of an OTLP document in JSON, earliest first; of those that start together the longest."""
    found = []
    for resource in json.loads(text or "{}").get("result", {}).get("resourceSpans", []):
        service = _attribute(resource["resource"], "service.name")
        found += [_span(span, service) for scope in resource["scopeSpans"] for span in scope["spans"]]
    return tuple(sorted(found, key=lambda span: (span.start_ns, -span.duration_ms)))


def _span(span: Mapping[str, Any], service: str) -> Span:
    start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    return Span(
        id=span["spanId"],
        parent=span.get("parentSpanId", ""),
        service=service,
        name=span["name"],
        start_ns=start,
        duration_ms=(end - start) / 1e6,
        ok=span.get("status", {}).get("code", 0) not in (_FAILED, "STATUS_CODE_ERROR"),
    )


def _attribute(resource: Mapping[str, Any], key: str) -> str:
    values = {item["key"]: item["value"] for item in resource.get("attributes", [])}
    return str(values.get(key, {}).get("stringValue", ""))


def read_lines(text: str) -> tuple[LogLine, ...]:
    """Log lines of a range query's answer, earliest first."""
    found = []
    for stream in json.loads(text or "{}").get("data", {}).get("result", []):
        labels = stream["stream"]
        level = labels.get("severity_text") or labels.get("detected_level", "")
        for time_ns, line, *_ in stream["values"]:
            found.append(LogLine(time_ns=int(time_ns), service=labels.get("service_name", ""), level=level, text=line))
    return tuple(sorted(found, key=lambda line: line.time_ns))


def read_series(text: str) -> tuple[Series, ...]:
    """The series of an instant query's answer."""
    items = json.loads(text or "{}").get("data", {}).get("result", [])
    found = [Series(labels=dict(item["metric"]), value=item["value"][1]) for item in items]
    return tuple(sorted(found, key=lambda series: sorted(series.labels.items())))


def moments(spans: Iterable[Span]) -> tuple[int, int]:
    """A time before anything was logged of these spans and one after it, in nanoseconds."""
    spans = tuple(spans)
    end = max(span.start_ns + round(span.duration_ms * 1e6) for span in spans)
    return min(span.start_ns for span in spans) - _BEFORE_NS, end + _AFTER_NS


def said_by(service: str, message: str) -> str:
    """What a service said, with its name where the message has not."""
    return message if message.startswith(service) else f"{service}: {message}"


def alternatives(names: Iterable[str]) -> str:
    """A regular expression that matches these names, escaped for a string in a query and quoted for a URL."""
    escaped = (re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\\\1", name) for name in sorted(set(names)))
    return quote("|".join(escaped))


def tree(spans: tuple[Span, ...]) -> Iterator[tuple[int, Span]]:
    """Each span with its depth, children after their parent; a span whose parent is missing has depth 0."""
    known = {span.id for span in spans}

    def below(parent: str, depth: int) -> Iterator[tuple[int, Span]]:
        for span in spans:
            if span.parent == parent or (not parent and span.parent not in known):
                yield depth, span
                yield from below(span.id, depth + 1)

    yield from below("", 0)
