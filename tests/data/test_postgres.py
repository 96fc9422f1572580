"""What is read from a Postgres server, which answers here with bytes written down."""

from __future__ import annotations

import asyncio
import struct

import pytest

from arcctl.data.clients.postgres import LoopbackDatabases
from arcctl.model.data_store import Databases

TEXT, NAME = 25, 19


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _row(type_: int, value: bytes) -> bytes:
    """The answer to a query: one column with one value."""
    column = b"x\0" + struct.pack("!ihihih", 0, 0, type_, -1, -1, 0)
    described = _message(b"T", struct.pack("!h", 1) + column)
    row = _message(b"D", struct.pack("!hi", 1, len(value)) + value)
    return described + row + _message(b"C", b"SELECT 1\0") + _message(b"Z", b"I")


async def _roles(encoding: bytes, type_: int, value: bytes) -> frozenset[str]:
    """What `roles` reads from a database with this encoding."""
    ended = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)  # who logs in
        status = _message(b"S", b"client_encoding\0" + encoding + b"\0")
        writer.write(_message(b"R", bytes(4)) + status + _message(b"Z", b"I"))
        query = await reader.read(4096)
        prepared = b"" if query.startswith(b"Q") else _message(b"1", b"") + _message(b"2", b"")
        writer.write(prepared + _row(type_, value))
        await reader.read(4096)  # the end
        writer.close()
        await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        store = Databases(port=5432, user="root", password="p", new_database=lambda name, password: ())
        roles = await LoopbackDatabases("store", store, server.sockets[0].getsockname()[1]).roles()
        await ended.wait()
    return roles


@pytest.mark.parametrize("type_", [TEXT, NAME])
@pytest.mark.parametrize(
    ("encoding", "value", "text"),
    [
        (b"SQL_ASCII", b"clerk", "clerk"),
        (b"SQL_ASCII", "café".encode(), "café"),
        (b"SQL_ASCII", b"caf\xe9", "caf\ufffd"),
        (b"LATIN1", b"caf\xe9", "café"),
        (b"UTF8", "café".encode(), "café"),
    ],
)
def test_text_is_read_in_a_database_of_any_encoding(type_: int, encoding: bytes, value: bytes, text: str) -> None:
    assert asyncio.run(_roles(encoding, type_, value)) == {text}
