"""Set-up: everything exists after `up`, lost parts are created again, and no well-known password works."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest
import redis

from tests.e2e.clients import superuser
from tests.e2e.driver import Platform
from tests.e2e.smoke_tests import streams


def _states(platform: Platform, *words: str) -> dict[str, str]:
    document = json.loads(platform.arcctl("bootstrap", *words, "--json").out)
    return {f"{f['service']}: {f['resource']}": f["state"] for f in document["resources"]}


def test_after_up_every_resource_exists(either: Platform) -> None:
    absent = {"grafana: all": "skipped", "infisical: all": "skipped"} if either.shift else {}
    found = _states(either, "--check")
    assert {name: state for name, state in found.items() if state != "exists"} == absent
    assert len(found) > 15


def _with(platform: Platform, settings: dict[str, str]) -> Platform:
    return replace(platform, environment={**platform.environment, **settings})


def _break(platform: Platform) -> None:
    """Change a password, revoke a role, delete a namespace and a stream."""
    with superuser(platform, "postgres") as connection:
        connection.execute("ALTER ROLE arc PASSWORD 'another-one'")
        connection.execute("REVOKE pg_monitor FROM monitor")
        connection.execute("ALTER ROLE unleash NOLOGIN")
    address = f"http://127.0.0.1:{platform.port(8082)}/admin/v2/namespaces/arc/agents"
    httpx.delete(address, trust_env=False, timeout=10).raise_for_status()
    streams(platform, lambda stream: stream.delete_stream("AGENTS"))


LOST = {
    "nats: stream AGENTS",
    "postgres: role arc",
    "postgres: statistics for monitor",
    "pulsar: namespace arc/agents",
    "pulsar: retention of arc/agents",
    "unleash: role unleash",
}


def test_check_reports_what_is_missing_and_bootstrap_creates_it_with_the_same_secrets(either: Platform) -> None:
    before = either.secrets()
    _break(either)
    checked = _states(either, "--check")
    created = _states(either)
    assert {name for name, state in checked.items() if state == "missing"} == LOST
    assert {name for name, state in created.items() if state == "created"} == LOST
    assert set(_states(either, "--check").values()) <= {"exists", "skipped"}
    assert either.secrets() == before
    either.arcctl("verify", "postgres", "nats", "pulsar", "unleash").ok()


@pytest.mark.parametrize(
    ("service", "variable"), [("grafana", "GRAFANA_ADMIN_PASSWORD"), ("unleash", "UNLEASH_ADMIN_PASSWORD")]
)
def test_a_password_that_the_server_does_not_know_is_refused_with_a_hint(
    stack: Platform, service: str, variable: str
) -> None:
    done = _with(stack, {variable: "a-password-set-by-hand"}).arcctl("bootstrap", service, "--json")
    assert done.code == 1
    assert f"set {variable} in config/{service}/.env" in done.out
    assert "a-password-set-by-hand" not in done.out + done.err


def test_a_vault_that_was_set_up_elsewhere_is_refused_with_a_hint(stack: Platform) -> None:
    lost = dict.fromkeys(("INFISICAL_SETUP_TOKEN", "INFISICAL_CLIENT_ID", "INFISICAL_CLIENT_SECRET"), "unset")
    done = _with(stack, lost).arcctl("bootstrap", "infisical", "--json")
    assert done.code == 1
    assert "its tokens are lost" in done.out


def _answers(method: str, port: int, path: str, **body: Any) -> int:
    return httpx.request(method, f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=10, **body).status_code


def _nats_without_login() -> None:
    """Without the client library, which leaves its socket open when the login is refused."""
    with socket.create_connection(("127.0.0.1", 4222), timeout=5) as connection:
        connection.sendall(b"CONNECT {}\r\nPING\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.endswith(b"-ERR 'Authorization Violation'\r\n"), answer
    raise PermissionError(answer)


@pytest.mark.parametrize(
    ("path", "port", "body", "refusal"),
    [
        ("/auth/simple/login", 4242, {"json": {"username": "admin", "password": "unleash4all"}}, 401),
        ("/login", 3000, {"json": {"user": "admin", "password": "admin"}}, 401),
        (
            "/api/v1/admin/bootstrap",
            3001,
            {"json": {"email": "a@b.localhost", "password": "a-long-one-1", "organization": "mine"}},
            400,
        ),
    ],
)
def test_no_page_accepts_a_well_known_password(
    stack: Platform, path: str, port: int, body: dict[str, Any], refusal: int
) -> None:
    assert _answers("POST", port, path, **body) == refusal


@pytest.mark.parametrize(
    ("connect", "refusal"),
    [
        (lambda: psycopg.connect(host="127.0.0.1", user="postgres", password="postgres"), psycopg.OperationalError),
        (lambda: redis.Redis().ping(), redis.AuthenticationError),
        (_nats_without_login, PermissionError),
    ],
)
def test_no_store_accepts_a_login_without_a_password(
    stack: Platform, connect: Callable[[], object], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        connect()
