"""Writes OpenTelemetry requests as bytes of protobuf, without its library, and sends them over HTTP and gRPC."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

import grpc
import httpx

SERVICES = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}


def span(
    trace_id: bytes,
    span_id: bytes,
    attributes: Mapping[str, str],
    events: Iterable[bytes] = (),
    name: str = "large",
) -> bytes:
    now = time.time_ns()
    times = _fixed64(7, now) + _fixed64(8, now + 1_000_000)
    head = _field(1, trace_id) + _field(2, span_id) + _field(5, name.encode()) + times
    return head + _attributes(9, attributes) + b"".join(_field(11, event) for event in events)


def event(attributes: Mapping[str, str], name: str = "message") -> bytes:
    return _fixed64(1, time.time_ns()) + _field(2, name.encode()) + _attributes(3, attributes)


def log_record(trace_id: bytes, body: str, attributes: Mapping[str, str], time_ns: int = 0) -> bytes:
    head = _fixed64(1, time_ns or time.time_ns()) + _field(5, _text(body)) + _attributes(6, attributes)
    return head + _field(9, trace_id) + _field(10, trace_id[:8])


def gauge(service: str, name: str, value: int, time_ns: int) -> bytes:
    """A request with one number."""
    point = _fixed64(3, time_ns) + _fixed64(6, value)
    return request(service, [_field(1, name.encode()) + _field(5, _field(1, point))])


def request(service: str, records: Iterable[bytes]) -> bytes:
    """Spans or log records of one service."""
    resource = _attributes(1, {"service.name": service})
    return _field(1, _field(1, resource) + _field(2, b"".join(_field(2, record) for record in records)))


def send_http(port: int, signal: str, body: bytes) -> None:
    """Raises for an answer other than success."""
    headers = {"Content-Type": "application/x-protobuf"}
    url = f"http://127.0.0.1:{port}/v1/{signal}"
    httpx.post(url, content=body, headers=headers, timeout=60, trust_env=False).raise_for_status()


def send_grpc(port: int, signal: str, body: bytes) -> None:
    """Raises for an answer other than success."""
    unlimited = [("grpc.max_send_message_length", -1), ("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=unlimited) as channel:
        channel.unary_unary(SERVICES[signal])(body, timeout=60)


def _attributes(number: int, attributes: Mapping[str, str]) -> bytes:
    return b"".join(_field(number, _field(1, k.encode()) + _field(2, _text(v))) for k, v in attributes.items())


def _text(value: str) -> bytes:
    return _field(1, value.encode())


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _fixed64(number: int, value: int) -> bytes:
    return _varint(number << 3 | 1) + value.to_bytes(8, "little")


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes((*found, value))
