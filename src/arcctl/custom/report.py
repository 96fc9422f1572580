"""What the commands about custom services report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, kw_only=True)
class AddReport:
    """A service that was added."""

    name: str
    file: str
    image: str
    """Empty where it is built from `build`."""
    build: str
    addresses: tuple[str, ...]
    needs: tuple[str, ...]
    database: bool
    web: bool
    starts_here: bool = True
    """Whether the engine of the project can run it."""
    code_files: int = 0
    """How many files were written to `build`."""


@dataclass(frozen=True, kw_only=True)
class ListedService:
    name: str
    title: str
    image: str
    build: str | None
    """The folder that its image is built from."""
    needs: tuple[str, ...]
    file: str


@dataclass(frozen=True)
class ListReport:
    services: tuple[ListedService, ...]


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What removing a service takes away, and what it keeps."""

    name: str
    containers: tuple[str, ...]
    files: tuple[PurePosixPath, ...]
    volumes: tuple[str, ...]
    """Its own data."""
    resources: tuple[str, ...]
    """Its data in other services, such as its database."""
    secrets: tuple[str, ...]
    kept: tuple[PurePosixPath, ...]
    """Its code."""

    @property
    def data(self) -> tuple[str, ...]:
        return (
            *(f"volume {name}" for name in self.volumes),
            *self.resources,
            *(f"secret {name}" for name in self.secrets),
        )
