"""Dashboards show data after some traffic, and each alert fires when its fault occurs."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import pulsar
import pytest

from tests import otlp
from tests.e2e.clients import redis_client
from tests.e2e.driver import Platform, eventually, forget_losses, reason

APPLICATION = "swiss-army"


def _get(port: int, path: str, **query: str | int) -> Any:
    answer = httpx.get(f"http://127.0.0.1:{port}{path}", params=query, timeout=10, trust_env=False)
    return answer.json() if answer.status_code == 200 else {}


def _has_data(target: dict[str, Any]) -> bool:
    """Whether the store answers this panel's query with at least one series, line or trace."""
    if target["datasource"]["uid"] == "jaeger":
        service = target["service"].replace("$service", APPLICATION)
        return bool(_get(16686, "/api/v3/traces", **_last_hour(service)).get("result"))
    query = target["expr"].replace("$service", APPLICATION)
    if target["datasource"]["uid"] == "loki":
        return bool(_get(3100, "/loki/api/v1/query_range", query=query)["data"]["result"])
    return bool(_get(9090, "/api/v1/query", query=query).get("data", {}).get("result"))


def _last_hour(service: str) -> dict[str, str]:
    times = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + offset)) for offset in (-3600, 60)]
    return {
        "query.service_name": service,
        "query.start_time_min": times[0],
        "query.start_time_max": times[1],
    }


def _targets(platform: Platform) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted((platform.directory / "config" / "grafana" / "dashboards").iterdir()):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{file.stem}: {panel['title']}: {target['refId']}", target


@pytest.fixture(scope="module", autouse=True)
def shorter_intervals(stack: Platform) -> Iterator[None]:
    """Prometheus scrapes three times as often, and alerts wait a fraction of their time."""
    folder = stack.directory / "config" / "prometheus"
    intervals = {": 15s": ": 5s", "[2m]": "[30s]", "for: 1m": "for: 10s"}
    good = {file: file.read_text() for file in (folder / "prometheus.yml", folder / "rules.yml")}
    for file, text in good.items():
        for default, short in intervals.items():
            text = text.replace(default, short)
        assert text != good[file]
        file.write_text(text)
    stack.arcctl("up", "prometheus").ok()
    yield
    for file, text in good.items():
        file.write_text(text)
    stack.arcctl("up", "prometheus").ok()


def _traffic(platform: Platform) -> None:
    """Use every service once."""
    platform.arcctl("verify", "all").ok()
    for _ in range(5):
        httpx.get("http://127.0.0.1:8081/ondemand-work", timeout=10, trust_env=False).raise_for_status()
        headers = {"Host": "unleash.localhost"}
        httpx.get("http://127.0.0.1:80/health", headers=headers, timeout=10, trust_env=False)


def test_every_query_of_every_panel_returns_data_after_some_traffic(stack: Platform) -> None:
    targets = dict(_targets(stack))
    assert len(targets) > 80

    def silent() -> list[str]:
        _traffic(stack)
        return [name for name, target in targets.items() if not _has_data(target)]

    assert eventually(lambda: not silent(), 120), silent()


def test_grafana_shows_the_dashboards_in_their_folder(stack: Platform) -> None:
    auth = ("admin", stack.secrets()["GRAFANA_ADMIN_PASSWORD"])
    found = httpx.get("http://127.0.0.1:3000/api/search", params={"tag": "arc"}, auth=auth, trust_env=False).json()
    names = {name.split(":")[0] for name, _ in _targets(stack)}
    assert {item["uid"] for item in found} == {f"arc-{name}" for name in names}


def test_the_rules_are_valid_and_none_fires_on_a_healthy_platform(stack: Platform) -> None:
    shown = stack.docker("exec", "arc_prometheus", "promtool", "check", "rules", "/etc/prometheus/rules.yml")
    assert "SUCCESS: " in shown
    eventually(lambda: not _firing(), 200)
    assert _firing() == set()


def _rules() -> list[dict[str, Any]]:
    (group,) = _get(9090, "/api/v1/rules")["data"]["groups"]
    return [rule for rule in group["rules"] if rule["type"] == "alerting"]


def _firing() -> set[str]:
    return {rule["name"] for rule in _rules() if rule["state"] == "firing"}


DEAD = "arc-e2e-dead-route"


@contextlib.contextmanager
def _faults(platform: Platform) -> Iterator[None]:
    """One fault for each rule, all at once: each must last for a minute."""
    store = redis_client(platform)
    limit: Any = store.config_get("maxmemory")
    used: Any = store.info("memory")
    try:
        store.config_set("maxmemory", used["used_memory"] + 100_000)
        _fill_backlog()
        _route_to_nowhere(platform)
        platform.docker("pause", "arc_kratos")
        _send_a_line_of_the_past()
        platform.docker("stop", "arc_postgres", "arc_jaeger")
        yield
    finally:
        store.config_set("maxmemory", limit["maxmemory"])
        platform.docker("rm", "--force", DEAD)
        httpx.delete(f"{TOPICS}/{TOPIC}", params={"force": "true"}, timeout=10, trust_env=False)
        platform.arcctl("up", "--stack").ok()
        forget_losses(platform, "loki", "otel-collector")


def _send_a_line_of_the_past() -> None:
    """The log store takes lines of the last week; the collector cannot know which one of a batch was refused."""
    record = otlp.log_record(bytes(range(16)), "of 2001", {}, 10**18)
    otlp.send_http(4318, "logs", otlp.request(APPLICATION, [record]))


TOPICS, TOPIC = "http://127.0.0.1:8082/admin/v2/persistent", "public/default/arc-e2e-backlog"


def _fill_backlog() -> None:
    client = pulsar.Client("pulsar://127.0.0.1:6650", listener_name="external")
    client.subscribe(f"persistent://{TOPIC}", "never-read").close()
    producer = client.create_producer(f"persistent://{TOPIC}", block_if_queue_full=True)
    for _ in range(1200):
        producer.send_async(b"message", lambda result, message: None)
    producer.flush()
    client.close()


def _route_to_nowhere(platform: Platform) -> None:
    """A container with a route of the gateway to a port on which nothing listens."""
    labels = {
        "traefik.enable": "true",
        "traefik.docker.network": "arc",
        "traefik.http.routers.dead.rule": "Host(`dead.localhost`)",
        "traefik.http.services.dead.loadbalancer.server.port": "9",
    }
    words = [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
    image = platform.docker("inspect", "--format", "{{.Config.Image}}", "arc_mailpit").strip()
    platform.docker("run", "--detach", "--name", DEAD, "--network", "arc", *words, image)


def _ask_for_errors_and_traces() -> None:
    for url, host in (("http://127.0.0.1:80/", "dead.localhost"), ("http://127.0.0.1:8081/ondemand-work", "")):
        headers = {"Host": host} if host else {}
        httpx.get(url, headers=headers, timeout=10, trust_env=False)


def _fires_all() -> bool:
    _ask_for_errors_and_traces()
    return _real() == _firing()


def _real() -> set[str]:
    return {rule["name"] for rule in _rules()} - SIMULATED.keys()


SIMULATED = {
    "PostgresConnectionsTight": {
        'pg_stat_database_numbackends{datname="arc"}': 330,
        "pg_settings_max_connections": 400,
    },
    "RedisConnectionsTight": {"redis_connected_clients": 9, "redis_config_maxclients": 10},
    "NatsConnectionsTight": {"gnatsd_varz_connections": 9, "gnatsd_varz_max_connections": 10},
    "NatsStorageTight": {
        "gnatsd_varz_jetstream_stats_storage": 9,
        "gnatsd_varz_jetstream_config_max_storage": 10,
    },
    "PulsarBacklogQuotaTight": {
        'pulsar_storage_backlog_size{topic="full"}': 9,
        'pulsar_storage_backlog_quota_limit{topic="full"}': 10,
        'pulsar_storage_backlog_size{topic="without a quota"}': 9,
        'pulsar_storage_backlog_quota_limit{topic="without a quota"}': -1,
    },
    "UnleashPoolFull": {"db_pool_pending_acquires": 1},
    "LokiRetentionFails": {
        'loki_compactor_apply_retention_last_successful_run_timestamp_seconds{job="loki"}': 0,
        'process_start_time_seconds{job="loki"}': 0,
    },
    "PrometheusRetentionFails": {
        "prometheus_tsdb_lowest_timestamp_seconds": 0,
        "prometheus_tsdb_retention_limit_seconds": 15 * 86_400,
    },
}
"""Alerts on limits that are too large to be reached here, and on days: the series that each fires on."""


FAILED = 'otelcol_exporter_send_failed_spans{job="otel-collector"}'
LOST = {
    "after a restart": ("100x30 50x20", 40, 50),
    "long ago": ("0x5 100x60", 60, 0),
    "before a time without scrapes": ("100x10 _x60 100x20", 75, 0),
    "lately": ("0x30 70x20", 40, 70),
}
"""What a counter says minute by minute, when it is asked for, and how many were lost then."""


def _alert(name: str) -> dict[str, Any]:
    """On its series this alert fires, and none other."""
    series = [{"series": key, "values": f"{value}x500"} for key, value in SIMULATED[name].items()]
    expr = f'count by (alertname) (ALERTS{{alertstate="firing", alertname=~"{"|".join(SIMULATED)}"}})'
    samples = [{"labels": f'{{alertname="{name}"}}', "value": 1}]
    asked = {"expr": expr, "eval_time": "20d", "exp_samples": samples}
    return {"interval": "1h", "input_series": series, "promql_expr_test": [asked]}


def _lost(values: str, minute: int, number: int) -> dict[str, Any]:
    name = 'arc_lost_items{job="otel-collector", what="spans of batches that jaeger did not take whole"}'
    asked = {"expr": name, "eval_time": f"{minute}m", "exp_samples": [{"labels": name, "value": number}]}
    series = [{"series": FAILED, "values": values}]
    return {"interval": "1m", "input_series": series, "promql_expr_test": [asked]}


def rule_tests(rules: str, interval: str, tests: Iterable[dict[str, Any]]) -> str:
    """A file for promtool."""
    return json.dumps({"rule_files": [rules], "evaluation_interval": interval, "tests": list(tests)})


@pytest.mark.parametrize(
    ("interval", "tests"),
    [("1h", [_alert(name) for name in SIMULATED]), ("1m", [_lost(*one) for one in LOST.values()])],
    ids=["alerts on limits and days", "lost items"],
)
def test_rules_say_of_series_what_they_should(stack: Platform, interval: str, tests: list[dict[str, Any]]) -> None:
    """Its volume is the only place where the container can write."""
    folder, file = "/prometheus", "/prometheus/rule-tests.yml"
    script = (
        f"printf %s '{rule_tests('/etc/prometheus/rules.yml', interval, tests)}' > {file}"
        f" && TMPDIR={folder} promtool test rules {file}; code=$?; rm {file}; exit $code"
    )
    assert "SUCCESS" in stack.docker("exec", "arc_prometheus", "sh", "-c", script)


@pytest.mark.timeout(900)
def test_each_alert_fires_with_its_fault_and_ends_with_it(stack: Platform) -> None:
    with _faults(stack):
        eventually(_fires_all, 300)
        assert _firing() == _real()
        assert "log lines discarded (too long or too old): 1 in the last 15 minutes" in reason(stack.service("loki"))
        assert "log records of batches that loki did not take whole: " in reason(stack.service("otel-collector"))
    eventually(lambda: not _firing(), 240)
    assert _firing() == set()
