"""Connections to Pulsar, and its smoke test."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, Any

from arcctl.checks.clients.steps import Run, StepFailed, cleaned, expect
from arcctl.model.smoke_test import EventLog

if TYPE_CHECKING:
    import pulsar

WAIT_SECONDS = 10
RECEIVE_MS = 5000
TOPIC = "public/default/arcctl-verify"
"""A topic that only the smoke test uses."""


def connect(host: str, port: int, listener: str) -> pulsar.Client:
    """A client that connects, and blocks, when it is first used."""
    import pulsar

    return pulsar.Client(
        f"pulsar://{host}:{port}",
        listener_name=listener,
        operation_timeout_seconds=WAIT_SECONDS,
        logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, os.devnull),
    )


async def run_event_log(smoke_test: EventLog, run: Run) -> None:
    from arcctl.engines.http import httpx

    admin = f"http://{run.host}:{run.port(smoke_test.http_port)}/admin/v2"
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=admin, trust_env=False, timeout=10))

        async def clean() -> None:
            await http.delete(f"/persistent/{TOPIC}", params={"force": "true", "deleteSchema": "true"})

        await stack.enter_async_context(cleaned(clean))
        client = connect(*run.place(smoke_test.port), smoke_test.listener)
        stack.push_async_callback(asyncio.to_thread, client.close)
        for name, work in _LOG_STEPS.items():
            async with run.step(name):
                await asyncio.to_thread(work, client, run.values["run"])
        async with run.step("read the schema back"):
            _require(await http.get(f"/schemas/{TOPIC}/schema"), '"type":"STRING"')
        async with run.step("set a policy of the topic and read it back"):
            policy = {"retentionTimeInMinutes": 7, "retentionSizeInMB": 3}
            _require(await http.post(f"/persistent/{TOPIC}/retention", json=policy))
            await _read_policy(http)


async def _read_policy(client: Any) -> None:
    """A policy is stored as an event, so it takes a moment."""
    for _ in range(50):
        answer = await client.get(f"/persistent/{TOPIC}/retention")
        if '"retentionTimeInMinutes":7' in answer.text:
            return
        await asyncio.sleep(0.1)
    raise StepFailed(f"the policy cannot be read back: HTTP {answer.status_code}: {answer.text}")


def _require(answer: Any, text: str = "") -> None:
    if answer.status_code >= 300 or text not in answer.text.replace(" ", ""):
        raise StepFailed(f"HTTP {answer.status_code}: {answer.text}")


def _produce(client: pulsar.Client, text: str) -> None:
    from pulsar.schema import StringSchema

    producer = client.create_producer(f"persistent://{TOPIC}", schema=StringSchema())
    for number in range(3):
        producer.send(f"{text}-{number}")


def _consume(client: pulsar.Client, text: str) -> None:
    import pulsar
    from pulsar.schema import StringSchema

    consumer = client.subscribe(
        f"persistent://{TOPIC}",
        "arcctl-verify",
        schema=StringSchema(),
        initial_position=pulsar.InitialPosition.Earliest,
    )
    for number in range(3):
        message = consumer.receive(RECEIVE_MS)
        expect(message.value(), f"{text}-{number}")
        consumer.acknowledge(message)


def _replay(client: pulsar.Client, text: str) -> None:
    import pulsar
    from pulsar.schema import StringSchema

    reader = client.create_reader(f"persistent://{TOPIC}", pulsar.MessageId.earliest, schema=StringSchema())
    expect(reader.read_next(RECEIVE_MS).value(), f"{text}-0")


_LOG_STEPS = {
    "produce with a schema": _produce,
    "consume and acknowledge": _consume,
    "replay from the earliest position": _replay,
}
