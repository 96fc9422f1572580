"""The service as a process: responses, telemetry and shutdown."""

import socket
from collections.abc import Iterator

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector import Collector, attributes, collecting
from service import Service, eventually, serving

FAST = {"OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_BLRP_SCHEDULE_DELAY": "100", "OTEL_METRIC_EXPORT_INTERVAL": "200"}
NEVER = dict.fromkeys(FAST, "3600000")
STOP_SECONDS = 5.0


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def service(collector: Collector) -> Iterator[Service]:
    with serving(collector.endpoint, **FAST) as service:
        yield service


@pytest.fixture(params=["absent", "hanging"])
def broken_endpoint(request: pytest.FixtureRequest) -> Iterator[str]:
    """A port without a listener, or a listener that accepts and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if request.param == "hanging":
            server.listen()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def server_span(collector: Collector, trace_id: str | None) -> Span | None:
    return next((span for span in collector.trace(trace_id) if span.kind == Span.SPAN_KIND_SERVER), None)


def test_health_names_the_version(service: Service) -> None:
    answer = service.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": "0.1.0"})


def test_health_checks_create_no_spans(collector: Collector, service: Service) -> None:
    service.get("/health")
    trace_id = service.get("/ondemand-work").json()["trace_id"]
    eventually(lambda: server_span(collector, trace_id))
    assert not [span for span in collector.spans if "health" in span.name]


def test_on_demand_work_takes_a_moment_by_get_and_by_post(service: Service) -> None:
    for answer in (service.get("/ondemand-work"), service.post("/ondemand-work")):
        assert answer.status_code == 200
        assert len(bytes.fromhex(answer.json()["trace_id"])) == 16
        assert 140 <= answer.json()["duration_ms"] < 1000


def test_span_child_and_log_share_the_trace_id_of_the_response(collector: Collector, service: Service) -> None:
    trace_id = service.get("/ondemand-work").json()["trace_id"]
    server = eventually(lambda: server_span(collector, trace_id))
    log = eventually(lambda: collector.logs_of(trace_id))[0]
    child = next(span for span in collector.trace(trace_id) if span.parent_span_id == server.span_id)
    assert (server.name, child.name) == ("GET /ondemand-work", "on-demand work")
    assert log.body.string_value.startswith("on-demand work done")
    assert (log.span_id, log.severity_text) == (child.span_id, "INFO")


def test_server_span_follows_the_http_conventions(collector: Collector, service: Service) -> None:
    trace_id = service.post("/ondemand-work").json()["trace_id"]
    span = eventually(lambda: server_span(collector, trace_id))
    assert attributes(span.attributes) == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/ondemand-work",
        "url.path": "/ondemand-work",
        "url.scheme": "http",
    }


def test_unknown_path_is_404_and_gets_no_route(collector: Collector, service: Service) -> None:
    assert service.get("/no/such/page").status_code == 404
    span = eventually(lambda: next((span for span in collector.spans if span.name == "GET"), None))
    assert attributes(span.attributes)["http.response.status_code"] == 404
    assert "http.route" not in attributes(span.attributes)


def test_traceparent_of_the_caller_is_continued(collector: Collector, service: Service) -> None:
    trace_id, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    answer = service.get("/ondemand-work", traceparent=f"00-{trace_id}-{caller}-01")
    span = eventually(lambda: server_span(collector, trace_id))
    assert answer.json()["trace_id"] == trace_id
    assert span.parent_span_id.hex() == caller


def test_counters_and_durations_arrive_by_name(collector: Collector, service: Service) -> None:
    service.get("/ondemand-work")
    service.get("/ondemand-work")
    eventually(lambda: collector.count("ondemand.runs.count") == 2)
    eventually(lambda: collector.count("background.runs.count"))
    durations = eventually(lambda: collector.metrics.get("http.server.request.duration"))
    assert durations.unit == "s"
    assert attributes(durations.histogram.data_points[0].attributes)["http.route"] == "/ondemand-work"


def test_the_memory_of_the_process_is_reported_in_bytes(collector: Collector, service: Service) -> None:
    eventually(lambda: collector.count("process.memory.usage") > 10_000_000)
    assert collector.metrics["process.memory.usage"].unit == "By"


def test_background_work_starts_by_itself_and_logs_in_its_own_trace(collector: Collector, service: Service) -> None:
    span = eventually(lambda: next((span for span in collector.spans if span.name == "background work"), None))
    log = eventually(lambda: collector.logs_of(span.trace_id.hex()))[0]
    assert log.body.string_value == "background work done"
    assert not span.parent_span_id
    assert service.process.poll() is None


def test_every_line_on_stdout_is_json_with_a_trace_id_key(service: Service) -> None:
    trace_id = service.get("/ondemand-work").json()["trace_id"]
    service.stop()
    records = eventually(service.records)
    assert all("trace_id" in record for record in records)
    assert next(record["message"] for record in records if record["trace_id"] == trace_id).startswith("on-demand work")


def test_default_name_is_swiss_army(collector: Collector, service: Service) -> None:
    service.get("/ondemand-work")
    resource = attributes(eventually(lambda: collector.resources)[0].attributes)
    assert resource["service.name"] == "swiss-army"
    assert resource["service.version"] == "0.1.0"


def test_name_and_resource_come_from_the_environment(collector: Collector) -> None:
    chosen = {"OTEL_SERVICE_NAME": "penknife", "OTEL_RESOURCE_ATTRIBUTES": "service.namespace=arc,service.version=9"}
    with serving(collector.endpoint, **FAST, **chosen):
        resource = attributes(eventually(lambda: collector.resources)[0].attributes)
    assert resource["service.name"] == "penknife"
    assert (resource["service.namespace"], resource["service.version"]) == ("arc", "9")


def test_sigterm_flushes_what_is_pending(collector: Collector) -> None:
    with serving(collector.endpoint, **NEVER) as service:
        trace_id = service.get("/ondemand-work").json()["trace_id"]
        assert not collector.resources
        assert service.stop() < STOP_SECONDS
        assert service.process.returncode == 0
    assert len(collector.trace(trace_id)) == 2
    assert collector.logs_of(trace_id)
    assert collector.count("ondemand.runs.count") == 1


def test_broken_collector_stops_neither_the_service_nor_its_shutdown(broken_endpoint: str) -> None:
    with serving(broken_endpoint, **FAST) as service:
        answers = [service.get("/ondemand-work").status_code for _ in range(10)]
        assert service.get("/health").status_code == 200
        assert service.stop() < STOP_SECONDS
        assert service.process.returncode == 0
    assert answers == [200] * 10


def test_absent_collector_does_not_flood_the_log() -> None:
    with serving("http://127.0.0.1:1", **FAST, OTEL_EXPORTER_OTLP_TIMEOUT="1") as service:
        eventually(lambda: [record for record in service.records() if record["level"] == "ERROR"])
        [service.get("/ondemand-work") for _ in range(20)]
        complaints = [record for record in service.records() if record["logger"].startswith("opentelemetry")]
    assert 1 <= len(complaints) <= 2


def test_disabled_sdk_serves_without_telemetry(collector: Collector) -> None:
    with serving(collector.endpoint, **FAST, OTEL_SDK_DISABLED="true") as service:
        answer = service.get("/ondemand-work")
        service.stop()
    assert (answer.status_code, answer.json()["trace_id"]) == (200, None)
    assert not collector.resources
