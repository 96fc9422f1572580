"""Programs connect to the services with the variables of `env`."""

from __future__ import annotations

import asyncio
import sys
import time

import httpx
import nats
import psycopg
import pytest
import redis

from arcctl.model.telemetry import otlp
from tests.e2e.driver import Platform, eventually


def _get(url: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers=headers, trust_env=False, timeout=10)


def test_a_program_connects_to_postgres_with_the_url_alone(either: Platform) -> None:
    with psycopg.connect(either.variables()["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == ("arc", "arc")


def test_a_program_connects_to_redis_with_the_url_alone(either: Platform) -> None:
    with redis.Redis.from_url(either.variables()["REDIS_URL"]) as client:
        assert client.ping()


def test_a_program_connects_to_nats_with_the_url_alone(either: Platform) -> None:
    async def talk() -> bytes:
        client = await nats.connect(either.variables()["NATS_URL"], allow_reconnect=False)
        subscription = await client.subscribe("arcctl.connect")
        await client.publish("arcctl.connect", b"hello")
        message = await subscription.next_msg(timeout=5)
        await client.close()
        return bytes(message.data)

    assert asyncio.run(talk()) == b"hello"


def test_a_span_that_is_sent_to_the_endpoint_of_the_variables_is_stored(either: Platform) -> None:
    found, trace_id = either.variables(), f"{time.time_ns():032x}"
    now = str(time.time_ns())
    span = {"traceId": trace_id, "spanId": trace_id[:16].replace("0", "1"), "name": "connect", "kind": 1}
    body = otlp("arcctl-connect", "Spans", {"spans": [{**span, "startTimeUnixNano": now, "endTimeUnixNano": now}]})
    assert found["OTEL_EXPORTER_OTLP_PROTOCOL"] == "http/protobuf"  # its endpoint takes JSON too
    sent = httpx.post(f"{found['OTEL_EXPORTER_OTLP_ENDPOINT']}/v1/traces", json=body, trust_env=False)
    assert sent.status_code == 200
    assert eventually(lambda: _get(f"{found['JAEGER_URL']}/api/v3/traces/{trace_id}").status_code == 200)


def test_an_sdk_of_unleash_reads_flags_with_its_tokens(either: Platform) -> None:
    found = either.variables()
    backend = _get(f"{found['UNLEASH_URL']}/client/features", authorization=found["UNLEASH_API_TOKEN"])
    frontend = _get(found["UNLEASH_FRONTEND_API_URL"], authorization=found["UNLEASH_FRONTEND_API_TOKEN"])
    assert (backend.status_code, frontend.status_code) == (200, 200)


def test_a_client_of_pulsar_connects_with_the_listener_that_the_variables_name(either: Platform) -> None:
    program = (
        "import os, pulsar; e = os.environ;"
        "c = pulsar.Client(e['PULSAR_SERVICE_URL'], listener_name=e['PULSAR_LISTENER_NAME'],"
        " operation_timeout_seconds=10, logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, os.devnull));"
        "c.create_producer('persistent://public/default/arcctl-connect').send(b'hello'); c.close(); print('sent')"
    )
    assert either.arcctl("run", "--", sys.executable, "-c", program).ok().out == "sent\n"


@pytest.mark.parametrize(
    ("variable", "path"),
    [
        ("KRATOS_PUBLIC_URL", "/health/alive"),
        ("KRATOS_ADMIN_URL", "/admin/health/ready"),
        ("LOKI_URL", "/ready"),
        ("PROMETHEUS_URL", "/-/ready"),
        ("JAEGER_URL", "/api/v3/services"),
        ("PULSAR_ADMIN_URL", "/admin/v2/brokers/health"),
    ],
)
def test_each_url_answers(either: Platform, variable: str, path: str) -> None:
    assert _get(f"{either.variables()[variable]}{path}").status_code == 200


def test_a_program_logs_in_to_grafana_and_infisical(stack: Platform) -> None:
    found = stack.variables()
    user, password = found["GRAFANA_AUTH"].split(":")
    grafana = httpx.get(f"{found['GRAFANA_URL']}/api/org", auth=(user, password), trust_env=False)
    login = {
        "clientId": found["INFISICAL_UNIVERSAL_AUTH_CLIENT_ID"],
        "clientSecret": found["INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"],
    }
    address = f"{found['INFISICAL_API_URL']}/v1/auth/universal-auth/login"
    infisical = httpx.post(address, json=login, trust_env=False)
    assert (grafana.status_code, infisical.status_code) == (200, 200)


def test_a_program_in_a_container_connects_by_container_names(stack: Platform) -> None:
    url = stack.variables("postgres", "--for", "container")["DATABASE_URL"]
    inside = ("exec", "--env", f"U={url}", "arc_postgres", "sh", "-c", 'psql "$U" -tAc "select current_user"')
    assert stack.docker(*inside) == "arc\n"


def test_run_gives_a_program_every_variable(either: Platform) -> None:
    program = "import os, psycopg; print(psycopg.connect().info.user, *sorted(os.environ.keys()))"
    user, *names = either.arcctl("run", "--", sys.executable, "-c", program).ok().out.split()
    assert user == "arc"
    assert set(either.variables()) <= set(names)
