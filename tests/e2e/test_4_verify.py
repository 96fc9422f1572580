"""`verify` proves every service, sees what `health` cannot see, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
import redis

from arcctl import services
from tests.e2e.driver import Platform, eventually

DOUBLES = {"grafana", "infisical"}


def _verify(platform: Platform, *words: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(platform.arcctl("verify", *words, "--json").out)
    return document


def _verdict(platform: Platform, service: str) -> tuple[str, str]:
    (found,) = _verify(platform, service)["services"]
    return found["outcome"], found["reason"]


def test_every_service_that_runs_is_proved_and_doubles_are_called_doubles(either: Platform) -> None:
    report = _verify(either, "all")
    found = {s["name"]: s["outcome"] for s in report["services"]}
    missing = DOUBLES if either.shift else set()
    expected = {name: "skipped" if name in missing else "proved" for name in services.names()}
    assert found == expected, report
    assert report["passed"] is True
    assert {s["name"] for s in report["services"] if s["double"]} == DOUBLES - missing


def test_the_verdict_of_a_store_is_that_of_the_proofs_that_go_through_it(either: Platform) -> None:
    (loki,) = _verify(either, "loki")["services"]
    assert (loki["outcome"], {step["service"] for step in loki["steps"]}) == ("proved", {"loki"})
    assert {step["owner"] for step in loki["steps"]} == {"otel-collector", "swiss-army"}


def _admin(platform: Platform) -> dict[str, str]:
    return {"Authorization": f"*:*.{platform.secrets()['UNLEASH_ADMIN_TOKEN']}"}


def _left(platform: Platform) -> dict[str, object]:
    """Everything that a proof could have left, as the servers themselves tell it."""
    with httpx.Client(trust_env=False, timeout=10) as client:

        def get(port: int, path: str, **headers: str) -> Any:
            return client.get(f"http://127.0.0.1:{platform.port(port)}{path}", headers=headers).json()

        features = get(4242, "/api/admin/projects/default/features", **_admin(platform))["features"]
        topics = get(8082, "/admin/v2/persistent/public/default")
        accounts = get(4434, "/admin/identities?credentials_identifier=arcctl-verify@arc.localhost")
        streams = get(8222, "/jsz?streams=true").get("streams", 0)
    with _sql(platform, "arc") as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE tablename ~ 'arcctl'").fetchone()
    keys = _redis(platform).keys("arcctl:*")
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
    assert _verify(either, "all")["passed"] is True
    assert _left(either) == NOTHING


def _sql(platform: Platform, database: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host="127.0.0.1",
        port=platform.port(5432),
        user="postgres",
        password=platform.secrets()["POSTGRES_PASSWORD"],
        dbname=database,
        sslmode="disable",
        autocommit=True,
    )


def _redis(platform: Platform) -> Any:
    return redis.Redis(port=platform.port(6379), password=platform.secrets()["REDIS_PASSWORD"], decode_responses=True)


@contextlib.contextmanager
def _statements(platform: Platform, database: str, fault: str, repair: str) -> Iterator[None]:
    with _sql(platform, database) as connection:
        connection.execute(fault)
        try:
            yield
        finally:
            connection.execute(repair)


def _healthy_but_broken(platform: Platform, service: str, *words: str) -> None:
    """What this file is about: the probe passes and the proof does not."""
    platform.arcctl("health", service, "--wait", "--timeout", "20").ok()
    outcome, reason = _verdict(platform, service)
    assert outcome == "broken"
    for word in words:
        assert word in reason
    assert platform.arcctl("verify", service).code == 1


@pytest.mark.parametrize(
    ("service", "database", "fault", "repair", "words"),
    [
        (
            "postgres",
            "postgres",
            "ALTER DATABASE arc SET default_transaction_read_only = on",
            "ALTER DATABASE arc RESET default_transaction_read_only",
            ("write vectors", "read-only transaction"),
        ),
        (
            "postgres",
            "arc",
            "DROP EXTENSION vector CASCADE",
            "CREATE EXTENSION vector",
            ("write vectors", 'type "vector"'),
        ),
        (
            "kratos",
            "postgres",
            "ALTER ROLE kratos NOLOGIN",
            "ALTER ROLE kratos LOGIN",
            (),
        ),
        ("unleash", "postgres", "ALTER ROLE unleash NOLOGIN", "ALTER ROLE unleash LOGIN", ()),
        ("postgres", "postgres", "REVOKE pg_monitor FROM monitor", "GRANT pg_monitor TO monitor", ("read statistics",)),
    ],
)
def test_a_permission_lost_in_postgres_is_seen_where_health_is_green(
    either: Platform, service: str, database: str, fault: str, repair: str, words: tuple[str, ...]
) -> None:
    with _statements(either, database, fault, repair):
        _healthy_but_broken(either, service, *words)
    assert _verdict(either, service) == ("proved", "")


@pytest.mark.parametrize(
    ("setting", "fault", "repair", "words"),
    [
        ("appendonly", "no", "yes", ("keep data on disk", "'appendonly,no'")),
        ("maxmemory-policy", "allkeys-lru", "noeviction", ("lose nothing when memory is short", "allkeys-lru")),
    ],
)
def test_a_redis_that_would_lose_data_is_seen_where_health_is_green(
    either: Platform, setting: str, fault: str, repair: str, words: tuple[str, ...]
) -> None:
    client = _redis(either)
    client.config_set(setting, fault)
    try:
        _healthy_but_broken(either, "redis", *words)
    finally:
        client.config_set(setting, repair)
    assert _verdict(either, "redis") == ("proved", "")


@pytest.mark.parametrize(
    ("policy", "broken", "repaired"),
    [
        ("autoTopicCreation", {"allowAutoTopicCreation": False}, None),
        ("isAllowAutoUpdateSchema", False, True),
    ],
)
def test_a_pulsar_that_takes_no_new_topics_or_schemas_is_seen_where_health_is_green(
    either: Platform, policy: str, broken: object, repaired: object
) -> None:
    url = f"http://127.0.0.1:{either.port(8082)}/admin/v2/namespaces/public/default/{policy}"
    httpx.post(url, json=broken, trust_env=False).raise_for_status()
    try:
        eventually(lambda: _verdict(either, "pulsar")[0] == "broken", 20)
        _healthy_but_broken(either, "pulsar", "produce with a schema")
    finally:
        httpx.request("DELETE" if repaired is None else "POST", url, json=repaired, trust_env=False).raise_for_status()
    assert eventually(lambda: _verdict(either, "pulsar") == ("proved", ""), 30)


def test_a_deleted_token_is_seen_where_health_is_green_and_bootstrap_brings_it_back(local: Platform) -> None:
    """Unleash keeps tokens in memory for up to a minute."""
    secret = f"default:development.{local.secrets()['UNLEASH_BACKEND_TOKEN']}"
    url = f"http://127.0.0.1:{local.port(4242)}/api/admin/api-tokens/{secret}"
    httpx.delete(url, headers=_admin(local), trust_env=False).raise_for_status()
    eventually(lambda: _verdict(local, "unleash")[0] == "broken", 90)
    _healthy_but_broken(local, "unleash", "read it as an SDK does", "HTTP 401")
    assert "made backend token" in local.arcctl("bootstrap", "unleash").ok().err
    assert _verdict(local, "unleash") == ("proved", "")


def test_a_stream_in_the_way_is_seen_where_health_is_green(either: Platform) -> None:
    """A stream that has the subject already keeps every other from being made."""
    import asyncio

    import nats

    async def run(verb: str) -> None:
        password = either.secrets()["NATS_PASSWORD"]
        client = await nats.connect(f"nats://127.0.0.1:{either.port(4222)}", user="arc", password=password)
        stream = client.jetstream()
        await (
            stream.add_stream(name="GREEDY", subjects=["arcctl.verify.kept"])
            if verb == "add"
            else stream.delete_stream("GREEDY")
        )
        await client.close()

    asyncio.run(run("add"))
    try:
        _healthy_but_broken(either, "nats", "create a stream on disk", "overlap")
    finally:
        asyncio.run(run("delete"))
    assert _verdict(either, "nats") == ("proved", "")


@pytest.mark.parametrize(
    ("right", "wrong", "hop"),
    [
        ("endpoint: jaeger:4317", "endpoint: jaeger:9", "jaeger"),
        ("http://loki:3100/otlp", "http://loki:3100/nowhere", "loki"),
        ("http://prometheus:9090/api/v1/otlp", "http://prometheus:9090/nowhere", "prometheus"),
    ],
)
def test_an_exporter_that_points_nowhere_is_named_by_the_hop_that_broke(
    either: Platform, right: str, wrong: str, hop: str
) -> None:
    config = either.home / "config" / "otel-collector" / "config.yaml"
    good = config.read_text()
    config.write_text(good.replace(right, wrong))
    try:
        either.arcctl("up", "otel-collector").ok()
        _healthy_but_broken(either, "otel-collector", f"store at {hop}: ")
        assert _verdict(either, hop)[0] == "broken"
        _healthy_but_broken(either, "swiss-army", f"store at {hop}: ")
    finally:
        config.write_text(good)
        either.arcctl("up", "otel-collector").ok()
    assert _verdict(either, "otel-collector") == ("proved", "")


def test_a_dropped_stream_is_seen_where_health_is_green_and_bootstrap_brings_it_back(either: Platform) -> None:
    import asyncio

    import nats

    async def drop() -> None:
        password = either.secrets()["NATS_PASSWORD"]
        client = await nats.connect(f"nats://127.0.0.1:{either.port(4222)}", user="arc", password=password)
        await client.jetstream().delete_stream("AGENTS")
        await client.close()

    asyncio.run(drop())
    _healthy_but_broken(either, "nats", "find the stream", "stream not found")
    either.arcctl("bootstrap", "nats").ok()
    assert _verdict(either, "nats") == ("proved", "")


@pytest.mark.parametrize(("kind", "step"), [("client", "log in as a machine"), ("project", "write a secret")])
def test_a_vault_that_lost_its_machine_or_project_is_seen_where_health_is_green(
    stack: Platform, kind: str, step: str
) -> None:
    """In the store of the double."""
    with _sql(stack, "infisical") as connection:
        rows = connection.execute("DELETE FROM double_record WHERE kind = %s RETURNING kind, id, body::text", [kind])
        lost = rows.fetchall()
        try:
            _healthy_but_broken(stack, "infisical", step)
        finally:
            for row in lost:
                connection.execute("INSERT INTO double_record VALUES (%s, %s, %s::jsonb)", row)
    assert _verdict(stack, "infisical") == ("proved", "")


def test_a_gateway_without_its_guard_is_seen_where_health_is_green(either: Platform) -> None:
    """The middleware that asks for the password lets everybody through."""
    config = either.home / "config" / "traefik" / "dynamic" / "operator.yml"
    good = config.read_text()
    config.write_text(good[: good.index("      basicAuth:")] + "      compress: {}\n")
    try:
        either.arcctl("up", "traefik").ok()
        _healthy_but_broken(either, "traefik", "keep a stranger out", "HTTP 200")
    finally:
        config.write_text(good)
        either.arcctl("up", "traefik").ok()
    assert _verdict(either, "traefik") == ("proved", "")


def test_a_gateway_that_does_not_hear_of_new_containers_is_seen_by_its_guest(stack: Platform) -> None:
    stack.docker("pause", "arc_socket_proxy")
    try:
        outcome, reason = _verdict(stack, "traefik")
        assert (outcome, reason.partition(":")[0]) == ("broken", "reach it through the gateway")
    finally:
        stack.docker("unpause", "arc_socket_proxy")
    assert eventually(lambda: _verdict(stack, "traefik") == ("proved", ""), 60)


def test_a_dashboard_that_is_gone_is_seen_through_grafana(stack: Platform) -> None:
    file = stack.home / "config" / "grafana" / "dashboards" / "redis.json"
    good = file.read_text()
    file.unlink()
    try:
        stack.arcctl("up", "grafana").ok()
        _healthy_but_broken(stack, "grafana", "load dashboard redis", "HTTP 404")
    finally:
        file.write_text(good)
        stack.arcctl("up", "grafana").ok()
    assert _verdict(stack, "grafana") == ("proved", "")


def test_a_mail_sink_that_is_gone_is_seen_by_the_proof_of_recovery(stack: Platform) -> None:
    stack.docker("pause", "arc_mailpit")
    try:
        outcome, reason = _verdict(stack, "kratos")
        assert (outcome, reason.partition(":")[0]) == ("broken", "receive the mail at mailpit")
    finally:
        stack.docker("unpause", "arc_mailpit")
    assert _verdict(stack, "kratos") == ("proved", "")


def test_a_data_source_that_points_nowhere_is_seen_through_grafana(stack: Platform) -> None:
    (config,) = (stack.home / "config" / "grafana" / "provisioning" / "datasources").iterdir()
    good = config.read_text()
    config.write_text(good.replace("http://loki:3100", "http://loki:9"))
    try:
        stack.arcctl("up", "grafana").ok()
        _healthy_but_broken(stack, "grafana", "query loki")
    finally:
        config.write_text(good)
        stack.arcctl("up", "grafana").ok()
    assert _verdict(stack, "grafana") == ("proved", "")


def test_what_does_not_run_is_skipped_and_a_failure_where_it_should(either: Platform) -> None:
    either.arcctl("down", "nats").ok()
    try:
        (found,) = _verify(either, "nats")["services"]
        assert (found["outcome"], found["reason"]) == (
            "skipped",
            f"is {either.service('nats')['state']} (arcctl up nats)",
        )
        assert either.arcctl("verify", "nats").code == 1
    finally:
        either.arcctl("up", "nats").ok()
