"""Connections to NATS, and its smoke tests."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from arcctl.checks.clients.steps import Run, StepFailed, cleaned, expect
from arcctl.model.smoke_test import Messaging, StoredMessages, Stream

WAIT_SECONDS = 10
REDELIVERY_SECONDS = 1
MOST_DELETED = 10_000
"""Deleted messages of a stream up to which the server is asked for all of them, which is how it tells what it lost."""
STREAM, SUBJECT = "ARCCTL_VERIFY", "arcctl.verify"
"""Names that only smoke tests use."""


@contextlib.asynccontextmanager
async def connected(host: str, port: int, user: str, password: str) -> AsyncIterator[Any]:
    """A client that is logged in and raises every error to its caller."""
    import nats

    async def ignore(error: Exception) -> None:
        """The client raises errors too."""
        del error

    client = await nats.connect(
        f"nats://{host}:{port}",
        user=user,
        password=password,
        error_cb=ignore,
        allow_reconnect=False,
        max_reconnect_attempts=1,  # 0 means no limit
        reconnect_time_wait=1,
        connect_timeout=WAIT_SECONDS,
    )
    try:
        yield client
    finally:
        await client.close()


async def run_messaging(smoke_test: Messaging, run: Run) -> None:
    async with _logged_in(smoke_test, run) as client:
        stream = client.jetstream(timeout=WAIT_SECONDS)
        async with run.step("publish and subscribe"):
            await _publish_and_subscribe(client, run)
        async with run.step("request and reply"):
            await _request_and_reply(client)
        async with cleaned(lambda: stream.delete_stream(STREAM)):
            await _redelivery(stream, run)


@contextlib.asynccontextmanager
async def _logged_in(smoke_test: Messaging | Stream | StoredMessages, run: Run) -> AsyncIterator[Any]:
    async with contextlib.AsyncExitStack() as stack:
        async with run.step("log in"):
            login = connected(*run.place(smoke_test.port), smoke_test.user, smoke_test.password)
            client = await stack.enter_async_context(login)
        yield client


async def run_stream(smoke_test: Stream, run: Run) -> None:
    """Created on disk, without a limit of age: its messages are the user's."""
    from nats.js.api import StorageType

    async with _logged_in(smoke_test, run) as client:
        manager = client.jetstream(timeout=WAIT_SECONDS)
        if smoke_test.make:
            async with run.step("create the stream"):
                await manager.add_stream(
                    name=smoke_test.stream, subjects=[*smoke_test.subjects], storage=StorageType.FILE
                )
        async with run.step("find the stream"):
            info = await manager.stream_info(smoke_test.stream)
            expect(",".join(info.config.subjects), ",".join(smoke_test.subjects))


async def run_stored_messages(smoke_test: StoredMessages, run: Run) -> None:
    """Only its last step tells a loss."""
    async with _logged_in(smoke_test, run) as client:
        async with run.step("read all streams"):
            lost = [words async for words in _losses(client, smoke_test.samples)]
        async with run.step("have the messages of all streams"):
            if lost:
                raise StepFailed("; ".join(lost))


async def _losses(client: Any, samples: int) -> AsyncIterator[str]:
    """What each stream lost."""
    offset, total = 0, 1
    while offset < total:
        page = await _api(client, "STREAM.LIST", offset=offset)
        streams, total = page.get("streams") or [], page["total"]
        for stream in streams:
            if words := await _loss(client, stream["config"]["name"], samples):
                yield words
        offset += len(streams) or total


async def _loss(client: Any, name: str, samples: int) -> str:
    """Empty where nothing is missing."""
    if (await _state(client, name)).get("num_deleted", 0) > MOST_DELETED:
        return ""
    state = await _state(client, name, deleted_details=True)
    if lost := state.get("lost"):
        amount = f"{len(lost['msgs'])} messages" if lost["msgs"] else f"{lost['bytes']} bytes of messages"
        return f"stream {name} lost {amount}: a file of it is damaged"
    for number in sample(state, samples):
        answer = await _api(client, f"STREAM.MSG.GET.{name}", seq=number)
        if "error" in answer and await _still_there(client, name, number):
            return f"stream {name} cannot read message {number}: {answer['error']['description']}"
    return ""


async def _still_there(client: Any, name: str, number: int) -> bool:
    """Whether a stream says that it has a message: it may have ended since."""
    state = await _state(client, name, deleted_details=True)
    return state["first_seq"] <= number <= state["last_seq"] and number not in state.get("deleted", ())


async def _state(client: Any, name: str, **request: Any) -> Mapping[str, Any]:
    """That of no messages where the stream was deleted meanwhile."""
    nothing = {"messages": 0, "first_seq": 1, "last_seq": 0}
    state: Mapping[str, Any] = (await _api(client, f"STREAM.INFO.{name}", **request)).get("state", nothing)
    return state


def sample(state: Mapping[str, Any], most: int) -> list[int]:
    """Numbers of messages that a stream has, the first among them, spread over all of it."""
    deleted, first, last = set(state.get("deleted") or ()), state["first_seq"], state["last_seq"]
    if not state["messages"] or not most:
        return []
    picked = range(first, last + 1, max(1, (last - first + 1) // most))
    there = (next((n for n in range(start, last + 1) if n not in deleted), None) for start in picked[:most])
    return sorted({number for number in there if number is not None})


async def _api(client: Any, subject: str, **request: Any) -> dict[str, Any]:
    """An answer of the JetStream API, also where it is an error."""
    answer = await client.request(f"$JS.API.{subject}", json.dumps(request).encode(), timeout=WAIT_SECONDS)
    found: dict[str, Any] = json.loads(answer.data)
    return found


async def _publish_and_subscribe(client: Any, run: Run) -> None:
    subscription = await client.subscribe(f"{SUBJECT}.plain")
    await client.publish(f"{SUBJECT}.plain", run.values["run"].encode())
    message = await subscription.next_msg(timeout=WAIT_SECONDS)
    expect(message.data.decode(), run.values["run"])


async def _request_and_reply(client: Any) -> None:
    async def answer(message: Any) -> None:
        await message.respond(message.data[::-1])

    await client.subscribe(f"{SUBJECT}.ask", cb=answer)
    message = await client.request(f"{SUBJECT}.ask", b"abc", timeout=WAIT_SECONDS)
    expect(message.data.decode(), "cba")


async def _redelivery(stream: Any, run: Run) -> None:
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
            expect(f"{message.data.decode()} {message.metadata.num_delivered}", f"{run.values['run']} {delivery}")
    async with run.step("stop at the acknowledgement"):
        await message.ack_sync(timeout=WAIT_SECONDS)
        left = await consumer.consumer_info()
        expect(f"{left.num_pending} pending, {left.num_ack_pending} unacknowledged", "0 pending, 0 unacknowledged")
