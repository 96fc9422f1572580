"""`doctor` over real projects: each fault is made for real, and what the user sees is compared."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_line import CommandLine, Done, container
from tests.fakes import engine_products
from tests.small_disk import SmallDisk

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


def _engine(cli: CommandLine, *containers: Any, volumes: str = "", **info: Any) -> None:
    cli.engine(*containers, volumes=volumes)
    cli.docker.says("info*", INFO | {"SystemTime": datetime.now(UTC).isoformat()} | info)


def test_without_the_packages_of_the_embedded_engine_it_says_how_to_install_them(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("artifacts", "engine"):
        monkeypatch.setattr(f"arcctl.engines.embedded.{module}.installed", lambda package: "")
    for module in ("resolver", "engine"):
        monkeypatch.setattr(f"arcctl.engines.embedded.{module}.with_extra", lambda: "pipx install it")
    monkeypatch.setitem(sys.modules, "supervisor", None)
    cli.environment |= {"ARCCTL_ENGINE": "embedded", "ARCCTL_CACHE": str(cli.directory / "cache")}
    done = cli.arcctl("doctor", "--json")
    found = _by_id(done)
    assert done.code == 1
    assert found["engine"]["evidence"] == "the packages of the embedded engine are not installed"
    assert {found["engine"]["fix"], found["servers"]["fix"]} == {"pipx install it"}
    assert "redis: its wheel is not installed" in found["servers"]["evidence"]
    refused = cli.arcctl("up", "redis")
    assert (refused.code, refused.err.endswith("hint: pipx install it\n")) == (1, True)


def _by_id(done: Done) -> dict[str, dict[str, Any]]:
    return {point["id"]: point for point in json.loads(done.out)["diagnoses"]}


def _doctor(cli: CommandLine, *words: str) -> dict[str, dict[str, Any]]:
    return _by_id(cli.arcctl("doctor", "--json", *words))


def _mode(mode: int, name: str) -> Callable[[Path], None]:
    return lambda directory: (directory / name).chmod(mode)


def _incomplete(directory: Path) -> None:
    left = directory / ".arcctl" / ".secrets.env.x1"
    left.write_text("REDIS_PASSWORD=half")
    left.chmod(0o600)
    os.utime(left, (1, 1))


def _secret_of_the_user(directory: Path) -> None:
    path = directory / "config" / "redis" / ".env"
    path.write_text("REDIS_PASSWORD=a-good-one-of-my-own\n")
    path.chmod(0o644)


def _point_link_elsewhere(directory: Path) -> None:
    (directory / "compose" / ".env").unlink()
    (directory / "compose" / ".env").symlink_to("nowhere")


REPAIRABLE: list[Any] = [
    pytest.param(
        _mode(0o644, ".arcctl/secrets.env"),
        "modes",
        "problem",
        ".arcctl/secrets.env has mode 0644 instead of 0600",
        "fixed: .arcctl/secrets.env now has mode 0600",
        id="secrets that others can read",
    ),
    pytest.param(
        _mode(0o755, ".arcctl"),
        "modes",
        "problem",
        ".arcctl has mode 0755 instead of 0700",
        "fixed: .arcctl now has mode 0700",
        id="a state folder that others can enter",
    ),
    pytest.param(
        _secret_of_the_user,
        "modes",
        "problem",
        "config/redis/.env has mode 0644 instead of 0600",
        "fixed: config/redis/.env now has mode 0600",
        id="a secret that the user chose and others can read",
    ),
    pytest.param(
        lambda directory: (directory / "compose" / ".env").unlink(),
        "env-link",
        "warn",
        "compose/.env is missing, so plain `docker compose` finds no settings",
        "fixed: linked compose/.env",
        id="no link for plain compose",
    ),
    pytest.param(
        _point_link_elsewhere,
        "env-link",
        "warn",
        "compose/.env points to nowhere",
        "fixed: linked compose/.env",
        id="a link that leads nowhere",
    ),
    pytest.param(
        _incomplete,
        "unfinished",
        "warn",
        "left by an interrupted command: .arcctl/.secrets.env.x1",
        "fixed: removed .arcctl/.secrets.env.x1",
        id="a half-written file of secrets",
    ),
]


@pytest.mark.parametrize(("spoil", "point", "state", "evidence", "fixed"), REPAIRABLE)
def test_fix_repairs_what_is_safe_and_it_is_ok_afterwards(
    cli: CommandLine, spoil: Callable[[Path], None], point: str, state: str, evidence: str, fixed: str
) -> None:
    _engine(cli)
    secrets = (cli.directory / ".arcctl" / "secrets.env").read_text()
    spoil(cli.directory)
    found = _doctor(cli)[point]
    assert found == {
        "id": point,
        "state": state,
        "evidence": evidence,
        "fix": "arcctl doctor --fix",
        "repairable": True,
    }
    done = cli.arcctl("doctor", "--fix", "--json")
    assert done.err == f"{fixed}\n"
    assert json.loads(done.out)["repaired"] == [fixed.removeprefix("fixed: ")]
    assert _by_id(done)[point]["state"] == "ok"
    assert (cli.directory / ".arcctl" / "secrets.env").read_text() == secrets
    again = cli.arcctl("doctor", "--fix")
    assert "fixed: " not in again.err


def test_doctor_without_fix_changes_nothing(cli: CommandLine) -> None:
    for fault in REPAIRABLE[:4]:
        fault.values[0](cli.directory)
    before = {p: p.lstat().st_mode for p in cli.directory.rglob("*")}
    _engine(cli)
    assert cli.arcctl("doctor").code == 1
    assert {p: p.lstat().st_mode for p in cli.directory.rglob("*")} == before


def test_a_file_of_the_user_in_the_place_of_the_link_is_left_alone(cli: CommandLine) -> None:
    _engine(cli)
    endpoint = cli.directory / "compose" / ".env"
    endpoint.unlink()
    endpoint.write_text("MINE=1\n")
    done = cli.arcctl("doctor", "--fix", "--json")
    assert _by_id(done)["env-link"]["fix"] == "mv compose/.env compose/.env.old, then arcctl doctor --fix"
    assert (endpoint.read_text(), done.err) == ("MINE=1\n", "")


def test_a_port_that_is_taken_is_named_with_its_owner(cli: CommandLine) -> None:
    _engine(cli)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        cli.environment["REDIS_HOST_PORT"] = str(port)
        found = _doctor(cli)["ports"]
    assert f"{port} (redis) is used by " in found["evidence"]
    assert f"(pid {os.getpid()})" in found["evidence"]
    assert found["state"] == "problem"


@pytest.mark.parametrize(
    ("environment", "state", "evidence"),
    [
        (
            {"HTTP_PROXY": "http://user:s3ntinel@proxy:3128"},
            "warn",
            "HTTP_PROXY is set without 127.0.0.1 and localhost",
        ),
        ({"https_proxy": "http://proxy:3128", "no_proxy": "127.0.0.1"}, "warn", "HTTPS_PROXY is set without localhost"),
        (
            {"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "localhost,127.0.0.1"},
            "ok",
            "HTTP_PROXY is set, but not for 127.0.0.1",
        ),
    ],
)
def test_a_proxy_that_would_be_asked_for_our_own_services_is_named_without_its_password(
    cli: CommandLine, environment: dict[str, str], state: str, evidence: str
) -> None:
    _engine(cli)
    cli.environment |= {"HTTP_PROXY": "", "HTTPS_PROXY": "", "NO_PROXY": ""} | environment
    done = cli.arcctl("doctor", "--json")
    found = _by_id(done)["proxy"]
    assert found["state"] == state
    assert found["evidence"].startswith(evidence)
    assert "s3ntinel" not in done.out


def test_lost_secrets_over_data_that_exists_are_a_problem_and_nothing_is_drawn(cli: CommandLine) -> None:
    _engine(cli, volumes="arc_postgres_data\n")
    (cli.directory / ".arcctl" / "secrets.env").write_text("")
    done = cli.arcctl("doctor", "--fix", "--json")
    found, refused = _by_id(done), cli.arcctl("up").err
    lost = found["secrets-lost"]
    assert lost["evidence"].endswith("has data that was written with them: arc_postgres_data")
    assert f"error: {lost['evidence']}\nhint: {lost['fix']}\n" in refused
    assert {"project", "settings"} & set(found) == set()
    assert (done.code, (cli.directory / ".arcctl" / "secrets.env").read_text()) == (1, "")


@pytest.mark.parametrize(
    ("said", "point", "evidence"),
    [
        (
            "full\n",
            "incomplete-volume",
            "arc_postgres_data has data, but PG_VERSION, global/pg_control, postgresql.conf missing or empty",
        ),
        (
            "full\n18\nPG_VERSION\n",
            "incomplete-volume",
            "arc_postgres_data has data, but global/pg_control, postgresql.conf missing or empty",
        ),
        (
            "full\n16\nPG_VERSION\nglobal/pg_control\npostgresql.conf\n",
            "data-version",
            "arc_postgres_data has data of version 16, postgres is 18",
        ),
    ],
)
def test_data_that_its_server_could_not_open_is_a_problem(
    cli: CommandLine, said: str, point: str, evidence: str
) -> None:
    _engine(cli, volumes="arc_postgres_data\n")
    cli.docker.says("run *arc_postgres_data*", said)
    found = _doctor(cli)[point]
    assert (found["state"], found["evidence"]) == ("problem", evidence)


def test_data_that_nobody_declares_and_containers_of_another_project_are_named_with_the_way_to_remove_them(
    cli: CommandLine,
) -> None:
    _engine(cli, volumes="arc_gone_data\narc_redis_data\n")
    cli.docker.says("container ls --all*", "arc_redis\t/home/old/compose/base.yaml,/home/old/compose/stack.yaml\n")
    found = _doctor(cli)
    assert found["stale-volumes"]["fix"].startswith("see what is in it: docker run --rm -v arc_gone_data:/data:ro ")
    assert found["other-projects"]["evidence"] == "arc_redis of /home/old"
    assert found["other-projects"]["fix"] == "arcctl projects"
    assert found["old-data"]["evidence"].endswith("the engine has its data: arc_gone_data, arc_redis_data")


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
    cli: CommandLine, info: dict[str, Any], point: str, state: str
) -> None:
    _engine(cli, **info)
    found = _doctor(cli)
    assert found[point]["state"] == state
    assert found[point]["fix"]


def test_an_engine_in_a_virtual_machine_is_told_with_what_gives_it_more_memory(cli: CommandLine) -> None:
    _engine(cli, **engine_products.COLIMA)
    found = _doctor(cli)
    assert found["product"]["evidence"].startswith("Colima, in a virtual machine; ")
    assert found["memory"]["fix"].startswith("colima stop, then colima start --memory 6, or ")
    assert found["docker-socket"]["state"] == "ok"
    assert found["shared-folders"]["fix"].startswith("add the folder below `mounts:`")


def test_what_mounts_the_socket_of_an_engine_without_root_is_told_the_setting(cli: CommandLine) -> None:
    _engine(cli, **{**engine_products.ROOTLESS, "KernelVersion": platform.release()})
    cli.docker.says("context inspect*", "unix:///run/user/1000/docker.sock\n")
    found = _doctor(cli)["docker-socket"]
    assert found["fix"] == (
        "set TRAEFIK_DOCKER_SOCKET=/run/user/1000/docker.sock in config/traefik/.env, then arcctl up traefik"
    )


def test_podman_is_named_and_not_taken_for_an_old_docker(cli: CommandLine) -> None:
    _engine(cli, **engine_products.PODMAN)
    found = _doctor(cli)
    assert (found["product"]["state"], found["engine"]["state"]) == ("warn", "ok")
    assert found["engine"]["evidence"] == "Podman 4.3.1, Compose 2.40.3"


def test_names_are_resolved_where_the_programs_are(cli: CommandLine) -> None:
    _engine(cli, container("redis"))
    cli.docker.says("exec * arc_redis getent hosts index.example", code=2)
    cli.docker.says("exec * arc_redis getent hosts redis", code=2)
    found = _doctor(cli)["dns"]
    assert (found["state"], found["evidence"]) == (
        "problem",
        "redis cannot resolve the names of other containers",
    )


def test_an_image_without_the_program_that_looks_names_up_is_no_problem(cli: CommandLine) -> None:
    _engine(cli, container("redis"))
    cli.docker.says("exec * arc_redis getent hosts redis", code=127)
    assert _doctor(cli)["dns"]["state"] == "unknown"


def test_without_an_engine_every_other_point_is_looked_at(cli: CommandLine) -> None:
    cli.docker.says("*", err=DEAD, code=1)
    done = cli.arcctl("doctor")
    rows = [line.split() for line in done.out.splitlines() if line]
    states = {row[0]: row[2] for row in rows[1:-1]}
    assert (done.code, done.err) == (1, "")
    assert rows[0] == ["CHECK", "STATE", "EVIDENCE", "FIX"]
    assert (states["project"], states["settings"], states["engine"], states["ports"]) == (
        "ok",
        "ok",
        "problem",
        "unknown",
    )
    assert "cannot reach the Docker engine" in done.out


def test_without_the_compose_plugin_that_is_the_problem_and_not_the_engine(cli: CommandLine) -> None:
    _engine(cli)
    cli.docker.says("compose version*", err="docker: 'compose' is not a docker command.\n", code=1)
    found = _doctor(cli)
    assert (found["engine"]["state"], found["compose"]["evidence"]) == ("ok", "Docker has no Compose plugin")
    assert found["compose"]["fix"] == "install the Compose plugin 2.29.1 or newer"


def test_a_command_that_works_on_the_project_now_is_named(cli: CommandLine) -> None:
    _engine(cli)
    _incomplete(cli.directory)
    with (cli.directory / ".arcctl" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = cli.arcctl("doctor", "--fix", "--json")
    assert _by_id(done)["unfinished"]["evidence"].endswith(f"(pid {os.getpid()}) is changing this project now")
    assert (cli.directory / ".arcctl" / ".secrets.env.x1").exists()


def test_a_clock_that_was_set_back_is_a_problem(cli: CommandLine) -> None:
    _engine(cli)
    tomorrow = datetime.now(UTC).timestamp() + 86_400
    os.utime(cli.directory / ".arcctl" / "secrets.env", (tomorrow, tomorrow))
    found = _doctor(cli)["clock"]
    assert (found["state"], "but files of the project are from 86" in found["evidence"]) == ("problem", True)


def test_a_full_disk_is_told_with_what_arcctl_can_remove_from_it(cli: CommandLine, small_disk: SmallDisk) -> None:
    """The disk of a volume, which is not the one where Docker keeps the rest; the backups are on it."""
    backup = small_disk.path / "20261124T210000Z"
    backup.mkdir()
    (backup / "redis-0.age").write_bytes(bytes(3 << 20))
    (small_disk.path / "20261125T210000Z").mkdir()  # the newest may be the only way back
    (cli.directory / ".arcctl" / "backups").symlink_to(small_disk.path)
    mounts = [{"Type": "volume", "Source": str(small_disk.path), "Destination": "/data"}]
    _engine(cli, container("redis", Mounts=mounts), DockerRootDir="/")
    assert _doctor(cli)["disk"]["state"] in ("ok", "warn")
    small_disk.fill()
    found = _doctor(cli)["disk"]
    assert (found["state"], found["fix"]) == (
        "problem",
        "arcctl backup delete 20261124T210000Z (an old backup, 3 MiB)",
    )
    assert found["evidence"].startswith(f"{small_disk.path}: 0 MiB of ")
