"""A request from the sample application to the stores; metrics of all services; routes of the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from arcctl import services
from arcctl.model.service import Service
from arcctl.model.telemetry import Store
from tests.e2e.driver import Platform, eventually


def _get(url: str, **query: str) -> Any:
    response = httpx.get(url, params=query, timeout=10, trust_env=False)
    return response.json() if response.status_code == 200 else None


def _prometheus(platform: Platform, query: str) -> list[Any]:
    url = f"http://127.0.0.1:{platform.port(9090)}/api/v1/query"
    found: list[Any] = _get(url, query=query)["data"]["result"]
    return found


@pytest.fixture(scope="module")
def trace_id(either: Platform) -> str:
    answer: str = _get(f"http://127.0.0.1:{either.port(8081)}/ondemand-work")["trace_id"]
    return answer


def test_the_trace_of_a_request_is_found_in_jaeger(either: Platform, trace_id: str) -> None:
    url = f"http://127.0.0.1:{either.port(16686)}/api/v3/traces/{trace_id}"
    assert eventually(lambda: _get(url), 30)["result"]["resourceSpans"]


def test_the_log_of_a_request_is_found_in_loki_by_its_trace_id(either: Platform, trace_id: str) -> None:
    query = f'{{service_name="swiss-army"}} | trace_id="{trace_id}"'
    url = f"http://127.0.0.1:{either.port(3100)}/loki/api/v1/query_range"
    assert eventually(lambda: _get(url, query=query)["data"]["result"], 30)


@pytest.mark.parametrize(
    "query",
    [
        'ondemand_runs_count_total{job=~".*swiss-army"}',
        'background_runs_count_total{job=~".*swiss-army"}',
        'traces_span_metrics_calls_total{service_name="swiss-army"}',
    ],
)
def test_metrics_of_the_application_and_of_its_spans_are_found_in_prometheus(
    either: Platform, trace_id: str, query: str
) -> None:
    assert eventually(lambda: _prometheus(either, query), 60)


ALWAYS = {"otel-collector", "prometheus", "loki", "jaeger", "pulsar", "kratos", "unleash", "traefik"}
IN_CONTAINERS = {"grafana", "infisical", "postgres", "redis", "nats"}


def test_prometheus_reaches_every_target_that_it_scrapes(either: Platform) -> None:
    expected = ALWAYS if either.shift else ALWAYS | IN_CONTAINERS

    def jobs(state: int) -> set[str]:
        return {item["metric"]["job"] for item in _prometheus(either, f"up == {state}")}

    eventually(lambda: not jobs(0) and jobs(1) == expected, 90)
    assert (jobs(0), jobs(1)) == (set(), expected)


def _metric_names(parsed: Any) -> set[str]:
    """The metrics that a query of Prometheus selects, in its own parser's words."""
    if isinstance(parsed, list):
        return {name for item in parsed for name in _metric_names(item)}
    if not isinstance(parsed, dict):
        return set()
    own = {parsed["name"]} if parsed.get("type") in ("vectorSelector", "matrixSelector") else set()
    return own | {name for value in parsed.values() for name in _metric_names(value)}


def _queries(service: Service[Any]) -> Iterator[str]:
    """What panels and alerts of a service ask Prometheus."""
    telemetry = service.telemetry
    for panel in (*telemetry.row(service.id), *telemetry.panels):
        yield from panel.queries.values() if panel.store is Store.METRICS else ()
    yield from (alert.query for alert in telemetry.alerts)


def test_every_metric_in_a_panel_or_an_alert_is_one_that_a_server_exports(either: Platform, trace_id: str) -> None:
    """A panel of a metric that was renamed is empty, and an alert never fires."""
    url = f"http://127.0.0.1:{either.port(9090)}/api/v1"
    running = ALWAYS | {"swiss-army"} | (set() if either.shift else IN_CONTAINERS)
    wanted = {
        f"{service.id}: {name}"
        for service in services.load().services.values()
        if service.id in running
        for query in _queries(service)
        for name in _metric_names(_get(f"{url}/parse_query", query=query)["data"])
    }
    assert len(wanted) > 40

    def unknown() -> set[str]:
        _gateway(either, "prometheus")  # it counts requests from the first one on
        exported = set(_get(f"{url}/label/__name__/values")["data"])
        return {name for name in wanted if name.partition(": ")[2] not in exported}

    assert eventually(lambda: not unknown(), 60), sorted(unknown())


def test_grafana_has_its_three_data_sources_with_fixed_uids(stack: Platform) -> None:
    auth = ("admin", stack.secrets()["GRAFANA_ADMIN_PASSWORD"])
    response = httpx.get("http://127.0.0.1:3000/api/datasources", auth=auth, timeout=10, trust_env=False)
    assert {item["uid"] for item in response.json()} == {"prometheus", "loki", "jaeger"}


def _gateway(platform: Platform, host: str) -> int:
    url, headers = f"http://127.0.0.1:{platform.port(80)}/", {"Host": f"{host}.localhost"}
    operator = ("arc", platform.secrets()["TRAEFIK_PASSWORD"])
    answer = httpx.get(url, headers=headers, auth=operator, follow_redirects=False, timeout=10, trust_env=False)
    return answer.status_code


@pytest.mark.parametrize("host", ["prometheus", "jaeger", "unleash", "mailpit", "traefik"])
def test_the_gateway_routes_localhost_names_to_the_web_pages(either: Platform, host: str) -> None:
    assert eventually(lambda: _gateway(either, host) < 400, 30)


@pytest.mark.parametrize("host", ["grafana", "infisical"])
def test_the_gateway_routes_to_what_runs_in_containers_only(stack: Platform, host: str) -> None:
    assert eventually(lambda: _gateway(stack, host) < 400, 30)


def test_the_gateway_asks_for_the_operators_password_and_answers_404_for_other_names(either: Platform) -> None:
    url = f"http://127.0.0.1:{either.port(80)}/health"
    answer = httpx.get(url, headers={"Host": "swiss-army.localhost"}, timeout=10, trust_env=False)
    assert answer.status_code == 401
    assert _gateway(either, "swiss-army") < 500
    assert _gateway(either, "nobody") == 404
