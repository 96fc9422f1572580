"""What everything takes, as a table that stays or moves, or as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from arcctl.ui import terminal

if TYPE_CHECKING:
    from rich.table import Table

SCHEMA = "arcctl.top/v1"
PAUSE = 1.0
"""Seconds between two looks."""


class Row(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def memory(self) -> int: ...
    @property
    def limit(self) -> int: ...
    @property
    def cpu(self) -> float: ...
    @property
    def disk(self) -> int | None: ...


def show_json(rows: Sequence[Row], engine: str) -> None:
    document = {
        "schema": SCHEMA,
        "engine": engine,
        "containers": [
            {
                "name": row.name,
                "service": row.service,
                "memory_bytes": row.memory,
                "memory_limit_bytes": row.limit or None,
                "cpu_percent": row.cpu,
                "disk_bytes": row.disk,
            }
            for row in rows
        ],
        "total": {
            "memory_bytes": sum(row.memory for row in rows),
            "cpu_percent": round(sum(row.cpu for row in rows), 1),
            "disk_bytes": sum(row.disk or 0 for row in rows),
        },
    }
    terminal.line(json.dumps(document, indent=2))


def show(rows: Sequence[Row]) -> None:
    terminal.out().print(_grid(rows))


def _grid(rows: Sequence[Row]) -> Table:
    cells = [(r.name, _size(r.memory), _size(r.limit), _percent(r.cpu), _size(r.disk)) for r in rows]
    memory, cpu, disk = sum(r.memory for r in rows), sum(r.cpu for r in rows), sum(r.disk or 0 for r in rows)
    total = ("total", _size(memory), "", _percent(cpu), _size(disk))
    return terminal.grid(("CONTAINER", "MEMORY", "LIMIT", "CPU", "DISK"), [*cells, total])


def _size(count: int | None) -> str:
    return f"{count / (1 << 20):.1f} MiB" if count else ""


def _percent(number: float) -> str:
    return f"{number:.1f} %"


def follow(look: Callable[[], Sequence[Row]]) -> None:
    """A table that moves until Ctrl-C."""
    from rich.live import Live

    with suppress(KeyboardInterrupt), Live(console=terminal.out(), auto_refresh=False) as live:
        while True:
            live.update(_grid(look()), refresh=True)
            time.sleep(PAUSE)
