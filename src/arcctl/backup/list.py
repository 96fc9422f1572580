"""`backup list`: the backups of the project, also those that cannot be used."""

from __future__ import annotations

from arcctl.backup.clients.repository import BackupRepository
from arcctl.backup.report import ListReport


def list_backups(repository: BackupRepository) -> ListReport:
    return ListReport(repository.entries())
