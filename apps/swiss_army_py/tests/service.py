"""The real process, `python -m swiss_army`, on a free port, with its output on stdout."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, TypeVar

import httpx

WAIT_SECONDS = 20.0


@dataclass
class Service:
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=headers, timeout=5)

    def post(self, path: str) -> httpx.Response:
        return httpx.post(self.url + path, timeout=5)

    @property
    def url(self) -> str:
        match = eventually(lambda: re.search(r"running on (http://[\d.:]+)", "".join(self.lines)))
        return match[1]

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in list(self.lines)]

    def stop(self) -> float:
        """Send SIGTERM and return how many seconds the process took to end."""
        started = time.monotonic()
        self.process.terminate()
        self.process.wait(WAIT_SECONDS)
        return time.monotonic() - started


@contextmanager
def serving(endpoint: str, **environment: str) -> Iterator[Service]:
    """A service that exports to `endpoint`; no OTEL_* variable of this shell reaches it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "swiss_army", "--port", "0"],
        env=inherited | {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    service = Service(process)
    reader = Thread(target=lambda: service.lines.extend(process.stdout or ()))
    reader.start()
    try:
        yield service
    finally:
        process.kill()
        process.wait()
        reader.join()
        if process.stdout:
            process.stdout.close()


T = TypeVar("T")


def eventually(find: Callable[[], T | None]) -> T:
    """The first truthy result of `find`."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if found := find():
            return found
        time.sleep(0.02)
    raise AssertionError(f"nothing found within {WAIT_SECONDS} s")
