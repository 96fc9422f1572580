"""Where the processes of a project keep their files, also after the project was renamed or copied."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from arcctl.engines import machine, select
from arcctl.engines.embedded import accounts, location
from arcctl.engines.embedded.engine import EmbeddedEngine
from arcctl.errors import EngineError, FileDamaged
from arcctl.settings.directory import ProjectDirectory
from tests.fakes.catalogue import TOY


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of root."""
    monkeypatch.setattr(accounts, "unprivileged", lambda: pwd.getpwuid(0))
    monkeypatch.setattr(location, "ROOT", tmp_path / "root")
    return _project(tmp_path / "home")


def _project(directory: Path) -> Path:
    (directory / ".arcctl").mkdir(parents=True)
    return directory


def _used(directory: Path) -> Path:
    """The folder of a project that was started."""
    folder = location.base(directory)
    folder.mkdir(parents=True, exist_ok=True)
    location.claim(folder, directory)
    return folder


def _used_by_an_older(directory: Path) -> Path:
    """The folder of a project that an arcctl without ids started."""
    folder = location.base(directory)
    (folder / "data" / "store_data").mkdir(parents=True)
    (folder / location.OWNER).write_text(f"{directory}\n")
    ProjectDirectory(directory).remember_bootstrapped(["store"])
    return folder


def _volumes(directory: Path) -> tuple[str, ...]:
    return EmbeddedEngine(TOY, ProjectDirectory(directory)).volumes()


LONG = "Mein Projekt für Übungen " + "x" * 100


@pytest.fixture
def ordinary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a short path in which a user has projects, who is not root."""
    monkeypatch.setattr(accounts, "unprivileged", lambda: None)
    with tempfile.TemporaryDirectory(prefix="arc-") as folder:
        monkeypatch.setenv("XDG_CACHE_HOME", f"{folder}/cache")
        yield Path(folder)


@pytest.mark.parametrize("name", ["my project", "Übung", "x" * 120, LONG], ids=len)
def test_servers_see_a_short_path_without_spaces_whatever_the_directory_is_called(ordinary: Path, name: str) -> None:
    directory = _project(ordinary / name)
    folder = _used(directory)
    assert (folder.is_relative_to(directory), str(folder).isascii(), " " in str(folder)) == (False, True, False)
    assert len(str(folder / location.SOCKET)) <= machine.SOCKET_PATH
    assert folder.resolve() == directory / ".arcctl" / "embedded"
    assert (location.base(directory), location.owner(folder)) == (folder, str(directory))


def test_two_such_directories_have_two_paths_and_a_lost_one_comes_back(ordinary: Path) -> None:
    one, two = _project(ordinary / "a b"), _project(ordinary / "a c")
    assert location.base(one) != location.base(two)
    shutil.rmtree(ordinary / "cache")
    assert location.base(one).resolve() == one / ".arcctl" / "embedded"


def test_where_the_cache_has_such_a_path_too_the_link_is_elsewhere(
    ordinary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(ordinary / LONG))
    folder = location.base(_project(ordinary / LONG))
    link = folder.parents[1]
    try:
        assert link.parent == Path(f"/tmp/arcctl-{os.geteuid()}")
        assert stat.S_IMODE(link.parent.stat().st_mode) == 0o700
    finally:
        link.unlink()


def test_a_folder_that_others_may_change_gets_no_link(ordinary: Path) -> None:
    links = ordinary / "cache" / "arcctl" / "links"
    links.mkdir(parents=True)
    links.chmod(0o777)
    folder = location.base(_project(ordinary / "a b"))
    assert list(links.iterdir()) == []
    folder.parents[1].unlink()


def test_an_ordinary_user_has_everything_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "unprivileged", lambda: None)
    assert location.base(tmp_path) == tmp_path / ".arcctl" / "embedded"
    location.claim(tmp_path, tmp_path)
    assert not (tmp_path / location.ID).exists()
    assert location.gone(tmp_path / ".arcctl" / "embedded") == {}


def test_a_project_that_was_renamed_finds_its_data(home: Path) -> None:
    folder, renamed = _used(home), home.with_name("renamed")
    home.rename(renamed)
    assert location.base(renamed) == folder
    assert _used(renamed) == folder
    assert location.owner(folder) == str(renamed)


def test_a_directory_that_is_not_there_yet_has_a_place_too(home: Path) -> None:
    _used(home)
    assert location.base(home.parent / "later").parent == location.ROOT


def test_a_copy_has_data_of_its_own(home: Path) -> None:
    folder, copy = _used(home), home.with_name("copy")
    shutil.copytree(home, copy)
    assert location.base(copy) != folder
    assert location.base(home) == folder
    own = _used(copy)
    assert (location.base(copy), location.base(home)) == (own, folder)


def test_a_new_project_in_the_place_of_a_renamed_one_does_not_get_its_data(home: Path) -> None:
    folder, renamed = _used(home), home.with_name("renamed")
    home.rename(renamed)
    assert _used(renamed) == folder
    again = _used(_project(home))
    assert again != folder
    assert (location.base(home), location.base(renamed)) == (again, folder)


def test_it_does_not_get_them_either_before_the_renamed_one_was_used(home: Path) -> None:
    folder, renamed = _used(home), home.with_name("renamed")
    home.rename(renamed)
    assert location.base(_project(home)) != folder
    _used(home)
    assert location.base(renamed) == folder


def test_a_project_that_lost_its_state_finds_its_data_by_its_directory(home: Path) -> None:
    folder = _used(home)
    shutil.rmtree(home / ".arcctl")
    assert location.base(home) == folder


def test_a_renamed_project_that_lost_its_id_finds_the_data_that_it_used_last(home: Path) -> None:
    folder = _used(home)
    renamed = home.rename(home.with_name("renamed"))
    assert _used(renamed) == folder
    other = location.ROOT / "used-before"
    other.mkdir()
    shutil.copy(folder / location.OWNER, other)
    os.utime(other / location.OWNER, (0, 0))
    (renamed / location.ID).unlink()
    assert _used(renamed) == folder
    assert (renamed / location.ID).read_text() == f"{folder.name}\n"


def test_neither_a_copy_nor_a_new_project_gets_the_data_of_one_that_lost_its_id(home: Path) -> None:
    folder = _used(home)
    renamed = home.rename(home.with_name("renamed"))
    assert _used(renamed) == folder
    (renamed / location.ID).unlink()
    copy = home.with_name("copy")
    shutil.copytree(renamed, copy)
    assert location.base(copy) != folder
    renamed.rename(home.with_name("moved"))
    assert location.base(_project(renamed)) != folder


def test_data_of_an_older_arcctl_is_known_by_the_path_of_the_project(home: Path) -> None:
    folder = location.base(home)
    folder.mkdir(parents=True)
    (folder / location.OLD_OWNER).write_text(f"{home}\n")
    assert location.base(home) == folder
    assert _used(home) == folder
    assert not (folder / location.OLD_OWNER).exists()


def test_the_data_of_projects_that_are_gone_is_listed(home: Path) -> None:
    assert location.gone(location.base(home)) == {}
    folder, other = _used(home), _project(home.with_name("other"))
    left = _used(other)
    assert location.gone(folder) == {}
    shutil.rmtree(other)
    assert location.gone(folder) == {left: str(other)}


def test_a_project_of_an_older_arcctl_that_was_renamed_is_not_started_without_its_data(home: Path) -> None:
    folder = _used_by_an_older(home)
    renamed = home.rename(home.with_name("renamed"))
    with pytest.raises(EngineError) as caught:
        _volumes(renamed)
    assert caught.value.message.endswith(f"it was renamed; look in {folder} (of {home})")
    use, without = (line.rpartition(": ")[2] for line in caught.value.hint.split("; "))
    assert caught.value.hint.startswith(f"if its data is in {folder}: echo ")
    assert select.used(ProjectDirectory(renamed)) == ""
    subprocess.run(("sh", "-c", without), check=True)
    assert _volumes(renamed) == ()
    subprocess.run(("sh", "-c", use), check=True)
    assert _volumes(renamed) == ("store_data",)
    assert _used(renamed) == folder


def test_neither_a_new_project_nor_one_with_data_of_its_own_is_taken_for_a_renamed_one(home: Path) -> None:
    _used_by_an_older(home)
    home.rename(home.with_name("renamed"))
    assert _volumes(_project(home.with_name("new"))) == ()
    other = _project(home.with_name("other"))
    _used_by_an_older(other)
    assert _volumes(other) == ("store_data",)


def test_the_data_of_a_project_with_an_id_is_not_taken_for_that_of_another(home: Path) -> None:
    _used(home)
    shutil.rmtree(home)
    other = _project(home.with_name("other"))
    ProjectDirectory(other).remember_bootstrapped(["store"])
    assert _volumes(other) == ()
    assert select.used(ProjectDirectory(other)) == "docker"


@pytest.mark.parametrize("text", ["0123", "../../../../etc", "0123456789ab0", "x\ny"])
def test_a_damaged_id_is_refused_and_leads_to_no_folder(home: Path, text: str) -> None:
    (home / location.ID).write_text(text)
    with pytest.raises(FileDamaged, match=r"project-id, line 1: not the id of a project") as caught:
        location.base(home)
    assert f"echo NAME >{home / location.ID}" in caught.value.hint


def test_a_folder_in_the_place_of_the_id_is_told_with_what_it_was(home: Path) -> None:
    (home / location.ID).mkdir()
    with pytest.raises(FileDamaged, match=r"project-id: is a directory") as caught:
        location.base(home)
    assert "the name of the folder with the data of this project" in caught.value.hint
    name = "0123456789ab"
    subprocess.run(("sh", "-c", caught.value.hint.partition("; ")[2].replace("NAME", name)), check=True)
    assert location.base(home).name == name
