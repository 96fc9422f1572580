"""The OpenTelemetry SDK: three signals over OTLP/gRPC, and a flush with a time limit."""

import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.environment_variables import OTEL_SDK_DISABLED
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from swiss_army import __version__
from swiss_army.correlation import JsonLines

FLUSH_SECONDS = 2.0
QUIET_SECONDS = 60


@dataclass(frozen=True)
class Signal:
    """One signal: its provider and its exporter."""

    provider: MeterProvider | TracerProvider | LoggerProvider
    exporter: OTLPMetricExporter | OTLPSpanExporter | OTLPLogExporter


@contextmanager
def observed(environ: Mapping[str, str]) -> Iterator[None]:
    """Log to stdout and, unless the SDK is disabled, send every signal until the block ends."""
    _log_to_stdout()
    signals = () if environ.get(OTEL_SDK_DISABLED, "").strip().lower() == "true" else _start()
    try:
        yield
    finally:
        _flush(signals)


def _start() -> tuple[Signal, ...]:
    """Start all three signals, without the exit hooks of the SDK, which can wait for thirty seconds each."""
    resource = _resource()
    return _start_metrics(resource), _start_traces(resource), _start_logs(resource)


def _start_metrics(resource: Resource) -> Signal:
    exporter = OTLPMetricExporter()
    provider = MeterProvider([PeriodicExportingMetricReader(exporter)], resource, shutdown_on_exit=False)
    metrics.set_meter_provider(provider)
    return Signal(provider, exporter)


def _start_traces(resource: Resource) -> Signal:
    exporter = OTLPSpanExporter()
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return Signal(provider, exporter)


def _start_logs(resource: Resource) -> Signal:
    exporter = OTLPLogExporter()
    provider = LoggerProvider(resource, shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logging.getLogger().addHandler(LoggingHandler(logger_provider=provider))
    return Signal(provider, exporter)


def _resource() -> Resource:
    """The resource of this process; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES override the defaults."""
    default = Resource({SERVICE_NAME: "swiss-army", SERVICE_VERSION: __version__})
    return Resource.create(default.merge(OTELResourceDetector().detect()).attributes)


def _flush(signals: tuple[Signal, ...]) -> None:
    """Send the remaining data, all signals in parallel, in at most FLUSH_SECONDS."""
    deadline = time.monotonic() + FLUSH_SECONDS
    threads = [Thread(target=signal.provider.shutdown, daemon=True) for signal in signals]
    for thread in threads:
        thread.start()
    for thread, signal in zip(threads, signals, strict=True):
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            signal.exporter.shutdown()  # ends the running export, and with it the thread


def _log_to_stdout() -> None:
    root, sdk = logging.getLogger(), logging.getLogger("opentelemetry")
    root.setLevel(logging.INFO)
    root.addHandler(_stdout())
    # Warnings about the export go to stdout only, and rarely: sent over OTLP they would cause more warnings.
    sdk.propagate = False
    sdk.setLevel(logging.WARNING)
    sdk.addHandler(_stdout())
    sdk.handlers[0].addFilter(RateLimit(QUIET_SECONDS))


def _stdout() -> logging.Handler:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    return handler


class RateLimit(logging.Filter):
    """Passes each message at most once in a period."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        last = self._last.get(str(record.msg), -self._seconds)
        if record.created - last < self._seconds:
            return False
        self._last[str(record.msg)] = record.created
        return True
