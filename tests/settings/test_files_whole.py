"""Files are written completely or not at all, private ones stay private, and a project moved over loses nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from arcctl.errors import ProjectError
from arcctl.settings.directory import ProjectDirectory
from arcctl.settings.dotenv import read_env
from arcctl.settings.files import write_whole
from arcctl.settings.location import STATE, find
from arcctl.settings.template import copy_template, template


@pytest.fixture
def directory(tmp_path: Path) -> ProjectDirectory:
    (tmp_path / "config" / "loki").mkdir(parents=True)
    (tmp_path / "compose").mkdir()
    return ProjectDirectory(tmp_path)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_write_that_breaks_off_leaves_the_old_text_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_whole(path, "old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "new")
    assert (path.read_text(), [p.name for p in tmp_path.iterdir()]) == ("old", ["file"])


def test_a_full_disk_is_a_sentence_that_names_the_file_and_not_the_temporary_one(
    directory: ProjectDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ProjectError, match=f"^{directory.state}/started.json: no space left on device$"):
        directory.remember_started(["loki"])


def test_the_same_text_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, "text")
    before = path.stat()
    write_whole(path, "text")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_private_file_that_was_opened_to_all_is_closed_again(directory: ProjectDirectory) -> None:
    directory.write_private({directory.secrets_file: "A=1\n"})
    directory.secrets_file.chmod(0o644)
    directory.state.chmod(0o755)
    directory.write_private({directory.secrets_file: "A=1\n"})
    assert (_mode(directory.secrets_file), _mode(directory.state)) == (0o600, 0o700)


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_modes_do_not_depend_on_the_mask_of_the_user(directory: ProjectDirectory, mask: int) -> None:
    before = os.umask(mask)
    try:
        directory.write_private({directory.secrets_file: "A=1\n"})
        write_whole(directory.root / "rendered.yaml", "a: 1\n")
    finally:
        os.umask(before)
    modes = [_mode(path) for path in (directory.state, directory.secrets_file, directory.root / "rendered.yaml")]
    assert modes == [0o700, 0o600, 0o644]


def test_what_was_started_is_remembered(directory: ProjectDirectory) -> None:
    assert directory.started() == frozenset()
    directory.remember_started(["loki", "redis"])
    assert ProjectDirectory(directory.root).started() == {"loki", "redis"}
    directory.remember_started(())
    assert ProjectDirectory(directory.root).started() == frozenset()


def test_what_containers_were_made_from_is_added_up(directory: ProjectDirectory) -> None:
    directory.remember_input_hashes({"loki": "1", "redis": "1"})
    directory.remember_input_hashes({"loki": "2"})
    assert ProjectDirectory(directory.root).input_hashes() == {"loki": "2", "redis": "1"}


def test_plain_compose_finds_the_values_and_a_file_of_the_users_own_stays(directory: ProjectDirectory) -> None:
    own = directory.root / "compose" / ".env"
    own.write_text("MINE=1\n")
    directory.write_compose_env({"A": "1"})
    assert own.read_text() == "MINE=1\n"
    own.unlink()
    directory.write_compose_env({"A": "2"})
    assert (own.is_symlink(), own.readlink()) == (True, Path("../.arcctl/compose.env"))
    assert read_env(own, ".env") == {"A": "2"}


def test_sources_come_in_the_order_of_their_strength_with_their_owners(directory: ProjectDirectory) -> None:
    (directory.root / "config" / "loki" / ".env").write_text("LOKI_HOST_PORT=3101\n")
    directory.write_private({directory.secrets_file: "REDIS_PASSWORD=x\n"})
    assert [(s.origin, dict(s.values), s.owner) for s in directory.sources(["loki", "redis"])] == [
        ("config/loki/.env", {"LOKI_HOST_PORT": "3101"}, "loki"),
        (".arcctl/secrets.env", {"REDIS_PASSWORD": "x"}, ""),
    ]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("# only a note\n\n", {}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("export A=1\n", {"A": "1"}),
        ("A='a b'\nB=\"c\"\n", {"A": "a b", "B": "c"}),
        ("A=\n", {"A": ""}),
        ("A=1 # note\n", {"A": "1"}),
        ("A=${B}$HOME\n", {"A": "${B}$HOME"}),
        ("A=1\nA=2\n", {"A": "2"}),
    ],
    ids=["empty", "note", "Windows", "export", "quotes", "no value", "note behind", "taken literally", "twice"],
)
def test_env_files_are_read_as_people_write_them(tmp_path: Path, text: str, values: dict[str, str]) -> None:
    path = tmp_path / ".env"
    path.write_bytes(text.encode())
    assert read_env(path, ".env") == values


def test_a_new_home_is_all_that_the_installation_brings_and_nothing_private(tmp_path: Path) -> None:
    copy_template(template(), tmp_path)
    assert find(tmp_path) == tmp_path
    names = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")}
    assert {"compose/base.yaml", "config/loki/config.yaml", "apps/swiss_army_py/Dockerfile"} <= names
    assert [n for n in names if n.endswith("/.env") or "__pycache__" in n or STATE in n] == []


@pytest.fixture
def strict_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_what_containers_mount_is_readable_for_their_users_under_a_strict_umask(
    tmp_path: Path, strict_umask: None
) -> None:
    """Also where the checkout itself was made under it."""
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "config" / "grafana" / "dashboards").mkdir(parents=True)
    (source / "config" / "grafana" / "dashboards" / "a.json").write_text("{}")
    copy_template(source, target)
    home = ProjectDirectory(target)
    home.write({PurePosixPath("config/prometheus/rules/b.yml"): "b"})
    home.set_value("prometheus", "PROMETHEUS_HOST_PORT", "9091")
    assert ProjectDirectory(source).unreadable_mounts(["grafana"]) != {}
    assert home.unreadable_mounts(["grafana", "prometheus"]) == {}


def test_what_the_users_of_containers_cannot_read_is_found_with_the_mode_it_needs(directory: ProjectDirectory) -> None:
    folder = directory.root / "config" / "loki"
    (folder / "config.yaml").write_text("x")
    (folder / ".env").write_text("x")
    (folder / ".#config.yaml").symlink_to("somebody@somewhere:1")  # an editor locks a file so
    modes = {folder: 0o755, folder / "config.yaml": 0o640, folder / ".env": 0o600}
    for path, mode in modes.items():
        path.chmod(mode)
    assert directory.unreadable_mounts(["loki", "absent"]) == {"config/loki/config.yaml": (0o640, 0o644)}
    folder.chmod(0o700)
    assert directory.unreadable_mounts(["loki"])["config/loki"] == (0o700, 0o755)


def test_laying_out_a_home_again_changes_no_file(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for folder in ("config", "compose", "apps"):
        (source / folder).mkdir(parents=True)
        (source / folder / "file").write_text("new")
    (target / "config").mkdir(parents=True)
    (target / "config" / "file").write_text("mine")
    copy_template(source, target)
    found = {p.relative_to(target).as_posix(): p.read_text() for p in target.rglob("*") if p.is_file()}
    assert found == {"config/file": "mine", "compose/file": "new", "apps/file": "new"}
