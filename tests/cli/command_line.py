"""The real command line over a real project, with a `docker` that prints what a test chose and one real server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

from typer.testing import CliRunner

from arcctl import services
from arcctl.cli.main import app
from tests.fakes.contracts import check_document
from tests.fakes.docker import FakeDocker, inspected

PROGRAM = Path(sys.executable).with_name("arcctl")
SERVICE = services.load().services["loki"]
PORT = 3100


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@dataclass
class CommandLine:
    directory: Path
    docker: FakeDocker
    environment: dict[str, str] = field(default_factory=dict)

    def arcctl(self, *words: str) -> Done:
        """Run a command in this process; an exception that is not foreseen is raised here."""
        environment = {
            "PATH": self.docker.path,
            "ARCCTL_PROJECT_DIRECTORY": str(self.directory),
            "ARCCTL_ENGINE": "docker",
            "NO_COLOR": "1",
            **self.environment,
        }
        result = CliRunner().invoke(app, list(words), env=environment)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        check_document(words, result.stdout)
        return Done(result.exit_code, result.stdout, result.stderr)

    def completion(self, line: str) -> list[str]:
        """What the shell offers for the last word of a line; the program runs as a process, in the project."""
        asked = {"_ARCCTL_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
        here = {"PATH": self.docker.path, "ARCCTL_ENGINE": "docker"}
        done = subprocess.run(
            (PROGRAM,),
            cwd=self.directory,
            env={**os.environ, **here, **asked},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    def engine(self, *containers: Mapping[str, Any], volumes: str = "") -> None:
        """An engine of today with these containers and all images."""
        images = [
            {"Id": f"id-{c.container.image}", "RepoTags": [c.container.image]}
            for c in services.load().components().values()
        ]
        for published in (item["NetworkSettings"]["Ports"].get(f"{PORT}/tcp") for item in containers):
            self.environment |= {"LOKI_HOST_PORT": published[0]["HostPort"]} if published else {}
        self.docker.says("info*", {"ServerVersion": "28.5.2", "MemTotal": 1 << 34, "NCPU": 2})
        self.docker.says("compose version*", "2.40.3\n")
        self.docker.says("compose * config --hash*", "".join(f"{key} hash\n" for key in services.load().components()))
        self.docker.says("volume ls*", volumes)
        self.docker.says("image inspect*", images)
        self.docker.says("container ls*")
        self.docker.says("container inspect*", list(containers), err=MISSING, code=1)

    def stops(self, verb: str) -> None:
        """The engine does this, and nothing runs afterwards."""
        self.docker.says(f"compose * {verb} *")
        self.docker.says("container inspect*", [], err=MISSING, code=1, after=f" {verb} ")
        self.docker.says("volume ls*", after=f" {verb} .*--volumes")


MISSING = "Error response from daemon: No such container: arc_x\n"


def container(key: str = SERVICE.id, *, port: int = 0, **changed: Any) -> dict[str, Any]:
    """A container as `up` left it; `port` is where the host has it."""
    declared = services.load().components()[key]
    item = inspected(
        key, Labels={"com.docker.compose.config-hash": "hash"}, Image=f"id-{declared.container.image}", **changed
    )
    item["Config"]["Image"] = declared.container.image
    if port:
        item["NetworkSettings"]["Ports"] = {f"{PORT}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
    return item


@contextmanager
def serving(status: int = 200, body: str = "ready", *, hang: bool = False) -> Iterator[int]:
    """A web server on a port of its own that gives every caller the same answer, or none."""
    over = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if hang:
                over.wait()
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def handle(self) -> None:
            with suppress(ConnectionError):  # a client that had enough
                super().handle()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            over.set()
            server.shutdown()
