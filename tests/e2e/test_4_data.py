"""`db`, `topics`, `flags` and `identities` against the real servers."""

from __future__ import annotations

import json
import select
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from typing import IO, Any, cast

import httpx
import psycopg
import pytest

from tests.e2e.clients import superuser, unleash_admin
from tests.e2e.driver import PROGRAM, Done, Platform, eventually
from tests.e2e.smoke_tests import streams

DATABASE = "arcctl_test"
LINES = "one\ntwo\nthree\n"
TOPICS = ["pulsar:arc/agents/arcctl-test", "nats:ARCCTL_TEST"]
FLAG = "arcctl-test"
HEALTHY = 60.0


def _document(platform: Platform, *words: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(platform.arcctl(*words, "--json").ok().out)
    return document


def _log_in(platform: Platform, user: str, password: str, database: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host="127.0.0.1",
        port=platform.port(5432),
        user=user,
        password=password,
        dbname=database,
        sslmode="disable",
        autocommit=True,
    )


def _databases(platform: Platform) -> dict[str, str]:
    """The service of each database."""
    return {item["name"]: item["service"] for item in _document(platform, "db", "list")["databases"]}


@pytest.fixture
def database(either: Platform) -> Iterator[str]:
    """A new database; yields its password."""
    either.arcctl("db", "create", DATABASE).ok()
    (item,) = _document(either, "db", "list", DATABASE, "--reveal")["databases"]
    yield item["secret"]
    either.arcctl("db", "drop", DATABASE, "--yes")


def test_a_new_database_has_vectors_and_accepts_only_its_role(either: Platform, database: str) -> None:
    with _log_in(either, DATABASE, database, DATABASE) as connection:
        connection.execute("CREATE TABLE memories (v vector(3))")
        owner = connection.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()")
        assert owner.fetchone() == (DATABASE,)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        _log_in(either, "arc", either.secrets()["POSTGRES_APP_PASSWORD"], DATABASE)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        _log_in(either, DATABASE, database, "arc")


def test_its_password_is_stored_privately_and_shown_only_with_reveal(either: Platform, database: str) -> None:
    file = either.directory / ".arcctl" / "secrets.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert either.secrets()["POSTGRES_DB_ARCCTL_TEST_PASSWORD"] == database
    plain = [either.arcctl("db", *words).ok() for words in (("list",), ("list", "--json"), ("create", DATABASE))]
    assert [done for done in plain if database in done.out + done.err] == []
    assert f"{DATABASE}:{database}@" in either.arcctl("db", "list", DATABASE, "--reveal").out


def test_drop_lists_what_it_destroys_and_leaves_neither_role_nor_password(either: Platform, database: str) -> None:
    with _log_in(either, DATABASE, database, DATABASE) as inside:
        inside.execute("CREATE TABLE memories AS SELECT generate_series(1, 1000) AS n")
        refused = either.arcctl("db", "drop", DATABASE)
        assert (refused.code, DATABASE in _databases(either)) == (2, True)
        for part in (f"database {DATABASE}: ", "1 table", "public.memories", "open connections that are closed: 1"):
            assert part in refused.err
        either.arcctl("db", "drop", DATABASE, "--yes").ok()
    assert DATABASE not in _databases(either)
    assert "POSTGRES_DB_ARCCTL_TEST_PASSWORD" not in either.secrets()
    with superuser(either, "postgres") as connection:
        assert connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (DATABASE,)).fetchall() == []


def test_databases_of_services_are_listed_with_them_and_cannot_be_dropped(either: Platform) -> None:
    found = _databases(either)
    expected = {"arc": "postgres", "postgres": "postgres", "kratos": "kratos", "unleash": "unleash"}
    assert found.items() >= expected.items()
    for name in ("arc", "postgres", "kratos", "template1"):
        assert either.arcctl("db", "drop", name, "--yes").code == 2
        assert either.arcctl("db", "create", name).code == 2
    assert _databases(either) == found
    assert either.arcctl("verify", "postgres", "kratos").code == 0


def test_a_word_that_postgres_reserves_is_a_valid_name(either: Platform) -> None:
    try:
        either.arcctl("db", "create", "order").ok()
        assert _databases(either)["order"] == ""
    finally:
        either.arcctl("db", "drop", "order", "--yes").ok()


def test_init_restores_the_role_of_a_service(either: Platform) -> None:
    with superuser(either, "postgres") as connection:
        connection.execute("ALTER ROLE unleash WITH PASSWORD 'another'")
    done = either.arcctl("db", "init").ok()
    assert "created role unleash" in done.err
    with _log_in(either, "unleash", either.secrets()["UNLEASH_DB_PASSWORD"], "unleash"):
        pass


def test_a_second_migration_changes_nothing_and_the_service_stays_healthy(either: Platform) -> None:
    before = _schema(either)
    for _ in range(2):
        assert "migrated: kratos" in either.arcctl("db", "migrate", "kratos").ok().err
    assert _schema(either) == before
    either.arcctl("health", "kratos", "--wait", "--timeout", str(HEALTHY)).ok()


def _schema(platform: Platform) -> list[tuple[object, ...]]:
    with superuser(platform, "kratos") as connection:
        columns = "SELECT table_name, column_name, data_type FROM information_schema.columns"
        rows = connection.execute(f"{columns} WHERE table_schema = 'public' ORDER BY 1, 2")
        return list(rows.fetchall())


def test_a_migration_that_fails_is_exit_1_with_the_end_of_its_log(either: Platform) -> None:
    with superuser(either, "postgres") as connection:
        connection.execute("UPDATE pg_database SET datallowconn = false WHERE datname = 'kratos'")
        try:
            done = either.arcctl("db", "migrate", "kratos")
        finally:
            connection.execute("UPDATE pg_database SET datallowconn = true WHERE datname = 'kratos'")
    assert done.code == 1
    assert "error: kratos-db did not become ready: exited with code" in done.err
    assert 'database "kratos" is not currently accepting connections' in done.err
    either.arcctl("db", "migrate", "kratos").ok()


def test_a_migration_that_waits_for_a_lock_names_who_holds_it(either: Platform) -> None:
    with superuser(either, "kratos") as holder:
        holder.execute("SET application_name TO forgetful")
        holder.autocommit = False
        holder.execute("LOCK TABLE schema_migration")
        done = either.arcctl("db", "migrate", "kratos", timeout=120)
        pid = holder.info.backend_pid
    assert (done.code, "error: a migration is not done: it waited 20 s for a lock" in done.err) == (1, True)
    assert f"held by forgetful (pid {pid}, " in done.err
    either.arcctl("db", "migrate", "kratos").ok()


@pytest.fixture(params=TOPICS)
def topic(request: pytest.FixtureRequest, either: Platform) -> Iterator[str]:
    name = str(request.param)
    either.arcctl("topics", "create", name, "--retention", "7d").ok()
    yield name
    either.arcctl("topics", "delete", name, "--yes")


def _topic(platform: Platform, address: str) -> dict[str, Any]:
    found = _document(platform, "topics", "list")["topics"]
    return next((item for item in found if item["address"] == address), {})


def test_lines_are_stored_read_in_order_and_kept(either: Platform, topic: str) -> None:
    done = either.arcctl("topics", "produce", topic, given=LINES).ok()
    assert (done.out, f"{topic}: 3 messages stored" in done.err) == ("", True)
    bare = topic.partition(":")[2]
    for _ in range(2):
        assert either.arcctl("topics", "consume", bare).ok().out == LINES
    assert either.arcctl("topics", "consume", topic, "-n", "2").ok().out == "one\ntwo\n"
    listed = _topic(either, topic)
    assert (listed["messages"], listed["readers"], listed["bytes"] > 0) == (3, 0, True)


def test_a_message_with_line_breaks_is_printed_as_one_line(either: Platform, topic: str) -> None:
    either.arcctl("topics", "produce", topic, "two\nlines", "", "ü").ok()
    assert either.arcctl("topics", "consume", topic).ok().out == "two\\nlines\n\nü\n"


def test_latest_prints_only_later_messages_at_once(either: Platform, topic: str) -> None:
    either.arcctl("topics", "produce", topic, "before").ok()
    words = ("topics", "consume", topic, "--from", "latest")
    with subprocess.Popen(
        (PROGRAM, *words), cwd=either.directory, env=dict(either.environment), stdout=subprocess.PIPE, text=True
    ) as child:
        output = cast(IO[str], child.stdout)
        # It prints nothing before the first message, so messages are sent until one arrives.
        arrived = eventually(lambda: _sent(either, topic) and _readable(output))
        line = output.readline()
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=30)
    assert (arrived, line, child.returncode) == (True, "after\n", 130)


def _sent(platform: Platform, topic: str) -> bool:
    return platform.arcctl("topics", "produce", topic, "after").code == 0


def _readable(output: IO[str]) -> bool:
    return bool(select.select([output], [], [], 1.0)[0])


def test_delete_says_what_it_destroys_and_asks(either: Platform, topic: str) -> None:
    either.arcctl("topics", "produce", topic, given=LINES).ok()
    refused = either.arcctl("topics", "delete", topic)
    assert (refused.code, f"{topic}: 3 messages, " in refused.err) == (2, True)
    assert _topic(either, topic)
    either.arcctl("topics", "delete", topic, "--yes").ok()
    assert _topic(either, topic) == {}
    gone = either.arcctl("topics", "consume", topic)
    assert (gone.code, gone.out) == (2, "")


def test_the_broker_has_the_retention(either: Platform, topic: str) -> None:
    if topic.startswith("pulsar:"):
        path = topic.partition(":")[2]
        url = f"http://127.0.0.1:{either.port(8082)}/admin/v2/persistent/{path}/retention"
        assert eventually(lambda: (httpx.get(url).json() or {}).get("retentionTimeInMinutes")) == 7 * 24 * 60
    else:
        ages: list[object] = []

        async def read_age(context: Any) -> None:
            ages.append((await context.stream_info(topic.partition(":")[2])).config.max_age)

        streams(either, read_age)
        assert ages == [7 * 24 * 3600]


def test_a_work_queue_is_read_without_removing_anything(either: Platform) -> None:
    from nats.js.api import RetentionPolicy

    streams(either, lambda s: s.add_stream(name="QUEUE", subjects=["queue.>"], retention=RetentionPolicy.WORK_QUEUE))
    try:
        refused = either.arcctl("topics", "produce", "QUEUE", "x")
        assert (refused.code, "accepts the subjects queue.>, and none was given" in refused.err) == (2, True)
        either.arcctl("topics", "produce", "QUEUE", "--subject", "queue.a", given=LINES).ok()
        for _ in range(2):
            assert either.arcctl("topics", "consume", "QUEUE").ok().out == LINES
        assert _topic(either, "nats:QUEUE")["messages"] == 3
    finally:
        streams(either, lambda s: s.delete_stream("QUEUE"))


@pytest.fixture
def bare_topic(either: Platform) -> Iterator[str]:
    """A topic that is named without a namespace."""
    either.arcctl("topics", "create", "pulsar:arcctl-bare").ok()
    yield "pulsar:public/default/arcctl-bare"
    either.arcctl("topics", "delete", "pulsar:arcctl-bare", "--yes")


def test_what_is_stored_in_a_topic_without_subscriptions_stays(either: Platform, bare_topic: str) -> None:
    """The broker does at once what it does by itself after a while: close a ledger, and delete what may go."""
    admin = f"http://127.0.0.1:{either.port(8082)}/admin/v2"
    topic = f"{admin}/persistent/{bare_topic.partition(':')[2]}"
    either.arcctl("topics", "produce", bare_topic, given=LINES).ok()
    httpx.put(f"{topic}/unload").raise_for_status()
    assert eventually(lambda: either.arcctl("topics", "consume", bare_topic).out == LINES, 10)
    httpx.post(f"{topic}/trim").raise_for_status()
    time.sleep(2)  # nothing may happen in this time: there is no event to wait for
    assert either.arcctl("topics", "consume", bare_topic).ok().out == LINES
    assert httpx.get(f"{admin}/brokers/configuration/runtime").json()["brokerDeleteInactiveTopicsEnabled"] == "false"


def test_of_a_batch_with_a_message_over_the_limit_the_others_are_stored_and_that_is_said(
    either: Platform, topic: str
) -> None:
    done = either.arcctl("topics", "produce", topic, given=f"one\n{'x' * 9_000_000}\nthree\n")
    assert (done.code, ": 1 of 3 messages were not stored: " in done.err) == (1, True), done.err
    assert either.arcctl("topics", "consume", topic).ok().out == "one\nthree\n"


def test_an_unknown_topic_is_answered_with_the_nearest_name(either: Platform) -> None:
    done = either.arcctl("topics", "consume", "AGENT")
    assert done == Done(2, "", "error: there is no topic 'AGENT'\nhint: did you mean nats:AGENTS?\n")


@pytest.fixture
def flag(either: Platform) -> Iterator[str]:
    base, headers = f"http://127.0.0.1:{either.port(4242)}/api/admin", unleash_admin(either)
    made = httpx.post(f"{base}/projects/default/features", json={"name": FLAG, "type": "release"}, headers=headers)
    assert made.status_code == 201, made.text
    yield FLAG
    httpx.delete(f"{base}/projects/default/features/{FLAG}", headers=headers).raise_for_status()


def _enabled(platform: Platform, name: str) -> bool:
    """Whether a program's SDK gets the flag as enabled."""
    token = f"default:development.{platform.secrets()['UNLEASH_BACKEND_TOKEN']}"
    url = f"http://127.0.0.1:{platform.port(4242)}/api/client/features"
    features = httpx.get(url, headers={"Authorization": token}).json()["features"]
    return any(item["enabled"] for item in features if item["name"] == name)


def test_a_switched_flag_is_seen_by_programs(either: Platform, flag: str) -> None:
    for verb, seen in (("on", True), ("off", False)):
        assert f"{flag} is {verb} in development" in either.arcctl("flags", verb, flag).ok().err
        assert eventually(lambda seen=seen: _enabled(either, flag) is seen)  # type: ignore[misc]
        (listed,) = [item for item in _document(either, "flags", "list")["flags"] if item["name"] == flag]
        assert listed["environments"]["development"] is seen
    for _ in range(16):  # more than the server allows by itself in a minute
        either.arcctl("flags", "on", flag).ok()
    unknown = either.arcctl("flags", "on", "arcctl-tset")
    assert (unknown.code, f"did you mean {flag}?" in unknown.err) == (2, True)


def test_the_first_account_is_among_the_identities(either: Platform) -> None:
    found = _document(either, "identities", "list")["identities"]
    assert [i["state"] for i in found if i["traits"] == {"email": "admin@arc.localhost"}] == ["active"]
    assert "email: admin@arc.localhost" in either.arcctl("identities", "list").ok().out
