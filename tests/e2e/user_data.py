"""Data of a user in each service, written and read through the interface of the server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pulsar

from tests.e2e.clients import nats_client, redis_client, sql, superuser, unleash_admin
from tests.e2e.driver import Platform, eventually

TRACE = "0af7651916cd43dd8448eb211c80319c"
SINCE = int(time.time()) - 60


def _url(platform: Platform, port: int, path: str) -> str:
    return f"http://127.0.0.1:{platform.port(port)}{path}"


def _ask(method: str, url: str, **how: Any) -> Any:
    answer = httpx.request(method, url, trust_env=False, timeout=10, **how)
    assert answer.status_code < 300, f"{url}: {answer.status_code}: {answer.text}"
    return answer.json() if answer.text.startswith(("{", "[")) else answer.text


def _write_postgres(platform: Platform) -> None:
    with sql(platform) as arc:
        arc.execute("CREATE TABLE memories (id serial PRIMARY KEY, text text, v vector(3))")
        arc.execute("CREATE INDEX ON memories USING hnsw (v vector_l2_ops)")
        arc.execute(
            "INSERT INTO memories (text, v) SELECT 'memory ' || n, ARRAY[n, 1, 0] FROM generate_series(1, 500) n"
        )
    with superuser(platform) as admin:
        admin.execute("CREATE ROLE analyst LOGIN PASSWORD 'a-password-of-the-user'")
        admin.execute('CREATE DATABASE "Odd name" OWNER analyst')
        admin.execute('ALTER DATABASE "Odd name" SET search_path TO mine, public')
        admin.execute('REVOKE CONNECT ON DATABASE "Odd name" FROM PUBLIC')
        for statement in _PROPERTIES:
            admin.execute(statement)
    with superuser(platform, "Odd name") as odd:
        odd.execute("CREATE SCHEMA mine AUTHORIZATION analyst")
        odd.execute("CREATE TABLE mine.notes AS SELECT n, md5(n::text) AS note FROM generate_series(1, 100) n")
        odd.execute("ALTER TABLE mine.notes OWNER TO analyst")


_PROPERTIES = (
    'ALTER DATABASE "Odd name" CONNECTION LIMIT 7',
    "ALTER DATABASE \"Odd name\" SET \"shop.motto\" TO 'it''s = 1'",
    "ALTER ROLE analyst IN DATABASE \"Odd name\" SET statement_timeout TO '9s'",
    "ALTER ROLE ALL SET idle_in_transaction_session_timeout TO '1h'",
    'COMMENT ON DATABASE "Odd name" IS \'two\n-- {"lines": "\\of"}; it\'\'s mine\'',
    "CREATE ROLE readers NOLOGIN",
    "GRANT readers TO analyst WITH ADMIN OPTION",
    "COMMENT ON ROLE analyst IS 'reads'",
    "ALTER ROLE arc CONNECTION LIMIT 150",
    'GRANT TEMPORARY, CONNECT ON DATABASE "Odd name" TO readers WITH GRANT OPTION',
    "SET SESSION AUTHORIZATION readers",
    'GRANT CONNECT ON DATABASE "Odd name" TO arc',
    "RESET SESSION AUTHORIZATION",
    'REVOKE CREATE ON DATABASE "Odd name" FROM analyst',
    "CREATE DATABASE plain TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C' IS_TEMPLATE true",
    "COMMENT ON DATABASE arc IS 'of the agents'",
)
_CATALOGUES = (
    """SELECT to_jsonb(d) - '{oid,datdba,datfrozenxid,datminmxid}'::text[], pg_get_userbyid(datdba), datacl::text,
              shobj_description(oid, 'pg_database')
         FROM pg_database d WHERE datname NOT LIKE 'arcctl%' ORDER BY datname""",
    """SELECT to_jsonb(r) - 'oid', shobj_description(oid, 'pg_authid') FROM pg_roles r ORDER BY rolname""",
    """SELECT roleid::regrole::text, member::regrole::text, grantor::regrole::text,
              to_jsonb(m) - '{oid,roleid,member,grantor}'::text[] FROM pg_auth_members m ORDER BY 1, 2, 3""",
    """SELECT datname, setrole::regrole::text, setconfig FROM pg_db_role_setting
         LEFT JOIN pg_database d ON d.oid = setdatabase
         WHERE coalesce(datname, '') NOT LIKE 'arcctl%' ORDER BY 1, 2""",
)
"""What a server knows of its databases, roles, memberships and settings, but for what it numbers itself."""


def _read_postgres(platform: Platform) -> Any:
    with sql(platform) as arc, superuser(platform) as admin, superuser(platform, "Odd name") as odd:
        return (
            arc.execute("SELECT id, text, v::text FROM memories ORDER BY id").fetchall(),
            arc.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'memories' ORDER BY 1").fetchall(),
            arc.execute("SELECT nextval('memories_id_seq') > 500").fetchall(),
            *(admin.execute(catalogue).fetchall() for catalogue in _CATALOGUES),
            odd.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'notes'").fetchall(),
            odd.execute("SELECT * FROM notes ORDER BY n").fetchall(),
        )


def _write_redis(platform: Platform) -> None:
    with redis_client(platform) as client:
        client.set("name", "value")
        client.set("leaves later", "soon", ex=86_400)
        client.rpush("queue", *range(100))
        client.hset("person", mapping={"name": "Ada", "age": 36})
        client.xadd("events", {"n": "1"}, id="1-1")


def _read_redis(platform: Platform) -> Any:
    with redis_client(platform) as client:
        lasts = 80_000 < client.ttl("leaves later") <= 86_400
        return (
            client.get("name"),
            lasts,
            client.lrange("queue", 0, -1),
            client.hgetall("person"),
            client.xrange("events"),
        )


def _write_nats(platform: Platform) -> None:
    async def work() -> None:
        async with nats_client(platform) as client:
            stream = client.jetstream()
            for number in range(50):
                await stream.publish("agents.kept", f"message {number}".encode(), headers={"n": str(number)})
            reader = await stream.pull_subscribe("agents.kept", durable="reader")
            for message in await reader.fetch(20, timeout=5):
                await message.ack_sync()

    asyncio.run(work())


def _read_nats(platform: Platform) -> Any:
    async def work() -> Any:
        async with nats_client(platform) as client:
            stream = client.jetstream()
            found = [await stream.get_msg("AGENTS", number) for number in range(1, 51)]
            info = await stream.consumer_info("AGENTS", "reader")
        return [(m.subject, m.seq, m.data, m.headers) for m in found], info.ack_floor.stream_seq, info.num_pending

    return asyncio.run(work())


TOPIC = "persistent://arc/agents/kept"


def _pulsar(platform: Platform) -> Any:
    return pulsar.Client(
        f"pulsar://127.0.0.1:{platform.port(6650)}",
        listener_name="external",
        operation_timeout_seconds=30,
        logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null"),
    )


def _write_pulsar(platform: Platform) -> None:
    client = _pulsar(platform)
    reader = client.subscribe(TOPIC, "reader", initial_position=pulsar.InitialPosition.Earliest)
    producer = client.create_producer(TOPIC)
    for number in range(50):
        producer.send(f"message {number}".encode(), properties={"n": str(number)})
    for _ in range(20):
        reader.acknowledge(reader.receive(10_000))
    client.close()


def _read_pulsar(platform: Platform) -> Any:
    client = _pulsar(platform)
    reader = client.create_reader(TOPIC, pulsar.MessageId.earliest)
    found = [reader.read_next(30_000) for _ in range(50)]
    messages = [(m.data(), m.properties()) for m in found]
    client.close()
    stats = _ask("GET", _url(platform, 8082, "/admin/v2/persistent/arc/agents/kept/stats"))
    return messages, stats["subscriptions"]["reader"]["msgBacklog"]


def _write_loki(platform: Platform) -> None:
    lines = [[str((SINCE + number) * 10**9), f"line {number}"] for number in range(20)]
    body = {"streams": [{"stream": {"app": "kept"}, "values": lines}]}
    _ask("POST", _url(platform, 3100, "/loki/api/v1/push"), json=body)


def _read_loki(platform: Platform) -> Any:
    query = {"query": '{app="kept"}', "start": SINCE * 10**9, "end": (SINCE + 60) * 10**9, "limit": 100}

    def found() -> Any:
        return _ask("GET", _url(platform, 3100, "/loki/api/v1/query_range"), params=query)["data"]["result"]

    return [one["values"] for one in eventually(found)]


def _write_prometheus(platform: Platform) -> None:
    points = [{"timeUnixNano": str((SINCE + number) * 10**9), "asDouble": number * 1.5} for number in range(0, 60, 10)]
    metric = {"name": "kept", "gauge": {"dataPoints": points}}
    body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
    _ask("POST", _url(platform, 9090, "/api/v1/otlp/v1/metrics"), json=body)


def _read_prometheus(platform: Platform) -> Any:
    query = {"query": "kept[5m]", "time": SINCE + 60}
    return _ask("GET", _url(platform, 9090, "/api/v1/query"), params=query)["data"]["result"]


def _write_jaeger(platform: Platform) -> None:
    """Through the collector: Jaeger publishes no port for OTLP."""
    span = {"traceId": TRACE, "spanId": "b7ad6b7169203331", "name": "kept", "kind": 1}
    span |= {"startTimeUnixNano": str(SINCE * 10**9), "endTimeUnixNano": str((SINCE + 1) * 10**9)}
    attributes = [{"key": "service.name", "value": {"stringValue": "kept"}}]
    body = {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [{"spans": [span]}]}]}
    _ask("POST", _url(platform, 4318, "/v1/traces"), json=body)
    eventually(lambda: _read_jaeger(platform))


def _read_jaeger(platform: Platform) -> Any:
    answer = httpx.get(_url(platform, 16686, f"/api/v3/traces/{TRACE}"), trust_env=False, timeout=10)
    return json.dumps(answer.json(), sort_keys=True) if answer.status_code == 200 else ""


def _write_unleash(platform: Platform) -> None:
    body = {"name": "kept", "type": "release", "description": "a flag"}
    url = _url(platform, 4242, "/api/admin/projects/default/features")
    _ask("POST", url, json=body, headers=unleash_admin(platform))


def _read_unleash(platform: Platform) -> Any:
    url = _url(platform, 4242, "/api/admin/projects/default/features/kept")
    found = _ask("GET", url, headers=unleash_admin(platform))
    return found["name"], found["description"], found["createdAt"]


def _write_kratos(platform: Platform) -> None:
    body = {"schema_id": "person", "traits": {"email": "kept@arc.localhost"}}
    _ask("POST", _url(platform, 4434, "/admin/identities"), json=body)


def _read_kratos(platform: Platform) -> Any:
    people = _ask("GET", _url(platform, 4434, "/admin/identities"))
    return sorted((p["id"], p["traits"]["email"]) for p in people)


@dataclass(frozen=True)
class UserData:
    write: Callable[[Platform], None]
    read: Callable[[Platform], Any]
    """Returns the same value as long as the data is the same."""


USER_DATA = {
    "postgres": UserData(_write_postgres, _read_postgres),
    "redis": UserData(_write_redis, _read_redis),
    "nats": UserData(_write_nats, _read_nats),
    "pulsar": UserData(_write_pulsar, _read_pulsar),
    "loki": UserData(_write_loki, _read_loki),
    "prometheus": UserData(_write_prometheus, _read_prometheus),
    "jaeger": UserData(_write_jaeger, _read_jaeger),
    "unleash": UserData(_write_unleash, _read_unleash),
    "kratos": UserData(_write_kratos, _read_kratos),
}
"""By service. Unleash and Kratos store theirs in Postgres."""
