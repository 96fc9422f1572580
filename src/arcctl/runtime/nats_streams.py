"""The client for streams of a NATS server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from arcctl.core.contents import Streams, Topic, Wanted
from arcctl.core.local import LOOPBACK
from arcctl.errors import UnhealthyError
from arcctl.runtime.steps import short

if TYPE_CHECKING:
    from nats.js import JetStreamContext

WAIT_SECONDS = 5
PAUSE = 0.2
"""Seconds between two looks for a message that has not come yet."""
PAGE = 256
"""Streams in one answer of the server."""


@contextlib.asynccontextmanager
async def connected(port: int, user: str, password: str) -> AsyncIterator[Any]:
    """A client that is logged in, and says every error to who asked."""
    import nats

    async def ignore(error: Exception) -> None:
        """The client tells errors to the caller too."""
        del error

    client = await nats.connect(
        f"nats://{LOOPBACK}:{port}",
        user=user,
        password=password,
        error_cb=ignore,
        allow_reconnect=False,
        connect_timeout=WAIT_SECONDS,
    )
    try:
        yield client
    finally:
        await client.close()


class LoopbackStreams:
    """Speaks to a server at a published loopback port."""

    def __init__(self, service: str, held: Streams, port: int) -> None:
        self._service = service
        self._held = held
        self._port = port

    @contextlib.asynccontextmanager
    async def _manager(self) -> AsyncIterator[JetStreamContext]:
        with self._translated():
            async with connected(self._port, self._held.user, self._held.password) as client:
                yield client.jetstream(timeout=WAIT_SECONDS)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Raises UnhealthyError in the server's own words."""
        import nats.errors
        from nats.js.errors import APIError

        try:
            yield
        except APIError as error:  # it answers, and says no
            raise UnhealthyError(f"{self._service}: {error.description}", hint="arcctl topics list") from None
        except (nats.errors.Error, OSError) as error:
            words = short(str(error) or type(error).__name__)
            raise UnhealthyError(f"{self._service}: {words}", hint=f"arcctl health {self._service}") from None

    async def topics(self) -> tuple[Topic, ...]:
        found: list[Topic] = []
        async with self._manager() as manager:
            while page := await manager.streams_info(offset=len(found)):
                found += [self._topic(info) for info in page]
                if len(page) < PAGE:
                    break
        return tuple(sorted(found, key=lambda topic: topic.name))

    def _topic(self, info: Any) -> Topic:
        return Topic(
            service=self._service,
            name=info.config.name,
            messages=info.state.messages,
            bytes=info.state.bytes,
            readers=info.state.consumer_count,
            subjects=tuple(info.config.subjects or ()),
        )

    async def create(self, wanted: Wanted) -> None:
        """On disk; without subjects it keeps the one that is named as it is."""
        from nats.js.api import StorageType

        subjects, age = wanted.subjects or (wanted.name,), wanted.minutes * 60
        async with self._manager() as manager:
            await manager.add_stream(
                name=wanted.name, subjects=[*subjects], storage=StorageType.FILE, max_age=age or None
            )

    async def delete(self, name: str) -> None:
        async with self._manager() as manager:
            await manager.delete_stream(name)

    async def produce(self, name: str, messages: AsyncIterator[bytes], subject: str) -> int:
        """One after the other: each is stored when the next is sent."""
        count = 0
        async with self._manager() as manager:
            async for message in messages:
                await manager.publish(subject, message, stream=name)
                count += 1
        return count

    async def consume(self, name: str, *, new: bool, follow: bool) -> AsyncGenerator[bytes]:
        """Message by message, by its number: a consumer would take messages out of a work queue."""
        from nats.js.errors import NotFoundError

        async with self._manager() as manager:
            state = (await manager.stream_info(name)).state
            number = state.last_seq + 1 if new else max(state.first_seq, 1)
            while follow or number <= state.last_seq:
                try:
                    message = await manager.get_msg(name, seq=number, subject=">", next=True)
                except NotFoundError:
                    if not follow:
                        return
                    await asyncio.sleep(PAUSE)
                    continue
                number = (message.seq or number) + 1
                yield message.data or b""
