"""A proxy in front of a registry: as slow as told, and it answers what it is told to, or cuts the connection."""

from __future__ import annotations

import contextlib
import http.client
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHUNK = 1 << 16
PASSED_ON = ("Content-Type", "Content-Range", "Docker-Content-Digest", "WWW-Authenticate", "Accept-Ranges", "ETag")
WORDS = {
    401: ("UNAUTHORIZED", "authentication required"),
    403: ("DENIED", "requested access to the resource is denied"),
    429: ("TOOMANYREQUESTS", "You have reached your pull rate limit."),
}
CUT = 0
TLS_HANDSHAKE = b"\x16"


@dataclass
class Fault:
    """The first `times` requests whose path matches get this answer; CUT is a connection that ends half-way."""

    path: str
    answer: int
    times: int = 1_000_000


@dataclass(frozen=True)
class Sent:
    """What one request was answered with."""

    path: str
    status: int
    start: int
    """The first byte of a blob that was asked for."""
    size: int
    """Bytes that were passed on."""
    began: float
    ended: float


@dataclass
class BadNetwork:
    """A network between an engine and a registry, at `address`."""

    registry: str
    faults: list[Fault] = field(default_factory=list)
    rate: float = 0
    """Bytes a second of all connections together; 0 for no limit."""
    sent: list[Sent] = field(default_factory=list)
    passed_on: int = 0
    """Bytes, of answers that have not ended too."""
    address: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _free_at: float = 0

    def blobs(self) -> list[Sent]:
        """Those parts of blobs that were sent."""
        return [sent for sent in self.sent if "/blobs/" in sent.path and sent.size]

    def fault(self, path: str) -> int | None:
        """The answer that replaces the registry's, if any."""
        with self._lock:
            for fault in self.faults:
                if fault.times > 0 and re.search(fault.path, path):
                    fault.times -= 1
                    return fault.answer
        return None

    def wait_for(self, size: int) -> None:
        """Until this many bytes may be sent."""
        with self._lock:
            self.passed_on += size
            if not self.rate:
                return
            self._free_at = max(self._free_at, time.monotonic()) + size / self.rate
            until = self._free_at
        time.sleep(max(0.0, until - time.monotonic()))


@contextlib.contextmanager
def in_front_of(registry: str) -> Iterator[BadNetwork]:
    """A proxy to the registry at this HOST:PORT."""
    network = BadNetwork(registry)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"network": network}))
    network.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield network
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    network: BadNetwork
    raw_requestline: bytes
    protocol_version = "HTTP/1.1"

    def parse_request(self) -> bool:
        """An engine tries TLS first, and takes an HTTP answer to that for a registry without TLS."""
        if self.raw_requestline.startswith(TLS_HANDSHAKE):
            self.wfile.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            self.close_connection = True
            return False
        return super().parse_request()

    def do_GET(self) -> None:
        began, answer = time.monotonic(), self.network.fault(self.path)
        status, start, size = answer or 200, 0, 0
        if answer:
            self._refuse(answer)
        else:
            with contextlib.suppress(OSError):  # the engine went away
                status, start, size = self._pass_on(cut=answer == CUT)
        self.network.sent.append(Sent(self.path, status, start, size, began, time.monotonic()))

    do_HEAD = do_GET

    def _refuse(self, status: int) -> None:
        code, message = WORDS.get(status, ("UNKNOWN", "the registry is not well"))
        body = f'{{"errors": [{{"code": "{code}", "message": "{message}"}}]}}'.encode()
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="testbed"')
        self._end_headers({"Content-Type": "application/json", "Content-Length": str(len(body))})
        self.wfile.write(body if self.command == "GET" else b"")

    def _end_headers(self, headers: dict[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _pass_on(self, *, cut: bool) -> tuple[int, int, int]:
        """Status, first byte and number of bytes of what the registry says."""
        registry = http.client.HTTPConnection(self.network.registry, timeout=60)
        with contextlib.closing(registry):
            registry.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():  # some more than once
                registry.putheader(name, value)
            registry.endheaders()
            found = registry.getresponse()
            self.send_response(found.status)
            length = int(found.getheader("Content-Length", "0"))
            kept = {name: given for name in PASSED_ON if (given := found.getheader(name))}
            self._end_headers({**kept, "Content-Length": str(length)})
            left = size = length // 2 if cut else length
            while self.command == "GET" and left and (chunk := found.read(min(CHUNK, left))):
                self.network.wait_for(len(chunk))
                self.wfile.write(chunk)
                left -= len(chunk)
            self.close_connection = cut
            start = re.match(r"bytes=(\d+)", self.headers.get("Range", ""))
            return found.status, int(start[1]) if start else 0, size - left if self.command == "GET" else 0

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: tests read `sent`."""
