"""`verify` runs every smoke test and leaves nothing behind."""

from __future__ import annotations

import re
import signal
import time
from typing import Any

import httpx
import pytest

from arcctl import services
from tests.e2e.clients import redis_client, superuser, unleash_admin
from tests.e2e.driver import Platform
from tests.e2e.smoke_tests import verify

STUBS = {"grafana", "infisical"}


def test_every_running_service_passes_and_stubs_are_marked(either: Platform) -> None:
    report = verify(either, "all")
    found = {s["name"]: s["outcome"] for s in report["services"]}
    missing = STUBS if either.shift else set()
    expected = {name: "skipped" if name in missing else "passed" for name in services.names()}
    assert found == expected, report
    assert report["passed"] is True
    assert {s["name"] for s in report["services"] if s["stub"]} == STUBS - missing


def test_no_server_stops_because_of_its_smoke_tests(either: Platform) -> None:
    before = either.running()
    for _ in range(3):
        assert verify(either, "all")["passed"] is True
        time.sleep(1.5)  # Unleash handles its events once a second
    assert either.running() == before


def test_the_outcome_of_a_store_comes_from_the_smoke_tests_that_use_it(either: Platform) -> None:
    (loki,) = verify(either, "loki")["services"]
    assert (loki["outcome"], {step["service"] for step in loki["steps"]}) == ("passed", {"loki"})
    assert {step["owner"] for step in loki["steps"]} == {"otel-collector", "swiss-army"}


def _left(platform: Platform) -> dict[str, object]:
    """Everything that a smoke test could have left on the servers."""
    with httpx.Client(trust_env=False, timeout=10) as client:

        def get(port: int, path: str, **headers: str) -> Any:
            return client.get(f"http://127.0.0.1:{platform.port(port)}{path}", headers=headers).json()

        features = get(4242, "/api/admin/projects/default/features", **unleash_admin(platform))["features"]
        topics = get(8082, "/admin/v2/persistent/public/default")
        accounts = get(4434, "/admin/identities?credentials_identifier=arcctl-verify@arc.localhost")
        streams = get(8222, "/jsz?streams=true").get("streams", 0)
    with superuser(platform, "arc") as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE tablename ~ 'arcctl'").fetchone()
    keys = redis_client(platform).keys("arcctl:*")
    return {
        "features": [f["name"] for f in features],
        "topics": [t for t in topics if "arcctl" in t],
        "accounts": accounts,
        "streams": streams,
        "tables": tables,
        "keys": keys,
    }


NOTHING = {"features": [], "topics": [], "accounts": [], "streams": 1, "tables": (0,), "keys": []}


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_what_was_written_is_gone_also_after_an_interrupted_run_and_the_next_one(
    either: Platform, by: signal.Signals
) -> None:
    before = _left(either)["topics"]  # those of other tests stay: the log is durable
    either.interrupted(1.5, "verify", by=by)
    report = verify(either, "all")
    assert report["passed"] is True, report
    assert _left(either) == {**NOTHING, "topics": before}


def test_a_stopped_service_is_skipped_and_makes_exit_code_1(either: Platform) -> None:
    either.arcctl("down", "nats").ok()
    try:
        (found,) = verify(either, "nats")["services"]
        assert found["outcome"] == "skipped"
        assert re.fullmatch(r"(not started|exited with code \d+) \(arcctl up nats\)", found["reason"])
        assert either.arcctl("verify", "nats").code == 1
    finally:
        either.arcctl("up", "nats").ok()
