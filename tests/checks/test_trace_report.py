"""The answers of the stores become spans, log lines and counters."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import unquote

import pytest

from arcctl.checks import trace_report as trace
from arcctl.checks.trace_report import LogLine, Series, Span
from arcctl.errors import UsageError


def _raw(id_: str, parent: str, start: int, end: int, **more: object) -> dict[str, object]:
    times = {"startTimeUnixNano": str(start), "endTimeUnixNano": str(end)}
    return {"spanId": id_, "parentSpanId": parent, "name": f"span {id_}", **times, **more}


def _answer(*spans: dict[str, object], service: str = "shop") -> str:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return json.dumps({"result": {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}})


def _span(id_: str, parent: str = "", start: int = 0) -> Span:
    return Span(id=id_, parent=parent, service="shop", name=id_, start_ns=start, duration_ms=1.0, ok=True)


def test_spans_are_sorted_by_start_and_have_service_duration_and_outcome() -> None:
    late, early = _raw("b", "a", 2_000_000, 5_500_000, status={"code": 2}), _raw("a", "", 1_000_000, 9_000_000)
    assert trace.read_spans(_answer(late, early)) == (
        Span(id="a", parent="", service="shop", name="span a", start_ns=1_000_000, duration_ms=8.0, ok=True),
        Span(id="b", parent="a", service="shop", name="span b", start_ns=2_000_000, duration_ms=3.5, ok=False),
    )


def test_children_follow_their_parent_and_orphans_have_depth_0() -> None:
    spans = (_span("a"), _span("b", "a", 1), _span("c", "b", 2), _span("d", "a", 3), _span("e", "gone", 4))
    assert [(depth, span.id) for depth, span in trace.tree(spans)] == [(0, "a"), (1, "b"), (2, "c"), (1, "d"), (0, "e")]


def test_log_lines_are_looked_for_from_a_minute_before_to_an_hour_after_the_spans() -> None:
    late = replace(_span("b", start=5 * 10**9), duration_ms=1500.0)
    minute, end = 60 * 10**9, 6_500_000_000
    assert trace.moments((late, _span("a", start=2 * 10**9))) == (2 * 10**9 - minute, end + 60 * minute)


def test_log_lines_are_sorted_by_time_and_have_a_level() -> None:
    stream = {"stream": {"service_name": "shop", "detected_level": "warn"}, "values": [["20", "two"], ["10", "one"]]}
    assert trace.read_lines(json.dumps({"data": {"result": [stream]}})) == (
        LogLine(time_ns=10, service="shop", level="warn", text="one"),
        LogLine(time_ns=20, service="shop", level="warn", text="two"),
    )


def test_counters_have_labels() -> None:
    item = {"metric": {"span_name": "GET /"}, "value": [1.5, "7"]}
    assert trace.read_series(json.dumps({"data": {"result": [item]}})) == (
        Series(labels={"span_name": "GET /"}, value="7"),
    )


@pytest.mark.parametrize("read", [trace.read_spans, trace.read_lines, trace.read_series])
def test_an_empty_answer_has_no_items(read: object) -> None:
    assert callable(read)
    assert read("") == ()


def test_an_id_may_be_written_with_dashes_and_capitals() -> None:
    assert trace.valid_id("4BF92F35-77B3-4DA6-A3CE-929D0E0E4736") == "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize("text", ["", "xyz", "4bf92f3577b34da6a3ce929d0e0e473", "4bf92f3577b34da6a3ce929d0e0e47366"])
def test_other_texts_are_refused_as_trace_ids(text: str) -> None:
    with pytest.raises(UsageError, match="is not a trace id"):
        trace.valid_id(text)


def test_names_of_spans_become_an_exact_pattern() -> None:
    names = ["GET /work?x=1", "a.b", "c|d"]
    assert unquote(trace.alternatives(names)) == r"GET /work\\?x=1|a\\.b|c\\|d"
