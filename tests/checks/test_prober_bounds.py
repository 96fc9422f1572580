"""Probes of servers that send too much, too slowly or the wrong protocol still end in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from arcctl.checks.clients.prober import LoopbackProber
from arcctl.model.probe import Answer, Http, Probe, Tcp
from arcctl.project import Target

FAR_TOO_LONG = 20.0
"""Seconds that no probe here needs, even on a busy machine."""

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
HTTP = Http(1, "/ready", body="ready")
TCP = Tcp(port=1, send=b"PING\r\n", expect=b"+PONG")


def _keeps_open(words: bytes) -> Handler:
    """Sends `words` and keeps the connection open."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        try:
            await reader.read(-1)
        finally:
            writer.close()

    return handle


def _closes_after(words: bytes) -> Handler:
    """Sends `words` to each client and closes the connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(words)
        writer.close()

    return handle


async def _sends_forever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends a byte at a time without an end: a timeout between two bytes would not end this."""
    writer.write(HEAD)
    try:
        while not writer.is_closing():
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.02)
    except ConnectionError:
        pass
    finally:
        writer.close()


def _ask(handler: Handler, probe: Probe, timeout: float, times: int = 1) -> tuple[list[Answer], int, float]:
    """All answers, the port, and how long it took."""

    async def run() -> tuple[list[Answer], int, float]:
        server = await asyncio.start_server(handler, "127.0.0.1", 0, backlog=512)
        port: int = server.sockets[0].getsockname()[1]
        began = time.perf_counter()
        answers = await LoopbackProber().ask({str(n): Target(probe, port) for n in range(times)}, timeout)
        took = time.perf_counter() - began
        server.close()
        return list(answers.values()), port, took

    return asyncio.run(run())


@pytest.mark.parametrize("probe", [HTTP, TCP], ids=["HTTP", "TCP"])
def test_a_server_that_never_ends_its_answer_fails_at_the_deadline(probe: Probe) -> None:
    (answer,), port, took = _ask(_sends_forever, probe, 0.3)
    assert (answer.ok, answer.reason) == (False, f"no answer on port {port} in 0.3 s")
    assert 0.25 < answer.seconds <= took < FAR_TOO_LONG


def test_a_hundred_hung_services_take_no_longer_than_one() -> None:
    answers, _, took = _ask(_keeps_open(b""), TCP, 0.5, times=100)
    assert [answer.ok for answer in answers] == [False] * 100
    assert took < 100 * 0.5 / 2, "they were asked one after the other"


@pytest.mark.parametrize("words", [b"-ERR denied\r\n", b"-LOADING data\r\n", b"-WRONGPASS bad\r\n"])
def test_an_error_ends_the_probe_at_once_though_the_connection_stays_open(words: bytes) -> None:
    (answer,), port, took = _ask(_keeps_open(words), TCP, 2 * FAR_TOO_LONG)
    assert (answer.ok, answer.reason) == (False, f"port {port} answered {words.decode().strip()}")
    assert took < FAR_TOO_LONG


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "HTTP 302 on /ready"),
        (b"HTTP/1.1 500 No\r\nConnection: close\r\n\r\n" + b"x" * 9000, f"HTTP 500 on /ready: {'x' * 200}…"),
        (b"HTTP/1.1 500 No\r\nConnection: close\r\n\r\na\n\n  b\t c", "HTTP 500 on /ready: a b c"),
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", "HTTP 401 on /ready"),
    ],
    ids=["a redirect is not followed", "a long page is cut", "a page is one line", "an empty page"],
)
def test_the_answer_of_a_web_server_becomes_one_short_line(words: bytes, reason: str) -> None:
    (answer,), _, _ = _ask(_closes_after(words), HTTP, 5.0)
    assert (answer.ok, answer.reason) == (False, reason)


def test_a_server_with_another_protocol_is_unhealthy_with_a_reason() -> None:
    (answer,), _, _ = _ask(_closes_after(b"SSH-2.0-OpenSSH_9.9\r\n"), HTTP, 5.0)
    assert not answer.ok
    assert answer.reason


def test_the_proxy_of_the_machine_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    (answer,), _, _ = _ask(_closes_after(HEAD + b"ready"), HTTP, 5.0)
    assert (answer.ok, answer.reason) == (True, "HTTP 200 on /ready")


def test_no_targets_give_no_answers() -> None:
    assert asyncio.run(LoopbackProber().ask({}, 1.0)) == {}
