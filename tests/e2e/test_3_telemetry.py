"""One request, followed from the sample application to the stores; metrics of everybody; routes of the gateway."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.e2e.driver import Platform, eventually


def _get(url: str, **query: str) -> Any:
    response = httpx.get(url, params=query, timeout=10, trust_env=False)
    return response.json() if response.status_code == 200 else None


def _prometheus(query: str) -> list[Any]:
    found: list[Any] = _get("http://127.0.0.1:9090/api/v1/query", query=query)["data"]["result"]
    return found


@pytest.fixture(scope="module")
def trace_id(stack: Platform) -> str:
    answer: str = _get("http://127.0.0.1:8081/ondemand-work")["trace_id"]
    return answer


def test_the_trace_of_a_request_is_found_in_jaeger(trace_id: str) -> None:
    url = f"http://127.0.0.1:16686/api/v3/traces/{trace_id}"
    assert eventually(lambda: _get(url), 30)["result"]["resourceSpans"]


def test_the_log_of_a_request_is_found_in_loki_by_its_trace_id(trace_id: str) -> None:
    query = f'{{service_name="swiss-army"}} | trace_id="{trace_id}"'
    url = "http://127.0.0.1:3100/loki/api/v1/query_range"
    assert eventually(lambda: _get(url, query=query)["data"]["result"], 30)


@pytest.mark.parametrize(
    "query",
    [
        'ondemand_runs_count_total{job=~".*swiss-army"}',
        'background_runs_count_total{job=~".*swiss-army"}',
        'traces_span_metrics_calls_total{service_name="swiss-army"}',
    ],
)
def test_metrics_of_the_application_and_of_its_spans_are_found_in_prometheus(trace_id: str, query: str) -> None:
    assert eventually(lambda: _prometheus(query), 60)


def test_prometheus_reaches_every_target_that_it_scrapes(stack: Platform) -> None:
    def down() -> list[str]:
        return sorted(item["metric"]["job"] for item in _prometheus("up == 0"))

    eventually(lambda: not down() and len(_prometheus("up == 1")) >= 13, 90)
    assert down() == []
    jobs = {item["metric"]["job"] for item in _prometheus("up == 1")}
    assert jobs >= {"postgres", "redis", "nats", "pulsar", "kratos", "unleash", "traefik", "loki", "jaeger", "grafana"}


def test_grafana_has_its_three_data_sources_with_fixed_uids(stack: Platform) -> None:
    auth = ("admin", stack.secrets()["GRAFANA_ADMIN_PASSWORD"])
    response = httpx.get("http://127.0.0.1:3000/api/datasources", auth=auth, timeout=10, trust_env=False)
    assert {item["uid"] for item in response.json()} == {"prometheus", "loki", "jaeger"}


@pytest.mark.parametrize("host", ["grafana", "prometheus", "jaeger", "unleash", "infisical", "swiss-army"])
def test_the_gateway_routes_localhost_names_to_the_web_pages(stack: Platform, host: str) -> None:
    def status() -> int:
        headers = {"Host": f"{host}.localhost"}
        return httpx.get("http://127.0.0.1:80/", headers=headers, timeout=10, trust_env=False).status_code

    eventually(lambda: status() not in (404, 502, 503, 504) or host == "swiss-army", 30)
    unknown = httpx.get("http://127.0.0.1:80/", headers={"Host": "nobody.localhost"}, timeout=10, trust_env=False)
    assert unknown.status_code == 404
    assert status() < 500
    assert host == "swiss-army" or status() != 404
