"""Carries out the proofs of message brokers: NATS and Pulsar."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from arcctl.core.proof import EventLog, Messaging, Proof, Stream
from arcctl.runtime.nats_streams import connected
from arcctl.runtime.proving import HOST
from arcctl.runtime.pulsar_topics import connect
from arcctl.runtime.steps import Broken, Run, cleaned, same

if TYPE_CHECKING:
    import pulsar

STREAM, SUBJECT = "ARCCTL_VERIFY", "arcctl.verify"
TOPIC = "public/default/arcctl-verify"
REDELIVERY_SECONDS = 1
WAIT_SECONDS = 5


@functools.singledispatch
async def carry_out(proof: Proof, run: Run) -> None:
    raise TypeError(f"nothing carries out {type(proof).__name__}")


@carry_out.register
async def _messaging(proof: Messaging, run: Run) -> None:
    async with _logged_in(proof, run) as client:
        stream = client.jetstream(timeout=WAIT_SECONDS)
        async with run.step("publish and subscribe"):
            await _publish_and_subscribe(client, run)
        async with run.step("request and reply"):
            await _request_and_reply(client)
        async with cleaned(lambda: stream.delete_stream(STREAM)):
            await _stream(stream, run)


@contextlib.asynccontextmanager
async def _logged_in(proof: Messaging | Stream, run: Run) -> AsyncIterator[Any]:
    async with contextlib.AsyncExitStack() as stack:
        async with run.step("log in"):
            login = connected(run.port(proof.port), proof.user, proof.password)
            client = await stack.enter_async_context(login)
        yield client


@carry_out.register
async def _kept_stream(proof: Stream, run: Run) -> None:
    """Made on disk, without a limit of age: what is in it is the user's."""
    from nats.js.api import StorageType

    async with _logged_in(proof, run) as client:
        manager = client.jetstream(timeout=WAIT_SECONDS)
        if proof.make:
            async with run.step("make the stream"):
                await manager.add_stream(name=proof.stream, subjects=[*proof.subjects], storage=StorageType.FILE)
        async with run.step("find the stream"):
            info = await manager.stream_info(proof.stream)
            same(",".join(info.config.subjects), ",".join(proof.subjects))


async def _publish_and_subscribe(client: Any, run: Run) -> None:
    subscription = await client.subscribe(f"{SUBJECT}.plain")
    await client.publish(f"{SUBJECT}.plain", run.values["run"].encode())
    message = await subscription.next_msg(timeout=WAIT_SECONDS)
    same(message.data.decode(), run.values["run"])


async def _request_and_reply(client: Any) -> None:
    async def answer(message: Any) -> None:
        await message.respond(message.data[::-1])

    await client.subscribe(f"{SUBJECT}.ask", cb=answer)
    message = await client.request(f"{SUBJECT}.ask", b"abc", timeout=WAIT_SECONDS)
    same(message.data.decode(), "cba")


async def _stream(stream: Any, run: Run) -> None:
    """A message comes again until it is acknowledged, and then no more."""
    from nats.js.api import ConsumerConfig, StorageType

    async with run.step("create a stream on disk"):
        await stream.add_stream(name=STREAM, subjects=[f"{SUBJECT}.kept"], storage=StorageType.FILE, max_msgs=100)
    async with run.step("store a message"):
        await stream.publish(f"{SUBJECT}.kept", run.values["run"].encode())
    wanted = ConsumerConfig(ack_wait=REDELIVERY_SECONDS)
    async with run.step("deliver again what is not acknowledged"):
        consumer = await stream.pull_subscribe(f"{SUBJECT}.kept", durable="arcctl-verify", config=wanted)
        for delivery in ("1", "2"):
            (message,) = await consumer.fetch(1, timeout=WAIT_SECONDS)
            same(f"{message.data.decode()} {message.metadata.num_delivered}", f"{run.values['run']} {delivery}")
    async with run.step("stop at the acknowledgement"):
        await message.ack_sync(timeout=WAIT_SECONDS)
        left = await consumer.consumer_info()
        same(f"{left.num_pending} pending, {left.num_ack_pending} unacknowledged", "0 pending, 0 unacknowledged")


@carry_out.register
async def _event_log(proof: EventLog, run: Run) -> None:
    from arcctl.runtime.http import httpx

    admin = f"http://{HOST}:{run.port(proof.http_port)}/admin/v2"
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=admin, trust_env=False, timeout=10))

        async def clean() -> None:
            await http.delete(f"/persistent/{TOPIC}", params={"force": "true", "deleteSchema": "true"})

        await stack.enter_async_context(cleaned(clean))
        client = connect(run.port(proof.port), proof.listener)
        stack.push_async_callback(asyncio.to_thread, client.close)
        for name, work in _LOG_STEPS.items():
            async with run.step(name):
                await asyncio.to_thread(work, client, run.values["run"])
        async with run.step("read the schema back"):
            _must(await http.get(f"/schemas/{TOPIC}/schema"), '"type":"STRING"')
        async with run.step("set a policy of the topic and read it back"):
            policy = {"retentionTimeInMinutes": 7, "retentionSizeInMB": 3}
            _must(await http.post(f"/persistent/{TOPIC}/retention", json=policy))
            await _policy(http)


async def _policy(client: Any) -> None:
    """A policy is an event of its own, so it takes a moment."""
    for _ in range(50):
        answer = await client.get(f"/persistent/{TOPIC}/retention")
        if '"retentionTimeInMinutes":7' in answer.text:
            return
        await asyncio.sleep(0.1)
    raise Broken(f"the policy does not come back: HTTP {answer.status_code}: {answer.text}")


def _must(answer: Any, text: str = "") -> None:
    if answer.status_code >= 300 or text not in answer.text.replace(" ", ""):
        raise Broken(f"HTTP {answer.status_code}: {answer.text}")


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
        message = consumer.receive(WAIT_SECONDS * 1000)
        same(message.value(), f"{text}-{number}")
        consumer.acknowledge(message)


def _replay(client: pulsar.Client, text: str) -> None:
    import pulsar
    from pulsar.schema import StringSchema

    reader = client.create_reader(f"persistent://{TOPIC}", pulsar.MessageId.earliest, schema=StringSchema())
    same(reader.read_next(WAIT_SECONDS * 1000).value(), f"{text}-0")


_LOG_STEPS = {
    "produce with a schema": _produce,
    "consume and acknowledge": _consume,
    "replay from the earliest position": _replay,
}
