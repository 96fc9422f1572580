"""Probes against real servers on loopback sockets: each ends in time, with the right verdict and reason."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from arcctl.checks.clients.prober import LoopbackProber
from arcctl.model.probe import Answer, Figure, Http, Page, Postgres, Probe, Tcp
from arcctl.project import Target

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nready"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\nConnection: close\r\n\r\nstill low"


def sends(words: bytes) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(words)
        await writer.drain()
        writer.close()

    return handle


async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(-1)
    writer.close()


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[int]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def ask(handler: Handler, probe: Probe, timeout: float = 1.0) -> tuple[Answer, int]:
    async def run() -> tuple[Answer, int]:
        async with serving(handler) as port:
            answers = await LoopbackProber().ask({"it": Target(probe, port)}, timeout)
            return answers["it"], port

    return asyncio.run(run())


HTTP = Http(1, "/ready", body="ready")
OTHER = Http(1, "/ready", body="else")
TCP = Tcp(port=1, send=b"PING\r\n", expect=b"PONG")
LOGIN = Postgres(port=1, user="u", password="s3ntinel", superuser="s", superuser_password="s3ntinel", service="store")


@pytest.mark.parametrize(
    ("handler", "probe", "ok", "reason"),
    [
        (sends(OK), HTTP, True, "HTTP 200 on /ready"),
        (sends(BUSY), HTTP, False, "HTTP 503 on /ready: still low"),
        (
            sends(OK),
            Http(1, "/ready", body="else"),
            False,
            "HTTP 200 on /ready, but not the expected text 'else'",
        ),
        (hangs, HTTP, False, "no answer on port {port} in 0.3 s"),
        (closes, HTTP, False, "port {port} closes every connection: the server behind it is not listening yet"),
        (sends(b"+PONG\r\n"), TCP, True, "port {port} answered PONG"),
        (
            sends(b"-ERR 'Authorization Violation'\r\n"),
            TCP,
            False,
            "port {port} answered -ERR 'Authorization Violation'",
        ),
        (sends(b"-WRONGPASS no\r\n-NOAUTH\r\n"), TCP, False, "port {port} answered -WRONGPASS no"),
        (hangs, TCP, False, "no answer on port {port} in 0.3 s"),
        (hangs, LOGIN, False, "no answer on port {port} in 0.3 s"),
    ],
)
def test_each_answer_becomes_a_verdict_with_a_reason(handler: Handler, probe: Probe, ok: bool, reason: str) -> None:
    answer, port = ask(handler, probe, 0.3 if handler is hangs else 30.0)
    assert (answer.ok, answer.reason) == (ok, reason.format(port=port))


FIGURE = Figure("connections", "connected", "most", hint="close some")


def test_numbers_that_follow_the_answer_are_read_however_they_are_cut() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        for words in (b"+PONG\r\n$9\r\nconnected:1", b"7\r\nmo", b"st:20\r\n"):
            writer.write(words)
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read(-1)
        writer.close()

    answer, _ = ask(handle, replace(TCP, figures=(FIGURE,)), 30.0)
    assert [f.message for f in answer.findings] == ["connections: 17 of 20 used (85 %)"]


def says(words: bytes) -> Handler:
    """And keeps the connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        await reader.read(-1)
        writer.close()

    return handle


def test_an_error_is_an_answer_whatever_it_is() -> None:
    answer, port = ask(says(b"-MISCONF Errors writing to the AOF file\r\n"), TCP, 30.0)
    said = f"port {port} answered -MISCONF Errors writing to the AOF file"
    assert (answer.ok, answer.timed_out, answer.reason) == (False, False, said)


def test_a_server_that_knows_no_such_figure_answers_without_it() -> None:
    answer, _ = ask(says(b"+PONG\r\nconnected:17\r\n"), replace(TCP, figures=(FIGURE,)), 30.0)
    assert (answer.ok, answer.findings) == (True, ())


PAGE = b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"server": {"used": 17, "limit": 20}}'


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (PAGE, ["storage: 17 of 20 used (85 %)"]),
        (PAGE.replace(b"used", b"usen"), []),
        (BUSY, []),
    ],
    ids=["figures", "another version", "not ready"],
)
def test_a_page_of_figures_never_decides_whether_a_server_answers(words: bytes, found: list[str]) -> None:
    page = Page(8222, "/varz", (Figure("storage", "server.used", "server.limit", hint="delete some"),))

    async def run() -> Answer:
        async with serving(sends(b"+PONG\r\n")) as port, serving(sends(words)) as monitor:
            target = Target(replace(TCP, page=page), port, ports={8222: monitor})
            return (await LoopbackProber().ask({"it": target}, 30.0))["it"]

    answer = asyncio.run(run())
    assert (answer.ok, [f.message for f in answer.findings]) == (True, found)


@pytest.mark.parametrize("probe", [HTTP, TCP, LOGIN])
def test_a_closed_port_says_that_nothing_listens(probe: Probe) -> None:
    port = free_port()
    answers = asyncio.run(LoopbackProber().ask({"it": Target(probe, port)}, 1.0))
    assert (answers["it"].ok, answers["it"].reason) == (False, f"nothing listens on port {port}")


def test_one_hung_service_does_not_delay_the_others() -> None:
    """It hangs until all others have answered, or until the time is over."""
    answered, others = asyncio.Event(), [f"well{i}" for i in range(20)]

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await sends(OK)(reader, writer)
        others.pop()
        if not others:
            answered.set()

    async def waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answered.wait()
        writer.close()

    async def run() -> dict[str, Answer]:
        async with serving(waits) as hung, serving(answers) as well:
            targets = {"hung": Target(HTTP, hung)} | {name: Target(HTTP, well) for name in others}
            return dict(await LoopbackProber().ask(targets, 30.0))

    found = asyncio.run(run())
    assert "closes every connection" in found.pop("hung").reason
    assert [answer.ok for answer in found.values()] == [True] * 20


def test_no_reason_holds_a_password() -> None:
    answer, _ = ask(closes, LOGIN)
    assert not answer.ok
    assert "s3ntinel" not in answer.reason + repr(LOGIN)
