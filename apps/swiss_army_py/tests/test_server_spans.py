"""Server spans of failed requests and of unknown methods."""

import asyncio

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from swiss_army.server_spans import ServerSpans


async def broken(_: Request) -> None:
    raise RuntimeError("out of order")


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


def span_of(exporter: InMemorySpanExporter, method: str, path: str) -> ReadableSpan:
    app = ServerSpans(Starlette(routes=[Route("/broken", broken)]), unobserved=())

    async def send() -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            await client.request(method, path)

    exporter.clear()
    asyncio.run(send())
    return exporter.get_finished_spans()[0]


def test_failure_marks_the_span_as_an_error_and_keeps_the_exception(exporter: InMemorySpanExporter) -> None:
    span = span_of(exporter, "GET", "/broken")
    assert (span.name, span.status.status_code) == ("GET /broken", StatusCode.ERROR)
    assert (span.attributes or {})["http.response.status_code"] == 500
    assert (span.events[0].attributes or {})["exception.message"] == "out of order"


def test_unknown_method_does_not_become_a_label(exporter: InMemorySpanExporter) -> None:
    span = span_of(exporter, "FROBNICATE", "/nowhere")
    assert (span.name, (span.attributes or {})["http.request.method"]) == ("_OTHER", "_OTHER")
    assert span.status.status_code is StatusCode.UNSET
