"""Streams of a NATS server, over nats-py."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arcctl.checks.clients.nats import WAIT_SECONDS, connected
from arcctl.checks.clients.steps import short
from arcctl.data.report import NewTopic, Topic
from arcctl.errors import UnhealthyError
from arcctl.model.data_store import Streams
from arcctl.model.names import LOOPBACK

if TYPE_CHECKING:
    from nats.js import JetStreamContext

PAUSE = 0.2
"""Seconds between two attempts to read a message that does not exist yet."""
PAGE = 256
"""Streams in one response of the server."""


@dataclass(frozen=True)
class LoopbackStreams:
    """Connects to a published port."""

    service: str
    store: Streams
    port: int
    host: str = LOOPBACK

    @contextlib.asynccontextmanager
    async def _manager(self) -> AsyncIterator[JetStreamContext]:
        with self._translated():
            async with connected(self.host, self.port, self.store.user, self.store.password) as client:
                yield client.jetstream(timeout=WAIT_SECONDS)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Raises UnhealthyError with the message of the server."""
        import nats.errors
        from nats.js.errors import APIError

        try:
            yield
        except APIError as error:  # the server runs and refused the request
            raise UnhealthyError(f"{self.service}: {error.description}", hint="arcctl topics list") from None
        except (nats.errors.Error, OSError) as error:
            raise UnhealthyError(f"{self.service}: {_words(error)}", hint=f"arcctl health {self.service}") from None

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
            service=self.service,
            name=info.config.name,
            messages=info.state.messages,
            bytes=info.state.bytes,
            readers=info.state.consumer_count,
            subjects=tuple(info.config.subjects or ()),
        )

    async def create(self, topic: NewTopic) -> None:
        """Stored on disk. Without subjects the stream stores the subject that has its name."""
        from nats.js.api import StorageType

        subjects, age = topic.subjects or (topic.name,), topic.minutes * 60
        async with self._manager() as manager:
            await manager.add_stream(
                name=topic.name, subjects=[*subjects], storage=StorageType.FILE, max_age=age or None
            )

    async def delete(self, name: str) -> None:
        async with self._manager() as manager:
            await manager.delete_stream(name)

    async def produce(self, name: str, messages: AsyncIterator[bytes], subject: str) -> int:
        """One after the other: each is stored before the next is sent. Those that are too long are left out."""
        import nats.errors
        from nats.js.errors import APIError

        count, too_long = 0, list[str]()
        async with self._manager() as manager:
            async for message in messages:
                count += 1
                try:
                    await manager.publish(subject, message, stream=name)
                except nats.errors.MaxPayloadError as error:
                    too_long.append(f"{_words(error)} (message {count} has {len(message):,} bytes)")
                except (nats.errors.Error, APIError, OSError) as error:
                    stored = count - 1 - len(too_long)
                    text = (
                        f"{self.service}: {stored} messages were stored, then message {count} was not: {_words(error)}"
                    )
                    raise UnhealthyError(text, hint=f"arcctl health {self.service}") from None
        if too_long:
            raise UnhealthyError(
                f"{self.service}: {len(too_long)} of {count} messages were not stored: {too_long[0]}",
                hint="send shorter ones; the others are stored",
            )
        return count

    async def consume(self, name: str, *, new: bool, follow: bool) -> AsyncGenerator[bytes]:
        """By sequence number: a consumer would remove messages from a work queue."""
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


def _words(error: Exception) -> str:
    return short(getattr(error, "description", "") or str(error) or type(error).__name__)
