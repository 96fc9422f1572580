"""`secrets rotate`: the new secret is accepted and the old one refused, also after an interrupt at any step."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import psutil
import psycopg
import pytest

from tests.e2e.clients import redis_client, superuser
from tests.e2e.driver import Platform, eventually
from tests.e2e.logins import KEYS, LOGINS, kratos_session, role, unleash_session
from tests.e2e.smoke_tests import verify

CONTAINERS_ONLY = ("GRAFANA_", "INFISICAL_")
STORES = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "NATS_PASSWORD")


def _listed(platform: Platform) -> dict[str, dict[str, Any]]:
    document = json.loads(platform.arcctl("secrets", "list", "--json").ok().out)
    assert document["schema"] == "arcctl.secrets/v1"
    return {item["name"]: item for item in document["secrets"]}


def _users(platform: Platform, name: str) -> tuple[str, ...]:
    """The running services that use a secret."""
    entry = _listed(platform)[name]
    running = tuple(i for i in entry["users"] if platform.service(i)["state"] == "running")
    assert entry["service"] in running
    return running


def _on_each_engine(names: Iterable[str]) -> list[tuple[str, str]]:
    """Grafana and Infisical run on Docker only; most others are rotated on the embedded engine, which is faster."""
    docker = [("stack", name) for name in names if name.startswith((*CONTAINERS_ONLY, "POSTGRES_PASSWORD", "REDIS_"))]
    embedded = [("local", name) for name in names if not name.startswith(CONTAINERS_ONLY)]
    return [*docker, *embedded]


def _assert_healthy_and_verified(platform: Platform, *services: str) -> None:
    report = platform.health(*services, "--wait", "--timeout", "60")
    assert {s["name"]: s["status"] for s in report["services"] if s["name"] in services} == dict.fromkeys(
        sorted(services), "healthy"
    )
    found = verify(platform, *services)
    assert [s for s in found["services"] if s["outcome"] == "failed"] == []


@pytest.mark.parametrize(("either", "name"), _on_each_engine(LOGINS), indirect=["either"])
def test_after_a_rotation_the_new_secret_is_accepted_the_old_one_refused_and_all_users_work(
    either: Platform, name: str
) -> None:
    users = _users(either, name)
    old = either.secrets()[name]
    assert LOGINS[name](either, old)
    done = either.arcctl("secrets", "rotate", name, "--yes").ok()
    new = either.secrets()[name]
    assert (LOGINS[name](either, new), LOGINS[name](either, old)) == (True, False)
    assert old not in done.out + done.err
    assert new not in done.out + done.err
    assert not (either.directory / ".arcctl" / "rotation.json").exists()
    _assert_healthy_and_verified(either, *users)


@pytest.mark.parametrize(("either", "name"), _on_each_engine(KEYS), indirect=["either"])
def test_after_a_rotation_of_a_key_all_users_work(either: Platform, name: str) -> None:
    users = _users(either, name)
    old = either.secrets()[name]
    either.arcctl("secrets", "rotate", name, "--yes").ok()
    assert either.secrets()[name] != old
    _assert_healthy_and_verified(either, *users)


def test_a_session_of_kratos_stays_valid_after_a_rotation_and_one_of_unleash_does_not(either: Platform) -> None:
    with kratos_session(either) as in_kratos, unleash_session(either) as in_unleash:
        assert (in_kratos(), in_unleash()) == (True, True)
        keys = ("KRATOS_COOKIE_SECRET", "KRATOS_CIPHER_SECRET", "UNLEASH_SESSION_SECRET")
        either.arcctl("secrets", "rotate", *keys, "--yes").ok()
        assert (in_kratos(), in_unleash()) == (True, False)


def test_the_list_says_when_a_secret_was_changed_and_never_shows_one(either: Platform) -> None:
    before = _listed(either)["REDIS_PASSWORD"]["changed"]
    time.sleep(1.1)  # its times are whole seconds
    either.arcctl("secrets", "rotate", "REDIS_PASSWORD", "--yes").ok()
    assert _listed(either)["REDIS_PASSWORD"]["changed"] > before
    shown = either.arcctl("secrets", "list").ok().out + either.arcctl("secrets", "list", "--json").ok().out
    assert [name for name, value in either.secrets().items() if value in shown] == []


def test_an_open_connection_stays_open_while_its_role_is_rotated(either: Platform) -> None:
    where = f"host=127.0.0.1 port={either.port(5432)} user=arc dbname=arc sslmode=disable"
    with psycopg.connect(where, password=either.secrets()["POSTGRES_APP_PASSWORD"], autocommit=True) as client:
        before = client.execute("SELECT pg_backend_pid()").fetchone()
        either.arcctl("secrets", "rotate", "POSTGRES_APP_PASSWORD", "POSTGRES_PASSWORD", "--yes").ok()
        assert client.execute("SELECT pg_backend_pid()").fetchone() == before


@contextlib.contextmanager
def _busy(work: Callable[[], object]) -> Iterator[list[tuple[float, str]]]:
    """Repeat the work in a thread; yield the errors with their times."""
    errors: list[tuple[float, str]] = []
    over = threading.Event()

    def run() -> None:
        while not over.wait(0.05):
            try:
                work()
            except Exception as error:
                errors.append((time.monotonic(), f"{type(error).__name__}: {error}"))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield errors
    finally:
        over.set()
        thread.join()


def test_clients_that_read_the_new_secret_have_no_error_after_the_rotation(either: Platform) -> None:
    def redis_work() -> None:
        with redis_client(either) as client:
            client.incr("arcctl:test:rotation")

    def role_work() -> None:
        assert role("arc")(either, either.secrets()["POSTGRES_APP_PASSWORD"])

    with _busy(redis_work) as redis_errors, _busy(role_work) as role_errors:
        either.arcctl("secrets", "rotate", "REDIS_PASSWORD", "POSTGRES_APP_PASSWORD", "--yes").ok()
        over = time.monotonic()
        counted = int(redis_client(either).get("arcctl:test:rotation"))
        assert eventually(lambda: int(redis_client(either).get("arcctl:test:rotation")) > counted + 3, 20)
    assert [text for when, text in redis_errors + role_errors if when > over] == []
    redis_client(either).delete("arcctl:test:rotation")


def _cut(platform: Platform, by: signal.Signals, step: str, *names: str) -> tuple[dict[str, str], int]:
    """Rotate, and send a signal when this step begins; once more where it had ended by then.

    Returns the secrets from before and the exit code.
    """
    for _ in range(3):
        before, code = platform.secrets(), _signalled(platform, by, step, *names)
        if code != 0:
            break
    return before, code


def _signalled(platform: Platform, by: signal.Signals, step: str, *names: str) -> int:
    child = platform.start("secrets", "rotate", *names, "--yes")
    assert child.stderr is not None
    for line in child.stderr:
        if "…" in line and step in line:
            os.killpg(child.pid, by)
            break
    child.communicate(timeout=60)
    return child.returncode


INTERRUPTIONS = [
    ("POSTGRES_PASSWORD: set the new one on", signal.SIGKILL),
    ("POSTGRES_PASSWORD: write", signal.SIGINT),
    ("POSTGRES_PASSWORD: recreate", signal.SIGKILL),
    ("REDIS_PASSWORD: set the new one on", signal.SIGINT),
    ("REDIS_PASSWORD: write", signal.SIGKILL),
    ("REDIS_PASSWORD: recreate redis", signal.SIGKILL),
    ("NATS_PASSWORD: write", signal.SIGKILL),
    ("NATS_PASSWORD: recreate nats", signal.SIGINT),
    ("NATS_PASSWORD: verify", signal.SIGKILL),
]


@pytest.mark.parametrize(
    ("either", "step", "by"),
    [("stack", *one) for one in INTERRUPTIONS[1::3]] + [("local", *one) for one in INTERRUPTIONS],
    indirect=["either"],
)
def test_an_interrupted_rotation_is_finished_by_the_next(either: Platform, step: str, by: signal.Signals) -> None:
    journal = either.directory / ".arcctl" / "rotation.json"
    before, code = _cut(either, by, step, *STORES)
    assert code == (130 if by is signal.SIGINT else -signal.SIGKILL)
    kept = json.loads(journal.read_text())
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    assert {item["name"]: item["old"] for item in kept} == {name: before[name] for name in STORES}
    assert "a rotation of secrets was interrupted" in either.arcctl("ps").err
    either.arcctl("secrets", "rotate").ok()
    assert not journal.exists()
    after = either.secrets()
    for item in kept:
        assert after[item["name"]] == item["new"]
        assert LOGINS[item["name"]](either, item["new"])
        assert not LOGINS[item["name"]](either, item["old"])
    _assert_healthy_and_verified(either, "postgres", "redis", "nats")


def test_an_interrupted_rotation_is_finished_after_down(either: Platform) -> None:
    _cut(either, signal.SIGKILL, "POSTGRES_PASSWORD: write", *STORES)
    either.arcctl("down", "postgres", "redis", "nats").ok()
    either.arcctl("secrets", "rotate").ok()
    with superuser(either, "postgres") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    started = [i for i in ("kratos", "unleash", "infisical") if either.service(i)["state"] == "running"]
    either.arcctl("up", "postgres", "redis", "nats", *started).ok()
    _assert_healthy_and_verified(either, "postgres", "redis", "nats", *started)


def test_no_process_and_no_container_shows_a_secret_while_it_is_changed(either: Platform) -> None:
    seen: set[str] = set()

    def read_process_list() -> None:
        for process in psutil.process_iter(["cmdline"]):
            seen.add(" ".join(process.info["cmdline"] or ()))

    before = either.secrets()
    with _busy(read_process_list):
        either.arcctl("secrets", "rotate", *STORES, "--yes").ok()
    if not either.shift:
        seen.add(either.docker("inspect", *either.docker("ps", "--all", "--quiet").split()))
    assert len(seen) > 10
    values = {*before.values(), *either.secrets().values()}
    assert [value for value in values if any(value in text for text in seen)] == []


def test_a_secret_that_was_set_by_hand_is_refused_with_the_file_to_edit(either: Platform) -> None:
    done = either.arcctl("secrets", "rotate", "REDIS_PASSWORD", "--yes", REDIS_PASSWORD="a-secret-set-by-hand")
    assert done.code == 2
    assert "error: REDIS_PASSWORD is not rotated: it was set by hand, in environment" in done.err
    assert "hint: change REDIS_PASSWORD in environment and run: arcctl up redis" in done.err
    assert "a-secret-set-by-hand" not in done.out + done.err


def test_a_secret_that_the_server_does_not_accept_is_not_rotated(either: Platform) -> None:
    before = either.secrets()
    with superuser(either, "postgres") as connection:
        connection.execute("ALTER ROLE arc PASSWORD 'another-one'")
    done = either.arcctl("secrets", "rotate", "POSTGRES_APP_PASSWORD", "--yes")
    assert done.code == 1
    assert "POSTGRES_APP_PASSWORD is not rotated: the server refuses the current one" in done.err
    assert done.err.rstrip().endswith("hint: arcctl bootstrap postgres")
    assert either.secrets() == before
    either.arcctl("bootstrap", "postgres").ok()
    either.arcctl("secrets", "rotate", "POSTGRES_APP_PASSWORD", "--yes").ok()


def test_the_encryption_key_of_the_vault_is_never_changed(stack: Platform) -> None:
    done = stack.arcctl("secrets", "rotate", "INFISICAL_ENCRYPTION_KEY", "--yes")
    assert done.code == 2
    assert "with another one the vault is lost" in done.err


def test_after_a_rotation_of_everything_all_services_are_healthy_and_verified(either: Platform) -> None:
    before, listed = either.secrets(), _listed(either)
    either.arcctl("secrets", "rotate", "--all", "--yes", timeout=900).ok()
    after = either.secrets()
    running = {s["name"] for s in either.health("all")["services"] if s["state"] == "running"}
    wanted = {n for n, entry in listed.items() if entry["rotation"] and entry["service"] in running}
    kept = {"KRATOS_PREVIOUS_COOKIE_SECRET", "KRATOS_PREVIOUS_CIPHER_SECRET"}
    assert {name for name in before if before[name] != after[name]} - kept == wanted
    _assert_healthy_and_verified(either, *sorted(running))
