"""A real OTLP/gRPC receiver that stores what it receives."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as logs_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as traces_grpc
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Attributes = dict[str, str | int]


@dataclass
class Collector:
    endpoint: str = ""
    spans: list[Span] = field(default_factory=list)
    logs: list[LogRecord] = field(default_factory=list)
    metrics: dict[str, Metric] = field(default_factory=dict)  # the last value wins: they are cumulative
    resources: list[Resource] = field(default_factory=list)

    def trace(self, trace_id: str | None) -> list[Span]:
        return [span for span in list(self.spans) if span.trace_id.hex() == trace_id]

    def logs_of(self, trace_id: str | None) -> list[LogRecord]:
        return [log for log in list(self.logs) if log.trace_id.hex() == trace_id]

    def count(self, name: str) -> int:
        metric = self.metrics.get(name)
        return sum(point.as_int for point in metric.sum.data_points) if metric else 0


def attributes(pairs: Iterable[KeyValue]) -> Attributes:
    """OTLP's key-value list as a dictionary of plain values."""
    return {pair.key: pair.value.string_value or pair.value.int_value for pair in pairs}


class _Traces(traces_grpc.TraceServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def Export(self, request: traces.ExportTraceServiceRequest, _: object) -> traces.ExportTraceServiceResponse:
        for group in request.resource_spans:
            self._collector.resources.append(group.resource)
            self._collector.spans += [span for scope in group.scope_spans for span in scope.spans]
        return traces.ExportTraceServiceResponse()


class _Logs(logs_grpc.LogsServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def Export(self, request: logs.ExportLogsServiceRequest, _: object) -> logs.ExportLogsServiceResponse:
        for group in request.resource_logs:
            self._collector.resources.append(group.resource)
            self._collector.logs += [log for scope in group.scope_logs for log in scope.log_records]
        return logs.ExportLogsServiceResponse()


class _Metrics(metrics_grpc.MetricsServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def Export(self, request: metrics.ExportMetricsServiceRequest, _: object) -> metrics.ExportMetricsServiceResponse:
        for group in request.resource_metrics:
            self._collector.resources.append(group.resource)
            self._collector.metrics |= {each.name: each for scope in group.scope_metrics for each in scope.metrics}
        return metrics.ExportMetricsServiceResponse()


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    traces_grpc.add_TraceServiceServicer_to_server(_Traces(collector), server)
    logs_grpc.add_LogsServiceServicer_to_server(_Logs(collector), server)
    metrics_grpc.add_MetricsServiceServicer_to_server(_Metrics(collector), server)
    collector.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield collector
    finally:
        server.stop(grace=None).wait()
