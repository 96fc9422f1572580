"""`logs` of programs that are no service of the platform, by the names under which they send telemetry."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from arcctl.checks.logs_report import since_ns
from arcctl.checks.trace_report import LogLine, alternatives, read_lines, said_by
from arcctl.errors import UnhealthyError, UnknownService, did_you_mean
from arcctl.model.graph import reserved
from arcctl.model.smoke_test import Call, Step
from arcctl.project import Project, refuse_other_project

PAGE, MOST = 1000, 5000
"""Lines that are read at once, and that the log store gives at once."""
PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Request:
    names: tuple[str, ...]
    """`service.name` of each program."""
    follow: bool = False
    since: str = ""
    tail: int | None = None


@dataclass
class _Reader:
    request: Request
    project: Project
    ports: Mapping[str, Mapping[int, int]]
    start_ns: int
    """Where the next page begins."""
    page: int = PAGE
    """How many lines it has."""

    def __post_init__(self) -> None:
        self._store, self._how = self.project.catalogue.log_store()

    async def check_names(self) -> None:
        """Raises UnknownService for a program that never sent any."""
        step, body = await self._ask(self._how.names, {})
        senders = json.loads(body).get("data") or () if step.ok else ()
        why = f"{self._store.id} has no logs from it" if step.ok else said_by(self._store.id, step.message)
        for name in self.request.names:
            if name not in senders:
                known = (*reserved(self.project.catalogue), *senders)
                hint = did_you_mean(name, known, f"arcctl health {self._store.id}")
                raise UnknownService(f"unknown service {name!r}, and {why}", hint=hint)

    async def read(self, limit: int, direction: str) -> tuple[LogLine, ...]:
        """Fewer lines where so many are more than the store gives in one answer: a line may have megabytes."""
        names = alternatives(self.request.names)
        chosen = {"services": names, "start_ns": str(self.start_ns), "limit": str(limit), "direction": direction}
        step, body = await self._ask(self._how.lines, chosen)
        if step.ok:
            return read_lines(body)
        if limit > 1:
            self.page = max(1, limit // 10)
            return await self.read(self.page, direction)
        raise UnhealthyError(said_by(self._store.id, step.message), hint=f"arcctl health {self._store.id}")

    async def _ask(self, call: Call, values: Mapping[str, str]) -> tuple[Step, str]:
        step, body, _ = await self.project.smoke_test_runner.ask(self._store.id, call, self.ports, values)
        return step, body


async def logs(request: Request, project: Project) -> AsyncIterator[LogLine]:
    """Their lines in the log store, earliest first; with `follow` it does not end.

    Raises UnknownService for a program that sent none, UsageError for a time that is none, PreflightError where the
    store is another project's.
    """
    start = since_ns(request.since if request.tail != 0 else "0s", time.time_ns())
    observed = await asyncio.to_thread(project.engine.observe)
    await asyncio.to_thread(refuse_other_project, observed, project)
    reader, seen = _Reader(request, project, observed.published, start), set[LogLine]()
    await reader.check_names()
    tail = min(request.tail or 0, MOST)
    page = await (reader.read(tail, "backward") if tail else reader.read(reader.page, "forward"))
    while True:
        new = [line for line in page if line not in seen]
        for line in new:
            yield line
        if new:
            reader.start_ns, seen = page[-1].time_ns, set(page)
        if not (new and len(page) == reader.page):
            if not request.follow:
                return
            await asyncio.sleep(PAUSE_SECONDS)
        page = await reader.read(reader.page, "forward")
