"""A session with NATS: its client works in a thread of its own, so that messages come while a person types."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from arcctl.core.connect import NatsPrompt
from arcctl.core.local import LOOPBACK
from arcctl.errors import CommandRefused, UnhealthyError

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

SECONDS = 5.0
LAST = 10
"""Messages of a stream that are shown."""
T = TypeVar("T")


class NatsSession:
    """Publish, subscribe, request and reply, and a look into streams."""

    def __init__(self, prompt: NatsPrompt, port: int, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._listening = False
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._client = self._wait(_connected(prompt, port))
        except Exception as error:  # the client raises what its server and the system say, as they come
            self._end()
            raise UnhealthyError(f"no login at port {port}: {error}", hint="arcctl health") from None

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def do(self, words: Sequence[str]) -> Iterator[str]:
        name, rest = words[0].lower(), list(words[1:])
        if name == "help":
            yield from (f"{verb.usage:<26}{verb.meaning}" for verb in VERBS.values())
            return
        verb = VERBS.get(name)
        if verb is None:
            raise CommandRefused(f"no command {name!r}", hint="help")
        if not verb.least <= len(rest) <= verb.most:
            raise CommandRefused(f"usage: {verb.usage}", hint="help")
        yield from self._wait(self._carry_out(verb, rest))

    async def _carry_out(self, verb: Verb, words: list[str]) -> list[str]:
        import nats.errors

        try:
            return await verb.work(self, words)
        except (nats.errors.Error, ValueError) as error:
            told = getattr(error, "description", "") or str(error).removeprefix("nats: ")
            raise CommandRefused(told) from None

    async def publish(self, words: list[str]) -> list[str]:
        await self._client.publish(words[0], " ".join(words[1:]).encode())
        await self._client.flush()
        return []

    async def subscribe(self, words: list[str]) -> list[str]:
        async def show(message: Msg) -> None:
            self._tell(f"{message.subject}: {_text(message.data)}")

        return await self._subscribe(words[0], show)

    async def reply(self, words: list[str]) -> list[str]:
        async def answer(message: Msg) -> None:
            if message.reply:
                await message.respond(" ".join(words[1:]).encode())

        return await self._subscribe(words[0], answer)

    async def _subscribe(self, subject: str, work: Callable[[Msg], Awaitable[None]]) -> list[str]:
        await self._client.subscribe(subject, cb=work)
        await self._client.flush()
        self._listening = True
        return []

    async def request(self, words: list[str]) -> list[str]:
        message = await self._client.request(words[0], " ".join(words[1:]).encode(), timeout=SECONDS)
        return [_text(message.data)]

    async def streams(self, words: list[str]) -> list[str]:
        found = await self._client.jetstream(timeout=SECONDS).streams_info()
        return [
            f"{info.config.name}: {', '.join(info.config.subjects or ())},"
            f" {info.state.messages} messages, {info.state.bytes} bytes"
            for info in found
        ]

    async def read(self, words: list[str]) -> list[str]:
        count, stream = int(words[1]) if len(words) > 1 else LAST, self._client.jetstream(timeout=SECONDS)
        state = (await stream.stream_info(words[0])).state
        found: list[str] = []
        for number in range(state.last_seq, max(state.first_seq, 1) - 1, -1):
            if len(found) == count:
                break
            found += await _kept(stream, words[0], number)
        return found[::-1]

    def listen(self) -> None:
        if self._listening:
            Event().wait()

    def close(self) -> None:
        """Messages that the server has sent are shown first."""
        self._wait(self._client.drain())
        self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass(frozen=True)
class Verb:
    usage: str
    meaning: str
    least: int
    """So many words follow at least, and `most` at the most."""
    most: int
    work: Callable[[NatsSession, list[str]], Awaitable[list[str]]]


MANY = 10_000
VERBS = {
    "publish": Verb("publish SUBJECT TEXT", "send a message", 1, MANY, NatsSession.publish),
    "subscribe": Verb("subscribe SUBJECT", "show messages as they come", 1, 1, NatsSession.subscribe),
    "request": Verb("request SUBJECT TEXT", "send a message, show its answer", 1, MANY, NatsSession.request),
    "reply": Verb("reply SUBJECT TEXT", "answer every request with this text", 1, MANY, NatsSession.reply),
    "streams": Verb("streams", "what is kept", 0, 0, NatsSession.streams),
    "read": Verb("read STREAM [COUNT]", f"its last messages, {LAST} or COUNT", 1, 2, NatsSession.read),
}


async def _connected(prompt: NatsPrompt, port: int) -> Client:
    import nats

    async def ignore(error: Exception) -> None:
        """The client tells errors to the caller too."""
        del error

    return await nats.connect(
        f"nats://{LOOPBACK}:{port}",
        user=prompt.user,
        password=prompt.password,
        error_cb=ignore,
        allow_reconnect=False,
        max_reconnect_attempts=1,  # 0 would stand for no end
        reconnect_time_wait=1,
        connect_timeout=int(SECONDS),
    )


async def _kept(stream: JetStreamContext, name: str, number: int) -> list[str]:
    """A message of a stream, nothing where it was deleted."""
    from nats.js.errors import NotFoundError

    with contextlib.suppress(NotFoundError):
        message = await stream.get_msg(name, number)
        return [f"{number} {message.subject}: {_text(message.data or b'')}"]
    return []


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
