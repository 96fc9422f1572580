"""A volume's content is replaced at one moment, and whatever was cut off before, the next one finds a whole one."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

from arcctl.backup.clients.volumes import SWAP, LocalShell, VolumeCopier
from arcctl.backup.manifest import Kind
from arcctl.errors import BackupError
from arcctl.model.backup_method import Folder

METHOD = Folder("data")
OLD = {"kept": "old", ".hidden": "old", "with space/deep": "old"}
NEW = {"kept": "new", "added": "new"}


def _write(folder: Path, content: dict[str, str]) -> None:
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _content(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "store_data"
    folder.mkdir(parents=True, mode=0o700)
    _write(folder, OLD)
    return folder


@pytest.fixture
def copier(tmp_path: Path) -> VolumeCopier:
    return VolumeCopier(LocalShell(tmp_path), "store", METHOD)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """What a backup of the new content holds."""
    folder, path = tmp_path / "source" / "data" / "store_data", tmp_path / "archive"
    _write(folder, NEW)
    (folder / "kept").chmod(0o640)
    with path.open("wb") as target:
        VolumeCopier(LocalShell(tmp_path / "source"), "store", METHOD).save(Kind.FOLDER, "data", target)
    return path


def _load(copier: VolumeCopier, archive: Path) -> None:
    with archive.open("rb") as source:
        copier.load(Kind.FOLDER, "data", source)


def test_what_was_saved_takes_the_place_of_what_is_there(copier: VolumeCopier, volume: Path, archive: Path) -> None:
    _load(copier, archive)
    assert OLD.items() <= _content(volume).items()
    copier.swap()
    copier.commit()
    assert _content(volume) == NEW
    assert (volume / "kept").stat().st_mode & 0o777 == 0o640
    assert volume.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("swapped", [False, True])
def test_it_can_be_undone(copier: VolumeCopier, volume: Path, archive: Path, swapped: bool) -> None:
    _load(copier, archive)
    if swapped:
        copier.swap()
    copier.undo()
    assert _content(volume) == OLD


@pytest.mark.parametrize("step", range(1, 12))
def test_a_swap_that_is_cut_off_anywhere_is_undone_by_whatever_comes_next(
    copier: VolumeCopier, volume: Path, archive: Path, tmp_path: Path, step: int
) -> None:
    """`mv` is the program that changes something: one that dies at its `step`th call stands for the power cut."""
    _load(copier, archive)
    tools = tmp_path / "tools"
    tools.mkdir()
    counted = f"echo >>{tools}/calls; [ $(wc -l <{tools}/calls) -lt {step} ]"
    dies = 'kill -9 -$(ps -o pgid= $$ | tr -d " ")'
    (tools / "mv").write_text(f'#!/bin/sh\n{{ {counted}; }} || {dies}\nexec /bin/mv "$@"\n')
    (tools / "mv").chmod(0o755)
    subprocess.run(
        ("sh", "-c", SWAP), cwd=volume, env={"PATH": f"{tools}:/usr/bin:/bin"}, check=False, start_new_session=True
    )
    with (tmp_path / "again").open("wb") as target:
        copier.save(Kind.FOLDER, "data", target)
    whole = NEW | {f".arcctl-old/{name}": text for name, text in OLD.items()}
    assert _content(volume) in (OLD, whole)
    with tarfile.open(tmp_path / "again") as saved:
        assert not [name for name in saved.getnames() if ".arcctl-" in name]


def test_the_data_from_before_a_restore_that_did_not_end_is_kept_by_the_next_one(
    copier: VolumeCopier, volume: Path, archive: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        copier = VolumeCopier(LocalShell(tmp_path), "store", METHOD)
        _load(copier, archive)
        copier.swap()
    _load(copier, archive)
    copier.swap()
    copier.commit()
    kept = {f".arcctl-kept-1/{name}": text for name, text in OLD.items()}
    again = {f".arcctl-kept-2/{name}": text for name, text in NEW.items()}
    assert _content(volume) == NEW | kept | again
    assert [r.rpartition(" ")[2] for r in copier.remarks()] == [".arcctl-kept-1", ".arcctl-kept-2"]


def test_a_new_volume_gets_the_mode_of_the_copied_one_and_one_with_data_keeps_its_own(
    copier: VolumeCopier, volume: Path, archive: Path, tmp_path: Path
) -> None:
    new = tmp_path / "new" / "data" / "store_data"
    new.mkdir(parents=True, mode=0o755)
    source = tmp_path / "source" / "data" / "store_data"
    source.chmod(0o710)
    with archive.open("wb") as target:
        VolumeCopier(LocalShell(tmp_path / "source"), "store", METHOD).save(Kind.FOLDER, "data", target)
    for each in (copier, VolumeCopier(LocalShell(tmp_path / "new"), "store", METHOD)):
        _load(each, archive)
        each.swap()
        each.commit()
    assert (new.stat().st_mode & 0o777, volume.stat().st_mode & 0o777) == (0o710, 0o700)
    assert _content(new) == NEW


def test_what_is_no_archive_leaves_everything_as_it_was(copier: VolumeCopier, volume: Path, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"no tar" * 1000)
    with pytest.raises(BackupError, match="the volume store_data: "):
        _load(copier, tmp_path / "bad")
    copier.undo()
    assert _content(volume) == OLD


def test_what_is_there_is_told_by_its_size(copier: VolumeCopier, volume: Path) -> None:
    assert copier.present(["data"]).endswith(" KiB")
    assert copier.contents() == ((Kind.FOLDER, "data"),)


def test_a_service_without_its_volume_has_nothing(tmp_path: Path) -> None:
    copier = VolumeCopier(LocalShell(tmp_path), "other", METHOD)
    assert (copier.present(["data"]), copier.contents()) == ("", ())
