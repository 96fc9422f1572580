"""`verify` proves every service, sees what `health` cannot see, and leaves nothing behind."""

from __future__ import annotations

import signal
import time
from typing import Any

import httpx
import pytest

from arcctl import services
from tests.e2e.driver import Platform
from tests.e2e.proofs import admin, redis_client, sql, verify

DOUBLES = {"grafana", "infisical"}


def test_every_service_that_runs_is_proved_and_doubles_are_called_doubles(either: Platform) -> None:
    report = verify(either, "all")
    found = {s["name"]: s["outcome"] for s in report["services"]}
    missing = DOUBLES if either.shift else set()
    expected = {name: "skipped" if name in missing else "proved" for name in services.names()}
    assert found == expected, report
    assert report["passed"] is True
    assert {s["name"] for s in report["services"] if s["double"]} == DOUBLES - missing


def test_no_server_ends_of_being_proved(either: Platform) -> None:
    before = either.running()
    for _ in range(3):
        assert verify(either, "all")["passed"] is True
        time.sleep(1.5)  # Unleash looks back each second at what was done
    assert either.running() == before


def test_the_verdict_of_a_store_is_that_of_the_proofs_that_go_through_it(either: Platform) -> None:
    (loki,) = verify(either, "loki")["services"]
    assert (loki["outcome"], {step["service"] for step in loki["steps"]}) == ("proved", {"loki"})
    assert {step["owner"] for step in loki["steps"]} == {"otel-collector", "swiss-army"}


def _left(platform: Platform) -> dict[str, object]:
    """Everything that a proof could have left, as the servers themselves tell it."""
    with httpx.Client(trust_env=False, timeout=10) as client:

        def get(port: int, path: str, **headers: str) -> Any:
            return client.get(f"http://127.0.0.1:{platform.port(port)}{path}", headers=headers).json()

        features = get(4242, "/api/admin/projects/default/features", **admin(platform))["features"]
        topics = get(8082, "/admin/v2/persistent/public/default")
        accounts = get(4434, "/admin/identities?credentials_identifier=arcctl-verify@arc.localhost")
        streams = get(8222, "/jsz?streams=true").get("streams", 0)
    with sql(platform, "arc") as connection:
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
    either.interrupted(1.5, "verify", by=by)
    assert verify(either, "all")["passed"] is True
    assert _left(either) == NOTHING


def test_what_does_not_run_is_skipped_and_a_failure_where_it_should(either: Platform) -> None:
    either.arcctl("down", "nats").ok()
    try:
        (found,) = verify(either, "nats")["services"]
        assert (found["outcome"], found["reason"]) == (
            "skipped",
            f"is {either.service('nats')['state']} (arcctl up nats)",
        )
        assert either.arcctl("verify", "nats").code == 1
    finally:
        either.arcctl("up", "nats").ok()
