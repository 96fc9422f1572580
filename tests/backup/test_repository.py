"""Backups on disk: whole or not at all, private, and opened by their own key only."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyrage
import pytest

from arcctl.backup.clients.repository import BackupRepository
from arcctl.backup.manifest import Kind, Manifest, Part, Verified
from arcctl.errors import BackupError, KeyRefused, ProjectError, UsageError
from arcctl.settings.directory import ProjectDirectory
from arcctl.settings.location import FOLDERS
from tests.small_disk import SmallDisk


@dataclass(frozen=True)
class Key:
    recipient: str
    file: str


SECRET = "s3ntinel-in-the-data" * 1000
STAMP = "20261124T210000Z"


@pytest.fixture
def directory(tmp_path: Path) -> ProjectDirectory:
    for folder in FOLDERS:
        (tmp_path / "project" / folder / "redis").mkdir(parents=True)
    made = ProjectDirectory(tmp_path / "project")
    made.keep_secrets({"REDIS_PASSWORD": SECRET})
    return made


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def repository(directory: ProjectDirectory, said: list[str]) -> BackupRepository:
    return BackupRepository(directory, said.append)


@pytest.fixture
def key(tmp_path: Path) -> Key:
    """An age identity."""
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(str(identity))
    return Key(str(identity.to_public()), str(tmp_path / "key"))


def _fill(stream: BinaryIO) -> None:
    stream.write(SECRET.encode())


def _made(
    repository: BackupRepository,
    *,
    to: str = "",
    encrypt_for: str = "",
    stamp: str = STAMP,
    fill: Callable[[BinaryIO], None] = _fill,
) -> str:
    with repository.begin(stamp, to, encrypt_for) as draft:
        size, digest = draft.write("redis-0.age", fill)
        part = Part(
            service="redis", kind=Kind.FOLDER, name="data", file="redis-0.age", bytes=size, sha256=digest, server="r:1"
        )
        size, digest = draft.write_secrets("secrets.age")
        own = Part(service="", kind=Kind.SECRETS, name="", file="secrets.age", bytes=size, sha256=digest, server="")
        manifest = Manifest(
            created_at="2026-11-24T21:00:00+00:00",
            arcctl="0.1.0",
            engine="fake",
            lock="passphrase",
            secrets_id="id",
            parts=(part, own),
        )
        return draft.finish(manifest)


def _read(repository: BackupRepository, name: str, key: str = "") -> str:
    stored, found = repository.find(name), bytearray()
    stored.unlock(key)
    stored.read(stored.manifest.parts[0], lambda stream: found.extend(stream.read()))
    return found.decode()


def test_what_was_written_is_read_back_and_nobody_else_can_read_it(repository: BackupRepository, key: Key) -> None:
    name = _made(repository, encrypt_for=key.recipient)
    assert name == STAMP
    assert _read(repository, name, key.file) == SECRET
    folder = repository.folder / name
    assert [oct(p.stat().st_mode & 0o777) for p in (repository.folder, folder)] == ["0o700", "0o700"]
    assert {p.stat().st_mode & 0o777 for p in folder.iterdir()} == {0o600}
    assert [p.name for p in folder.iterdir() if b"s3ntinel" in p.read_bytes()] == []


def test_the_first_backup_of_a_project_generates_its_passphrase_and_says_so_once(
    repository: BackupRepository, directory: ProjectDirectory, said: list[str]
) -> None:
    for stamp in (STAMP, "20261124T210001Z"):
        assert _read(repository, _made(repository, stamp=stamp)) == SECRET
    path = directory.state / "backup.passphrase"
    assert path.stat().st_mode & 0o777 == 0o600
    assert said == [
        "created .arcctl/backup.passphrase: keep a copy elsewhere, because backups cannot be restored without it"
    ]
    assert path.read_text().strip() not in "".join(said)


@pytest.mark.usefixtures("real_passphrases")
def test_a_passphrase_of_the_users_own_opens_it_and_no_other(repository: BackupRepository, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("correct horse\n")
    (tmp_path / "other").write_text("battery staple\n")
    name = _made(repository, encrypt_for=str(tmp_path / "mine"))
    assert _read(repository, name, str(tmp_path / "mine")) == SECRET
    with pytest.raises(KeyRefused, match="the passphrase does not open this backup"):
        _read(repository, name, str(tmp_path / "other"))
    with pytest.raises(KeyRefused, match="this project has no backup passphrase"):
        _read(repository, name)


@pytest.mark.parametrize("times", [2, 1000])
def test_a_busy_machine_measures_its_speed_again(
    repository: BackupRepository, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    name, measured, decrypt = _made(repository), [], pyrage.passphrase.decrypt

    def slow(locked: bytes, passphrase: str) -> bytes:
        measured.append(passphrase)
        if len(measured) <= times:
            raise pyrage.DecryptError("Excessive work parameter for passphrase.\nDecryption would take 64 seconds.")
        plain: bytes = decrypt(locked, passphrase)
        return plain

    monkeypatch.setattr(pyrage.passphrase, "decrypt", slow)
    monkeypatch.setattr("arcctl.backup.clients.repository.PAUSE", 0.0)
    if times == 2:
        assert _read(repository, name) == SECRET
        return
    with pytest.raises(KeyRefused, match="this machine is too busy or too slow to open this backup") as caught:
        _read(repository, name)
    assert caught.value.hint == "run the same command again when the machine has less to do"
    assert len(measured) == 10


def test_an_age_recipient_opens_it_with_any_age_tool(repository: BackupRepository, tmp_path: Path) -> None:
    identity, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(f"# created by age-keygen\n{identity}\n")
    (tmp_path / "other").write_text(str(other))
    name = _made(repository, encrypt_for=str(identity.to_public()))
    assert _read(repository, name, str(tmp_path / "key")) == SECRET
    encrypted = (repository.folder / name / "redis-0.age").read_bytes()
    assert gzip.decompress(pyrage.decrypt(encrypted, [identity])).decode() == SECRET
    with pytest.raises(KeyRefused, match="the key does not open this backup"):
        _read(repository, name, str(tmp_path / "other"))
    with pytest.raises(KeyRefused, match="made for an age recipient"):
        _read(repository, name)


@pytest.mark.parametrize("encrypt_for", ["age1nonsense", "/nowhere/at/all"])
def test_a_bad_recipient_or_passphrase_file_is_refused_and_nothing_is_left(
    repository: BackupRepository, encrypt_for: str
) -> None:
    with pytest.raises(KeyRefused):
        _made(repository, encrypt_for=encrypt_for)
    assert list(repository.folder.iterdir()) == []


def test_the_secrets_of_the_project_come_back(
    repository: BackupRepository, key: Key, directory: ProjectDirectory
) -> None:
    (directory.root / "config" / "redis" / ".env").write_text("REDIS_HOST_PORT=7000\n")
    name = _made(repository, encrypt_for=key.recipient)
    directory.keep_secrets({"REDIS_PASSWORD": "another"})
    (directory.root / "config" / "redis" / ".env").unlink()
    stored = repository.find(name)
    stored.unlock(key.file)
    files = stored.restore_secrets(directory)
    assert files == (".arcctl/secrets.env", "config/redis/.env")
    assert directory.secrets() == {"REDIS_PASSWORD": SECRET}
    assert (directory.root / "config" / "redis" / ".env").read_text() == "REDIS_HOST_PORT=7000\n"


def test_files_come_back_into_a_project_that_lacks_their_folders(
    repository: BackupRepository, key: Key, directory: ProjectDirectory, tmp_path: Path
) -> None:
    """A new project has no folder for custom services, nor one for the settings of each."""
    texts = {"services/visits.yaml": "image: visits\n", "config/visits/.env": "VISITS_LIMIT=9\n"}
    for name, text in texts.items():
        (directory.root / name).parent.mkdir(parents=True)
        (directory.root / name).write_text(text)
    stored = repository.find(_made(repository, encrypt_for=key.recipient))
    stored.unlock(key.file)
    new = tmp_path / "new"
    new.mkdir()
    files = stored.restore_secrets(ProjectDirectory(new))
    assert files == (".arcctl/secrets.env", *reversed(texts))
    assert {name: (new / name).read_text() for name in texts} == texts
    assert (new / ".arcctl").stat().st_mode & 0o777 == 0o700


def test_settings_that_stay_do_not_come_back(
    repository: BackupRepository, key: Key, directory: ProjectDirectory
) -> None:
    (directory.root / "config" / "redis" / ".env").write_text("REDIS_HOST_PORT=7000\nREDIS_HOST=here\n")
    name = _made(repository, encrypt_for=key.recipient)
    (directory.root / "config" / "redis" / ".env").write_text("REDIS_HOST=there\n")
    stored = repository.find(name)
    stored.unlock(key.file)
    stored.restore_secrets(directory, {"REDIS_HOST"})
    text = (directory.root / "config" / "redis" / ".env").read_text()
    assert text == "REDIS_HOST_PORT=7000\nREDIS_HOST=there\n"


def test_one_that_fails_leaves_nothing(repository: BackupRepository, key: Key) -> None:
    def fail(stream: BinaryIO) -> None:
        stream.write(b"half of it")
        raise BackupError("the server hung up")

    with pytest.raises(BackupError, match="the server hung up"):
        _made(repository, encrypt_for=key.recipient, fill=fail)
    assert list(repository.folder.iterdir()) == []
    assert repository.entries() == ()


def test_what_an_interrupted_one_left_is_never_listed_and_goes_with_the_next(
    repository: BackupRepository, key: Key
) -> None:
    with repository.begin(STAMP, "", key.recipient) as draft:
        draft.write("redis-0.age", _fill)
        (left,) = repository.folder.iterdir()
        assert repository.entries() == ()
        left.rename(repository.folder / "kept")
    (repository.folder / "kept").rename(left)
    _made(repository, encrypt_for=key.recipient, stamp="20261124T210001Z")
    assert [p.name for p in repository.folder.iterdir()] == ["20261124T210001Z"]


def test_two_of_the_same_second_are_two(repository: BackupRepository, key: Key) -> None:
    assert [_made(repository, encrypt_for=key.recipient), _made(repository, encrypt_for=key.recipient)] == [
        STAMP,
        f"{STAMP}-2",
    ]
    assert [e.name for e in repository.entries()] == [STAMP, f"{STAMP}-2"]


def test_another_folder_is_named_by_its_path(repository: BackupRepository, key: Key, tmp_path: Path) -> None:
    name = _made(repository, encrypt_for=key.recipient, to=str(tmp_path / "far" / "away"))
    assert name == str(tmp_path / "far" / "away" / STAMP)
    assert _read(repository, name, key.file) == SECRET
    assert repository.entries() == ()


def test_a_full_disk_is_told_without_a_traceback(repository: BackupRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)  # what a delayed allocation finds out last
    with pytest.raises(BackupError, match=r"cannot write .*redis-0\.age: no space left on device"):
        _made(repository, encrypt_for=str(pyrage.x25519.Identity.generate().to_public()))


def test_on_a_full_disk_the_reason_is_the_disk_and_not_the_program_that_wrote(
    directory: ProjectDirectory, small_disk: SmallDisk, key: Key
) -> None:
    """And the older backup is whole, and nothing is left of the new one."""
    repository = BackupRepository(directory, lambda text: None)
    older = _made(repository, encrypt_for=key.recipient, to=str(small_disk.path))

    def dump(stream: BinaryIO) -> None:
        done = subprocess.run(("head", "-c", "50000000", "/dev/urandom"), stdout=stream, check=False)
        if done.returncode:
            raise BackupError("pg_dump of postgres: broken pipe", hint="arcctl logs postgres")

    small_disk.fill(left=1 << 20)
    with pytest.raises(BackupError) as caught, repository.begin(STAMP, str(small_disk.path), key.recipient) as draft:
        draft.write("postgres-0.age", dump)
    assert re.fullmatch(
        rf"cannot write {small_disk.path}/\S+/postgres-0\.age: no space left on device;"
        rf" {small_disk.path}: \d+ MiB of \d+ MiB free \(\d+ %\)",
        caught.value.message,
    )
    assert "--to FOLDER" in caught.value.hint
    assert [p.name for p in small_disk.path.iterdir()] == [STAMP]
    assert repository.find(older).damages() == ()


def test_a_program_that_reads_too_little_is_the_reason_and_not_the_pipe(repository: BackupRepository, key: Key) -> None:
    name = _made(repository, encrypt_for=key.recipient)
    stored = repository.find(name)
    stored.unlock(key.file)

    def stop_early(stream: BinaryIO) -> None:
        stream.close()
        raise BackupError("pg_restore of postgres: no space left on device")

    with pytest.raises(BackupError, match=r"^pg_restore of postgres: no space left on device$"):
        stored.read(stored.manifest.parts[0], stop_early)


@pytest.mark.parametrize("place", [0, 30, 300, -1])
def test_a_changed_byte_is_found_by_its_hash_and_also_without(
    repository: BackupRepository, key: Key, place: int
) -> None:
    name = _made(repository, encrypt_for=key.recipient)
    path = repository.folder / name / "redis-0.age"
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    stored = repository.find(name)
    assert stored.damages() == ("redis-0.age is not what was written",)
    with pytest.raises((BackupError, KeyRefused)):
        _read(repository, name, key.file)


def test_a_part_that_was_cut_off_is_refused_at_its_end(repository: BackupRepository, key: Key) -> None:
    name = _made(repository, encrypt_for=key.recipient)
    path = repository.folder / name / "redis-0.age"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises((BackupError, KeyRefused)):
        _read(repository, name, key.file)


def test_a_reader_that_stops_early_gets_its_own_reason(repository: BackupRepository, key: Key) -> None:
    stored = repository.find(_made(repository, encrypt_for=key.recipient))
    stored.unlock(key.file)

    def stop(stream: BinaryIO) -> None:
        stream.read(1)
        raise BackupError("no room")

    with pytest.raises(BackupError, match="no room"):
        stored.read(stored.manifest.parts[0], stop)


OLD_MANIFEST = """\
{
  "schema": "arcctl.backup/v1",
  "created_at": "2026-11-24T21:00:00+00:00",
  "arcctl": "0.1.0",
  "engine": "docker",
  "lock": "%(recipient)s",
  "secrets_id": "cd",
  "parts": [
    {
      "service": "redis",
      "kind": "folder",
      "name": "data",
      "file": "redis-0.age",
      "bytes": %(bytes)d,
      "sha256": "%(sha256)s",
      "server": "redis:8.10.1-alpine"
    }
  ]
}
"""
"""As the first version of arcctl wrote it, before it named the secrets."""


def test_a_backup_of_an_older_arcctl_is_listed_compared_and_read(repository: BackupRepository, key: Key) -> None:
    data = pyrage.encrypt(gzip.compress(SECRET.encode()), [pyrage.x25519.Recipient.from_str(key.recipient)])
    folder = repository.folder / STAMP
    folder.mkdir(parents=True)
    (folder / "redis-0.age").write_bytes(data)
    facts = {"recipient": key.recipient, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (folder / "manifest.json").write_text(OLD_MANIFEST % facts)
    (folder / "verified.json").write_text('{"at": "2026-11-24T22:00:00+00:00", "restored": true}')
    (entry,) = repository.entries()
    assert (entry.problem, entry.verified) == ("", Verified("2026-11-24T22:00:00+00:00", restored=True))
    assert repository.find(STAMP).damages() == ()
    assert _read(repository, STAMP, key.file) == SECRET


def test_a_folder_without_a_manifest_is_listed_with_the_reason(repository: BackupRepository) -> None:
    (repository.folder / STAMP).mkdir(parents=True)
    (entry,) = repository.entries()
    assert (entry.manifest, entry.problem) == (None, f"{STAMP} has no readable manifest")


@pytest.mark.parametrize("name", ["", "nothing", "../home", "/nowhere"])
def test_a_name_that_is_none_is_refused_with_those_that_are(repository: BackupRepository, key: Key, name: str) -> None:
    _made(repository, encrypt_for=key.recipient)
    with pytest.raises((UsageError, BackupError)):
        repository.find(name)


def test_that_it_was_verified_is_remembered_and_deleting_leaves_nothing(repository: BackupRepository, key: Key) -> None:
    stored = repository.find(_made(repository, encrypt_for=key.recipient))
    stored.note(Verified("2026-11-24T22:00:00+00:00", restored=True))
    stored.note(Verified("2026-11-24T23:00:00+00:00", restored=False))
    assert repository.entries()[0].verified == Verified("2026-11-24T22:00:00+00:00", restored=True)
    stored.delete()
    assert list(repository.folder.iterdir()) == []


def test_the_newest_backup_of_a_service_that_has_its_files_is_found(repository: BackupRepository, key: Key) -> None:
    assert repository.newest("redis", "fake") == ""
    first, second = (_made(repository, stamp=stamp, encrypt_for=key.recipient) for stamp in (STAMP, "20261125T210000Z"))
    assert repository.newest("redis", "fake") == second
    assert repository.newest("postgres", "fake") == ""
    assert repository.newest("redis", "another engine") == ""  # which cannot read its volumes
    part = repository.folder / second / "redis-0.age"
    part.write_bytes(part.read_bytes()[:-1])
    assert [entry.problem for entry in repository.entries()] == ["", "a file is missing or has another size"]
    assert repository.newest("redis", "fake") == first
    (repository.folder / first / "manifest.json").write_text("{}")
    assert repository.newest("redis", "fake") == ""


def test_a_complete_backup_is_offered_before_a_newer_one_that_is_not(repository: BackupRepository, key: Key) -> None:
    first, second = (_made(repository, stamp=stamp, encrypt_for=key.recipient) for stamp in (STAMP, "20261125T210000Z"))
    file = repository.folder / second / "manifest.json"
    document = json.loads(file.read_text())
    file.write_text(json.dumps({**document, "missing": [{"service": "redis", "name": "bad", "reason": "broken"}]}))
    assert repository.newest("redis", "fake") == first
    shutil.rmtree(repository.folder / first)
    assert repository.newest("redis", "fake") == second


def test_damaged_data_is_kept_in_a_private_file_and_not_at_all_where_it_cannot_be_copied(
    repository: BackupRepository, directory: ProjectDirectory
) -> None:
    kept = Path(repository.keep_damaged("redis-data", _fill))
    assert (kept.parent, kept.read_text(), kept.stat().st_mode & 0o777) == (directory.state / "damaged", SECRET, 0o600)

    def full(stream: BinaryIO) -> None:
        stream.write(b"a part")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ProjectError, match="no space left on device"):
        repository.keep_damaged("nats-data", full)
    assert list(kept.parent.iterdir()) == [kept]
