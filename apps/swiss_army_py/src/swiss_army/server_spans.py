"""An ASGI middleware: a server span and a duration for each request, by the HTTP semantic conventions."""

import time
from collections.abc import Collection
from http import HTTPStatus

from opentelemetry import metrics, trace
from opentelemetry.propagate import extract
from opentelemetry.semconv.attributes import http_attributes as http
from opentelemetry.semconv.attributes import url_attributes as url
from opentelemetry.semconv.metrics import http_metrics
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)  # those of the convention

_tracer = trace.get_tracer(__name__)
_duration = metrics.get_meter(__name__).create_histogram(
    http_metrics.HTTP_SERVER_REQUEST_DURATION,
    "s",
    "Duration of HTTP server requests.",
    explicit_bucket_boundaries_advisory=_BUCKETS,
)


class ServerSpans:
    def __init__(self, app: ASGIApp, unobserved: Collection[str]) -> None:
        self._app = app
        self._unobserved = unobserved

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._unobserved:
            return await self._app(scope, receive, send)
        parent = extract(Headers(scope=scope))
        with _tracer.start_as_current_span(_method(scope), parent, SpanKind.SERVER, _at_start(scope)) as span:
            return await self._observe(span, scope, receive, send)

    async def _observe(self, span: Span, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR  # if no response was sent

        async def watch(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            _finish(span, scope, status, time.perf_counter() - started)


def _finish(span: Span, scope: Scope, status: int, seconds: float) -> None:
    method, route = _method(scope), _route(scope)
    known: dict[str, AttributeValue] = {http.HTTP_REQUEST_METHOD: method, http.HTTP_RESPONSE_STATUS_CODE: status}
    known.update(route)
    span.update_name(" ".join([method, *route.values()]))
    span.set_attributes(known)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        span.set_status(Status(StatusCode.ERROR))
    _duration.record(seconds, {url.URL_SCHEME: scope["scheme"]} | known)


def _at_start(scope: Scope) -> dict[str, AttributeValue]:
    return {http.HTTP_REQUEST_METHOD: _method(scope), url.URL_SCHEME: scope["scheme"], url.URL_PATH: scope["path"]}


def _method(scope: Scope) -> str:
    """The method, `_OTHER` if it is unknown: a client must not be able to create new label values."""
    return scope["method"] if scope["method"] in _METHODS else "_OTHER"


def _route(scope: Scope) -> dict[str, str]:
    """The pattern of the matched route; nothing for an unknown path, which would be a new label value each time."""
    return {http.HTTP_ROUTE: scope["route"].path} if "route" in scope else {}
