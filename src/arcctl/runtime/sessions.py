"""Sessions of arcctl's own prompts, over the typed client libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, assert_never

from arcctl.core.connect import NatsPrompt, Prompt, RedisPrompt
from arcctl.core.local import LOOPBACK
from arcctl.core.ports import Session
from arcctl.errors import CommandRefused, UnhealthyError

SECONDS = 5.0


def begin(prompt: Prompt, port: int, tell: Callable[[str], None]) -> Session:
    """Log in; `tell` is called with what comes without being asked for. Raises UnhealthyError."""
    match prompt:
        case RedisPrompt():
            return RedisSession(prompt, port)
        case NatsPrompt():
            from arcctl.runtime.nats_session import NatsSession

            return NatsSession(prompt, port, tell)
        case never:
            assert_never(never)


_STREAMING = {"subscribe", "psubscribe", "ssubscribe", "monitor", "sync", "psync"}


class RedisSession:
    """Any command of the protocol that has one answer."""

    def __init__(self, prompt: RedisPrompt, port: int) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._client: Any = redis.Redis(
            host=LOOPBACK,
            port=port,
            username=prompt.user,
            password=prompt.password,
            decode_responses=True,
            encoding_errors="replace",
            protocol=2,
            socket_connect_timeout=SECONDS,
            socket_timeout=None,  # some commands wait, and a person ends them
            retry=Retry(NoBackoff(), 0),
        )
        self._client.response_callbacks.clear()
        try:
            self._client.ping()
        except redis.RedisError as error:
            raise UnhealthyError(f"no login at port {port}: {error}", hint="arcctl health") from None

    def do(self, words: Sequence[str]) -> Iterator[str]:
        import redis

        if words[0].lower() in _STREAMING:
            raise CommandRefused(f"{words[0]} has no end: this prompt takes commands that have one answer")
        try:
            yield from _lines(self._client.execute_command(*words))
        except redis.RedisError as error:
            raise CommandRefused(str(error)) from None

    def listen(self) -> None:
        """Nothing comes here without being asked for."""

    def close(self) -> None:
        self._client.close()


def _lines(answer: Any) -> Iterator[str]:
    """As `redis-cli` writes to a pipe: a value per line, nothing as an empty one."""
    if isinstance(answer, list):
        for item in answer:
            yield from _lines(item)
    else:
        yield "" if answer is None else str(answer)
