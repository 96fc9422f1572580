"""`health` reports each fault with the right status and reason, and reports the recovery."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.driver import Platform, eventually, reason


@contextmanager
def _broken(stack: Platform, verb: str, undo: str, container: str) -> Iterator[None]:
    stack.docker(verb, container)
    try:
        yield
    finally:
        stack.docker(undo, container)


@pytest.mark.parametrize(
    ("service", "variable", "words"),
    [
        ("postgres", "POSTGRES_PASSWORD", 'password authentication failed for user "postgres"'),
        ("postgres", "POSTGRES_APP_PASSWORD", "arc cannot log in: "),
        ("redis", "REDIS_PASSWORD", "WRONGPASS"),
        ("nats", "NATS_PASSWORD", "Authorization Violation"),
        ("unleash", "UNLEASH_ADMIN_TOKEN", "HTTP 401"),
    ],
)
def test_a_wrong_password_is_unhealthy_with_the_servers_message(
    either: Platform, service: str, variable: str, words: str
) -> None:
    found = either.service(service, **{variable: "wrong-but-long-enough-7"})
    assert found["status"] == "unhealthy"
    assert words in reason(found)
    assert either.service(service)["status"] == "healthy"


@pytest.mark.parametrize("service", ["loki", "jaeger", "nats", "traefik", "redis"])
def test_a_paused_container_is_unhealthy_says_so_and_recovers(stack: Platform, service: str) -> None:
    with _broken(stack, "pause", "unpause", f"arc_{service}"):
        found = stack.service(service)
    assert found["status"] == "unhealthy"
    assert found["state"] == "paused"
    assert "paused" in reason(found)
    assert eventually(lambda: stack.service(service)["status"] == "healthy", 30)


def test_a_stopped_dependency_is_named_as_the_root_cause_by_its_dependents(stack: Platform) -> None:
    with _broken(stack, "stop", "start", "arc_postgres"):
        report = {s["name"]: s for s in stack.health("all")["services"]}
    assert report["postgres"]["status"] == "unhealthy"
    assert "exited with code" in reason(report["postgres"])
    for name in ("kratos", "unleash", "infisical"):
        assert report[name]["status"] in ("unhealthy", "degraded"), name
        assert report[name]["blocked_by"] == ["postgres"], name
    for name in ("redis", "nats", "loki", "swiss-army"):
        assert report[name]["status"] == "healthy", name
    assert eventually(lambda: stack.health("all")["status"] == "healthy", 90)


@pytest.mark.parametrize("service", ["pulsar", "unleash"])
def test_a_half_started_service_is_not_healthy_because_its_container_runs(stack: Platform, service: str) -> None:
    stack.docker("update", "--cpus", "0.1", f"arc_{service}")  # it must not be ready before anybody asks
    stack.docker("restart", f"arc_{service}")
    found = stack.service(service)
    stack.docker("update", "--cpus", "2", f"arc_{service}")
    assert found["state"] == "running"
    assert found["status"] == "unhealthy"
    assert eventually(lambda: stack.service(service)["status"] == "healthy", 120)


def test_health_wait_ends_when_the_last_service_is_healthy(stack: Platform) -> None:
    stack.docker("restart", "arc_loki")
    assert stack.arcctl("health", "all", "--wait", "--timeout", "60").code == 0


def test_health_of_a_service_that_stays_unhealthy_is_exit_1_and_of_waiting_for_it_exit_4(stack: Platform) -> None:
    with _broken(stack, "pause", "unpause", "arc_nats"):
        assert stack.arcctl("health", "nats").code == 1
        assert stack.arcctl("health", "nats", "--wait", "--timeout", "3").code == 4


def test_up_repairs_what_is_stopped_or_paused_and_leaves_the_rest_alone(stack: Platform) -> None:
    stack.docker("pause", "arc_nats")
    stack.docker("stop", "arc_loki")
    plan = stack.arcctl("up", "--stack", "--dry-run").ok().out
    assert "unpause nats: paused" in plan
    assert "start loki: exited" in plan
    stack.arcctl("up", "--stack").ok()
    assert eventually(lambda: stack.health("all")["status"] == "healthy", 30)
