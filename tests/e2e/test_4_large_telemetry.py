"""Spans and log records of the size that agents send are stored whole, and are found again."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, TypeVar

import httpx
import pytest

from tests import otlp
from tests.e2e.driver import Platform, eventually

Send = Callable[[Platform, str, bytes], None]
T = TypeVar("T")
KEPT = 16_000
"""Bytes of a long attribute that stay where it is cut."""


def _http(platform: Platform, signal: str, body: bytes) -> None:
    otlp.send_http(platform.port(4318), signal, body)


def _grpc(platform: Platform, signal: str, body: bytes) -> None:
    otlp.send_grpc(platform.port(4317), signal, body)


# More than a key of Badger holds, than a line of Loki by default, than a message of gRPC by default; and the promise.
SIZES = [70_000, 300_000, 5_000_000, 16_000_000]
each_way = pytest.mark.parametrize("send", [_http, _grpc], ids=["http", "grpc"])


def _prompt(size: int) -> str:
    """Text that does not repeat, and that differs from all others."""
    return (secrets.token_hex(500) * (size // 1000 + 1))[:size]


@each_way
def test_a_long_value_of_a_span_is_cut_in_its_trace_and_whole_in_one_of_its_own(either: Platform, send: Send) -> None:
    for size in SIZES:
        trace_id, span_id, prompt = secrets.token_bytes(16), secrets.token_bytes(8), _prompt(size)
        spans = [
            otlp.span(trace_id, span_id, {"model": "m", "prompt": prompt}, [otlp.event({"answer": prompt[:20_000]})]),
            otlp.span(trace_id, secrets.token_bytes(8), {"model": "neighbour"}),
        ]
        send(either, "traces", otlp.request("agent", spans))
        found = {s["attributes"]["model"]: s for s in _spans(either, trace_id.hex(), 2)}
        assert set(found) == {"m", "neighbour"}
        mark = f"… {size - KEPT} bytes more in trace {span_id.hex() * 2}"
        assert found["m"]["attributes"]["prompt"] == prompt[:KEPT] + mark
        assert found["m"]["events"][0]["answer"].startswith(prompt[:KEPT] + "… 4000 bytes more in trace")
        (whole,) = _spans(either, span_id.hex() * 2, 1)
        assert set(whole["attributes"].pop("@jaeger@warnings")) == {
            f"prompt: {prompt}",
            f"event 1 message answer: {prompt[:20_000]}",
        }
        assert (whole["name"], whole["attributes"]["trace"]) == ("agent: large", trace_id.hex())


def test_long_names_are_cut_and_kept_too(either: Platform) -> None:
    """A store that makes an index key of a name refuses one of 64 KB, again and again."""
    trace_id, span_id, name, said = secrets.token_bytes(16), secrets.token_bytes(8), _prompt(70_000), _prompt(80_000)
    events = [otlp.event({}, said), otlp.event({"answer": said}, "short")]
    _http(either, "traces", otlp.request("agent", [otlp.span(trace_id, span_id, {"model": "m"}, events, name)]))
    (cut,) = _spans(either, trace_id.hex(), 1)
    mark = f"bytes more in trace {span_id.hex() * 2}"
    assert cut["name"] == f"{name[:1000]}… {70_000 - 1000} {mark}"
    (whole,) = _spans(either, span_id.hex() * 2, 1)
    kept = set(whole["attributes"]["@jaeger@warnings"])
    assert {f"name: {name}", f"event names: {said}", f"event 2 short answer: {said}"} == kept


def test_many_long_values_of_one_batch_are_all_kept(either: Platform) -> None:
    """A batch has each of these spans twice, cut and whole."""
    trace_id, ids = secrets.token_bytes(16), [secrets.token_bytes(8) for _ in range(30)]
    spans = [otlp.span(trace_id, span_id, {"prompt": _prompt(100_000)}) for span_id in ids]
    _http(either, "traces", otlp.request("agent", spans))
    assert len(_spans(either, trace_id.hex(), len(ids))) == len(ids)
    for span_id in ids:
        (whole,) = _spans(either, span_id.hex() * 2, 1)
        assert len(whole["attributes"]["@jaeger@warnings"][0]) == len("prompt: ") + 100_000


@each_way
def test_a_long_log_record_is_found_whole(either: Platform, send: Send) -> None:
    for size in SIZES:
        trace_id, prompt = secrets.token_bytes(16), _prompt(size)
        records = [
            otlp.log_record(trace_id, prompt, {"kind": "body"}),
            otlp.log_record(trace_id, "asked", {"kind": "attribute", "prompt": prompt}),
        ]
        send(either, "logs", otlp.request("agent", records))
        found = {labels["kind"]: (labels, line) for labels, line in _lines(either, trace_id.hex(), 2)}
        assert found["body"][1] == prompt
        labels, line = found["attribute"]
        assert line == f"asked\nprompt: {prompt}"
        assert labels["prompt"] == f"{prompt[:KEPT]}… {size - KEPT} bytes more in the line"


def _spans(platform: Platform, trace_id: str, count: int) -> list[dict[str, Any]]:
    """The spans of a trace, once there are as many."""

    def ask() -> list[dict[str, Any]]:
        answer = httpx.get(f"http://127.0.0.1:{platform.port(16686)}/api/v3/traces/{trace_id}", timeout=60)
        if answer.status_code != 200:
            return []
        resources = answer.json()["result"]["resourceSpans"]
        return [span for resource in resources for scope in resource["scopeSpans"] for span in scope["spans"]]

    return [
        {
            "name": span["name"],
            "attributes": _plain(span["attributes"]),
            "events": [_plain(event.get("attributes", [])) for event in span.get("events", [])],
        }
        for span in _enough(ask, count)
    ]


def _plain(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {a["key"]: _value(a["value"]) for a in attributes}


def _value(value: dict[str, Any]) -> Any:
    if "arrayValue" in value:
        return [_value(item) for item in value["arrayValue"]["values"]]
    return next(iter(value.values()))


def _lines(platform: Platform, trace_id: str, count: int) -> list[tuple[dict[str, str], str]]:
    """The log lines of a trace with their labels, once there are as many."""
    query = f'{{service_name="agent"}} | trace_id="{trace_id}"'
    url = f"http://127.0.0.1:{platform.port(3100)}/loki/api/v1/query_range"

    def ask() -> list[tuple[dict[str, str], str]]:
        answer = httpx.get(url, params={"query": query}, timeout=60).raise_for_status().json()
        return [(stream["stream"], line) for stream in answer["data"]["result"] for _, line in stream["values"]]

    return _enough(ask, count)


def _enough(ask: Callable[[], list[T]], count: int) -> list[T]:
    return eventually(lambda: found if len(found := ask()) >= count else [], 30)
