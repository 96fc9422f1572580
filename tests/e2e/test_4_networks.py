"""`health` looks as clients look, from the networks that they are on, and `up` repairs what was changed by hand."""

from __future__ import annotations

import shutil

from arcctl import services
from arcctl.engines.embedded import location
from tests.e2e.driver import Platform, container, eventually, reason

CUT = "not connected to the network arc"


def _cut(stack: Platform, *names: str) -> None:
    for name in names:
        stack.docker("network", "disconnect", "arc", container(name))


def _healthy(stack: Platform) -> bool:
    return bool(stack.health("all")["status"] == "healthy")


def test_a_cut_dependency_is_the_root_cause_and_gets_its_network_back(stack: Platform) -> None:
    _cut(stack, "postgres")
    report = {s["name"]: s for s in stack.health("all")["services"]}
    assert (report["postgres"]["status"], report["postgres"]["blocked_by"]) == ("unhealthy", [])
    for name in ("kratos", "unleash", "infisical"):
        assert report[name]["status"] in ("unhealthy", "degraded"), name
        assert report[name]["blocked_by"] == ["postgres"], name
    plan = stack.arcctl("up", "--stack", "--dry-run").ok().out
    assert f"recreate postgres: {CUT}" in plan
    assert "keep redis: running" in plan
    stack.arcctl("up", "--stack").ok()
    assert eventually(lambda: _healthy(stack), 60), stack.arcctl("health", "all").out


def test_a_container_that_was_connected_by_hand_lacks_its_name(stack: Platform) -> None:
    stack.docker("network", "disconnect", "arc", "arc_redis")
    stack.docker("network", "connect", "arc", "arc_redis")
    found = stack.service("redis")
    assert found["status"] == "unhealthy"
    assert "on the network arc without its name redis" in reason(found)
    stack.arcctl("up", "redis").ok()
    assert eventually(lambda: stack.service("redis")["status"] == "healthy", 30)


def test_a_private_network_counts_too(stack: Platform) -> None:
    stack.docker("network", "disconnect", "arc_socket", "arc_socket_proxy")
    found = stack.service("traefik")
    assert found["status"] == "degraded"
    assert "socket-proxy: not connected to the network arc_socket" in reason(found)
    stack.arcctl("up", "traefik").ok()
    assert eventually(lambda: stack.service("traefik")["status"] == "healthy", 30)


def test_a_network_that_was_removed_while_nothing_used_it_comes_back(stack: Platform) -> None:
    stack.docker("stop", "--timeout", "1", "arc_traefik", "arc_socket_proxy")
    stack.docker("network", "rm", "arc_socket")
    stack.arcctl("up", "traefik").ok()
    assert stack.service("traefik")["status"] == "healthy"


def test_a_service_that_answers_the_host_and_not_its_neighbours_is_unhealthy(stack: Platform) -> None:
    """Its packets to one other container are dropped, so the published port answers as before."""
    address = '{{(index .NetworkSettings.Networks "arc").IPAddress}}'
    place = stack.docker("inspect", "--format", address, "arc_traefik").strip()
    joined = ("--network", "container:arc_redis", "--cap-add", "NET_ADMIN", "--user", "0", "--entrypoint", "ip")
    image = services.load().services["redis"].container.image
    stack.docker("run", "--rm", "--pull", "never", *joined, image, "route", "add", "blackhole", f"{place}/32")
    found = stack.service("redis")
    assert found["status"] == "unhealthy"
    assert reason(found) == "traefik cannot connect to redis:6379"
    (hint,) = [c["hint"] for c in found["checks"] if c["status"] == "fail"]
    stack.arcctl(*hint.split()[1:]).ok()
    assert eventually(lambda: stack.service("redis")["status"] == "healthy", 30)


def test_limits_that_were_changed_by_hand_are_told_and_taken_back(stack: Platform) -> None:
    stack.docker("update", "--memory", "128m", "--memory-swap", "256m", "--pids-limit", "100", "arc_nats")
    found = stack.service("nats")
    assert found["status"] == "degraded"
    assert "its memory limit is 128 MiB" in reason(found)
    assert "recreate nats: its memory limit is 128 MiB" in stack.arcctl("up", "nats", "--dry-run").ok().out
    stack.arcctl("up", "nats").ok()
    assert stack.service("nats")["status"] == "healthy"


def test_a_container_that_was_removed_by_hand_is_gone_and_comes_back(stack: Platform) -> None:
    stack.docker("rm", "--force", "arc_nats")
    found = stack.service("nats")
    assert stack.arcctl("health").code == 1
    assert found["status"] == "unhealthy"
    assert found["state"] == "absent"
    assert reason(found).startswith("was started at 20")
    assert reason(found).endswith("Z, is gone")
    (hint,) = [c["hint"] for c in found["checks"] if c["status"] == "fail"]
    assert hint == "arcctl up nats"
    stack.arcctl(*hint.split()[1:]).ok()
    assert stack.service("nats")["status"] == "healthy"


def test_a_sidecar_that_was_removed_by_hand_degrades_and_a_finished_init_container_does_not(stack: Platform) -> None:
    stack.docker("rm", "--force", "arc_redis_exporter", "arc_kratos_migrate")
    assert "redis-exporter: was started at" in reason(stack.service("redis"))
    assert stack.service("kratos")["status"] == "healthy"
    stack.arcctl("up", "--stack").ok()
    assert eventually(lambda: _healthy(stack), 30)


def test_what_was_stopped_on_purpose_is_not_gone(stack: Platform) -> None:
    stack.arcctl("down", "loki").ok()
    stack.docker("rm", "--force", "arc_loki")
    found = stack.service("loki")
    assert found["status"] == "unknown"
    assert found["checks"][0]["message"] == "not started"
    stack.arcctl("up", "loki").ok()


def test_a_process_whose_files_were_removed_is_not_gone_while_it_runs(local: Platform) -> None:
    shutil.rmtree(location.base(local.directory) / "run" / "nats")
    found = local.service("nats")
    assert (found["status"], reason(found)) == ("degraded", "the files that it was started with are gone or damaged")
    local.arcctl("up", "nats").ok()
    assert local.service("nats")["status"] == "healthy"
