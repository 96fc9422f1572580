"""`backup verify`: a backup is worth what it restores to, so it is restored, beside what runs, and proved there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from arcctl.app import restoring, verify
from arcctl.app.world import World
from arcctl.core.backup import Verified
from arcctl.core.backup_ports import Stored
from arcctl.core.backup_results import Checked
from arcctl.errors import UsageError

Beside = Callable[[], AbstractContextManager[World]]
"""Makes a throw-away platform; it is gone at the end."""


@dataclass(frozen=True, kw_only=True)
class Request:
    name: str = ""
    """Empty for the newest."""
    quick: bool = False
    """Hashes only."""
    key_file: str = ""


async def run(request: Request, world: World, beside: Beside) -> Checked:
    """Raises for a key that does not fit, never for what does not hold; remembers in the backup what did."""
    request = replace(request, name=request.name or _newest(world))
    stored = world.shelf.find(request.name)
    damages = stored.damages(stored.manifest.parts)
    result = Checked(name=request.name, damages=damages)
    if not damages and not request.quick:
        stored.unlock(request.key_file)
        with beside() as second:
            result = await _proved(request, stored, second)
    if result.passed:
        stored.note(Verified(datetime.now(UTC).isoformat(timespec="seconds"), restored=result.report is not None))
    return result


def _newest(world: World) -> str:
    entries = world.shelf.entries()
    if not entries:
        raise UsageError("no backups yet", hint="arcctl backup create")
    return entries[-1].name


async def _proved(request: Request, stored: Stored, second: World) -> Checked:
    services = stored.manifest.services
    words = tuple(i for i in services if i in second.catalogue.services)
    left_out = tuple(i for i in services if i not in words)
    if not words:
        return Checked(name=request.name, damages=(), left_out=left_out)
    wanted = restoring.Restore(name=str(stored.path), words=words, key_file=request.key_file, secrets=True)
    restored = await restoring.restore(wanted, second)
    report = await verify.run(verify.Request(words=restored.services), second) if restored.services else None
    return Checked(name=request.name, damages=(), kept=restored.kept, left_out=left_out, report=report)
