"""Whether a server accepts a secret, asked with the server's own client and not with arcctl."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import psycopg
import redis

from tests.e2e.driver import Platform

Login = Callable[[Platform, str], bool]


def role(name: str) -> Login:
    """A role of Postgres, in a database that every role may connect to."""

    def enters(platform: Platform, secret: str) -> bool:
        where = f"host=127.0.0.1 port={platform.port(5432)} dbname=postgres sslmode=disable"
        try:
            psycopg.connect(where, user=name, password=secret).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" not in str(error):
                raise
            return False
        return True

    return enters


def _redis(platform: Platform, secret: str) -> bool:
    client = redis.Redis(port=platform.port(6379), password=secret)
    try:
        return bool(client.ping())
    except redis.AuthenticationError:
        return False
    finally:
        client.close()


def _nats(platform: Platform, secret: str) -> bool:
    """Without the client library, which leaves its socket open when the login is refused."""
    hello = json.dumps({"user": "arc", "pass": secret, "verbose": False})
    with socket.create_connection(("127.0.0.1", platform.port(4222)), timeout=5) as connection:
        connection.sendall(f"CONNECT {hello}\r\nPING\r\n".encode())
        seen = b""
        while b"PONG" not in seen and b"-ERR" not in seen:
            seen += connection.recv(4096)
    return b"PONG" in seen


def _page(default: int, path: str, **request: object) -> Callable[[Platform], int]:
    """The HTTP status of a request."""

    def ask(platform: Platform) -> int:
        url = f"http://127.0.0.1:{platform.port(default)}{path}"
        method = "POST" if "json" in request else "GET"
        return httpx.request(method, url, trust_env=False, timeout=20, **request).status_code  # type: ignore[arg-type]

    return ask


def basic(default: int, path: str, user: str) -> Login:
    def enters(platform: Platform, secret: str) -> bool:
        login = base64.b64encode(f"{user}:{secret}".encode()).decode()
        status = _page(default, path, headers={"Authorization": f"Basic {login}"})(platform)
        assert status in (200, 401), status
        return status == 200

    return enters


def token(path: str, prefix: str) -> Login:
    def enters(platform: Platform, secret: str) -> bool:
        status = _page(4242, path, headers={"Authorization": prefix + secret})(platform)
        assert status in (200, 401), status
        return status == 200

    return enters


def _unleash(platform: Platform, secret: str) -> bool:
    status = _page(4242, "/auth/simple/login", json={"username": "admin", "password": secret})(platform)
    assert status in (200, 401), status
    return status == 200


def _infisical(platform: Platform, secret: str) -> bool:
    body = {"clientId": platform.secrets()["INFISICAL_CLIENT_ID"], "clientSecret": secret}
    status = _page(3001, "/api/v1/auth/universal-auth/login", json=body)(platform)
    assert status in (200, 401), status
    return status == 200


def _kratos(platform: Platform, secret: str) -> bool:
    base = f"http://127.0.0.1:{platform.port(4433)}/self-service/login"
    flow = httpx.get(f"{base}/api", trust_env=False, timeout=20).json()["id"]
    body = {"method": "password", "identifier": "admin@arc.localhost", "password": secret}
    status = httpx.post(f"{base}?flow={flow}", json=body, trust_env=False, timeout=20).status_code
    assert status in (200, 400), status
    return status == 200


def _cookies(answer: httpx.Response) -> dict[str, str]:
    """The cookies for the next request: the client does not send cookies of https over http."""
    given = [text.partition(";")[0].partition("=") for text in answer.headers.get_list("set-cookie")]
    return {"Cookie": "; ".join(f"{name}={value}" for name, _, value in given), "Accept": "application/json"}


@contextmanager
def kratos_session(platform: Platform) -> Iterator[Callable[[], bool]]:
    """A logged-in browser; call the result to ask whether its session is valid."""
    base, password = f"http://127.0.0.1:{platform.port(4433)}", platform.secrets()["KRATOS_ADMIN_PASSWORD"]
    with httpx.Client(base_url=base, trust_env=False, timeout=20) as browser:
        begun = browser.get("/self-service/login/browser", headers={"Accept": "application/json"})
        flow = begun.json()
        (csrf,) = [n["attributes"]["value"] for n in flow["ui"]["nodes"] if n["attributes"].get("name") == "csrf_token"]
        body = {"method": "password", "identifier": "admin@arc.localhost", "password": password, "csrf_token": csrf}
        where = f"/self-service/login?flow={flow['id']}"
        done = browser.post(where, json=body, headers=_cookies(begun)).raise_for_status()
        yield lambda: browser.get("/sessions/whoami", headers=_cookies(done)).status_code == 200


@contextmanager
def unleash_session(platform: Platform) -> Iterator[Callable[[], bool]]:
    """A logged-in browser; call the result to ask whether its session is valid."""
    body = {"username": "admin", "password": platform.secrets()["UNLEASH_ADMIN_PASSWORD"]}
    with httpx.Client(base_url=f"http://127.0.0.1:{platform.port(4242)}", trust_env=False, timeout=20) as browser:
        browser.post("/auth/simple/login", json=body).raise_for_status()
        yield lambda: browser.get("/api/admin/user").status_code == 200


LOGINS: dict[str, Login] = {
    "POSTGRES_PASSWORD": role("postgres"),
    "POSTGRES_APP_PASSWORD": role("arc"),
    "POSTGRES_MONITOR_PASSWORD": role("monitor"),
    "REDIS_PASSWORD": _redis,
    "NATS_PASSWORD": _nats,
    "TRAEFIK_PASSWORD": basic(8080, "/api/http/routers", "arc"),
    "GRAFANA_ADMIN_PASSWORD": basic(3000, "/api/org", "admin"),
    "KRATOS_DB_PASSWORD": role("kratos"),
    "KRATOS_ADMIN_PASSWORD": _kratos,
    "UNLEASH_DB_PASSWORD": role("unleash"),
    "UNLEASH_ADMIN_PASSWORD": _unleash,
    "UNLEASH_ADMIN_TOKEN": token("/api/admin/environments", "*:*."),
    "UNLEASH_BACKEND_TOKEN": token("/api/client/features", "default:development."),
    "UNLEASH_FRONTEND_TOKEN": token("/api/frontend", "default:development."),
    "INFISICAL_DB_PASSWORD": role("infisical"),
    "INFISICAL_CLIENT_SECRET": _infisical,
}
"""How each password and token is tried."""
KEYS = ("KRATOS_COOKIE_SECRET", "KRATOS_CIPHER_SECRET", "UNLEASH_SESSION_SECRET", "INFISICAL_AUTH_SECRET")
"""Secrets that sign or encrypt."""
