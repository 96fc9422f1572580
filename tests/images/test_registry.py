"""Asking a registry for tags. The registry is a stub with one list of tags and no image."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import parse_qs, urlsplit

from arcctl.images.clients.registry import HttpRegistries

TAGS = [f"1.{n}.0" for n in range(5)]
PAGE = 2


class Registry(BaseHTTPRequestHandler):
    """Wants an anonymous token of `/token`, and gives two tags a page."""

    over = Event()

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(url.query).items()}
        if url.path == "/token" and "toy/private" in query["scope"]:
            self._answer(401, {})
        elif url.path == "/token":
            self._answer(200, {"token": f"for {query['scope']}"})
        elif url.path == "/v2/slow/tags/list":
            self.over.wait()
        elif url.path not in ("/v2/toy/store/tags/list", "/v2/toy/private/tags/list"):
            self._answer(404, {})
        elif self.headers.get("Authorization") != "Bearer for repository:toy/store:pull":
            realm = f'realm="http://{self.headers["Host"]}/token"'
            scope = url.path.removeprefix("/v2/").removesuffix("/tags/list")
            challenge = f'Bearer {realm},service="toy",scope="repository:{scope}:pull"'
            self._answer(401, {}, **{"WWW-Authenticate": challenge})
        else:
            self._page(int(query.get("last", 0)))

    def _page(self, first: int) -> None:
        following = {"Link": f'</v2/toy/store/tags/list?last={first + PAGE}>; rel="next"'}
        more = following if first + PAGE < len(TAGS) else {}
        self._answer(200, {"tags": TAGS[first : first + PAGE]}, **more)

    def _answer(self, code: int, body: object, **headers: str) -> None:
        text = json.dumps(body).encode()
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def registry() -> Iterator[str]:
    Registry.over.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            Registry.over.set()
            server.shutdown()


def _closed() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_all_pages_are_read_with_an_anonymous_token() -> None:
    with registry() as host:
        found = asyncio.run(HttpRegistries().tags([f"{host}/toy/store"], 5))
    assert found == {f"{host}/toy/store": tuple(TAGS)}


def test_a_registry_that_gives_nobody_a_token_asks_for_a_login() -> None:
    with registry() as host:
        found = asyncio.run(HttpRegistries().tags([f"{host}/toy/private"], 5))
    assert found == {f"{host}/toy/private": f"{host} asks for a login"}


def test_a_registry_that_does_not_answer_has_a_reason_and_delays_no_other() -> None:
    closed = f"127.0.0.1:{_closed()}"
    with registry() as host:
        wanted = [f"{host}/toy/store", f"{host}/none", f"{host}/slow", f"{closed}/x"]
        found = asyncio.run(HttpRegistries().tags(wanted, 1))
    assert found[f"{host}/toy/store"] == tuple(TAGS)
    assert found[f"{host}/none"] == f"{host} answers HTTP 404"
    assert found[f"{host}/slow"] == f"no answer from {host} in 1 s"
    assert str(found[f"{closed}/x"]).startswith(f"no answer from {closed}: ")
