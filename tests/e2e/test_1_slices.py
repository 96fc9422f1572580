"""`up` with a few services: what it starts, what it refuses, and what happens after an interrupt."""

from __future__ import annotations

import signal
import socket
import subprocess

from tests.e2e.driver import Platform

INTERRUPTED = (130, -signal.SIGINT)


def _running(platform: Platform) -> set[str]:
    items = platform.containers()
    return {item["name"] for item in items if item["state"] == "running"}


def test_naming_a_service_starts_it_and_its_dependencies_and_nothing_else(platform: Platform) -> None:
    done = platform.arcctl("up", "unleash").ok()
    assert "services: postgres, unleash" in done.err
    assert _running(platform) == {"postgres", "postgres-exporter", "unleash"}
    platform.arcctl("down").ok()


def test_a_service_that_is_added_later_gets_its_database_on_the_existing_volume(platform: Platform) -> None:
    platform.arcctl("clean", "--yes").ok()
    platform.arcctl("up", "postgres").ok()
    platform.arcctl("down").ok()
    platform.arcctl("up", "unleash").ok()
    assert platform.health("unleash")["status"] == "healthy"
    platform.arcctl("down").ok()


def test_a_port_that_is_taken_is_refused_with_its_owner_before_anything_starts(platform: Platform) -> None:
    with socket.create_server(("127.0.0.1", 6379)):
        done = platform.arcctl("up", "redis")
    assert done.code == 5
    assert "port 6379 (redis) is already in use by" in done.err
    assert "pid" in done.err
    assert _running(platform) == set()


def test_dry_run_prints_the_plan_with_causes_and_starts_nothing(platform: Platform) -> None:
    done = platform.arcctl("up", "redis", "--dry-run").ok()
    assert done.out == "create redis: not there yet\ncreate redis-exporter: not there yet\n"
    assert _running(platform) == set()


def test_a_service_that_never_answers_ends_in_exit_4_with_reason_log_and_next_command(platform: Platform) -> None:
    done = platform.arcctl("up", "pulsar", "--timeout", "2")
    assert done.code == 4
    assert "pulsar was not ready in" in done.err
    assert "hint: arcctl logs pulsar" in done.err
    platform.arcctl("down").ok()


def test_ctrl_c_at_any_point_leaves_a_state_that_the_next_up_finishes(platform: Platform) -> None:
    assert platform.interrupted(0.4, "up", "redis", "postgres") in INTERRUPTED
    for seconds in (0.9, 1.4, 1.9):
        assert platform.interrupted(seconds, "up", "redis", "postgres") in (*INTERRUPTED, 0)  # 0: it had finished
    platform.arcctl("up", "redis", "postgres").ok()
    assert platform.health("redis", "postgres")["status"] == "healthy"
    platform.arcctl("down").ok()


def test_a_container_that_an_interrupted_replacement_left_under_another_name_is_taken_back(platform: Platform) -> None:
    platform.arcctl("up", "redis").ok()
    made = platform.docker("inspect", "arc_redis", "--format", "{{.Id}}")
    platform.docker("rename", "arc_redis", f"{made[:12]}_arc_redis")
    platform.arcctl("up", "redis").ok()
    assert platform.docker("inspect", "arc_redis", "--format", "{{.Id}}") == made
    assert platform.health("redis")["status"] == "healthy"
    platform.arcctl("down").ok()


def test_an_edited_file_or_secret_reaches_the_service_with_the_next_up_and_nothing_else_moves(
    platform: Platform,
) -> None:
    platform.arcctl("clean", "--yes").ok()
    platform.arcctl("up", "redis", "nats").ok()
    settings = platform.directory / "config" / "redis" / ".env"
    settings.write_text("REDIS_PASSWORD=another-one-0123456789abcdefghij\n")
    with (platform.directory / "config" / "nats" / "arc.conf").open("a") as file:
        file.write("\nmax_connections: 999\n")
    assert platform.health("redis")["status"] == "unhealthy"
    plan = platform.arcctl("up", "redis", "nats", "--dry-run").ok().out
    changed = "a mounted file or a secret changed"
    assert {line for line in plan.splitlines() if not line.startswith("keep")} == {
        f"recreate redis: {changed}",
        f"recreate redis-exporter: {changed}",
        f"recreate nats: {changed}",
    }
    platform.arcctl("up", "redis", "nats").ok()
    assert platform.health("redis", "nats")["status"] == "healthy"
    assert "nothing to do" in platform.arcctl("up", "redis", "nats").ok().err
    settings.unlink()
    platform.arcctl("init").ok()
    platform.arcctl("clean", "--yes").ok()


def test_plain_docker_compose_works_without_arcctl(platform: Platform) -> None:
    compose = ("docker", "compose", "-f", "compose/base.yaml", "-f", "compose/stack.yaml")
    for words in (("config", "-q"), ("up", "-d", "--wait", "redis")):
        done = subprocess.run(
            (*compose, *words), cwd=platform.directory, env=dict(platform.environment), capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert platform.health("redis")["status"] == "healthy"
    platform.arcctl("clean", "--yes").ok()


def test_lost_secrets_are_never_generated_again_over_data(platform: Platform) -> None:
    platform.arcctl("up", "redis").ok()
    platform.arcctl("down").ok()
    file = platform.directory / ".arcctl" / "secrets.env"
    kept = file.read_text()
    file.unlink()
    done = platform.arcctl("up", "redis")
    assert done.code == 2
    assert "this project has no secrets, but the engine has data that was written with them:" in done.err
    assert "arc_redis_data" in done.err
    assert not file.exists()
    file.write_text(kept)
    file.chmod(0o600)
    platform.arcctl("clean", "--yes").ok()
