"""Faults of stores and brokers that `health` passes: a lost permission, a dropped stream, a deleted token."""

from __future__ import annotations

import httpx
import pytest

from tests.e2e.driver import Platform, eventually
from tests.e2e.proofs import admin, healthy_but_broken, redis_client, sql, statements, streams, verdict


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
    with statements(either, database, fault, repair):
        healthy_but_broken(either, service, *words)
    assert verdict(either, service) == ("proved", "")


def test_a_pgvector_that_is_older_than_its_server_is_seen_and_bootstrap_brings_it_along(either: Platform) -> None:
    one_step = "SELECT source FROM pg_extension_update_paths('vector') WHERE path = source || '--' || target"
    newest = "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'"
    with sql(either, "arc") as connection:
        older = f"UPDATE pg_extension SET extversion = ({one_step} AND target = ({newest})) WHERE extname = 'vector'"
        connection.execute(older)
        healthy_but_broken(either, "postgres", "have the pgvector that the server brings")
        assert "made vectors in arc" in either.arcctl("bootstrap", "postgres").ok().err
    assert verdict(either, "postgres") == ("proved", "")


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
    client = redis_client(either)
    client.config_set(setting, fault)
    try:
        healthy_but_broken(either, "redis", *words)
    finally:
        client.config_set(setting, repair)
    assert verdict(either, "redis") == ("proved", "")


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
        eventually(lambda: verdict(either, "pulsar")[0] == "broken", 20)
        healthy_but_broken(either, "pulsar", "produce with a schema")
    finally:
        httpx.request("DELETE" if repaired is None else "POST", url, json=repaired, trust_env=False).raise_for_status()
    assert eventually(lambda: verdict(either, "pulsar") == ("proved", ""), 30)


def test_a_deleted_token_is_seen_where_health_is_green_and_bootstrap_brings_it_back(local: Platform) -> None:
    """Unleash keeps tokens in memory for up to a minute."""
    secret = f"default:development.{local.secrets()['UNLEASH_BACKEND_TOKEN']}"
    url = f"http://127.0.0.1:{local.port(4242)}/api/admin/api-tokens/{secret}"
    httpx.delete(url, headers=admin(local), trust_env=False).raise_for_status()
    eventually(lambda: verdict(local, "unleash")[0] == "broken", 90)
    healthy_but_broken(local, "unleash", "read it as an SDK does", "HTTP 401")
    assert "made backend token" in local.arcctl("bootstrap", "unleash").ok().err
    assert verdict(local, "unleash") == ("proved", "")


def test_a_stream_in_the_way_is_seen_where_health_is_green(either: Platform) -> None:
    """A stream that has the subject already keeps every other from being made."""
    streams(either, lambda kept: kept.add_stream(name="GREEDY", subjects=["arcctl.verify.kept"]))
    try:
        healthy_but_broken(either, "nats", "create a stream on disk", "overlap")
    finally:
        streams(either, lambda kept: kept.delete_stream("GREEDY"))
    assert verdict(either, "nats") == ("proved", "")


def test_a_dropped_stream_is_seen_where_health_is_green_and_bootstrap_brings_it_back(either: Platform) -> None:
    streams(either, lambda kept: kept.delete_stream("AGENTS"))
    healthy_but_broken(either, "nats", "find the stream", "stream not found")
    either.arcctl("bootstrap", "nats").ok()
    assert verdict(either, "nats") == ("proved", "")


@pytest.mark.parametrize(("kind", "step"), [("client", "log in as a machine"), ("project", "write a secret")])
def test_a_vault_that_lost_its_machine_or_project_is_seen_where_health_is_green(
    stack: Platform, kind: str, step: str
) -> None:
    """In the store of the double."""
    with sql(stack, "infisical") as connection:
        rows = connection.execute("DELETE FROM double_record WHERE kind = %s RETURNING kind, id, body::text", [kind])
        lost = rows.fetchall()
        try:
            healthy_but_broken(stack, "infisical", step)
        finally:
            for row in lost:
                connection.execute("INSERT INTO double_record VALUES (%s, %s, %s::jsonb)", row)
    assert verdict(stack, "infisical") == ("proved", "")
