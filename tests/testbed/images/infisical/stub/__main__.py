"""The web server of the stub."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psycopg

from . import settings, store
from .api import Api, Refused

METRICS_PORT = 9464
PAGE = b"""<!doctype html><title>Infisical (stub)</title>
<h1>This is a stub, not Infisical</h1>
<p>It replaces Infisical where no container registry answers. Store no secret in it.</p>"""


class Page(BaseHTTPRequestHandler):
    """Shared by both servers."""

    def reply(self, code: int, kind: str, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """No line for each request."""


class Handler(Page):
    """The API; it refuses every call while the database is migrated."""

    api: Api | None = None
    requests = 0

    def handle_call(self) -> None:
        Handler.requests += 1
        url = urlsplit(self.path)
        if not url.path.startswith("/api/"):
            return self.reply(200, "text/html", PAGE)
        if self.api is None:
            answer = {"message": "Server is starting up, migrations in progress", "redisConfigured": True}
            return self.reply(503, "application/json; charset=utf-8", json.dumps(answer).encode())
        try:
            code, answer = self.api.answer(self.command, url.path, self.body(url.query), self.token())
        except Refused as problem:
            code, answer = problem.code, self.problem(problem.code, problem.message)
        except (psycopg.Error, ValueError) as problem:
            code, answer = 500, self.problem(500, f"Something went wrong: {type(problem).__name__}")
        return self.reply(code, "application/json; charset=utf-8", json.dumps(answer, separators=(",", ":")).encode())

    do_GET = do_POST = do_PATCH = do_DELETE = handle_call

    def body(self, query: str) -> dict[str, Any]:
        """The fields of the query and of the JSON body."""
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return {**dict(parse_qsl(query)), **(json.loads(text) if text else {})}

    def token(self) -> str:
        """The token the request carries."""
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ").strip()

    def problem(self, code: int, message: str) -> dict[str, Any]:
        """An error in the format of Infisical."""
        return {"reqId": f"req-{uuid.uuid4().hex[:8]}", "statusCode": code, "message": message, "error": "Refused"}


class Metrics(Page):
    """The metrics port."""

    def do_GET(self) -> None:
        lines = "# TYPE infisical_stub_requests_total counter\n"
        lines += f"infisical_stub_requests_total {Handler.requests}\n"
        self.reply(200, "text/plain; version=0.0.4; charset=utf-8", lines.encode())


def migrate(chosen: settings.Settings) -> None:
    """Serve the API when the database is ready; ends the process where it cannot be."""
    try:
        Handler.api = Api(store.connect(chosen), chosen.auth_secret)
    except SystemExit as problem:
        print(problem, file=sys.stderr, flush=True)
        os._exit(1)
    print("Infisical stub is ready on port", chosen.port, flush=True)


def main() -> None:
    """Serve until the container is stopped."""
    chosen = settings.read()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=migrate, args=(chosen,), daemon=True).start()
    if chosen.metrics:
        metrics = ThreadingHTTPServer(("0.0.0.0", METRICS_PORT), Metrics)
        threading.Thread(target=metrics.serve_forever, daemon=True).start()
    try:
        ThreadingHTTPServer(("0.0.0.0", chosen.port), Handler).serve_forever()
    except KeyboardInterrupt:
        print("stopped", flush=True)


if __name__ == "__main__":
    main()
