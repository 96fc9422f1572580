"""Backups: how a service's data is taken, what a backup says of itself, and what of it may be restored.

Methods are data of a declaration; `runtime.copying` carries them out.

A part is one file of a backup: compressed, then encrypted. The manifest beside them is plain, and holds no secret.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from arcctl.core.observed import DOUBLE
from arcctl.errors import BackupError

SCHEMA = "arcctl.backup/v1"
DAMAGED = "this backup cannot be used; take another one: arcctl backup list"


@dataclass(frozen=True, kw_only=True)
class Dump:
    """Each database of a Postgres server as of one moment, while it serves; and its roles."""

    port: int
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Folder:
    """Volumes, copied while their server stands still."""

    volume: str
    """As `Volume.name`."""
    others: tuple[str, ...] = ()

    @property
    def volumes(self) -> tuple[str, ...]:
        return (self.volume, *self.others)


Method = Dump | Folder
"""A folder's service stands still while it is copied; databases are taken while they serve."""


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
    """Empty for what is the home's."""
    kind: Kind
    name: str
    """Of the database or the volume."""
    file: str
    bytes: int
    sha256: str
    server: str
    """What it was taken from, as `server` says."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    created_at: str
    arcctl: str
    engine: str
    lock: str
    """`passphrase`, or the age recipient that opens it."""
    secrets_id: str
    """Tells whether a home has the secrets that the backup was made with."""
    parts: tuple[Part, ...]
    secrets: tuple[str, ...] = ()
    """The names of those; a newer arcctl may draw more."""

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(p.service for p in self.parts if p.service))

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts)

    def of(self, service: str) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.service == service)

    @property
    def text(self) -> str:
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=2) + "\n"


def read(text: str, where: str) -> Manifest:
    """The manifest in a text.

    Raises BackupError where it is none.
    """
    try:
        document = json.loads(text)
        if document.pop("schema") != SCHEMA:
            raise BackupError(f"{where}: made by another version of arcctl", hint=DAMAGED)
        parts = tuple(_part(item) for item in document.pop("parts"))
        return Manifest(**{**document, "secrets": tuple(document.get("secrets", ()))}, parts=parts)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BackupError(f"{where}: the manifest is damaged", hint=DAMAGED) from None


def _part(item: dict[str, Any]) -> Part:
    """A file's name is never a path: a manifest leads nowhere outside its folder."""
    if not re.fullmatch(r"[a-z0-9-]+\.age", item["file"]):
        raise ValueError(item["file"])
    return Part(**{**item, "kind": Kind(item["kind"])})


@dataclass(frozen=True)
class Verified:
    at: str
    restored: bool
    """Restored and proved, or only compared with its hashes."""


@dataclass(frozen=True)
class Entry:
    """One backup as `list` shows it; `problem` says why it has no manifest."""

    name: str
    manifest: Manifest | None
    verified: Verified | None = None
    problem: str = ""


def server(image: str, version: str, *, double: bool) -> str:
    """What a raw folder belongs to: the server's version where the engine tells, else the image."""
    return (version or image) + (f" {DOUBLE}" if double else "")


def obstacle(part: Part, manifest: Manifest, engine: str, present: str) -> str:
    """Why a part cannot go into the server that is here (`present`, empty while none is); empty where it can.

    A dump goes anywhere. A raw folder goes to the same server on the same engine, of the same major version, not older.
    """
    if part.kind is not Kind.FOLDER:
        return ""
    if manifest.engine != engine:
        return f"is a raw folder of the {manifest.engine} engine, and this home runs on {engine}"
    then, now = _version(part.server), _version(present)
    if not present or part.server == present or (then[0] == now[0] and then[1][:1] == now[1][:1] and then[1] <= now[1]):
        return ""
    return f"is a raw folder of {part.server}, which {present} does not read"


def _version(text: str) -> tuple[str, tuple[int, ...]]:
    """The product, and its version as numbers."""
    found = re.search(r"\d+(?:\.\d+)*", text.rpartition("/")[2])
    if not found:
        return text, ()
    product = text[: text.index(found[0])] + (DOUBLE if text.endswith(DOUBLE) else "")
    return product, tuple(map(int, found[0].split(".")))
