"""Faults of stores and brokers that `health` does not detect: a lost permission, a deleted stream or token."""

from __future__ import annotations

import httpx
import pytest

from tests.e2e.clients import redis_client, superuser, unleash_admin
from tests.e2e.driver import Platform, eventually
from tests.e2e.smoke_tests import healthy_but_broken, statements, streams, verdict


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
def test_a_permission_lost_in_postgres_fails_verify_although_healthy(
    either: Platform, service: str, database: str, fault: str, repair: str, words: tuple[str, ...]
) -> None:
    with statements(either, database, fault, repair):
        healthy_but_broken(either, service, *words)
    assert verdict(either, service) == ("passed", "")


def test_an_outdated_pgvector_fails_verify_and_bootstrap_updates_it(either: Platform) -> None:
    one_step = "SELECT source FROM pg_extension_update_paths('vector') WHERE path = source || '--' || target"
    newest = "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'"
    with superuser(either, "arc") as connection:
        older = f"UPDATE pg_extension SET extversion = ({one_step} AND target = ({newest})) WHERE extname = 'vector'"
        connection.execute(older)
        healthy_but_broken(either, "postgres", "have the pgvector of the server")
        assert "created vectors in arc" in either.arcctl("bootstrap", "postgres").ok().err
    assert verdict(either, "postgres") == ("passed", "")


@pytest.mark.parametrize(
    ("setting", "fault", "repair", "words"),
    [
        ("appendonly", "no", "yes", ("keep data on disk", "'appendonly,no'")),
        ("maxmemory-policy", "allkeys-lru", "noeviction", ("lose nothing when memory is short", "allkeys-lru")),
    ],
)
def test_a_redis_that_can_lose_data_fails_verify_although_healthy(
    either: Platform, setting: str, fault: str, repair: str, words: tuple[str, ...]
) -> None:
    client = redis_client(either)
    client.config_set(setting, fault)
    try:
        healthy_but_broken(either, "redis", *words)
    finally:
        client.config_set(setting, repair)
    assert verdict(either, "redis") == ("passed", "")


@pytest.mark.parametrize(
    ("policy", "broken", "repaired"),
    [
        ("autoTopicCreation", {"allowAutoTopicCreation": False}, None),
        ("isAllowAutoUpdateSchema", False, True),
    ],
)
def test_a_pulsar_that_refuses_new_topics_or_schemas_fails_verify_although_healthy(
    either: Platform, policy: str, broken: object, repaired: object
) -> None:
    url = f"http://127.0.0.1:{either.port(8082)}/admin/v2/namespaces/public/default/{policy}"
    httpx.post(url, json=broken, trust_env=False).raise_for_status()
    try:
        eventually(lambda: verdict(either, "pulsar")[0] == "failed", 20)
        healthy_but_broken(either, "pulsar", "produce with a schema")
    finally:
        httpx.request("DELETE" if repaired is None else "POST", url, json=repaired, trust_env=False).raise_for_status()
    assert eventually(lambda: verdict(either, "pulsar") == ("passed", ""), 30)


def test_a_deleted_token_fails_verify_and_bootstrap_restores_it(local: Platform) -> None:
    """Unleash keeps tokens in memory for up to a minute."""
    secret = f"default:development.{local.secrets()['UNLEASH_BACKEND_TOKEN']}"
    url = f"http://127.0.0.1:{local.port(4242)}/api/admin/api-tokens/{secret}"
    httpx.delete(url, headers=unleash_admin(local), trust_env=False).raise_for_status()
    eventually(lambda: verdict(local, "unleash")[0] == "failed", 90)
    healthy_but_broken(local, "unleash", "read it as an SDK does", "HTTP 401")
    assert "created backend token" in local.arcctl("bootstrap", "unleash").ok().err
    assert verdict(local, "unleash") == ("passed", "")


def test_a_stream_with_the_same_subject_fails_verify_although_healthy(either: Platform) -> None:
    """Two streams cannot have the same subject."""
    streams(either, lambda stream: stream.add_stream(name="GREEDY", subjects=["arcctl.verify.kept"]))
    try:
        healthy_but_broken(either, "nats", "create a stream on disk", "overlap")
    finally:
        streams(either, lambda stream: stream.delete_stream("GREEDY"))
    assert verdict(either, "nats") == ("passed", "")


def test_a_deleted_stream_fails_verify_and_bootstrap_restores_it(either: Platform) -> None:
    streams(either, lambda stream: stream.delete_stream("AGENTS"))
    healthy_but_broken(either, "nats", "find the stream", "stream not found")
    either.arcctl("bootstrap", "nats").ok()
    assert verdict(either, "nats") == ("passed", "")


@pytest.mark.parametrize(("kind", "step"), [("client", "log in as a machine"), ("project", "write a secret")])
def test_a_vault_without_its_client_or_project_fails_verify_although_healthy(
    stack: Platform, kind: str, step: str
) -> None:
    """In the database of the stub."""
    with superuser(stack, "infisical") as connection:
        rows = connection.execute("DELETE FROM stub_record WHERE kind = %s RETURNING kind, id, body::text", [kind])
        lost = rows.fetchall()
        try:
            healthy_but_broken(stack, "infisical", step)
        finally:
            for row in lost:
                connection.execute("INSERT INTO stub_record VALUES (%s, %s, %s::jsonb)", row)
            connection.execute("DELETE FROM stub_record WHERE kind = 'lockout'")  # it would last five minutes
    assert verdict(stack, "infisical") == ("passed", "")
