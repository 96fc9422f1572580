"""How the data of a service is backed up: a folder, a dump, an export."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Dump:
    """A consistent dump of each database of a Postgres server, and of its roles."""

    port: int
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Folder:
    """Volumes, copied while their server is stopped."""

    volume: str
    """As `Volume.name`."""
    others: tuple[str, ...] = ()

    @property
    def volumes(self) -> tuple[str, ...]:
        return (self.volume, *self.others)


Method = Dump | Folder
"""A service with a Folder is stopped while it is copied; a Dump runs while the server serves."""
