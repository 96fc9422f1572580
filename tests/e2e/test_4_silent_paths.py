"""Faults between two services that `health` does not detect; `verify` names the hop that failed."""

from __future__ import annotations

import pytest

from tests.e2e.driver import Platform, eventually, forget_losses
from tests.e2e.smoke_tests import edited, healthy_but_broken, verdict


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
def test_a_wrong_exporter_endpoint_is_named_by_the_hop_that_failed(
    either: Platform, right: str, wrong: str, hop: str
) -> None:
    config = either.directory / "config" / "otel-collector" / "config.yaml"
    with edited(either, "otel-collector", config, config.read_text().replace(right, wrong)):
        healthy_but_broken(either, "otel-collector", f"store at {hop}: ")
        assert verdict(either, hop)[0] == "failed"
        if hop == "prometheus":  # the last metric counts for half a minute
            eventually(lambda: verdict(either, "swiss-army")[0] == "failed")
        healthy_but_broken(either, "swiss-army", f"store at {hop}: ")
    forget_losses(either, "otel-collector")
    assert verdict(either, "otel-collector") == ("passed", "")


@pytest.mark.parametrize(
    ("either", "store", "right", "wrong"),
    [
        ("local", "jaeger", "endpoint: 0.0.0.0:4317", "endpoint: 0.0.0.0:4390"),
        ("stack", "loki", "allow_structured_metadata: true", "allow_structured_metadata: false"),
    ],
    indirect=["either"],
)
def test_a_store_that_stores_nothing_fails_verify_although_healthy(
    either: Platform, store: str, right: str, wrong: str
) -> None:
    config = either.directory / "config" / store / "config.yaml"
    with edited(either, store, config, config.read_text().replace(right, wrong)):
        healthy_but_broken(either, store, "find the ")
    forget_losses(either, "otel-collector")
    assert eventually(lambda: verdict(either, store) == ("passed", ""), 60)


def test_a_store_that_renames_metrics_fails_verify_although_healthy(either: Platform) -> None:
    """Dashboards and alerts would query names that no longer exist."""
    config = either.directory / "config" / "prometheus" / "prometheus.yml"
    wrong = config.read_text().replace("otlp:\n", "otlp:\n  translation_strategy: NoTranslation\n")
    with edited(either, "prometheus", config, wrong):
        eventually(lambda: verdict(either, "swiss-army")[0] == "failed")
        healthy_but_broken(either, "prometheus", "find the metric")
    assert eventually(lambda: verdict(either, "prometheus") == ("passed", ""), 60)


def test_a_gateway_without_authentication_fails_verify_although_healthy(either: Platform) -> None:
    """The middleware that asks for the password accepts every request."""
    config = either.directory / "config" / "traefik" / "dynamic" / "operator.yml"
    good = config.read_text()
    with edited(either, "traefik", config, good[: good.index("      basicAuth:")] + "      compress: {}\n"):
        healthy_but_broken(either, "traefik", "refuse a request without a login", "HTTP 200")
    assert verdict(either, "traefik") == ("passed", "")


def test_a_gateway_that_does_not_see_new_containers_fails_verify(stack: Platform) -> None:
    stack.docker("pause", "arc_socket_proxy")
    try:
        outcome, reason = verdict(stack, "traefik")
        assert (outcome, reason.partition(":")[0]) == ("failed", "reach it through the gateway")
    finally:
        stack.docker("unpause", "arc_socket_proxy")
    assert eventually(lambda: verdict(stack, "traefik") == ("passed", ""), 60)


def test_a_missing_dashboard_fails_verify_of_grafana(stack: Platform) -> None:
    file = stack.directory / "config" / "grafana" / "dashboards" / "redis.json"
    with edited(stack, "grafana", file, None):
        healthy_but_broken(stack, "grafana", "load dashboard redis", "HTTP 404")
    assert verdict(stack, "grafana") == ("passed", "")


def test_a_paused_mail_server_fails_verify_of_kratos(stack: Platform) -> None:
    stack.docker("pause", "arc_mailpit")
    try:
        outcome, reason = verdict(stack, "kratos")
        assert (outcome, reason.partition(":")[0]) == ("failed", "receive the mail at mailpit")
    finally:
        stack.docker("unpause", "arc_mailpit")
    assert verdict(stack, "kratos") == ("passed", "")


def test_a_data_source_with_a_wrong_address_fails_verify_of_grafana(stack: Platform) -> None:
    (config,) = (stack.directory / "config" / "grafana" / "provisioning" / "datasources").iterdir()
    with edited(stack, "grafana", config, config.read_text().replace("http://loki:3100", "http://loki:9")):
        healthy_but_broken(stack, "grafana", "query loki")
    assert verdict(stack, "grafana") == ("passed", "")
