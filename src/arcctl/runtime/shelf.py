"""Backups on disk: a folder each, with a manifest, sealed parts, and the sealed key that opens them.

The parts are encrypted to one age recipient: the user's, or an identity of the backup's own, which lies beside them in
`key.age`, encrypted with a passphrase. So a passphrase costs its second once and not for each part.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from arcctl.core.backup import DAMAGED, Entry, Manifest, Part, Verified, read
from arcctl.core.names import FOLDER
from arcctl.errors import BackupError, KeyRefused, UsageError
from arcctl.runtime.files import PRIVATE_FILE, PRIVATE_FOLDER, STATE, Home, readable, write_whole
from arcctl.runtime.sealing import CHUNK, opened, sealed

MANIFEST, KEY, VERIFIED = "manifest.json", "key.age", "verified.json"
OWN_KEY = "backup.passphrase"
OWN_FILES = re.compile(rf"{re.escape(STATE)}/secrets\.env|config/[a-z0-9-]+/\.env|{FOLDER}/[a-z0-9-]+\.yaml")
"""What of the home is in a backup, and all that one may write there."""
_NAME = re.compile(r"\d{8}T\d{6}Z(-\d+)?")


class FolderShelf:
    """The backups of one home."""

    def __init__(self, home: Home, tell: Callable[[str], None]) -> None:
        self._home, self._tell = home, tell
        self.folder = home.state / "backups"

    @contextlib.contextmanager
    def begin(self, stamp: str, to: str, lock: str) -> Iterator[FolderDraft]:
        """What an interrupted one of this home left goes first."""
        folder = Path(to).expanduser().resolve() if to else self.folder
        mark = _mark(self._home)
        with readable(folder):
            folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            for left in folder.glob(f"*.{mark}.new"):
                shutil.rmtree(left)
            draft = folder / f"{stamp}.{mark}.new"
            draft.mkdir(mode=PRIVATE_FOLDER)
        try:
            yield FolderDraft(draft, self._home, self._recipient(lock, draft), usual=not to)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _recipient(self, lock: str, draft: Path) -> Any:
        import pyrage

        if lock.startswith("age1"):
            try:
                return pyrage.x25519.Recipient.from_str(lock)
            except pyrage.RecipientError:
                raise KeyRefused(f"no age recipient: {lock}", hint="age-keygen makes one") from None
        passphrase = _secret(Path(lock)) if lock else self._own_passphrase()
        identity = pyrage.x25519.Identity.generate()
        _write(draft / KEY, pyrage.passphrase.encrypt(str(identity).encode(), passphrase))
        return identity.to_public()

    def _own_passphrase(self) -> str:
        """Drawn once for a home."""
        path = self._home.state / OWN_KEY
        if not path.is_file():
            self._home.write_private(path, secrets.token_urlsafe(32) + "\n")
            self._tell(f"made {STATE}/{OWN_KEY}: without a copy of it in another place, no backup can be restored")
        return _secret(path)

    def entries(self) -> tuple[Entry, ...]:
        """In the order of time."""
        with readable(self.folder):
            folders = sorted(p for p in self.folder.glob("*") if _NAME.fullmatch(p.name))
        return tuple(_entry(path) for path in folders)

    def find(self, name: str) -> FolderStored:
        path = Path(name).expanduser() if "/" in name else self.folder / name
        if not name or path.suffix == ".new" or not path.is_dir():
            known = ", ".join(entry.name for entry in self.entries()) or "none yet"
            raise UsageError(f"no backup {name!r} (there is: {known})", hint="arcctl backup list")
        return FolderStored(path, self._home)


class FolderDraft:
    def __init__(self, folder: Path, home: Home, recipient: Any, *, usual: bool) -> None:
        self._folder, self._home, self._recipient, self._usual = folder, home, recipient, usual

    def write(self, file: str, fill: Callable[[BinaryIO], None]) -> tuple[int, str]:
        with sealed(self._folder / file, self._recipient) as (stream, digest):
            fill(stream)
        return digest.bytes, digest.hex

    def write_secrets(self, file: str) -> tuple[int, str]:
        with readable(self._home.root):
            root = self._home.root
            settings, declared = (root / "config").glob("*/.env"), (root / FOLDER).glob("*.yaml")
            paths = (self._home.secrets_file, *sorted(settings), *sorted(declared))
            texts = {p.relative_to(root).as_posix(): p.read_text() for p in paths if p.is_file()}

        def fill(stream: BinaryIO) -> None:
            stream.write(json.dumps(texts, indent=1).encode())

        return self.write(file, fill)

    def finish(self, manifest: Manifest) -> str:
        with readable(self._folder):
            _write(self._folder / MANIFEST, manifest.text.encode())
            _sync(self._folder)
            name = self._folder.name.split(".")[0]
            there = (self._folder.with_name(name), *(self._folder.with_name(f"{name}-{n}") for n in range(2, 99)))
            target = next(path for path in there if not path.exists())
            self._folder.rename(target)
            _sync(target.parent)
        return target.name if self._usual else str(target)


class FolderStored:
    """Raises BackupError for a folder without a manifest that can be read."""

    def __init__(self, folder: Path, home: Home) -> None:
        self.path, self._home, self._identity = folder.resolve(), home, None
        self.manifest = _manifest(folder)

    def damages(self, parts: Iterable[Part]) -> tuple[str, ...]:
        return tuple(problem for part in parts if (problem := self._damage(part)))

    def _damage(self, part: Part) -> str:
        path, state = self.path / part.file, hashlib.sha256()
        if not path.is_file():
            return f"{part.file} is missing"
        with readable(self.path), path.open("rb") as stream:
            while data := stream.read(CHUNK):
                state.update(data)
        return "" if state.hexdigest() == part.sha256 else f"{part.file} is not what was written"

    def unlock(self, key_file: str) -> None:
        import pyrage

        named = _secret(Path(key_file).expanduser()) if key_file else ""
        if "AGE-SECRET-KEY-" in named:
            line = next(line for line in named.splitlines() if line.startswith("AGE-SECRET-KEY-"))
            self._identity = _identity(line)
        elif (self.path / KEY).is_file():
            own = self._home.state / OWN_KEY
            passphrase = named or (_secret(own) if own.is_file() else "")
            if not passphrase:
                raise KeyRefused("this home has no passphrase", hint="--key FILE, with the passphrase of this backup")
            try:
                plain = pyrage.passphrase.decrypt((self.path / KEY).read_bytes(), passphrase)
            except (pyrage.DecryptError, OSError):
                raise KeyRefused(
                    "the passphrase does not open this backup", hint="--key FILE, with the one that it was made with"
                ) from None
            self._identity = _identity(plain.decode())
        else:
            hint = f"--key FILE, with the age identity of {self.manifest.lock}"
            raise KeyRefused("this backup was made for an age recipient", hint=hint)
        self._try()

    def _try(self) -> None:
        """The smallest part shows whether the key fits."""
        import pyrage

        smallest = min(self.manifest.parts, key=lambda part: part.bytes)
        try:
            pyrage.decrypt((self.path / smallest.file).read_bytes(), [self._identity])
        except (pyrage.DecryptError, OSError):
            raise KeyRefused("the key does not open this backup", hint="--key FILE, with the one for it") from None

    def read(self, part: Part, use: Callable[[BinaryIO], None]) -> None:
        with opened(self.path / part.file, self._identity) as stream:
            use(stream)

    def restore_secrets(self, part: Part) -> tuple[str, ...]:
        texts: dict[str, str] = {}

        def use(stream: BinaryIO) -> None:
            texts.update(json.loads(stream.read()))

        self.read(part, use)
        if not all(OWN_FILES.fullmatch(name) for name in texts):
            raise BackupError("the secrets in this backup lead out of the home", hint=DAMAGED)
        for name, text in texts.items():
            self._home.write_private(self._home.root / name, text)
        return tuple(texts)

    def note(self, verified: Verified) -> None:
        """Hashes that fit do not take away that it was restored."""
        before = _verified(self.path)
        if verified.restored or not (before and before.restored):
            with readable(self.path):
                write_whole(self.path / VERIFIED, json.dumps(asdict(verified)) + "\n", PRIVATE_FILE)

    def delete(self) -> None:
        """First out of sight, so that no half one is ever listed."""
        with readable(self.path):
            gone = self.path.with_name(f"{self.path.name}.{_mark(self._home)}.new")
            self.path.rename(gone)
            shutil.rmtree(gone)


def _mark(home: Home) -> str:
    """Whose unfinished folder it is, where several homes keep theirs in one place."""
    return hashlib.sha256(str(home.root).encode()).hexdigest()[:8]


def _manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        return read(path.read_text(), folder.name)
    except (OSError, UnicodeDecodeError):
        raise BackupError(f"{folder.name} has no manifest that can be read", hint=DAMAGED) from None


def _entry(folder: Path) -> Entry:
    try:
        manifest = _manifest(folder)
    except BackupError as error:
        return Entry(folder.name, None, problem=error.message)
    return Entry(folder.name, manifest, _verified(folder))


def _verified(folder: Path) -> Verified | None:
    path = folder / VERIFIED
    try:
        return Verified(**json.loads(path.read_text())) if path.is_file() else None
    except (OSError, ValueError, TypeError):
        return None


def _identity(text: str) -> Any:
    import pyrage

    try:
        return pyrage.x25519.Identity.from_str(text.strip())
    except pyrage.IdentityError:
        raise KeyRefused("no age identity", hint="--key FILE, as age-keygen wrote it") from None


def _secret(path: Path) -> str:
    """What a file of one secret says."""
    try:
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no text"
        raise KeyRefused(f"{path}: {reason.lower()}", hint="name a file that holds the passphrase") from None
    if not text:
        raise KeyRefused(f"{path} is empty", hint="name a file that holds the passphrase")
    return text


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
