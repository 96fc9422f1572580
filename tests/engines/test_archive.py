"""Images in one file: whole, checked part by part, and readable for `docker load` too."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from arcctl.engines.docker import images
from arcctl.errors import ArchiveError, ProjectError
from arcctl.model.image import Image

IMAGES = {"toy/store:1.0": Image(reference="toy/store:1.0", id="sha256:1", digests=("toy/store@sha256:2",), size=7)}
PARTS = {"manifest.json": b"[]", "blobs/sha256/1": b"layer one" * 1000}


def _tar(path: Path, parts: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as file:
        for name, text in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            file.addfile(member, io.BytesIO(text))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "arc.tar"
    images.write_archive(path, IMAGES, lambda part: _tar(part, PARTS))
    return path


def test_an_archive_lists_its_images_after_what_the_engine_wrote(saved: Path) -> None:
    assert images.read_archive(saved) == IMAGES
    with tarfile.open(saved) as file:
        assert file.getnames() == [*PARTS, images.LIST]
    assert [p.name for p in saved.parent.iterdir()] == ["arc.tar"]


def test_a_changed_byte_is_found_and_its_part_named(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes().replace(b"layer one", b"layer two", 1))
    with pytest.raises(ArchiveError, match="is damaged: blobs/sha256/1 is not what was saved"):
        images.read_archive(saved)


@pytest.mark.parametrize("keep", [0, 100, 700, 5000])
def test_an_incomplete_file_is_refused(saved: Path, keep: int) -> None:
    saved.write_bytes(saved.read_bytes()[:keep])
    with pytest.raises(ArchiveError, match="is not an archive of `arcctl images save`, or is incomplete"):
        images.read_archive(saved)


def test_a_plain_archive_of_the_engine_is_refused(tmp_path: Path) -> None:
    _tar(tmp_path / "plain.tar", PARTS)
    with pytest.raises(ArchiveError, match="is not an archive of"):
        images.read_archive(tmp_path / "plain.tar")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"nowhere\.tar: no such file"):
        images.read_archive(tmp_path / "nowhere.tar")


def test_a_save_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(part: Path) -> None:
        part.write_bytes(b"half")
        raise ArchiveError("the engine went away")

    with pytest.raises(ArchiveError):
        images.write_archive(tmp_path / "arc.tar", IMAGES, fail)
    assert list(tmp_path.iterdir()) == []
