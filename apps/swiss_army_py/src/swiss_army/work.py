"""Work on demand and in the background: a span, a log line and a count for each run."""

import asyncio
import logging
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, Observation

from swiss_army.correlation import current_trace_id

ON_DEMAND_SECONDS = 0.15
BACKGROUND_SECONDS = 0.05
BACKGROUND_PERIOD_SECONDS = 10
STATM = Path("/proc/self/statm")
"""Linux has it, macOS does not."""

_log = logging.getLogger(__name__)
_tracer = trace.get_tracer(__name__)
_meter = metrics.get_meter(__name__)
_on_demand_runs = _meter.create_counter("ondemand.runs.count", "{run}", "Runs of the on-demand work.")
_background_runs = _meter.create_counter("background.runs.count", "{run}", "Runs of the background work.")


def resident_memory(_: CallbackOptions) -> Iterator[Observation]:
    """The second number of statm is the resident set, in pages. Nothing where the system has no such file."""
    if STATM.is_file():
        pages = int(STATM.read_text().split()[1])
        yield Observation(pages * resource.getpagesize())


_meter.create_observable_up_down_counter("process.memory.usage", [resident_memory], "By", "Memory of this process.")


@dataclass(frozen=True)
class Done:
    trace_id: str | None
    """The id of the trace; None if the SDK is disabled."""
    duration_ms: float


async def do_on_demand_work() -> Done:
    started = time.perf_counter()
    with _tracer.start_as_current_span("on-demand work"):
        await asyncio.sleep(ON_DEMAND_SECONDS)
        duration_ms = round((time.perf_counter() - started) * 1000, 1)
        _on_demand_runs.add(1)
        _log.info("on-demand work done in %s ms", duration_ms)
        return Done(current_trace_id(), duration_ms)


async def work_in_background() -> None:
    while True:
        await do_background_work()
        await asyncio.sleep(BACKGROUND_PERIOD_SECONDS)


async def do_background_work() -> None:
    with _tracer.start_as_current_span("background work"):
        await asyncio.sleep(BACKGROUND_SECONDS)
        _background_runs.add(1)
        _log.info("background work done")
