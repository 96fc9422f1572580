"""Faults on the way from one service to another that `health` passes, named by the hop that broke."""

from __future__ import annotations

import pytest

from tests.e2e.driver import Platform, eventually
from tests.e2e.proofs import edited, healthy_but_broken, verdict


@pytest.mark.parametrize(
    ("either", "right", "wrong", "hop"),
    [
        ("stack", "endpoint: jaeger:4317", "endpoint: jaeger:9", "jaeger"),
        ("local", "endpoint: jaeger:4317", "endpoint: jaeger:9", "jaeger"),
        ("local", "http://loki:3100/otlp", "http://loki:3100/nowhere", "loki"),
        ("local", "http://prometheus:9090/api/v1/otlp", "http://prometheus:9090/nowhere", "prometheus"),
    ],
    indirect=["either"],
)
def test_an_exporter_that_points_elsewhere_is_named_by_the_hop_that_broke(
    either: Platform, right: str, wrong: str, hop: str
) -> None:
    config = either.home / "config" / "otel-collector" / "config.yaml"
    with edited(either, "otel-collector", config, config.read_text().replace(right, wrong)):
        healthy_but_broken(either, "otel-collector", f"store at {hop}: ")
        assert verdict(either, hop)[0] == "broken"
        if hop == "prometheus":  # the last metric counts for half a minute
            eventually(lambda: verdict(either, "swiss-army")[0] == "broken")
        healthy_but_broken(either, "swiss-army", f"store at {hop}: ")
    assert verdict(either, "otel-collector") == ("proved", "")


@pytest.mark.parametrize(
    ("either", "store", "right", "wrong"),
    [
        ("local", "jaeger", "endpoint: 0.0.0.0:4317", "endpoint: 0.0.0.0:4390"),
        ("stack", "loki", "allow_structured_metadata: true", "allow_structured_metadata: false"),
    ],
    indirect=["either"],
)
def test_a_store_that_answers_and_takes_nothing_in_is_seen_where_health_is_green(
    either: Platform, store: str, right: str, wrong: str
) -> None:
    config = either.home / "config" / store / "config.yaml"
    with edited(either, store, config, config.read_text().replace(right, wrong)):
        healthy_but_broken(either, store, "find the ")
    assert eventually(lambda: verdict(either, store) == ("proved", ""), 60)


def test_a_store_that_takes_metrics_in_under_other_names_is_seen_where_health_is_green(either: Platform) -> None:
    """Dashboards and alerts would look for names that are not there any more."""
    config = either.home / "config" / "prometheus" / "prometheus.yml"
    wrong = config.read_text().replace("otlp:\n", "otlp:\n  translation_strategy: NoTranslation\n")
    with edited(either, "prometheus", config, wrong):
        eventually(lambda: verdict(either, "swiss-army")[0] == "broken")
        healthy_but_broken(either, "prometheus", "find the metric")
    assert eventually(lambda: verdict(either, "prometheus") == ("proved", ""), 60)


def test_a_gateway_without_its_guard_is_seen_where_health_is_green(either: Platform) -> None:
    """The middleware that asks for the password lets everybody through."""
    config = either.home / "config" / "traefik" / "dynamic" / "operator.yml"
    good = config.read_text()
    with edited(either, "traefik", config, good[: good.index("      basicAuth:")] + "      compress: {}\n"):
        healthy_but_broken(either, "traefik", "keep a stranger out", "HTTP 200")
    assert verdict(either, "traefik") == ("proved", "")


def test_a_gateway_that_does_not_hear_of_new_containers_is_seen_by_its_guest(stack: Platform) -> None:
    stack.docker("pause", "arc_socket_proxy")
    try:
        outcome, reason = verdict(stack, "traefik")
        assert (outcome, reason.partition(":")[0]) == ("broken", "reach it through the gateway")
    finally:
        stack.docker("unpause", "arc_socket_proxy")
    assert eventually(lambda: verdict(stack, "traefik") == ("proved", ""), 60)


def test_a_dashboard_that_is_gone_is_seen_through_grafana(stack: Platform) -> None:
    file = stack.home / "config" / "grafana" / "dashboards" / "redis.json"
    with edited(stack, "grafana", file, None):
        healthy_but_broken(stack, "grafana", "load dashboard redis", "HTTP 404")
    assert verdict(stack, "grafana") == ("proved", "")


def test_a_mail_sink_that_is_gone_is_seen_by_the_proof_of_recovery(stack: Platform) -> None:
    stack.docker("pause", "arc_mailpit")
    try:
        outcome, reason = verdict(stack, "kratos")
        assert (outcome, reason.partition(":")[0]) == ("broken", "receive the mail at mailpit")
    finally:
        stack.docker("unpause", "arc_mailpit")
    assert verdict(stack, "kratos") == ("proved", "")


def test_a_data_source_that_points_nowhere_is_seen_through_grafana(stack: Platform) -> None:
    (config,) = (stack.home / "config" / "grafana" / "provisioning" / "datasources").iterdir()
    with edited(stack, "grafana", config, config.read_text().replace("http://loki:3100", "http://loki:9")):
        healthy_but_broken(stack, "grafana", "query loki")
    assert verdict(stack, "grafana") == ("proved", "")
