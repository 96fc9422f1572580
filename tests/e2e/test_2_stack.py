"""All services at once: health, JSON, secrets, limits of containers, databases."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from jsonschema import validate

from arcctl import services
from tests.e2e.driver import Platform

NAMES = services.names()


def test_up_stack_brings_up_every_service_and_health_all_says_healthy(stack: Platform) -> None:
    report = stack.health("all")
    assert {s["name"]: s["status"] for s in report["services"]} == dict.fromkeys(NAMES, "healthy")
    assert report["status"] == "healthy"


def test_health_json_is_valid_against_the_shipped_schema(stack: Platform) -> None:
    validate(stack.health("all"), json.loads(stack.arcctl("schema", "health").ok().out))


def test_a_second_up_is_a_no_op_that_says_so(stack: Platform) -> None:
    before = stack.docker("ps", "-q", "--no-trunc")
    done = stack.arcctl("up", "--stack").ok()
    assert "already running, nothing to do" in done.err
    assert stack.docker("ps", "-q", "--no-trunc") == before


def test_a_project_of_another_user_with_the_same_name_does_not_touch_what_runs(stack: Platform, tmp_path: Path) -> None:
    before = stack.docker("ps", "-q", "--no-trunc")
    environment = {**stack.environment, "XDG_DATA_HOME": str(tmp_path / "data")}
    directory = tmp_path / "project"
    directory.mkdir()
    Platform(directory, {**environment, "DOCKER_HOST": "unix:///nowhere"}).arcctl("init").ok()
    other = Platform(directory, environment)
    for words in (("up",), ("down",), ("clean", "--yes"), ("backup", "create")):
        done = other.arcctl(*words)
        assert (done.code, done.err.splitlines()[-1]) == (
            5,
            "hint: to see which projects there are: arcctl projects",
        ), words
    assert stack.docker("ps", "-q", "--no-trunc") == before


def test_info_lists_addresses_and_hides_secrets_without_reveal(stack: Platform) -> None:
    hidden = stack.arcctl("info").ok().out
    revealed = stack.arcctl("info", "--reveal").ok().out
    secrets = stack.secrets()
    assert all(name in hidden for name in NAMES)
    assert not [name for name, value in secrets.items() if value in hidden]
    assert secrets["POSTGRES_PASSWORD"] in revealed


def test_no_secret_shows_in_inspect_process_arguments_or_logs(stack: Platform) -> None:
    ids = stack.docker("ps", "-aq", "--filter", "label=com.docker.compose.project=arc").split()
    shown = stack.docker("inspect", *ids)
    shown += "".join(stack.docker("top", name, "-eo", "pid,args") for name in _running(stack))
    shown += stack.arcctl("logs", "all").ok().out
    assert [name for name, value in stack.secrets().items() if value in shown] == []


def _running(stack: Platform) -> list[str]:
    return stack.docker("ps", "--filter", "label=com.docker.compose.project=arc", "--format", "{{.Names}}").split()


def test_containers_have_limits_and_publish_on_loopback_only(stack: Platform) -> None:
    for item in json.loads(stack.docker("inspect", *_running(stack))):
        host = item["HostConfig"]
        assert host["Memory"] > 0, item["Name"]
        assert host["PidsLimit"] > 0, item["Name"]
        assert host["CapDrop"] == ["ALL"], item["Name"]
        assert "no-new-privileges:true" in host["SecurityOpt"], item["Name"]
        assert host["RestartPolicy"]["Name"] == "unless-stopped", item["Name"]
        published = [p["HostIp"] for ports in host["PortBindings"].values() for p in ports]
        assert set(published) <= {"127.0.0.1"}, item["Name"]
        mounts = [m["Source"] for m in item["Mounts"]]
        assert ("/var/run/docker.sock" in mounts) == (item["Name"] == "/arc_socket_proxy")


@pytest.mark.parametrize("consumer", ["kratos", "unleash", "infisical"])
def test_each_consumer_of_postgres_has_its_own_role_and_database_and_no_other(stack: Platform, consumer: str) -> None:
    password = stack.secrets()[f"{consumer.upper()}_DB_PASSWORD"]
    login = f"host=127.0.0.1 user={consumer} password={password} sslmode=disable"
    with psycopg.connect(f"{login} dbname={consumer}") as connection:
        assert connection.execute("SELECT extname FROM pg_extension WHERE extname = 'vector'").fetchone()
    other = next(name for name in ("kratos", "unleash") if name != consumer)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(f"{login} dbname={other}")
