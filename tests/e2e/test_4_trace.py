"""`trace` follows one request through all three stores."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e.driver import Platform


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
    assert done.err.startswith(f"error: no trace {'0' * 31}1: jaeger: HTTP 404")


@pytest.mark.parametrize("command", ["up", "health", "verify"])
def test_a_command_with_telemetry_sends_a_trace_of_itself(either: Platform, command: str) -> None:
    done = either.arcctl("--telemetry", command, "redis").ok()
    (trace_id,) = re.findall(r"the trace of this command: arcctl trace ([0-9a-f]{32})", done.err)
    found = json.loads(either.arcctl("trace", trace_id, "--json").out)
    root, *children = found["spans"]
    assert (root["service"], root["name"], root["ok"]) == ("arcctl", command, True)
    assert [span["name"] for span in children if span["name"].startswith("redis")]
    assert {span["parent"] for span in children} == {root["id"]}


@pytest.mark.parametrize("command", ["up", "health", "verify"])
def test_a_command_without_telemetry_sends_nothing(either: Platform, command: str) -> None:
    assert "trace of this command" not in either.arcctl(command, "redis").ok().err
