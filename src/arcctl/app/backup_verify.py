"""`backup verify`: a backup is worth what it restores to, so it is restored, beside what runs, and proved there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from arcctl.app import restoring, verify
from arcctl.app.world import World
from arcctl.core.backup import Verified
from arcctl.core.backup_ports import Stored
from arcctl.core.proof import Outcome, Report

Beside = Callable[[], AbstractContextManager[World]]
"""Makes a throw-away platform; it is gone at the end."""


@dataclass(frozen=True, kw_only=True)
class Request:
    name: str
    quick: bool = False
    """Hashes only."""
    key_file: str = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    name: str
    damages: tuple[str, ...]
    kept: dict[str, str] = field(default_factory=dict)
    """Services that could not be restored, with the reason."""
    left_out: tuple[str, ...] = ()
    """Services that cannot run twice on this machine: their files are whole, and more was not shown."""
    report: Report | None = None
    """What was shown with the restored data; None where only hashes were compared."""

    @property
    def broken(self) -> tuple[str, ...]:
        """Services whose proofs do not hold. One that declares none was at least restored, and answered."""
        verdicts = self.report.services if self.report else ()
        return tuple(v.service for v in verdicts if v.outcome is Outcome.BROKEN)

    @property
    def passed(self) -> bool:
        return not (self.damages or self.kept or self.broken)


async def run(request: Request, world: World, beside: Beside) -> Result:
    """Raises for a key that does not fit, never for what does not hold; remembers in the backup what did."""
    stored = world.shelf.find(request.name)
    damages = stored.damages(stored.manifest.parts)
    result = Result(name=request.name, damages=damages)
    if not damages and not request.quick:
        stored.unlock(request.key_file)
        with beside() as second:
            result = await _proved(request, stored, second)
    if result.passed:
        stored.note(Verified(datetime.now(UTC).isoformat(timespec="seconds"), restored=not request.quick))
    return result


async def _proved(request: Request, stored: Stored, second: World) -> Result:
    manifest = stored.manifest
    wanted = restoring.Restore(name=str(stored.path), key_file=request.key_file, secrets=True)
    restored = await restoring.restore(wanted, second)
    report = await verify.run(verify.Request(words=restored.services), second) if restored.services else None
    left_out = tuple(i for i in manifest.services if i not in second.catalogue.services)
    return Result(name=request.name, damages=(), kept=restored.kept, left_out=left_out, report=report)
