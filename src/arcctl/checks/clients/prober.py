"""Sends probes, all at once. Each ends by its deadline with a reason, never with an exception."""

from __future__ import annotations

import asyncio
import importlib
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any, assert_never

from arcctl.checks.clients.postgres import ask_postgres
from arcctl.checks.clients.steps import short
from arcctl.model.probe import Answer, Finding, Http, Postgres, Probe, Runs, Tcp, findings
from arcctl.model.smoke_test import SmokeTest, StoredMessages
from arcctl.project import Target

if TYPE_CHECKING:
    import httpx

_CLIENTS: Mapping[type, str] = {Postgres: "psycopg", StoredMessages: "nats.aio.client"}
"""What only some probes and tests need, and what takes a tenth of a second to import."""
MOMENT = 0.2
"""Seconds for which a connection has to stay open where the server sends nothing."""


class LoopbackProber:
    """Asks services at their published loopback ports."""

    def get_ready(self, asked: Iterable[Probe | SmokeTest | None]) -> None:
        kinds = {type(one) for one in asked}
        for client in {"arcctl.engines.http", *(_CLIENTS[kind] for kind in kinds & _CLIENTS.keys())}:
            importlib.import_module(client)

    async def ask(self, targets: Mapping[str, Target], timeout: float) -> Mapping[str, Answer]:
        """An answer for each target within `timeout` seconds."""
        from arcctl.engines.http import httpx

        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=timeout, trust_env=False, limits=limits, verify=False) as client:
            answers = await asyncio.gather(*(_answer(t, timeout, client) for t in targets.values()))
        return dict(zip(targets, answers, strict=True))


async def _answer(target: Target, timeout: float, client: httpx.AsyncClient) -> Answer:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(timeout):
            answer, seen = await asyncio.gather(_attempt(target, client), _read_page(target, timeout / 2, client))
            answer = replace(answer, findings=(*answer.findings, *seen))
    except TimeoutError:
        answer = Answer(False, f"no answer on port {target.port} in {timeout:.1f} s", timed_out=True)
    except Exception as error:  # a probe never raises: the error is the reason
        answer = Answer(False, _explain(error, target.port), timed_out="Timeout" in type(error).__name__)
    return replace(answer, seconds=time.perf_counter() - began)


async def _attempt(target: Target, client: httpx.AsyncClient) -> Answer:
    match target.probe:
        case Http():
            return await _http(target.probe, target, client)
        case Tcp():
            return await _tcp(target.probe, target)
        case Postgres():
            return await ask_postgres(target.probe, target.port, target.host)
        case Runs():
            return Answer(True, "running")
        case never:
            assert_never(never)


async def _http(probe: Http, target: Target, client: httpx.AsyncClient) -> Answer:
    response = await client.get(f"http://{target.host}:{target.port}{probe.path}", headers=dict(probe.headers))
    seen = f"HTTP {response.status_code} on {probe.path}"
    if response.status_code != probe.status:
        return Answer(False, f"{seen}: {short(response.text)}" if response.text.strip() else seen)
    if probe.body not in response.text:
        return Answer(False, f"{seen}, but not the expected text {probe.body!r}")
    return Answer(True, seen)


async def _read_page(target: Target, timeout: float, client: httpx.AsyncClient) -> tuple[Finding, ...]:
    """What the page of figures says; nothing where it does not answer, because the probe decides."""
    page = target.probe.page if isinstance(target.probe, Http | Tcp) else None
    if page is None or page.port not in target.ports:
        return ()
    url = f"http://{target.host}:{target.ports[page.port]}{page.path}"
    try:
        async with asyncio.timeout(timeout):
            document = (await client.get(url)).json()
        places = {place for figure in page.figures for place in (figure.used, figure.limit)}
        return findings(page.figures, {place: int(_at(document, place)) for place in places})
    except Exception:
        return ()


def _at(document: Any, place: str) -> Any:
    return reduce(lambda value, key: value[key], place.split("."), document)


async def _tcp(probe: Tcp, target: Target) -> Answer:
    port = target.port
    reader, writer = await asyncio.open_connection(target.host, port)
    if not (probe.send or probe.expect):
        return await _stays_open(reader, writer, port)
    seen, names = b"", {name for figure in probe.figures for name in (figure.used, figure.limit)}
    try:
        writer.write(probe.send)
        while not (probe.expect in seen and names <= _numbers(seen).keys()):
            async with asyncio.timeout(MOMENT if probe.expect in seen else None):  # an older server has not all figures
                chunk = await reader.read(4096)
            seen += chunk
            if not chunk or re.search(rb"^-[A-Z]+ ", seen, re.MULTILINE):
                break
    except TimeoutError:
        if probe.expect not in seen:
            raise
    finally:
        writer.close()
    if probe.expect in seen:
        said = f"port {port} answered {probe.expect.decode()}"
        return Answer(True, said, findings=findings(probe.figures, _numbers(seen)))
    lines = seen.decode(errors="replace").strip().splitlines()
    words = next((line for line in lines if line.startswith("-")), lines[-1] if lines else "")
    return Answer(False, f"port {port} answered {short(words)}" if words else f"port {port} closed without an answer")


def _numbers(seen: bytes) -> dict[str, int]:
    return {name.decode(): int(number) for name, number in re.findall(rb"^(\w+):(\d+)\r$", seen, re.MULTILINE)}


async def _stays_open(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> Answer:
    """Docker accepts connections for a server that does not listen yet, and closes them at once."""
    try:
        async with asyncio.timeout(MOMENT):
            open_ = bool(await reader.read(1))
    except TimeoutError:
        open_ = True
    finally:
        writer.close()
    return Answer(open_, f"port {port} accepts connections" if open_ else f"port {port} closed without an answer")


def _explain(error: Exception, port: int) -> str:
    text = str(error).strip() or type(error).__name__
    if any(words in text.lower() for words in ("refused", "connection attempts failed", "connect call failed")):
        return f"nothing listens on port {port}"
    if type(error).__name__ in ("RemoteProtocolError", "ReadError", "ConnectionResetError") or "closed the" in text:
        return f"port {port} closes every connection: the server behind it is not listening yet"
    if "Timeout" in type(error).__name__:
        return f"no answer on port {port} in time"
    return short(text.splitlines()[-1])
