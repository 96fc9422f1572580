"""`doctor` over real homes: each fault is made for real, and what the user sees is compared."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.stage import Done, Stage, container

DEAD = "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?\n"
INFO = {
    "ServerVersion": "28.5.2",
    "MemTotal": 1 << 34,
    "NCPU": 2,
    "CgroupVersion": "2",
    "MemoryLimit": True,
    "Driver": "overlay2",
    "KernelVersion": "another",
    "IndexServerAddress": "https://index.example/v1/",
}


def _engine(stage: Stage, *containers: Any, volumes: str = "", **info: Any) -> None:
    stage.engine(*containers, volumes=volumes)
    stage.docker.says("info*", INFO | {"SystemTime": datetime.now(UTC).isoformat()} | info)


def _points(done: Done) -> dict[str, dict[str, Any]]:
    return {point["id"]: point for point in json.loads(done.out)["findings"]}


def _doctor(stage: Stage, *words: str) -> dict[str, dict[str, Any]]:
    return _points(stage.arcctl("doctor", "--json", *words))


def _mode(mode: int, name: str) -> Callable[[Path], None]:
    return lambda home: (home / name).chmod(mode)


def _half_written(home: Path) -> None:
    left = home / ".arcctl" / ".secrets.env.x1"
    left.write_text("REDIS_PASSWORD=half")
    left.chmod(0o600)
    os.utime(left, (1, 1))


def _own_secret(home: Path) -> None:
    path = home / "config" / "redis" / ".env"
    path.write_text("REDIS_PASSWORD=a-good-one-of-my-own\n")
    path.chmod(0o644)


def _lead_link_astray(home: Path) -> None:
    (home / "compose" / ".env").unlink()
    (home / "compose" / ".env").symlink_to("nowhere")


MENDABLE: list[Any] = [
    pytest.param(
        _mode(0o644, ".arcctl/secrets.env"),
        "modes",
        "problem",
        ".arcctl/secrets.env is 0644 and not 0600",
        "fixed: .arcctl/secrets.env has mode 0600 now",
        id="secrets that others can read",
    ),
    pytest.param(
        _mode(0o755, ".arcctl"),
        "modes",
        "problem",
        ".arcctl is 0755 and not 0700",
        "fixed: .arcctl has mode 0700 now",
        id="a state folder that others can enter",
    ),
    pytest.param(
        _own_secret,
        "modes",
        "problem",
        "config/redis/.env is 0644 and not 0600",
        "fixed: config/redis/.env has mode 0600 now",
        id="a secret of the user's own that others can read",
    ),
    pytest.param(
        lambda home: (home / "compose" / ".env").unlink(),
        "env-link",
        "warn",
        "compose/.env is missing, so plain `docker compose` finds no settings",
        "fixed: linked compose/.env",
        id="no link for plain compose",
    ),
    pytest.param(
        _lead_link_astray,
        "env-link",
        "warn",
        "compose/.env leads to nowhere",
        "fixed: linked compose/.env",
        id="a link that leads nowhere",
    ),
    pytest.param(
        _half_written,
        "unfinished",
        "warn",
        "left by a command that was killed: .arcctl/.secrets.env.x1",
        "fixed: removed .arcctl/.secrets.env.x1",
        id="a half-written file of secrets",
    ),
]


@pytest.mark.parametrize(("spoil", "point", "state", "evidence", "fixed"), MENDABLE)
def test_what_is_safe_is_named_mended_when_asked_and_well_afterwards(
    stage: Stage, spoil: Callable[[Path], None], point: str, state: str, evidence: str, fixed: str
) -> None:
    _engine(stage)
    secrets = (stage.home / ".arcctl" / "secrets.env").read_text()
    spoil(stage.home)
    found = _doctor(stage)[point]
    assert found == {"id": point, "state": state, "evidence": evidence, "fix": "arcctl doctor --fix", "mendable": True}
    done = stage.arcctl("doctor", "--fix", "--json")
    assert done.err == f"{fixed}\n"
    assert json.loads(done.out)["mended"] == [fixed.removeprefix("fixed: ")]
    assert _points(done)[point]["state"] == "ok"
    assert (stage.home / ".arcctl" / "secrets.env").read_text() == secrets
    again = stage.arcctl("doctor", "--fix")
    assert "fixed: " not in again.err


def test_doctor_without_fix_changes_nothing(stage: Stage) -> None:
    for fault in MENDABLE[:4]:
        fault.values[0](stage.home)
    before = {p: p.lstat().st_mode for p in stage.home.rglob("*")}
    _engine(stage)
    assert stage.arcctl("doctor").code == 1
    assert {p: p.lstat().st_mode for p in stage.home.rglob("*")} == before


def test_a_file_of_the_users_own_in_the_place_of_the_link_is_left_alone(stage: Stage) -> None:
    _engine(stage)
    link = stage.home / "compose" / ".env"
    link.unlink()
    link.write_text("MINE=1\n")
    done = stage.arcctl("doctor", "--fix", "--json")
    assert _points(done)["env-link"]["fix"] == "move compose/.env away, then arcctl doctor --fix"
    assert (link.read_text(), done.err) == ("MINE=1\n", "")


def test_a_port_that_is_taken_is_named_with_its_owner(stage: Stage) -> None:
    _engine(stage)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        stage.environment["REDIS_HOST_PORT"] = str(port)
        found = _doctor(stage)["ports"]
    assert f"{port} (redis) by " in found["evidence"]
    assert f"(pid {os.getpid()})" in found["evidence"]
    assert found["state"] == "problem"


@pytest.mark.parametrize(
    ("environment", "state", "evidence"),
    [
        ({"HTTP_PROXY": "http://user:s3ntinel@proxy:3128"}, "warn", "HTTP_PROXY without 127.0.0.1 and localhost"),
        ({"https_proxy": "http://proxy:3128", "no_proxy": "127.0.0.1"}, "warn", "HTTPS_PROXY without localhost"),
        ({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "localhost,127.0.0.1"}, "ok", "HTTP_PROXY, not for 127.0.0.1"),
    ],
)
def test_a_proxy_that_would_be_asked_for_our_own_services_is_named_without_its_password(
    stage: Stage, environment: dict[str, str], state: str, evidence: str
) -> None:
    _engine(stage)
    stage.environment |= {"HTTP_PROXY": "", "HTTPS_PROXY": "", "NO_PROXY": ""} | environment
    done = stage.arcctl("doctor", "--json")
    found = _points(done)["proxy"]
    assert found["state"] == state
    assert found["evidence"].startswith(evidence)
    assert "s3ntinel" not in done.out


def test_lost_secrets_over_data_that_exists_are_a_problem_and_nothing_is_drawn(stage: Stage) -> None:
    _engine(stage, volumes="arc_postgres_data\n")
    (stage.home / ".arcctl" / "secrets.env").unlink()
    done = stage.arcctl("doctor", "--fix", "--json")
    found = _points(done)["secrets-lost"]
    assert found["evidence"] == f"{stage.home} has no secrets, and the engine holds data: arc_postgres_data"
    where = "go to the home that has them, restore .arcctl/secrets.env"
    assert found["fix"] == f"{where}, or destroy the data: arcctl clean"
    assert (done.code, (stage.home / ".arcctl" / "secrets.env").exists()) == (1, False)


@pytest.mark.parametrize(
    ("said", "point", "evidence"),
    [
        ("full\n", "half-volume", "arc_postgres_data has data but no PG_VERSION, global/pg_control, postgresql.conf"),
        (
            "full\n18\nPG_VERSION\n",
            "half-volume",
            "arc_postgres_data has data but no global/pg_control, postgresql.conf",
        ),
        (
            "full\n16\nPG_VERSION\nglobal/pg_control\npostgresql.conf\n",
            "data-version",
            "arc_postgres_data has data of version 16, postgres is 18",
        ),
    ],
)
def test_data_that_its_server_could_not_open_is_a_problem(stage: Stage, said: str, point: str, evidence: str) -> None:
    _engine(stage, volumes="arc_postgres_data\n")
    stage.docker.says("run *arc_postgres_data*", said)
    found = _doctor(stage)[point]
    assert (found["state"], found["evidence"]) == ("problem", evidence)


def test_data_that_nobody_declares_and_containers_of_another_home_are_named_with_the_way_to_remove_them(
    stage: Stage,
) -> None:
    _engine(stage, volumes="arc_gone_data\narc_redis_data\n")
    stage.docker.says("container ls --all*", "arc_redis\t/home/old/compose/base.yaml,/home/old/compose/stack.yaml\n")
    found = _doctor(stage)
    assert found["stale-volumes"]["fix"] == "docker volume rm arc_gone_data"
    assert found["other-homes"]["evidence"] == "arc_redis of /home/old"
    assert found["other-homes"]["fix"] == "arcctl --home /home/old down"
    assert found["old-data"]["evidence"].endswith("there is data already: arc_gone_data, arc_redis_data")


@pytest.mark.parametrize(
    ("info", "point", "state"),
    [
        ({"CgroupVersion": "1"}, "cgroup", "warn"),
        ({"MemoryLimit": False}, "cgroup", "warn"),
        ({"Driver": "vfs"}, "storage", "warn"),
        ({"SystemTime": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}, "time", "problem"),
        ({"ServerVersion": "24.0.7"}, "engine", "problem"),
        ({"MemTotal": 1 << 28}, "memory", "warn"),
        ({"SecurityOptions": ["name=seccomp", "name=rootless"]}, "low-ports", "warn"),
    ],
)
def test_what_an_engine_lacks_is_told_by_its_own_words(
    stage: Stage, info: dict[str, Any], point: str, state: str
) -> None:
    _engine(stage, **info)
    found = _doctor(stage)
    assert found[point]["state"] == state
    assert found[point]["fix"]


def test_names_are_resolved_where_the_programs_are(stage: Stage) -> None:
    _engine(stage, container("redis"))
    stage.docker.says("exec * arc_redis getent hosts index.example", code=2)
    stage.docker.says("exec * arc_redis getent hosts redis", code=2)
    found = _doctor(stage)["dns"]
    assert (found["state"], found["evidence"]) == (
        "problem",
        "inside redis the names of other containers are not found",
    )


def test_without_an_engine_every_other_point_is_looked_at(stage: Stage) -> None:
    stage.docker.says("*", err=DEAD, code=1)
    done = stage.arcctl("doctor")
    rows = [line.split() for line in done.out.splitlines() if line]
    states = {row[0]: row[2] for row in rows[1:-1]}
    assert (done.code, done.err) == (1, "")
    assert rows[0] == ["POINT", "STATE", "EVIDENCE", "FIX"]
    assert (states["home"], states["settings"], states["engine"], states["ports"]) == ("ok", "ok", "problem", "unknown")
    assert "no Docker engine answers" in done.out


def test_without_the_compose_plugin_that_is_the_problem_and_not_the_engine(stage: Stage) -> None:
    _engine(stage)
    stage.docker.says("compose version*", err="docker: 'compose' is not a docker command.\n", code=1)
    found = _doctor(stage)
    assert (found["engine"]["state"], found["compose"]["evidence"]) == ("ok", "Docker has no Compose plugin")
    assert found["compose"]["fix"] == "install the docker-compose plugin 2.24 or newer"


def test_a_command_that_works_on_the_home_now_is_named(stage: Stage) -> None:
    _engine(stage)
    _half_written(stage.home)
    with (stage.home / ".arcctl" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = stage.arcctl("doctor", "--fix", "--json")
    assert _points(done)["unfinished"]["evidence"].endswith(f"(pid {os.getpid()}) works on this home now")
    assert (stage.home / ".arcctl" / ".secrets.env.x1").exists()


def test_a_clock_that_was_set_back_is_a_problem(stage: Stage) -> None:
    _engine(stage)
    tomorrow = datetime.now(UTC).timestamp() + 86_400
    os.utime(stage.home / ".arcctl" / "secrets.env", (tomorrow, tomorrow))
    found = _doctor(stage)["clock"]
    assert (found["state"], "but files of the home were written 86" in found["evidence"]) == ("problem", True)
