"""Opens a session for an interactive client, and the session with Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, assert_never

from arcctl.errors import CommandRefused, UnhealthyError
from arcctl.model.connection import InteractiveClient, NatsInteractiveClient, RedisInteractiveClient, Session

SECONDS = 5.0


def open_session(client: InteractiveClient, host: str, port: int, tell: Callable[[str], None]) -> Session:
    """Log in; `tell` is called with messages that arrive on their own. Raises UnhealthyError."""
    match client:
        case RedisInteractiveClient():
            return RedisSession(client, host, port)
        case NatsInteractiveClient():
            from arcctl.connect.clients.nats_session import NatsSession

            return NatsSession(client, host, port, tell)
        case never:
            assert_never(never)


_STREAMING = {"subscribe", "psubscribe", "ssubscribe", "monitor", "sync", "psync"}


class RedisSession:
    """Runs any command that has one reply."""

    def __init__(self, login: RedisInteractiveClient, host: str, port: int) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._client: Any = redis.Redis(
            host=host,
            port=port,
            username=login.user,
            password=login.password,
            decode_responses=True,
            encoding_errors="replace",
            protocol=2,
            socket_connect_timeout=SECONDS,
            socket_timeout=None,  # blocking commands wait until the user ends them
            retry=Retry(NoBackoff(), 0),
        )
        self._client.response_callbacks.clear()
        try:
            self._client.ping()
        except redis.RedisError as error:
            raise UnhealthyError(f"cannot log in on port {port}: {error}", hint="arcctl health") from None

    def do(self, words: Sequence[str]) -> Iterator[str]:
        import redis

        if words[0].lower() in _STREAMING:
            raise CommandRefused(f"{words[0]} never ends: only commands with one reply work here")
        try:
            yield from _lines(self._client.execute_command(*words))
        except redis.RedisError as error:
            raise CommandRefused(str(error)) from None

    def listen(self) -> None:
        """No message arrives on its own."""

    def close(self) -> None:
        self._client.close()


def _lines(answer: Any) -> Iterator[str]:
    """As `redis-cli` prints to a pipe: a value per line, nil as an empty line."""
    if isinstance(answer, list):
        for item in answer:
            yield from _lines(item)
    else:
        yield "" if answer is None else str(answer)
