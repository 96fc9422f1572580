"""The embedded engine: commands work as with Docker, and a server that crashes is restarted."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from arcctl import services
from arcctl.engines.embedded import location
from arcctl.engines.embedded.translation import local_catalogue
from arcctl.model.env import load, variables
from arcctl.model.host_ports import host_ports
from tests.e2e.driver import Platform, eventually, reason

EPHEMERAL = 32768
"""Ports from here on are chosen by the system, of those that are free."""
IN_CONTAINERS = ("grafana", "infisical")
EVERYWHERE = tuple(i for i in services.names() if i not in IN_CONTAINERS)


def _servers(local: Platform) -> dict[str, psutil.Process]:
    """The running processes by component."""
    found = {}
    for file in _base(local).glob("run/*/pid"):
        with contextlib.suppress(psutil.NoSuchProcess, ValueError):  # a starting process has no id yet
            process = psutil.Process(int(file.read_text()))
            if process.status() != psutil.STATUS_ZOMBIE:
                found[file.parent.name] = process
    return found


def _base(local: Platform) -> Path:
    """The folder with the files of the processes."""
    return location.base(local.directory)


def _supervisor(local: Platform) -> psutil.Process:
    """The process of Supervisor, found by its configuration."""
    (found,) = (p for p in _ours(local) if f"{_base(local)}/supervisor.conf" in p.info["cmdline"])
    return found


def _ours(local: Platform) -> list[psutil.Process]:
    """Every process with a file of this project among its arguments."""
    processes = psutil.process_iter(["cmdline"])
    return [p for p in processes if any(str(_base(local)) in word for word in p.info["cmdline"] or ())]


@contextlib.contextmanager
def _paused(process: psutil.Process) -> Iterator[None]:
    os.killpg(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGCONT)


def test_health_is_green_with_twelve_real_servers_and_names_what_is_not_available(local: Platform) -> None:
    report = local.health("all")
    states = {s["name"]: s["status"] for s in report["services"]}
    assert states == dict.fromkeys(EVERYWHERE, "healthy") | dict.fromkeys(IN_CONTAINERS, "unknown")
    assert (report["status"], report["engine"]) == ("healthy", "embedded")
    for name in IN_CONTAINERS:
        (check,) = local.service(name)["checks"]
        assert check["message"] == f"not available here: no package contains this server ({check['hint']})"
        assert check["hint"] == f"arcctl down, then with Docker: arcctl --engine docker up {name}"


def test_up_names_what_it_starts_and_what_is_not_available_and_the_second_time_nothing_is_done(
    local: Platform,
) -> None:
    before = {key: process.pid for key, process in _servers(local).items()}
    output = local.arcctl("up").ok().err
    way = "arcctl down, then with Docker: arcctl --engine docker up grafana"
    assert f"not available here: grafana: no package contains this server ({way})" in output
    assert "already running, nothing to do: " in output
    assert {key: process.pid for key, process in _servers(local).items()} == before


def test_a_service_that_cannot_run_here_is_refused_by_name_with_a_hint(local: Platform) -> None:
    done = local.arcctl("up", "grafana")
    assert done.code == 1
    assert done.err.splitlines()[-2:] == [
        "error: grafana is not available here: no package contains this server",
        "hint: arcctl down, then with Docker: arcctl --engine docker up grafana",
    ]


@pytest.mark.parametrize("command", ["env", "info"])
def test_a_service_that_cannot_run_here_has_no_variables_and_no_address(local: Platform, command: str) -> None:
    done = local.arcctl(command).ok()
    assert "redis://" in done.out
    for name in IN_CONTAINERS:
        assert name not in done.out.lower()
    assert f"not available here: {', '.join(IN_CONTAINERS)} (what each needs: arcctl engine list)" in done.err


def test_servers_listen_on_the_loopback_address_only(local: Platform) -> None:
    found = _servers(local)
    sockets = [
        (key, c.laddr.ip)
        for key, p in found.items()
        for process in (p, *p.children(recursive=True))
        for c in process.net_connections("tcp")
        if c.status == psutil.CONN_LISTEN
    ]
    assert {key for key, _ in sockets} >= set(EVERYWHERE)
    assert [item for item in sockets if item[1] not in ("127.0.0.1", "::1", "::ffff:127.0.0.1")] == []


def test_every_port_that_a_server_listens_on_is_declared(local: Platform) -> None:
    """Otherwise two services, or two projects, could use the same one unseen."""
    catalogue = local_catalogue(services.load())
    envs = {}
    for i, service in catalogue.services.items():
        values = {v.name: "x" * 32 for v in variables(service.env) if v.default is None}
        envs[i] = load(service.env, {**values, **local.environment})
    declared: dict[str, set[int]] = {}
    for port in host_ports(catalogue, envs, local=True):
        declared.setdefault(port.component, set()).add(port.number)
    for key, process in _servers(local).items():
        family = (process, *process.children(recursive=True))
        used = {c.laddr.port for p in family for c in p.net_connections() if c.status == psutil.CONN_LISTEN}
        assert {port for port in used if port < EPHEMERAL} <= declared.get(key, set()), key


def test_no_secret_is_in_an_argument_of_a_process_and_its_files_are_for_its_user_only(local: Platform) -> None:
    secrets = [v for v in local.secrets().values() if len(v) > 8]
    for process in _servers(local).values():
        assert not any(secret in word for word in process.cmdline() for secret in secrets)
    for run in (_base(local) / "run").iterdir():
        assert run.stat().st_mode & 0o077 == 0
        assert [p for p in run.rglob("*") if p.is_file() and p.stat().st_mode & 0o077] == []


def test_no_server_that_could_run_without_root_runs_as_root(local: Platform) -> None:
    if os.geteuid() != 0:
        assert {p.uids().effective for p in _servers(local).values()} == {os.geteuid()}
        return
    # The sample application runs on the Python that runs these tests, which other accounts may not be able to read.
    as_root = {key for key, p in _servers(local).items() if p.uids().effective == 0}
    assert as_root <= {"swiss-army"}


@pytest.mark.parametrize("service", ["nats", "redis", "loki", "jaeger", "otel-collector", "traefik"])
def test_a_killed_server_is_restarted(local: Platform, service: str) -> None:
    killed = _servers(local)[service].pid
    os.killpg(killed, signal.SIGKILL)
    assert eventually(lambda: _servers(local).get(service, psutil.Process()).pid not in (killed, os.getpid()), 15)
    assert local.arcctl("health", service, "--wait", "--timeout", "60").code == 0


@pytest.mark.parametrize("service", ["loki", "jaeger", "nats", "traefik", "redis", "postgres"])
def test_a_paused_server_is_unhealthy_and_up_unpauses_it(local: Platform, service: str) -> None:
    with _paused(_servers(local)[service]):
        found = local.service(service)
        assert (found["status"], found["state"]) == ("unhealthy", "paused")
        assert "paused" in reason(found)
        assert f"unpause {service}: paused" in local.arcctl("up", "--dry-run").ok().out
        local.arcctl("up").ok()
        assert local.service(service)["status"] == "healthy"


def test_a_stopped_dependency_is_named_as_the_root_cause_and_up_starts_it(local: Platform) -> None:
    local.arcctl("down", "postgres").ok()
    report = {s["name"]: s for s in local.health("kratos", "unleash", "redis")["services"]}
    assert {name: s["blocked_by"] for name, s in report.items()} == {
        "kratos": ["postgres"],
        "unleash": ["postgres"],
        "redis": [],
    }
    local.arcctl("up").ok()
    assert local.arcctl("health", "--wait", "--timeout", "60").code == 0


def test_a_port_that_is_taken_is_refused_with_its_owner_before_anything_starts(local: Platform) -> None:
    local.arcctl("down", "redis").ok()
    with socket.create_server(("127.0.0.1", local.port(6379))):
        done = local.arcctl("up")
        assert done.code == 5
        assert f"error: port {local.port(6379)} (redis) is already in use by python" in done.err
    local.arcctl("up").ok()


def test_up_replaces_the_servers_of_a_killed_supervisor(local: Platform) -> None:
    left = _servers(local)
    _supervisor(local).kill()
    assert eventually(lambda: local.health("all")["status"] != "healthy", 10)
    local.arcctl("up").ok()
    assert local.health("all")["status"] == "healthy"
    fresh = _servers(local)
    assert set(fresh) == set(left)
    assert not {p.pid for p in fresh.values()} & {p.pid for p in left.values()}


def test_two_ups_at_the_same_time_both_succeed_with_one_platform(local: Platform) -> None:
    local.arcctl("down").ok()
    pair = [local.start("up"), local.start("up")]
    outputs = [child.communicate(timeout=200)[1] for child in pair]
    assert [child.returncode for child in pair] == [0, 0], outputs
    assert local.health("all")["status"] == "healthy"
    assert _supervisor(local).is_running()


def test_logs_have_the_name_of_the_process_and_since_is_refused(local: Platform) -> None:
    lines = local.arcctl("logs", "postgres", "--tail", "3").ok().out.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("postgres  | ") for line in lines)
    refused = local.arcctl("logs", "postgres", "--since", "10m")
    assert refused.code == 2
    assert "the embedded engine does not support --since" in refused.err


def test_ps_and_info_show_the_ports_in_use(local: Platform) -> None:
    shown = {item["name"]: item for item in local.containers()}
    assert shown["redis"]["state"] == "running"
    assert shown["redis"]["ports"] == {"6379": local.port(6379)}
    entries = json.loads(local.arcctl("info", "loki", "--json").ok().out)
    assert f"http://127.0.0.1:{local.port(3100)}" in json.dumps(entries)


def test_another_engine_for_a_running_project_is_refused_with_a_hint(local: Platform) -> None:
    done = local.arcctl("--engine", "docker", "up")
    assert done.code == 2
    assert done.err.splitlines() == [
        "error: this project is running on the embedded engine",
        "hint: arcctl down, then arcctl --engine docker up",
    ]
    assert local.arcctl("compose", "ps").code == 2


def test_auto_takes_docker_where_it_answers_else_embedded_and_says_so(platform: Platform) -> None:
    dry = ("--engine", "auto", "up", "--dry-run")
    with platform.new_project() as fresh:
        with_docker = fresh.arcctl(*dry).ok().err
        unreachable = {**fresh.environment, "DOCKER_HOST": "unix:///nowhere"}
        without = Platform(fresh.directory, unreachable).arcctl(*dry).ok().err
    assert "engine: docker, because Docker answers" in with_docker
    assert "engine: embedded, because Docker does not answer" in without


def test_down_leaves_no_process_and_keeps_data_and_clean_destroys_it(local: Platform) -> None:
    login = {"host": "127.0.0.1", "port": local.port(5432), "user": "arc", "dbname": "arc"}
    login["password"] = local.secrets()["POSTGRES_APP_PASSWORD"]
    with psycopg.connect(**login) as connection:  # type: ignore[arg-type]
        connection.execute("CREATE TABLE kept (v vector(3))")
        connection.execute("INSERT INTO kept VALUES ('[1,2,3]')")
    local.arcctl("down").ok()
    assert _servers(local) == {}
    assert _ours(local) == []
    local.arcctl("up").ok()
    with psycopg.connect(**login) as connection:  # type: ignore[arg-type]
        assert connection.execute("SELECT v::text FROM kept").fetchone() == ("[1,2,3]",)
    refused = local.arcctl("clean")
    assert refused.code == 2
    assert "data volumes: " in refused.err
    assert "postgres_data" in refused.err
    local.arcctl("clean", "--yes").ok()
    assert _servers(local) == {}
    assert not _base(local).exists()
    assert "nothing to destroy" in local.arcctl("clean", "--yes").ok().err
