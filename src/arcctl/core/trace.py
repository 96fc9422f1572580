"""One request as the three stores tell it: reads their answers and puts spans in their tree."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from arcctl.errors import UsageError

_ID = re.compile(r"[0-9a-f]{32}")
_FAILED = 2
"""The status code of OpenTelemetry for an error."""


class Signal(StrEnum):
    """What a service has to say of a request: how to make one, and what of it is stored here."""

    WORK = "work"
    TRACE = "trace"
    LOGS = "logs"
    METRICS = "metrics"
    INTAKE = "intake"
    """Where a finished trace is handed in."""


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
    """How often spans of this kind were counted."""

    labels: Mapping[str, str]
    value: str


@dataclass(frozen=True, kw_only=True)
class Hop:
    """A store that was asked. `ms` is the time from the end of the request until the store had it."""

    service: str
    signal: Signal
    ok: bool
    ms: int
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Trace:
    id: str
    spans: tuple[Span, ...]
    lines: tuple[LogLine, ...]
    series: tuple[Series, ...]
    hops: tuple[Hop, ...]

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(sorted({span.service for span in self.spans}))


def valid_id(text: str) -> str:
    """Raises UsageError for what is no trace id."""
    found = text.strip().lower().replace("-", "")
    if not _ID.fullmatch(found):
        raise UsageError(f"{text!r} is no trace id, which has 32 hexadecimal digits", hint="arcctl trace --new")
    return found


def otlp(service: str, scope: str, records: Mapping[str, Any]) -> dict[str, Any]:
    """Records of one service as OTLP hands them in, in JSON; `scope` is Spans, Logs or Metrics."""
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {f"resource{scope}": [{"resource": resource, f"scope{scope}": [records]}]}


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
    found = []
    for item in json.loads(text or "{}").get("data", {}).get("result", []):
        found.append(Series(labels=dict(item["metric"]), value=item["value"][1]))
    return tuple(sorted(found, key=lambda series: sorted(series.labels.items())))


def alternatives(names: Iterable[str]) -> str:
    """A regular expression for any of these names, as it stands in a query's string, quoted for an address."""
    escaped = (re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\\\1", name) for name in sorted(set(names)))
    return quote("|".join(escaped))


def tree(spans: tuple[Span, ...]) -> Iterator[tuple[int, Span]]:
    """Each span with its depth, children behind their parent; one whose parent is not there stands at the top."""
    known = {span.id for span in spans}

    def below(parent: str, depth: int) -> Iterator[tuple[int, Span]]:
        for span in spans:
            if span.parent == parent or (not parent and span.parent not in known):
                yield depth, span
                yield from below(span.id, depth + 1)

    yield from below("", 0)
