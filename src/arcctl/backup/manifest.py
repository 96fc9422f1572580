"""What a backup says of itself: a manifest in plain JSON that holds no secret.

A part is one file of a backup: compressed, then encrypted.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from arcctl.errors import BackupError
from arcctl.model.image import STUB

SCHEMA = "arcctl.backup/v1"
OLD_STUB = "(contract double)"
"""What earlier versions of arcctl wrote for STUB."""
DAMAGED = "this backup cannot be used; choose another one: arcctl backup list"


class Kind(StrEnum):
    ROLES = "roles"
    PROPERTIES = "properties"
    """Owners, rights and settings of databases."""
    DATABASE = "database"
    FOLDER = "folder"
    SECRETS = "secrets"


@dataclass(frozen=True, kw_only=True)
class Part:
    service: str
    """Empty for what belongs to the project."""
    kind: Kind
    name: str
    """Of the database or the volume."""
    file: str
    bytes: int
    sha256: str
    server: str
    """The server that it was copied from, as `plan.server` says."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What could not be copied."""

    service: str
    name: str
    """Of the database."""
    reason: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.service}: {self.name}: {self.reason}{f' ({self.hint})' if self.hint else ''}"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    created_at: str
    arcctl: str
    engine: str
    lock: str
    """`passphrase`, or the age recipient that opens it."""
    secrets_id: str
    """Tells whether a project has the secrets that the backup was made with."""
    parts: tuple[Part, ...]
    secrets: tuple[str, ...] = ()
    """The names of those; a newer arcctl may generate more."""
    missing: tuple[Missing, ...] = ()
    """What belongs to these services and is not in the backup."""
    project: str = ""
    """The name of the project; an earlier arcctl did not write it."""

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(p.service for p in self.parts if p.service))

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts)

    def of(self, service: str) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.service == service)

    def names(self, service: str) -> tuple[str, ...]:
        """The databases or volumes of a service."""
        return tuple(part.name for part in self.of(service) if part.kind in (Kind.DATABASE, Kind.FOLDER))

    def contents(self, service: str) -> str:
        """The same, for a person."""
        return ", ".join(self.names(service))

    @property
    def text(self) -> str:
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=2) + "\n"


def read(text: str, where: str) -> Manifest:
    """The manifest in a text; `where` names it in messages. Raises BackupError where it is none."""
    from pydantic import TypeAdapter

    try:
        document = json.loads(text.replace(OLD_STUB, STUB))
        if document.pop("schema") != SCHEMA:
            raise BackupError(f"{where}: written in a format that this arcctl does not know", hint=DAMAGED)
        parts = tuple(_part(item) for item in document.pop("parts"))
        missing = tuple(Missing(**item) for item in document.pop("missing", ()))
        found = Manifest(**{**document, "secrets": tuple(document.get("secrets", ()))}, parts=parts, missing=missing)
        return TypeAdapter(Manifest).validate_json(found.text)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BackupError(f"{where}: the manifest is damaged", hint=DAMAGED) from None


def _part(item: dict[str, Any]) -> Part:
    """Refuses a file name with a path in it, which would lead out of the backup's folder."""
    if not re.fullmatch(r"[a-z0-9-]+\.age", item["file"]):
        raise ValueError(item["file"])
    return Part(**{**item, "kind": Kind(item["kind"])})


@dataclass(frozen=True)
class Verified:
    at: str
    restored: bool
    """Whether it was restored in a sandbox, or only compared with its hashes."""


@dataclass(frozen=True)
class Entry:
    """One backup as `list` shows it; `problem` says why it cannot be used, as far as names and sizes of files tell."""

    name: str
    manifest: Manifest | None
    verified: Verified | None = None
    problem: str = ""
