"""Backups on disk: a folder each, with a manifest, encrypted parts, and the encrypted key that opens them.

The parts are encrypted for one age recipient: the user's, or an identity that was generated for this backup and lies in
`key.age`, encrypted with a passphrase. So the second that a passphrase takes is spent once and not for each part.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from arcctl.backup.clients.encryption import decrypted, encrypted
from arcctl.backup.manifest import DAMAGED, Entry, Kind, Manifest, Part, Verified, read
from arcctl.backup.plan import SETTINGS, obstacle, with_own
from arcctl.errors import ArcError, BackupError, KeyRefused, ProjectError, UsageError
from arcctl.settings.directory import ProjectDirectory
from arcctl.settings.files import PRIVATE_FILE, PRIVATE_FOLDER, UNDECODED, create_shared_folder, readable, write_whole
from arcctl.settings.location import FOLDER, STATE
from arcctl.settings.text import read_json, read_text

MANIFEST, KEY, VERIFIED = "manifest.json", "key.age", "verified.json"
NEVER = Verified("", restored=False)
TOO_SLOW = "Excessive work"
"""What age says before it tries a passphrase that would take this machine too long; it measures that each time."""
MEASUREMENTS, PAUSE = 10, 0.5
"""Attempts, and seconds between two of them."""
KEY_FILE = "backup.passphrase"
RECIPIENT, IDENTITY = "age1", "AGE-SECRET-KEY-"
"""How age's public and private keys begin."""
RESTORABLE = re.compile(rf"{re.escape(STATE)}/secrets\.env|config/[a-z0-9-]+/\.env|{FOLDER}/[a-z0-9-]+\.yaml")
"""The files of the project that are in a backup, and all that a backup may write there."""
_NAME = re.compile(r"\d{8}T\d{6}Z(-\d+)?")


class BackupRepository:
    """The backups of one project."""

    def __init__(self, directory: ProjectDirectory, warn: Callable[[str], None]) -> None:
        self._directory, self._warn = directory, warn
        self.folder = directory.state / "backups"

    @contextlib.contextmanager
    def begin(self, name: str, to: str, encrypt_for: str) -> Iterator[Draft]:
        """A new backup, in the folder `to` or the project's own: complete when it is finished, or not there at all.

        `encrypt_for` is an age recipient, the path of a file with a passphrase, or empty for the project's passphrase.
        Deletes what an interrupted one of this project left.
        """
        folder = Path(to).expanduser().resolve() if to else self.folder
        mark = _mark(self._directory)
        with readable(folder):
            folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            for left in folder.glob(f"*.{mark}.new"):
                shutil.rmtree(left)
            draft = folder / f"{name}.{mark}.new"
            draft.mkdir(mode=PRIVATE_FOLDER)
        try:
            with readable(draft):
                recipient = self._recipient(encrypt_for, draft)
            yield Draft(draft, self._directory, recipient, named_by_path=bool(to))
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _recipient(self, encrypt_for: str, draft: Path) -> Any:
        import pyrage

        if encrypt_for.startswith(RECIPIENT):
            try:
                return pyrage.x25519.Recipient.from_str(encrypt_for)
            except pyrage.RecipientError:
                raise KeyRefused(f"not an age recipient: {encrypt_for}", hint="age-keygen prints one") from None
        passphrase = _secret(Path(encrypt_for)) if encrypt_for else self._passphrase()
        identity = pyrage.x25519.Identity.generate()
        _write(draft / KEY, pyrage.passphrase.encrypt(str(identity).encode(), passphrase))
        return identity.to_public()

    def _passphrase(self) -> str:
        """The project's, generated once."""
        path = self._directory.state / KEY_FILE
        if not path.is_file():
            self._directory.write_private({path: secrets.token_urlsafe(32) + "\n"})
            self._warn(
                f"created {STATE}/{KEY_FILE}: keep a copy elsewhere, because backups cannot be restored without it"
            )
        return _secret(path)

    def entries(self) -> tuple[Entry, ...]:
        """Oldest first."""
        with readable(self.folder):
            folders = sorted(p for p in self.folder.glob("*") if _NAME.fullmatch(p.name))
        return tuple(_entry(path) for path in folders)

    def newest(self, service: str, engine: str) -> str:
        """The newest one with data of a service that fits this engine, complete if possible; empty where there is none.

        A restore compares the hashes too, before it changes anything.
        """
        usable = [(entry.name, entry.manifest) for entry in self.entries() if entry.manifest and not entry.problem]
        fitting = [(name, manifest) for name, manifest in usable if _fits(manifest, service, engine)]
        complete = [(name, manifest) for name, manifest in fitting if not manifest.missing]
        return next((found[-1][0] for found in (complete, fitting) if found), "")

    def keep_damaged(self, name: str, fill: Callable[[BinaryIO], object]) -> str:
        """Write data that no server can read to a file of its own; the path of that file."""
        folder = self._directory.state / "damaged"
        path = folder / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar"
        with readable(folder):
            folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb") as stream:
                try:
                    fill(stream)
                    os.fsync(stream)
                except BaseException:
                    path.unlink()
                    raise
        return str(path)

    def find(self, name: str) -> Backup:
        """By its name or the path of its folder. Raises UsageError where there is none."""
        path = Path(name).expanduser() if "/" in name else self.folder / name
        if not name or path.suffix == ".new" or not path.is_dir():
            known = ", ".join(entry.name for entry in self.entries())
            have = f"there are: {known}" if known else "there are none yet"
            raise UsageError(f"no backup {name!r}; {have}", hint="arcctl backup list")
        return Backup(path, self._directory)


def _fits(manifest: Manifest, service: str, engine: str) -> bool:
    parts = manifest.of(service)
    return bool(parts) and not any(obstacle(part, manifest, engine, "") for part in parts)


def _has_its_files(folder: Path, manifest: Manifest) -> bool:
    files = ((folder / part.file, part.bytes) for part in manifest.parts)
    return all(path.is_file() and path.stat().st_size == size for path, size in files)


def project_files(directory: ProjectDirectory) -> dict[str, str]:
    """The files of a project that belong to its data, by their path in it: secrets, settings and custom services."""
    with readable(directory.root):
        root = directory.root
        settings, declared = (root / "config").glob("*/.env"), (root / FOLDER).glob("*.yaml")
        paths = (directory.secrets_file, *sorted(settings), *sorted(declared))
        return {p.relative_to(root).as_posix(): read_text(p) for p in paths if p.is_file()}


class Draft:
    """A backup that is being written."""

    def __init__(self, folder: Path, directory: ProjectDirectory, recipient: Any, *, named_by_path: bool) -> None:
        self._folder, self._directory, self._recipient = folder, directory, recipient
        self._named_by_path = named_by_path

    def write(self, file: str, fill: Callable[[BinaryIO], object]) -> tuple[int, str]:
        """Size in bytes and hash of the file that `fill` fills."""
        path = self._folder / file
        try:
            with encrypted(path, self._recipient) as stream:
                fill(stream)
        except ArcError:
            path.unlink(missing_ok=True)
            raise
        return path.stat().st_size, _sha256(path)

    def write_secrets(self, file: str) -> tuple[int, str]:
        """The project's secrets and settings, and the declarations of its custom services."""
        texts = project_files(self._directory)
        return self.write(file, lambda stream: stream.write(json.dumps(texts, indent=1).encode()))

    def finish(self, manifest: Manifest) -> str:
        """The name by which it can be found from now on."""
        with readable(self._folder):
            _write(self._folder / MANIFEST, manifest.text.encode())
            _sync(self._folder)
            name = self._folder.name.split(".")[0]
            paths = (self._folder.with_name(name), *(self._folder.with_name(f"{name}-{n}") for n in range(2, 99)))
            target = next(path for path in paths if not path.exists())
            self._folder.rename(target)
            _sync(target.parent)
            if not (_manifest(target) == manifest and _has_its_files(target, manifest)):
                raise BackupError(f"{target} is not what was written", hint="arcctl backup create")
        return str(target) if self._named_by_path else target.name


class Backup:
    """One backup, to read from. Raises BackupError for a folder without a manifest that can be read."""

    def __init__(self, folder: Path, directory: ProjectDirectory) -> None:
        self.path, self._directory, self._identity = folder.resolve(), directory, None
        self.manifest = _manifest(folder)

    def damages(self) -> tuple[str, ...]:
        """What is wrong with the files, as far as hashes tell."""
        return tuple(problem for part in self.manifest.parts if (problem := self._damage(part)))

    def _damage(self, part: Part) -> str:
        path = self.path / part.file
        if not path.is_file():
            return f"{part.file} is missing"
        with readable(self.path):
            return "" if _sha256(path) == part.sha256 else f"{part.file} is not what was written"

    def unlock(self, key_file: str) -> None:
        """Make the parts readable, with the passphrase or age identity in a file, or with the project's passphrase.

        Raises KeyRefused for a key of another backup.
        """
        import pyrage

        key = _secret(Path(key_file).expanduser()) if key_file else ""
        if IDENTITY in key:
            self._identity = _identity(next(line for line in key.splitlines() if line.startswith(IDENTITY)))
        elif (self.path / KEY).is_file():
            self._identity = _identity(self._generated(key))
        else:
            hint = f"--key FILE, with the age identity of {self.manifest.lock}"
            raise KeyRefused("this backup was made for an age recipient", hint=hint)
        smallest = min(self.manifest.parts, key=lambda part: part.bytes)
        try:
            pyrage.decrypt((self.path / smallest.file).read_bytes(), [self._identity])
        except (pyrage.DecryptError, OSError):
            hint = "--key FILE, with the key of this backup"
            raise KeyRefused("the key does not open this backup", hint=hint) from None

    def _generated(self, passphrase: str) -> str:
        """The identity in the key file."""
        import pyrage

        path = self._directory.state / KEY_FILE
        passphrase = passphrase or (_secret(path) if path.is_file() else "")
        if not passphrase:
            hint = "--key FILE, with the passphrase of this backup"
            raise KeyRefused("this project has no backup passphrase", hint=hint)
        try:
            return _decrypted((self.path / KEY).read_bytes(), passphrase).decode()
        except (pyrage.DecryptError, OSError) as error:
            if TOO_SLOW in str(error):
                hint = "run the same command again when the machine has less to do"
                raise KeyRefused("this machine is too busy or too slow to open this backup", hint=hint) from None
            hint = "--key FILE, with the passphrase that it was made with"
            raise KeyRefused("the passphrase does not open this backup", hint=hint) from None

    def read(self, part: Part, use: Callable[[BinaryIO], object]) -> None:
        with decrypted(self.path / part.file, self._identity) as stream:
            use(stream)

    def restore_secrets(self, directory: ProjectDirectory, stay: Collection[str] = ()) -> tuple[str, ...]:
        """Write the secrets and settings into a project, but for those that `stay` as they are there.

        The paths of the files that were written.
        """
        texts = self.project_files()
        paths = {name: directory.root / name for name in texts}
        with readable(directory.root):
            own = {n: read_text(path) for n, path in paths.items() if n.endswith(SETTINGS) and path.is_file()}
            texts = with_own(texts, own, stay)
            for name in texts:
                create_shared_folder(paths[name].parent)
        directory.write_private({paths[name]: text for name, text in texts.items()})
        return tuple(texts)

    def project_files(self) -> dict[str, str]:
        """The files of the project that it was made of, as the function of that name says."""
        texts: dict[str, str] = {}
        (part,) = (p for p in self.manifest.parts if p.kind is Kind.SECRETS)
        self.read(part, lambda stream: texts.update(json.loads(stream.read())))
        if not all(RESTORABLE.fullmatch(name) for name in texts):
            raise BackupError("this backup has files that do not belong into a project", hint=DAMAGED)
        return texts

    def note(self, verified: Verified | None) -> None:
        """Remember how it was verified; None forgets that it was, because it failed now.

        That it was restored is not forgotten for a comparison of hashes.
        """
        before, path = _verified(self.path), self.path / VERIFIED
        if verified is None:
            with contextlib.suppress(OSError):  # of a disk that is read-only: what failed is said all the same
                path.unlink()
        elif verified.restored or not (before and before.restored):
            with readable(self.path):
                write_whole(path, json.dumps(asdict(verified)) + "\n", PRIVATE_FILE)

    def delete(self) -> None:
        """Renamed first, so that an incomplete one is never listed."""
        with readable(self.path):
            renamed = self.path.with_name(f"{self.path.name}.{_mark(self._directory)}.new")
            self.path.rename(renamed)
            shutil.rmtree(renamed)


def _mark(directory: ProjectDirectory) -> str:
    """Tells the unfinished folders of several projects in one place apart."""
    return hashlib.sha256(str(directory.root).encode(errors=UNDECODED)).hexdigest()[:8]


def _decrypted(locked: bytes, passphrase: str) -> bytes:
    """Raises DecryptError. On a busy machine a measurement of age may say that it would take too long."""
    import pyrage

    attempt = 1
    while True:
        try:
            plain: bytes = pyrage.passphrase.decrypt(locked, passphrase)
            return plain
        except pyrage.DecryptError as error:
            if TOO_SLOW not in str(error) or attempt == MEASUREMENTS:
                raise
        attempt += 1
        time.sleep(PAUSE)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        return read(read_text(path), folder.name)
    except ProjectError:
        raise BackupError(f"{folder.name} has no readable manifest", hint=DAMAGED) from None


def _entry(folder: Path) -> Entry:
    try:
        manifest = _manifest(folder)
    except BackupError as error:
        return Entry(folder.name, None, problem=error.message)
    problem = "" if _has_its_files(folder, manifest) else "a file is missing or has another size"
    return Entry(folder.name, manifest, _verified(folder), problem)


def _verified(folder: Path) -> Verified | None:
    with contextlib.suppress(ProjectError):
        found = read_json(folder / VERIFIED, Verified, NEVER)
        return None if found is NEVER else found
    return None


def _identity(text: str) -> Any:
    import pyrage

    try:
        return pyrage.x25519.Identity.from_str(text.strip())
    except pyrage.IdentityError:
        raise KeyRefused("not an age identity", hint="--key FILE, as age-keygen wrote it") from None


def _secret(path: Path) -> str:
    """The content of a file that holds one secret."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
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
