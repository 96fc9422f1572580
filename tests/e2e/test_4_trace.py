"""`trace` follows one request through all three stores."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import httpx
import pytest

from arcctl.model.telemetry import otlp
from tests.e2e.driver import Platform, eventually

PROGRAM = "arcctl-e2e-shop"


def test_a_new_request_is_followed_to_its_spans_its_log_line_and_its_counts(either: Platform) -> None:
    found = json.loads(either.arcctl("trace", "--new", "--json").ok().out)
    assert [span["name"] for span in found["spans"]] == ["GET /ondemand-work", "on-demand work"]
    assert found["spans"][1]["parent"] == found["spans"][0]["id"]
    (line,) = found["lines"]
    assert line["text"].startswith("on-demand work done in ")
    counted = {(series["labels"]["service_name"], series["labels"]["span_name"]) for series in found["series"]}
    assert counted
    assert counted <= {("swiss-army", "GET /ondemand-work"), ("swiss-army", "on-demand work")}
    assert all(int(series["value"]) > 0 for series in found["series"])
    assert [(hop["service"], hop["ok"]) for hop in found["hops"]] == [
        ("swiss-army", True),
        ("jaeger", True),
        ("loki", True),
        ("prometheus", True),
    ]
    again = json.loads(either.arcctl("trace", found["id"], "--json").ok().out)
    assert (again["spans"], again["lines"]) == (found["spans"], found["lines"])
    shown = either.arcctl("trace", found["id"]).ok().out.splitlines()
    assert shown[0].startswith(f"trace {found['id']}: 2 spans, ")


def test_a_trace_that_is_not_there_says_where_arcctl_looked_for_it(either: Platform) -> None:
    done = either.arcctl("trace", "0" * 31 + "1")
    assert done.code == 1
    assert done.err == f"error: no trace {'0' * 31}1 in jaeger\nhint: arcctl trace {'0' * 31}1 --wait\n"


def _send(platform: Platform, scope: str, records: dict[str, Any]) -> None:
    """Telemetry of a program of a user."""
    url = f"http://127.0.0.1:{platform.port(4318)}/v1/{scope.lower().replace('spans', 'traces')}"
    httpx.post(url, json=otlp(PROGRAM, scope, records), trust_env=False).raise_for_status()


def test_a_request_of_a_program_without_log_lines_has_none_and_is_shown_at_once(either: Platform) -> None:
    trace_id, now = f"{time.time_ns():032x}", str(time.time_ns())
    span = {"traceId": trace_id, "spanId": "a" * 16, "name": "sell", "startTimeUnixNano": now, "endTimeUnixNano": now}
    _send(either, "Spans", {"spans": [span]})
    assert eventually(lambda: either.arcctl("trace", trace_id).code == 0)
    shown = either.arcctl("trace", trace_id).ok().out
    assert "\nlogs: none\n" in shown
    assert "  - none  loki (logs)" in shown
    found = json.loads(either.arcctl("trace", trace_id, "--json").ok().out)
    assert [(hop["service"], hop["ok"], hop["message"]) for hop in found["hops"]] == [
        ("jaeger", True, ""),
        ("loki", True, ""),
        ("prometheus", True, ""),
    ]


def test_logs_has_the_lines_of_a_program_that_sends_them(either: Platform) -> None:
    now, minute = time.time_ns(), 60 * 10**9
    texts = {now - 200 * minute: "opened", now - minute: "sold one", now: "sold another"}
    lines = [{"timeUnixNano": str(t), "severityText": "INFO", "body": {"stringValue": x}} for t, x in texts.items()]
    _send(either, "Logs", {"logRecords": lines})

    def logs(*words: str) -> list[str]:
        return [line.partition("INFO ")[2] for line in either.arcctl("logs", PROGRAM, *words).out.splitlines()]

    assert eventually(lambda: logs() == [*texts.values()])
    assert logs("--tail", "1") == ["sold another"]
    assert logs("--since", "1h") == ["sold one", "sold another"]
    unknown = either.arcctl("logs", PROGRAM + "s")
    assert (unknown.code, unknown.out) == (2, "")
    assert unknown.err == (
        f"error: unknown service '{PROGRAM}s', and loki has no logs from it\nhint: did you mean {PROGRAM}?\n"
    )


@pytest.mark.parametrize("command", ["up", "health", "verify"])
def test_a_command_with_telemetry_sends_a_trace_of_itself(either: Platform, command: str) -> None:
    done = either.arcctl("--telemetry", command, "redis").ok()
    (trace_id,) = re.findall(r"the trace of this command: arcctl trace ([0-9a-f]{32}) --wait\n", done.err)
    assert eventually(lambda: either.arcctl("trace", trace_id).code == 0)
    found = json.loads(either.arcctl("trace", trace_id, "--json").ok().out)
    root, *children = found["spans"]
    assert (root["service"], root["name"], root["ok"]) == ("arcctl", command, True)
    assert [span["name"] for span in children if span["name"].startswith("redis")]
    assert {span["parent"] for span in children} == {root["id"]}


@pytest.mark.parametrize("command", ["up", "health", "verify"])
def test_a_command_without_telemetry_sends_nothing(either: Platform, command: str) -> None:
    assert "trace of this command" not in either.arcctl(command, "redis").ok().err
