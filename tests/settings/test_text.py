"""A file that is not UTF-8 text, or not the document that it has to be, is named with what to do about it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcctl.errors import FileDamaged, ProjectError, SettingsError
from arcctl.model.rotation import Change
from arcctl.settings.text import parse_yaml, read_json, read_text, refused

TEXT = "# Größe\nREDIS_HOST_PORT=6380\n"


def _file(folder: Path, data: bytes) -> Path:
    path = folder / "a file.env"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("data", [TEXT.encode(), TEXT.encode("utf-8-sig"), TEXT.replace("\n", "\r\n").encode()])
def test_utf_8_is_read_with_and_without_a_mark_and_with_any_line_ends(tmp_path: Path, data: bytes) -> None:
    assert read_text(_file(tmp_path, data)) == TEXT


@pytest.mark.parametrize(
    ("encoding", "place", "looks_like"),
    [
        ("utf-16", 0, "UTF-16"),
        ("utf-16-le", 1, "UTF-16LE"),
        ("utf-16-be", 0, "UTF-16BE"),
        ("utf-32", 0, "UTF-32"),
        ("latin-1", 4, "Latin-1"),
    ],
)
def test_another_encoding_is_named_with_its_byte_and_the_hint_repairs_the_file(
    tmp_path: Path, encoding: str, place: int, looks_like: str
) -> None:
    path = _file(tmp_path, TEXT.encode(encoding))
    path.chmod(0o600)
    with pytest.raises(ProjectError) as caught:
        read_text(path)
    assert caught.value.message == f"{path}, line 1: not UTF-8 text at byte {place}, it looks like {looks_like}"
    subprocess.run(("sh", "-c", caught.value.hint.partition("or: ")[2]), check=True)
    assert read_text(path) == TEXT
    assert ([p.name for p in tmp_path.iterdir()], path.stat().st_mode & 0o777) == ([path.name], 0o600)


def test_windows_quotes_are_told_from_latin_1(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"byte 2, it looks like Windows-1252"):
        read_text(_file(tmp_path, "A=“x”\n".encode("cp1252")))


@given(st.binary(max_size=200))
def test_no_bytes_lead_to_another_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = _file(tmp_path_factory.mktemp("any"), data)
    try:
        text = read_text(path)
    except ProjectError as error:
        assert str(path) in error.message  # noqa: PT017 - most bytes are text, and those raise nothing
    else:
        assert "\0" not in text


def test_a_folder_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="is a directory"):
        read_text(tmp_path)
    with pytest.raises(ProjectError, match="no such file"):
        read_text(tmp_path / "missing")
    assert read_text(tmp_path / "missing", "default") == "default"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", " is empty"),
        ("\n", " is empty"),
        ('{"a": "1",\n "b', ", line 2: the file is cut off here"),
        ('{"a": "1"\n x', ", line 2, column 2: not JSON: expected `,` or `}`"),
        ("[1, 2]", ", line 1: names and values are expected here"),
        ('{"b": "1",\n "a": ["secret"]}', ", line 2, entry a: text is expected here"),
    ],
)
def test_a_document_that_is_cut_off_or_of_another_shape_is_named_with_its_place(
    tmp_path: Path, text: str, wrong: str
) -> None:
    path = _file(tmp_path, text.encode())
    with pytest.raises(ProjectError) as caught:
        read_json(path, dict[str, str], {})
    assert caught.value.message == f"{path}{wrong}"


def test_no_value_of_a_rotation_is_shown(tmp_path: Path) -> None:
    path = _file(tmp_path, b'[{"name": "A", "old": "hidden-old", "new": ["hidden-new"]}]')
    with pytest.raises(ProjectError) as caught:
        read_json(path, tuple[Change, ...], ())
    assert "hidden" not in caught.value.message + caught.value.hint
    assert ", entry 0.new: text is expected here" in caught.value.message


@pytest.mark.parametrize("data", [b"", b"[", None], ids=["empty", "cut off", "a folder"])
@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("rotation.json", "the old and the new secrets of a rotation that has not ended"),
        ("secrets.env", "the secrets of this project"),
    ],
)
def test_a_file_that_data_depends_on_is_not_to_be_moved_away(
    tmp_path: Path, name: str, kept: str, data: bytes | None
) -> None:
    path = tmp_path / name
    path.mkdir() if data is None else path.write_bytes(data)
    with pytest.raises(FileDamaged) as caught:
        read_json(path, dict[str, str], {})
    assert kept in caught.value.hint
    assert "move it away" not in caught.value.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: b: c", ", line 1, column 5: not YAML: mapping values are not allowed here"),
        ("a: 1\nb: \x01", ", line 2: not YAML: a character that no YAML file may have"),
        ("[" * 3000, ": not YAML: nested too deeply"),
        ("a: 2026-13-01", ": not YAML: month must be in 1..12"),
        ("a: !!bool x", ": not YAML: a value that does not fit its tag"),
        ("a: !!timestamp x", ": not YAML: a value that does not fit its tag"),
    ],
)
def test_what_is_no_yaml_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_yaml(text, "config/x.yml")
    assert caught.value.message.startswith(f"config/x.yml{said}")  # Python 3.14 says more


def test_a_folder_in_the_place_of_a_file_is_damage_whoever_meets_it(tmp_path: Path) -> None:
    error = IsADirectoryError(21, "Is a directory", str(tmp_path / "x"))
    assert isinstance(refused(error), FileDamaged)
    with pytest.raises(FileDamaged, match="is a directory"):
        read_text(tmp_path)
