"""`backup verify`: restores a backup in a sandbox, a second platform next to the running one, and tests it there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from arcctl.backup.base import BackupTools
from arcctl.backup.clients.repository import Backup, BackupRepository
from arcctl.backup.manifest import Verified
from arcctl.backup.report import VerifyReport
from arcctl.backup.restore import Restore, restore
from arcctl.checks import verify as smoke_tests
from arcctl.errors import UsageError
from arcctl.project import Project

Sandbox = Callable[[], AbstractContextManager[tuple[Project, BackupTools]]]
"""Starts a second platform, which is removed at the end."""


@dataclass(frozen=True, kw_only=True)
class Verify:
    name: str = ""
    """Empty for the newest."""
    quick: bool = False
    """Hashes only."""
    key_file: str = ""


async def verify(request: Verify, tools: BackupTools, sandbox: Sandbox) -> VerifyReport:
    """Raises KeyRefused for a key that does not fit, and nothing for what fails; the result is noted in the backup."""
    request = replace(request, name=request.name or _newest(tools.repository))
    backup = tools.repository.find(request.name)
    damages = backup.damages()
    missing = tuple(map(str, backup.manifest.missing))
    report = VerifyReport(name=request.name, damages=damages)
    if not damages and not request.quick:
        backup.unlock(request.key_file)
        with sandbox() as (project, its_tools):
            report = await _in_sandbox(request, backup, project, its_tools)
    report = replace(report, missing=missing)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    backup.note(Verified(now, restored=report.report is not None) if report.passed else None)
    return report


def _newest(repository: BackupRepository) -> str:
    entries = repository.entries()
    if not entries:
        raise UsageError("no backups yet", hint="arcctl backup create")
    return entries[-1].name


async def _in_sandbox(request: Verify, backup: Backup, project: Project, tools: BackupTools) -> VerifyReport:
    services = backup.manifest.services
    words = tuple(i for i in services if i in project.catalogue.services)
    hashes_only = tuple(i for i in services if i not in words)
    if not words:
        return VerifyReport(name=request.name, damages=(), hashes_only=hashes_only)
    wanted = Restore(name=str(backup.path), words=words, key_file=request.key_file, secrets=True)
    done = await restore(wanted, project, tools)
    report = None
    if done.restored:
        report = await smoke_tests.verify(smoke_tests.Request(words=done.restored), project.reloaded())
    return VerifyReport(name=request.name, damages=(), not_restored=done.failed, hashes_only=hashes_only, report=report)
