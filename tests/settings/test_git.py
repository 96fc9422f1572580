"""What git sees of a project directory in a repository of its user."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from arcctl.errors import ProjectError
from arcctl.settings import identity
from arcctl.settings.directory import ProjectDirectory
from arcctl.settings.location import FOLDERS, find

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="no git here")


def _git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@localhost", "-c", "commit.gpgsign=false")
    return subprocess.run(("git", *who, *words), cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> ProjectDirectory:
    root = tmp_path / "shop"
    for folder in FOLDERS:
        (root / folder / "redis").mkdir(parents=True)
        (root / folder / "redis" / "file").write_text("of everybody")
    _git(root, "init", "-q")
    _git(root, "add", "--all")
    _git(root, "commit", "-qm", "all of it")
    return ProjectDirectory(root)


def _use(directory: ProjectDirectory) -> str:
    """The name that it gets."""
    who = identity.with_id(identity.free(identity.of(directory), ()))
    identity.remember(who, directory)
    directory.keep_secrets({"REDIS_PASSWORD": "a-secret"})
    directory.write_compose_env({"REDIS_PASSWORD": "a-secret"})
    directory.set_value("redis", "REDIS_HOST_PORT", "7777")
    return who.name


def test_git_sees_nothing_of_what_a_project_keeps(repository: ProjectDirectory) -> None:
    _use(repository)
    assert _git(repository.root, "status", "--porcelain") == ""


@pytest.mark.parametrize("place", ["feature", "shop/trees/feature"])
def test_a_worktree_is_a_project_of_its_own(repository: ProjectDirectory, tmp_path: Path, place: str) -> None:
    folder = tmp_path / place
    _git(repository.root, "worktree", "add", "-q", str(folder))
    found = ProjectDirectory(find(folder / "config"))
    assert found.root == folder
    assert (_use(repository), _use(found)) == ("shop", "feature")
    assert _git(folder, "status", "--porcelain") == ""


def test_a_worktree_without_the_files_of_a_project_is_no_part_of_the_one_around_it(
    repository: ProjectDirectory,
) -> None:
    folder = repository.root / "trees" / "other"
    _git(repository.root, "worktree", "add", "-q", str(folder))
    shutil.rmtree(folder / "config")
    with pytest.raises(ProjectError, match="no arcctl project"):
        find(folder)


def test_a_list_of_the_user_stays(repository: ProjectDirectory) -> None:
    (repository.root / "compose" / ".gitignore").write_text("mine\n")
    _use(repository)
    assert (repository.root / "compose" / ".gitignore").read_text() == "mine\n"
