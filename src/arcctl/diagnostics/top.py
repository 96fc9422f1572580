"""`top`: the memory, CPU and disk that running containers use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from arcctl.model.graph import resolve
from arcctl.project import Project, must_run


@dataclass(frozen=True, kw_only=True)
class Usage:
    """One container or process. Values are None where there is none, or the engine does not say."""

    name: str
    service: str
    """The service that it belongs to."""
    memory_bytes: int
    memory_limit_bytes: int | None
    cpu_percent: float
    """Of one core."""
    disk_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class UsageReport:
    engine: str
    containers: tuple[Usage, ...]
    """The largest first."""

    @property
    def total_row(self) -> Usage:
        return Usage(
            name="total",
            service="",
            memory_bytes=sum(usage.memory_bytes for usage in self.containers),
            memory_limit_bytes=None,
            cpu_percent=round(sum(usage.cpu_percent for usage in self.containers), 1),
            disk_bytes=sum(usage.disk_bytes or 0 for usage in self.containers),
        )

    @property
    def total(self) -> dict[str, object]:
        total = self.total_row
        return {name: getattr(total, name) for name in ("memory_bytes", "cpu_percent", "disk_bytes")}

    @property
    def disk(self) -> dict[str, int]:
        """The bytes on disk of each that has any."""
        return {usage.name: usage.disk_bytes for usage in self.containers if usage.disk_bytes is not None}


def top(words: tuple[str, ...], project: Project, disk: Mapping[str, int] | None = None) -> UsageReport:
    """The usage of the services named (default: of all).

    `disk` is the result of an earlier run, because measuring takes long. Raises UnhealthyError for a service that was
    named and does not run.
    """
    asked = resolve(words or ("all",), project.catalogue)
    observed = project.engine.observe()
    for word in words:
        if word in project.catalogue.services:
            must_run(word, observed)
    owners = {key: i for i in asked for key in project.catalogue.components((i,)) if observed.of(key).running}
    sizes = project.engine.disk() if disk is None else disk
    usages = (
        Usage(
            name=key,
            service=owners[key],
            memory_bytes=used.memory,
            memory_limit_bytes=used.limit or None,
            cpu_percent=used.cpu,
            disk_bytes=sizes.get(key),
        )
        for key, used in project.engine.usage(tuple(owners)).items()
    )
    largest_first = sorted(usages, key=lambda usage: -usage.memory_bytes)
    return UsageReport(engine=project.engine.name, containers=tuple(largest_first))
