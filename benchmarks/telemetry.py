"""`python -m benchmarks.telemetry`: sends spans as fast as agents do, and counts what the trace store has of them.

It uses the embedded engine in a temporary project, which is destroyed afterwards.
"""

from __future__ import annotations

import argparse
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from arcctl import services
from arcctl.engines.embedded.location import base
from benchmarks import measure
from benchmarks.row import ARCCTL, Row
from tests import otlp

EMBEDDED = (ARCCTL, "--engine", "embedded")
SENDERS, SAMPLES = 4, 100
TIMEOUT = 10
"""Seconds, as in SDKs."""
PAUSE = 0.5
"""Seconds before a refused request is sent again."""
MEGABYTE = 1 << 20
CATALOGUE = services.load()
LIMITS = {name: CATALOGUE.services[name].container.memory_mb for name in ("jaeger", "loki", "otel-collector")}
"""MiB that the container of each may use."""


@dataclass
class Load:
    """Requests of the same shape, each of which is one trace."""

    what: str
    spans: int
    """In a request."""
    size: int
    """Bytes of a span."""
    per_second: float
    """Requests."""
    sent: list[bytes] = field(default_factory=list)
    refused: int = 0
    seconds: float = 0

    def request(self, trace_id: bytes) -> bytes:
        text = (secrets.token_hex(500) * (self.size // 1000 + 1))[: self.size - 100]
        others = [secrets.token_bytes(8) for _ in range(self.spans - 1)]
        spans = (otlp.span(trace_id, span_id, {"prompt": text}) for span_id in (trace_id[:8], *others))
        return otlp.request("bench", spans)

    def run(self, seconds: float) -> None:
        """Send at the given pace, later where the collector refuses; every request is sent until it is taken."""
        mark = secrets.token_bytes(16)
        body, began = self.request(mark), time.monotonic()
        numbers = iter(range(round(seconds * self.per_second)))
        lock = threading.Lock()

        def send() -> None:
            with httpx.Client(timeout=TIMEOUT, trust_env=False) as client:
                while (number := _next(numbers, lock)) is not None:
                    time.sleep(max(0, began + number / self.per_second - time.monotonic()))
                    trace_id = secrets.token_bytes(16)
                    self._deliver(client, body.replace(mark, trace_id).replace(mark[:8], trace_id[:8]))
                    self.sent.append(trace_id)

        with ThreadPoolExecutor(SENDERS) as pool:
            for done in [pool.submit(send) for _ in range(SENDERS)]:
                done.result()
        self.seconds = time.monotonic() - began

    def _deliver(self, client: httpx.Client, body: bytes) -> None:
        headers = {"Content-Type": "application/x-protobuf"}
        url = "http://127.0.0.1:4318/v1/traces"
        while True:
            try:
                client.post(url, content=body, headers=headers).raise_for_status()
                return
            except (httpx.TimeoutException, httpx.HTTPStatusError):
                self.refused += 1
                time.sleep(PAUSE)


def _next(numbers: Iterator[int], lock: threading.Lock) -> int | None:
    with lock:
        return next(numbers, None)


LOADS = (
    Load("10,000 spans of 2 KB a second", spans=500, size=2_000, per_second=20),
    Load("20 spans of 1 MB a second", spans=1, size=1_000_000, per_second=20),
)


class Peaks(threading.Thread):
    """The largest memory of each server, in MiB, without mapped files: the system takes those back at a limit."""

    def __init__(self, directory: Path) -> None:
        super().__init__(daemon=True)
        self.pids = {file.parent.name: int(file.read_text()) for file in (base(directory) / "run").glob("*/pid")}
        self.found = dict.fromkeys(self.pids, 0)
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.2):
            for name, pid in self.pids.items():
                memory = psutil.Process(pid).memory_info()
                self.found[name] = max(self.found[name], (memory.rss - memory.shared) // MEGABYTE)

    def __str__(self) -> str:
        return ", ".join(f"{name} {size}" for name, size in sorted(self.found.items()))


def rows(seconds: float) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="arc-bench-") as folder:
        directory = Path(folder, "project")
        for path in (Path(folder), directory):
            path.mkdir(exist_ok=True)
            path.chmod(0o755)
        measure.seconds((*EMBEDDED, "init"), directory)
        try:
            for load in LOADS:
                measure.seconds((*EMBEDDED, "up", "otel-collector"), directory)
                yield from _measured(load, seconds, directory)
                measure.seconds((*EMBEDDED, "clean", "--yes"), directory)
        finally:
            measure.seconds((*EMBEDDED, "clean", "--yes"), directory)


def _measured(load: Load, seconds: float, directory: Path) -> Iterator[Row]:
    peaks = Peaks(directory)
    peaks.start()
    load.run(seconds)
    began = time.monotonic()
    wanted = len(load.sent) * load.spans
    samples = load.sent[:: -max(1, len(load.sent) // SAMPLES)][:SAMPLES]
    while (stored := _stored(samples)) < len(samples) * load.spans and time.monotonic() < began + 120:
        time.sleep(1)
    waited = time.monotonic() - began
    peaks.ended.set()
    peaks.join()
    pace = f"{wanted} sent in {load.seconds:.0f} s, {load.refused} requests sent again"
    lost = len(samples) * load.spans - stored
    checked = f"{lost} spans of {len(samples)} requests lost, {waited:.0f} s later"
    yield Row(load.what, f"{pace}; {checked}", "0 lost", lost == 0)
    target = ", ".join(f"{name} ≤ {limit}" for name, limit in LIMITS.items())
    met = all(peaks.found[name] <= limit for name, limit in LIMITS.items())
    yield Row(f"{load.what}: peak memory in MiB", str(peaks), target, met)


def _stored(samples: Sequence[bytes]) -> int:
    """How many spans the trace store has of these traces."""
    found = 0
    with httpx.Client(timeout=60, trust_env=False) as client:
        for trace_id in samples:
            answer = client.get(f"http://127.0.0.1:16686/api/v3/traces/{trace_id.hex()}")
            found += answer.text.count('"spanId"') if answer.status_code == 200 else 0
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    chosen = parser.parse_args()
    print("| what | measured | target | |\n|---|---|---|---|")
    for row in rows(chosen.seconds):
        print(f"| {row.what} | {row.measured} | {row.target} | {'met' if row.met else '**missed**'} |", flush=True)


if __name__ == "__main__":
    main()
