"""A project of another user is refused by name, before anything is written."""

from __future__ import annotations

import errno
import os
import pwd
import sys
from pathlib import Path

import pytest

from arcctl.errors import ProjectError
from arcctl.settings import ownership, text

ME = pwd.getpwuid(os.geteuid()).pw_name
NOBODY, STRANGER = pwd.getpwnam("nobody").pw_uid, 54321


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SUDO_UID", raising=False)
    monkeypatch.setattr(sys, "argv", ["arcctl", "up", "redis"])
    (tmp_path / ".arcctl").mkdir()
    return tmp_path


def _belong(monkeypatch: pytest.MonkeyPatch, uids: dict[str, int]) -> None:
    """To these users, by the names of folders."""
    stat = Path.stat

    def changed(path: Path, **options: bool) -> os.stat_result:
        found = list(stat(path, **options))
        found[4] = uids.get(path.name, found[4])
        return os.stat_result(found)

    monkeypatch.setattr(Path, "stat", changed)


def test_a_project_of_the_caller_is_not_refused(project: Path) -> None:
    ownership.refuse_other_user(project)
    ownership.refuse_other_user(project / "not-there-yet")


@pytest.mark.parametrize(("uid", "name", "command"), [(NOBODY, "nobody", "nobody"), (STRANGER, "'#54321'", "'#54321'")])
def test_a_project_of_another_user_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, uid: int, name: str, command: str
) -> None:
    _belong(monkeypatch, {".arcctl": uid, project.name: uid})
    with pytest.raises(ProjectError) as caught:
        ownership.refuse_other_user(project)
    assert caught.value.message == f"{project}/.arcctl belongs to {name}, and you are {ME}"
    words = f"--project-directory {project} up redis"
    assert caught.value.hint == f'sudo -u {command} "$(command -v arcctl)" {words}'


def test_a_state_folder_that_sudo_left_is_used_by_sudo(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its data is that of root, wherever the project is."""
    _belong(monkeypatch, {".arcctl": 0, project.name: NOBODY})
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    with pytest.raises(ProjectError) as caught:
        ownership.refuse_other_user(project)
    assert caught.value.message == f"{project}/.arcctl belongs to root, and you are nobody"
    assert caught.value.hint == f'sudo "$(command -v arcctl)" --project-directory {project} up redis'


@pytest.mark.parametrize(("sudo", "refused"), [("", False), (str(NOBODY), True), ("7", False)])
def test_sudo_does_not_begin_a_project_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sudo: str, refused: bool
) -> None:
    """Root in a container works on the files of the user who mounted them."""
    monkeypatch.setenv("SUDO_UID", sudo)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    _belong(monkeypatch, {tmp_path.name: NOBODY})
    if not refused:
        ownership.refuse_other_user(tmp_path)
        return
    with pytest.raises(ProjectError, match=f"{tmp_path} belongs to nobody"):
        ownership.refuse_other_user(tmp_path)


@pytest.mark.parametrize("of_another", [".arcctl", "dates.json", "run"])
def test_a_file_of_another_user_in_the_state_folder_is_given_back_with_all_others(
    project: Path, monkeypatch: pytest.MonkeyPatch, of_another: str
) -> None:
    file = project / ".arcctl" / "run" / "dates.json"
    file.parent.mkdir()
    file.touch()
    _belong(monkeypatch, {of_another: NOBODY})
    error = text.unreadable(PermissionError(errno.EACCES, "Permission denied", str(file)), file)
    assert (error.message, error.hint) == (
        f"{file}: permission denied",
        f"sudo chown -R {ME} {project}/.arcctl",
    )


@pytest.mark.parametrize("place", [".arcctl/mine", ".arcctl/gone/mine", "config/mine"])
def test_no_file_is_given_back_that_no_other_user_has(project: Path, place: str) -> None:
    error = text.unreadable(PermissionError(errno.EACCES, "Permission denied", str(project / place)), project)
    assert error.hint == f"check who owns {project}: ls -la {project}"
