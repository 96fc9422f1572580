"""Backups on disk: whole or not at all, private, and opened by their own key only."""

from __future__ import annotations

import errno
import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyrage
import pytest

from arcctl.core.backup import Kind, Manifest, Part, Verified
from arcctl.errors import BackupError, KeyRefused, UsageError
from arcctl.runtime.files import Home
from arcctl.runtime.place import FOLDERS
from arcctl.runtime.shelf import FolderShelf


@dataclass(frozen=True)
class Key:
    recipient: str
    file: str


SECRET = "s3ntinel-in-the-data" * 1000
STAMP = "20261124T210000Z"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    for folder in FOLDERS:
        (tmp_path / "home" / folder / "redis").mkdir(parents=True)
    made = Home(tmp_path / "home")
    made.keep_secrets({"REDIS_PASSWORD": SECRET})
    return made


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def shelf(home: Home, said: list[str]) -> FolderShelf:
    return FolderShelf(home, said.append)


@pytest.fixture
def key(tmp_path: Path) -> Key:
    """An age identity: a passphrase costs a second each time, by its nature."""
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(str(identity))
    return Key(str(identity.to_public()), str(tmp_path / "key"))


def _fill(stream: BinaryIO) -> None:
    stream.write(SECRET.encode())


def _made(
    shelf: FolderShelf, *, to: str = "", lock: str = "", stamp: str = STAMP, fill: Callable[[BinaryIO], None] = _fill
) -> str:
    with shelf.begin(stamp, to, lock) as draft:
        size, digest = draft.write("redis-0.age", fill)
        part = Part(
            service="redis", kind=Kind.FOLDER, name="data", file="redis-0.age", bytes=size, sha256=digest, server="r:1"
        )
        size, digest = draft.write_secrets("home.age")
        own = Part(service="", kind=Kind.SECRETS, name="", file="home.age", bytes=size, sha256=digest, server="")
        manifest = Manifest(
            created_at="2026-11-24T21:00:00+00:00",
            arcctl="0.1.0",
            engine="fake",
            lock="passphrase",
            secrets_id="id",
            parts=(part, own),
        )
        return draft.finish(manifest)


def _read(shelf: FolderShelf, name: str, key: str = "") -> str:
    stored, found = shelf.find(name), bytearray()
    stored.unlock(key)
    stored.read(stored.manifest.parts[0], lambda stream: found.extend(stream.read()))
    return found.decode()


def test_what_was_written_is_read_back_and_nobody_else_can_read_it(shelf: FolderShelf, key: Key) -> None:
    name = _made(shelf, lock=key.recipient)
    assert name == STAMP
    assert _read(shelf, name, key.file) == SECRET
    folder = shelf.folder / name
    assert [oct(p.stat().st_mode & 0o777) for p in (shelf.folder, folder)] == ["0o700", "0o700"]
    assert {p.stat().st_mode & 0o777 for p in folder.iterdir()} == {0o600}
    assert [p.name for p in folder.iterdir() if b"s3ntinel" in p.read_bytes()] == []


def test_the_first_backup_of_a_home_makes_its_passphrase_and_says_so_once(
    shelf: FolderShelf, home: Home, said: list[str]
) -> None:
    for stamp in (STAMP, "20261124T210001Z"):
        assert _read(shelf, _made(shelf, stamp=stamp)) == SECRET
    path = home.state / "backup.passphrase"
    assert path.stat().st_mode & 0o777 == 0o600
    assert said == ["made .arcctl/backup.passphrase: without a copy of it in another place, no backup can be restored"]
    assert path.read_text().strip() not in "".join(said)


def test_a_passphrase_of_the_users_own_opens_it_and_no_other(shelf: FolderShelf, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("correct horse\n")
    (tmp_path / "other").write_text("battery staple\n")
    name = _made(shelf, lock=str(tmp_path / "mine"))
    assert _read(shelf, name, str(tmp_path / "mine")) == SECRET
    with pytest.raises(KeyRefused, match="the passphrase does not open this backup"):
        _read(shelf, name, str(tmp_path / "other"))
    with pytest.raises(KeyRefused, match="this home has no passphrase"):
        _read(shelf, name)


def test_an_age_recipient_opens_it_with_any_age_tool(shelf: FolderShelf, tmp_path: Path) -> None:
    identity, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(f"# created by age-keygen\n{identity}\n")
    (tmp_path / "other").write_text(str(other))
    name = _made(shelf, lock=str(identity.to_public()))
    assert _read(shelf, name, str(tmp_path / "key")) == SECRET
    sealed = (shelf.folder / name / "redis-0.age").read_bytes()
    assert gzip.decompress(pyrage.decrypt(sealed, [identity])).decode() == SECRET
    with pytest.raises(KeyRefused, match="the key does not open this backup"):
        _read(shelf, name, str(tmp_path / "other"))
    with pytest.raises(KeyRefused, match="made for an age recipient"):
        _read(shelf, name)


@pytest.mark.parametrize("lock", ["age1nonsense", "/nowhere/at/all"])
def test_a_lock_that_is_none_is_refused_and_nothing_is_left(shelf: FolderShelf, lock: str) -> None:
    with pytest.raises(KeyRefused):
        _made(shelf, lock=lock)
    assert list(shelf.folder.iterdir()) == []


def test_the_secrets_of_the_home_come_back(shelf: FolderShelf, key: Key, home: Home) -> None:
    (home.root / "config" / "redis" / ".env").write_text("REDIS_HOST_PORT=7000\n")
    name = _made(shelf, lock=key.recipient)
    home.keep_secrets({"REDIS_PASSWORD": "another"})
    (home.root / "config" / "redis" / ".env").unlink()
    stored = shelf.find(name)
    stored.unlock(key.file)
    files = stored.restore_secrets(stored.manifest.parts[-1])
    assert files == (".arcctl/secrets.env", "config/redis/.env")
    assert home.secrets() == {"REDIS_PASSWORD": SECRET}
    assert (home.root / "config" / "redis" / ".env").read_text() == "REDIS_HOST_PORT=7000\n"


def test_one_that_fails_leaves_nothing(shelf: FolderShelf, key: Key) -> None:
    def fail(stream: BinaryIO) -> None:
        stream.write(b"half of it")
        raise BackupError("the server hung up")

    with pytest.raises(BackupError, match="the server hung up"):
        _made(shelf, lock=key.recipient, fill=fail)
    assert list(shelf.folder.iterdir()) == []
    assert shelf.entries() == ()


def test_what_an_interrupted_one_left_is_never_listed_and_goes_with_the_next(shelf: FolderShelf, key: Key) -> None:
    with shelf.begin(STAMP, "", key.recipient) as draft:
        draft.write("redis-0.age", _fill)
        (left,) = shelf.folder.iterdir()
        assert shelf.entries() == ()
        left.rename(shelf.folder / "kept")
    (shelf.folder / "kept").rename(left)
    _made(shelf, lock=key.recipient, stamp="20261124T210001Z")
    assert [p.name for p in shelf.folder.iterdir()] == ["20261124T210001Z"]


def test_two_of_the_same_second_are_two(shelf: FolderShelf, key: Key) -> None:
    assert [_made(shelf, lock=key.recipient), _made(shelf, lock=key.recipient)] == [STAMP, f"{STAMP}-2"]
    assert [e.name for e in shelf.entries()] == [STAMP, f"{STAMP}-2"]


def test_another_folder_is_named_by_its_path(shelf: FolderShelf, key: Key, tmp_path: Path) -> None:
    name = _made(shelf, lock=key.recipient, to=str(tmp_path / "far" / "away"))
    assert name == str(tmp_path / "far" / "away" / STAMP)
    assert _read(shelf, name, key.file) == SECRET
    assert shelf.entries() == ()


def test_a_full_disk_is_told_without_a_traceback(shelf: FolderShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)  # what a delayed allocation finds out last
    with pytest.raises(BackupError, match=r"cannot write .*redis-0\.age: no space left on device"):
        _made(shelf, lock=str(pyrage.x25519.Identity.generate().to_public()))


@pytest.mark.parametrize("place", [0, 30, 300, -1])
def test_a_changed_byte_is_found_by_its_hash_and_also_without(shelf: FolderShelf, key: Key, place: int) -> None:
    name = _made(shelf, lock=key.recipient)
    path = shelf.folder / name / "redis-0.age"
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    stored = shelf.find(name)
    assert stored.damages(stored.manifest.parts) == ("redis-0.age is not what was written",)
    with pytest.raises((BackupError, KeyRefused)):
        _read(shelf, name, key.file)


def test_a_part_that_was_cut_off_is_refused_at_its_end(shelf: FolderShelf, key: Key) -> None:
    name = _made(shelf, lock=key.recipient)
    path = shelf.folder / name / "redis-0.age"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises((BackupError, KeyRefused)):
        _read(shelf, name, key.file)


def test_a_reader_that_stops_early_gets_its_own_reason(shelf: FolderShelf, key: Key) -> None:
    stored = shelf.find(_made(shelf, lock=key.recipient))
    stored.unlock(key.file)

    def stop(stream: BinaryIO) -> None:
        stream.read(1)
        raise BackupError("no room")

    with pytest.raises(BackupError, match="no room"):
        stored.read(stored.manifest.parts[0], stop)


def test_a_folder_without_a_manifest_is_listed_with_the_reason(shelf: FolderShelf) -> None:
    (shelf.folder / STAMP).mkdir(parents=True)
    (entry,) = shelf.entries()
    assert (entry.manifest, entry.problem) == (None, f"{STAMP} has no manifest that can be read")


@pytest.mark.parametrize("name", ["", "nothing", "../home", "/nowhere"])
def test_a_name_that_is_none_is_refused_with_those_that_are(shelf: FolderShelf, key: Key, name: str) -> None:
    _made(shelf, lock=key.recipient)
    with pytest.raises((UsageError, BackupError)):
        shelf.find(name)


def test_that_it_was_verified_is_remembered_and_deleting_leaves_nothing(shelf: FolderShelf, key: Key) -> None:
    stored = shelf.find(_made(shelf, lock=key.recipient))
    stored.note(Verified("2026-11-24T22:00:00+00:00", restored=True))
    stored.note(Verified("2026-11-24T23:00:00+00:00", restored=False))
    assert shelf.entries()[0].verified == Verified("2026-11-24T22:00:00+00:00", restored=True)
    stored.delete()
    assert list(shelf.folder.iterdir()) == []
