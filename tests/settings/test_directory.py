"""The project directory on disk: private, complete or not written at all, and clear about what is wrong."""

from __future__ import annotations

import re
import secrets
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcctl import services
from arcctl.errors import ProjectError, SettingsError
from arcctl.settings.directory import ProjectDirectory, draw
from arcctl.settings.dotenv import env_text, read_env
from arcctl.settings.location import find
from arcctl.settings.resolve import missing_secrets

MISSING = missing_secrets(services.load(), {})


@pytest.fixture
def directory(tmp_path: Path) -> ProjectDirectory:
    (tmp_path / "config").mkdir()
    (tmp_path / "compose").mkdir()
    return ProjectDirectory(tmp_path)


def test_secrets_are_in_files_that_only_the_owner_reads_and_are_drawn_once(directory: ProjectDirectory) -> None:
    directory.add_secrets(MISSING)
    first = directory.secrets()
    directory.add_secrets(MISSING)
    directory.write_compose_env(first)
    assert directory.secrets() == first
    assert set(first) == set(MISSING)
    assert stat.S_IMODE(directory.state.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in directory.state.iterdir()} == {0o600}
    assert read_env(directory.root / "compose" / ".env", ".env") == first


@pytest.mark.parametrize("name", sorted(MISSING))
def test_a_drawn_secret_has_the_length_that_is_asked_for_and_needs_no_quote(name: str) -> None:
    value = draw(MISSING[name])
    assert len(value) == (MISSING[name].generate or {})["length"]
    assert re.fullmatch(r"[A-Za-z0-9-]+", value)
    assert value != draw(MISSING[name])


def test_no_drawn_password_repeats_a_character_three_times_where_a_server_would_refuse_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn = iter(["abcccdefghijklmnopqrstuvwxyz0123456789", "abcdefghijklmnopqrstuvwxyz01234567890000"])
    monkeypatch.setattr(secrets, "token_urlsafe", lambda length: next(drawn))
    monkeypatch.setattr(secrets, "randbelow", lambda below: 7)
    rule = {"length": 32, "alphabet": "strong"}
    variable = replace(MISSING["UNLEASH_ADMIN_PASSWORD"], generate=rule)
    assert draw(variable) == "abcdefghijklmnopqrstuvwxyz01-Aa7"


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z][A-Z_]{0,8}", fullmatch=True), st.from_regex(r"[A-Za-z0-9._~-]{1,40}", fullmatch=True)
    )
)
def test_what_is_written_to_an_env_file_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("env") / ".env"
    path.write_text(env_text(values, "a note"))
    assert read_env(path, ".env") == values


def test_a_broken_line_is_named_with_its_file_and_number(directory: ProjectDirectory) -> None:
    path = directory.root / ".env"
    path.write_text("GOOD=1\nnot a setting\n")
    with pytest.raises(SettingsError, match=r"shown\.env, line 2: not of the form NAME=value"):
        read_env(path, "shown.env")


def test_a_folder_in_place_of_a_file_is_an_error_and_not_a_traceback(directory: ProjectDirectory) -> None:
    (directory.state / "secrets.env").mkdir(parents=True)
    with pytest.raises(ProjectError, match=r"secrets\.env: is a directory"):
        directory.add_secrets(MISSING)


def test_the_nearest_home_above_is_found_and_none_is_a_clear_error(directory: ProjectDirectory, tmp_path: Path) -> None:
    below = directory.root / "a" / "b"
    below.mkdir(parents=True)
    assert find(below) == directory.root
    with pytest.raises(ProjectError, match="no arcctl project at /nowhere"):
        find(below, "/nowhere")


def test_the_digest_of_mounted_files_changes_with_their_content(directory: ProjectDirectory) -> None:
    folder = directory.root / "config" / "x"
    folder.mkdir()
    (folder / "a").write_text("1")
    before = directory.digest(["x"])
    (folder / "a").write_text("2")
    assert directory.digest(["x"]) != before
