"""The web server of the stub."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import resource
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from . import health, provisioning
from .store import Store

VERSION = "13.2.2"
PROVISIONING_SECONDS = 2
"""How long after the first healthy answer there are no data sources and dashboards; 30 in the worst case."""
PAGE = b"""<!doctype html><title>Grafana (stub)</title>
<h1>This is a stub, not Grafana</h1>
<p>It replaces Grafana where no container registry answers. It checks settings, the login and the data
sources; it draws no dashboard.</p>"""


def log(level: str, message: str) -> None:
    """One line as Grafana writes it."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(f'logger=stub t={stamp} level={level} msg="{message}"', flush=True)


class State:
    """The state of the stub: its users and what was provisioned."""

    def __init__(self) -> None:
        folder = Path(os.environ["GF_PATHS_PROVISIONING"])
        self.store = Store(Path(os.environ["GF_PATHS_DATA"]))
        login = os.environ.get("GF_SECURITY_ADMIN_USER") or "admin"
        if self.store.first_boot(login, os.environ.get("GF_SECURITY_ADMIN_PASSWORD") or "admin"):
            log("info", f"Created default admin user={login}")
        self.requests = 0
        self.sources: list[dict[str, Any]] = []
        self.dashboards: dict[str, dict[str, Any]] = {}
        read = provisioning.datasources(folder / "datasources"), provisioning.dashboards(folder / "dashboards")
        threading.Timer(PROVISIONING_SECONDS, self.provision, read).start()

    def provision(self, sources: list[dict[str, Any]], dashboards: dict[str, dict[str, Any]]) -> None:
        self.sources, self.dashboards = sources, dashboards

    def source(self, key: str, value: str) -> dict[str, Any] | None:
        """A data source by its uid or name."""
        return next((source for source in self.sources if source[key] == value), None)


class Handler(BaseHTTPRequestHandler):
    """The few paths of Grafana's HTTP API that a stack's checks use."""

    state: State
    server_version = f"grafana-stub/{VERSION}"

    def do_GET(self) -> None:
        self.state.requests += 1
        url = urlsplit(self.path)
        if self.open_path(url.path):
            return
        if not self.logged_in():
            self.json(401, {"message": "Unauthorized", "messageId": "auth.unauthorized", "statusCode": 401})
            return
        self.api(url.path.rstrip("/"), url.query, None)

    def do_POST(self) -> None:
        self.state.requests += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.logged_in():
            self.json(401, {"message": "Unauthorized"})
            return
        url = urlsplit(self.path)
        self.api(url.path.rstrip("/"), url.query, body)

    def do_PUT(self) -> None:
        """A user who knows the old password can change it; this stub changes nothing else."""
        self.state.requests += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.logged_in():
            self.json(401, {"message": "Unauthorized"})
        elif urlsplit(self.path).path == "/api/user/password":
            self.change_password(json.loads(body))
        else:
            self.json(404, {"message": "Not found", "stub": "this stub does not know the path"})

    def change_password(self, body: dict[str, str]) -> None:
        """As Grafana: basic login, the old password in the body, a new one of four characters or more."""
        login, _ = self.credentials()
        if not self.state.store.knows(login, body.get("oldPassword", "")):
            self.json(401, {"message": "Invalid old password"})
        elif len(body.get("newPassword", "")) < 4:
            self.json(400, {"message": "New password is too short"})
        else:
            self.state.store.change(login, body["newPassword"])
            self.json(200, {"message": "User password changed"})

    def open_path(self, path: str) -> bool:
        """The paths without a login."""
        if path == "/api/health":
            works = self.state.store.works()
            answer = {"database": "ok" if works else "failing", "version": VERSION, "commit": "stub"}
            self.json(200 if works else 503, answer)
        elif path == "/healthz":
            self.reply(200, "text/plain", b"Ok")
        elif path == "/metrics":
            self.reply(200, "text/plain; version=0.0.4; charset=utf-8", self.metrics().encode())
        elif path in ("/", "/login"):
            self.reply(200, "text/html", PAGE)
        else:
            return False
        return True

    def api(self, path: str, query: str, body: bytes | None) -> None:
        """The paths with a login."""
        if path == "/api/datasources":
            self.json(200, self.state.sources)
        elif match := re.fullmatch(r"/api/datasources/(uid|name)/([^/]+)(/health)?", path):
            self.datasource(match)
        elif match := re.fullmatch(r"/api/datasources/proxy/uid/([^/]+)/(.*)", path):
            self.proxy(match.group(1), match.group(2) + (f"?{query}" if query else ""), body)
        elif path in ("/api/search", "/api/dashboards"):
            self.json(200, self.found(parse_qs(query).get("query", [""])[0]))
        elif match := re.fullmatch(r"/api/dashboards/uid/([^/]+)", path):
            self.dashboard(match.group(1))
        elif path == "/api/org":
            self.json(200, {"id": 1, "name": "Main Org."})
        else:
            self.json(404, {"message": "Not found", "stub": "this stub does not know the path"})

    def datasource(self, match: re.Match[str]) -> None:
        source = self.state.source(match.group(1), match.group(2))
        if source is None:
            self.json(404, {"message": "Data source not found"})
        elif match.group(3):
            self.json(*health.check(source))
        else:
            self.json(200, source)

    def proxy(self, uid: str, rest: str, body: bytes | None) -> None:
        source = self.state.source("uid", uid)
        if source is None:
            self.json(404, {"message": "Unable to find datasource"})
            return
        self.reply(*health.forward(f"{source['url'].rstrip('/')}/{rest}", body, self.headers.get("Content-Type")))

    def found(self, text: str) -> list[dict[str, Any]]:
        """The dashboards whose title contains a text."""
        return [
            {"uid": uid, "title": entry["model"]["title"], "type": "dash-db", "folderTitle": entry["folder"]}
            for uid, entry in self.state.dashboards.items()
            if text.lower() in entry["model"]["title"].lower()
        ]

    def dashboard(self, uid: str) -> None:
        entry = self.state.dashboards.get(uid)
        if entry is None:
            self.json(404, {"message": "Dashboard not found"})
            return
        meta = {"provisioned": True, "provisionedExternalId": entry["path"], "folderTitle": entry["folder"]}
        self.json(200, {"meta": meta, "dashboard": entry["model"]})

    def logged_in(self) -> bool:
        """Whether the request carries a user's name and password."""
        return self.state.store.knows(*self.credentials())

    def credentials(self) -> tuple[str, str]:
        """The name and the password that the request carries, empty where it has none."""
        kind, _, value = (self.headers.get("Authorization") or "").partition(" ")
        if kind.lower() != "basic":
            return "", ""
        try:
            login, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return login, password

    def metrics(self) -> str:
        """A few of Grafana's own series."""
        return (
            f'# TYPE grafana_build_info gauge\ngrafana_build_info{{version="{VERSION}",edition="stub"}} 1\n'
            "# TYPE grafana_http_request_duration_seconds histogram\n"
            f"grafana_http_request_duration_seconds_count {self.state.requests}\n"
            "# TYPE process_resident_memory_bytes gauge\n"
            f"process_resident_memory_bytes {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}\n"
            f"# TYPE grafana_stat_total_dashboards gauge\ngrafana_stat_total_dashboards {len(self.state.dashboards)}\n"
        )

    def json(self, code: int, value: object) -> None:
        # Grafana prints this answer over several lines, with a space after each colon.
        self.reply(code, "application/json; charset=UTF-8", json.dumps(value, indent=2, default=str).encode())

    def reply(self, code: int, kind: str, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """No line for each request, as Grafana by default."""


def main() -> None:
    """Serve until the container is stopped."""
    try:
        Handler.state = State()
    except (provisioning.ProvisioningError, OSError, KeyError, ValueError) as problem:
        log("error", f"Error: ✗ {problem}")
        sys.exit(1)
    port = int(os.environ.get("GF_SERVER_HTTP_PORT") or 3000)
    server = ThreadingHTTPServer(("0.0.0.0", port), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    log("info", f"HTTP Server Listen port={port}")
    server.serve_forever()


if __name__ == "__main__":
    main()
