"""A session with NATS. Its client runs in a thread, so that messages arrive while a person types."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from arcctl.checks.clients.nats import WAIT_SECONDS, connected
from arcctl.errors import CommandRefused, UnhealthyError
from arcctl.model.connection import NatsInteractiveClient
from arcctl.settings.files import UNDECODED

if TYPE_CHECKING:
    from nats.aio.msg import Msg

LAST = 10
"""How many messages of a stream `read` shows."""
T = TypeVar("T")


class NatsSession:
    """Publish, subscribe, request, reply, and read streams."""

    def __init__(self, login: NatsInteractiveClient, host: str, port: int, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._listening = False
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._stack = AsyncExitStack()
        try:
            login_made = connected(host, port, login.user, login.password)
            self._client = self._wait(self._stack.enter_async_context(login_made))
        except Exception as error:  # the client lets errors of the server and the system through as they are
            self._end()
            raise UnhealthyError(f"cannot log in on port {port}: {error}", hint="arcctl health") from None
        self._streams = self._client.jetstream(timeout=WAIT_SECONDS)

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
            raise CommandRefused(f"there is no command {name!r}", hint="help")
        if not verb.least <= len(rest) <= verb.most:
            raise CommandRefused(f"usage: {verb.usage}", hint="help")
        yield from self._wait(self._execute(verb, rest))

    async def _execute(self, verb: Verb, words: list[str]) -> list[str]:
        import nats.errors

        try:
            return await verb.work(self, words)
        except (nats.errors.Error, ValueError) as error:
            reason = getattr(error, "description", "") or str(error).removeprefix("nats: ")
            raise CommandRefused(reason) from None

    async def publish(self, words: list[str]) -> list[str]:
        await self._client.publish(words[0], " ".join(words[1:]).encode(errors=UNDECODED))
        await self._client.flush()
        return []

    async def subscribe(self, words: list[str]) -> list[str]:
        async def show(message: Msg) -> None:
            self._tell(f"{message.subject}: {_text(message.data)}")

        return await self._subscribe(words[0], show)

    async def reply(self, words: list[str]) -> list[str]:
        async def answer(message: Msg) -> None:
            if message.reply:
                await message.respond(" ".join(words[1:]).encode(errors=UNDECODED))

        return await self._subscribe(words[0], answer)

    async def _subscribe(self, subject: str, work: Callable[[Msg], Awaitable[None]]) -> list[str]:
        await self._client.subscribe(subject, cb=work)
        await self._client.flush()
        self._listening = True
        return []

    async def request(self, words: list[str]) -> list[str]:
        message = await self._client.request(
            words[0], " ".join(words[1:]).encode(errors=UNDECODED), timeout=WAIT_SECONDS
        )
        return [_text(message.data)]

    async def streams(self, words: list[str]) -> list[str]:
        return [
            f"{info.config.name}: {', '.join(info.config.subjects or ())},"
            f" {info.state.messages} messages, {info.state.bytes} bytes"
            for info in await self._streams.streams_info()
        ]

    async def read(self, words: list[str]) -> list[str]:
        from nats.js.errors import NotFoundError

        stream, count = words[0], int(words[1]) if len(words) > 1 else LAST
        state = (await self._streams.stream_info(stream)).state
        found: list[str] = []
        number = state.last_seq
        while number >= max(state.first_seq, 1) and len(found) < count:
            with suppress(NotFoundError):  # deleted
                message = await self._streams.get_msg(stream, number)
                found.append(f"{number} {message.subject}: {_text(message.data or b'')}")
            number -= 1
        return found[::-1]

    def listen(self) -> None:
        if self._listening:
            Event().wait()

    def close(self) -> None:
        """Shows first the messages that have arrived."""
        self._wait(self._client.drain())
        self._wait(self._stack.aclose())
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
    """Arguments: at least `least`, at most `most`."""
    most: int
    work: Callable[[NatsSession, list[str]], Awaitable[list[str]]]


MANY = 10_000
VERBS = {
    "publish": Verb("publish SUBJECT TEXT", "send a message", 1, MANY, NatsSession.publish),
    "subscribe": Verb("subscribe SUBJECT", "show messages as they arrive", 1, 1, NatsSession.subscribe),
    "request": Verb("request SUBJECT TEXT", "send a message, show the reply", 1, MANY, NatsSession.request),
    "reply": Verb("reply SUBJECT TEXT", "reply to every request with this text", 1, MANY, NatsSession.reply),
    "streams": Verb("streams", "list the streams", 0, 0, NatsSession.streams),
    "read": Verb("read STREAM [COUNT]", f"show its last {LAST} or COUNT messages", 1, 2, NatsSession.read),
}


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
