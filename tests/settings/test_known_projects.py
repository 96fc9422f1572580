"""The projects of a user: written, read, forgotten, and chosen for one at a time."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from arcctl.settings import known_projects
from arcctl.settings.known_projects import KnownProject

ENTRY = KnownProject(id="a1", name="shop", directory="/nowhere/shop", ports={"REDIS_HOST_PORT": 6380})


def test_a_project_is_remembered_with_its_ports_until_it_is_forgotten() -> None:
    known_projects.remember(ENTRY)
    (found,) = known_projects.known()
    assert (found.name, found.ports, found.gone) == ("shop", {"REDIS_HOST_PORT": 6380}, True)
    known_projects.forget("a1")
    assert known_projects.known() == ()


def test_its_last_use_is_noted() -> None:
    known_projects.remember(ENTRY)
    os.utime(known_projects.folder() / "a1.json", (1, 1))
    known_projects.touch("a1")
    assert known_projects.known()[0].used > 1


def test_a_damaged_file_counts_as_none() -> None:
    known_projects.remember(ENTRY)
    (known_projects.folder() / "b2.json").write_text("{")
    (known_projects.folder() / "c3.json").write_text('{"names": 1}')
    assert [entry.id for entry in known_projects.known()] == ["a1"]


def test_only_one_command_chooses_at_a_time() -> None:
    order: list[str] = []

    def second() -> None:
        with known_projects.choosing():
            order.append("second")

    with known_projects.choosing():
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_only_its_user_can_read_it() -> None:
    known_projects.remember(ENTRY)
    file: Path = known_projects.folder() / "a1.json"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
