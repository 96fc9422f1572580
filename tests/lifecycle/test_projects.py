"""What the list of projects and the engines say is joined by name and directory; nobody gets what is another's."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from arcctl.engines.base import EngineOverview, EngineProject
from arcctl.engines.overview import Overview
from arcctl.errors import PreflightError
from arcctl.lifecycle import orphans, projects
from arcctl.lifecycle.projects import Joined, join
from arcctl.settings import known_projects
from arcctl.settings.known_projects import KnownProject, is_gone


def entry(directory: Path, *, name: str = "shop", engines: dict[str, str] | None = None) -> KnownProject:
    engines = {"docker": ""} if engines is None else engines
    return KnownProject(id=f"id-{directory.name}", name=name, directory=str(directory), engines=engines)


def part(directory: Path | str = "", *, name: str = "shop", components: int = 1) -> EngineProject:
    stores = (f"{name}_data",)
    return EngineProject(engine="docker", name=name, directory=str(directory), components=components, stores=stores)


def overview(*found: EngineProject, id: str = "", here: bool = True) -> Overview:
    answer = EngineOverview(engine="docker", id=id, here=here, projects=found)
    return Overview(answers={"docker": answer}, unreachable={})


def parts(found: tuple[Joined, ...]) -> dict[str, int]:
    return {one.name: len(one.parts) for one in found}


def test_containers_are_of_the_project_whose_directory_they_name(tmp_path: Path) -> None:
    assert parts(join([entry(tmp_path)], overview(part(tmp_path)))) == {"shop": 1}


def test_a_project_that_was_moved_has_the_containers_of_its_old_directory(tmp_path: Path) -> None:
    assert parts(join([entry(tmp_path)], overview(part(tmp_path / "before")))) == {"shop": 1}


def test_containers_of_a_directory_that_exists_are_of_no_other_project_with_that_name(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert parts(join([entry(tmp_path)], overview(part(other)))) == {"shop": 0, "shop-2": 1}


def test_what_an_earlier_project_of_the_same_directory_left_is_its_own(tmp_path: Path) -> None:
    earlier = replace(entry(tmp_path), id="earlier", replaced=True)
    now = entry(tmp_path, name="shop-2")
    local = replace(part(tmp_path, name=""), engine="embedded")
    found = join([earlier, now], overview(part(tmp_path), part(tmp_path, name="shop-2"), local))
    assert parts(found) == {"shop": 1, "shop-2": 2}
    assert {one.name: one.gone for one in found} == {"shop": True, "shop-2": False}


def test_volumes_alone_are_of_a_project_that_noted_the_engine(tmp_path: Path) -> None:
    volumes = part(components=0)
    assert parts(join([entry(tmp_path)], overview(volumes))) == {"shop": 1}
    assert parts(join([entry(tmp_path, engines={})], overview(volumes))) == {"shop": 0}
    noted = entry(tmp_path, engines={"docker": "one export DOCKER_HOST=x"})
    assert parts(join([noted], overview(volumes, id="one"))) == {"shop": 1}
    assert parts(join([noted], overview(volumes, id="two"))) == {"shop": 0}


def test_volumes_of_which_nobody_knows_a_project_are_not_listed() -> None:
    assert join([], overview(part(components=0))) == ()


def test_a_directory_that_may_not_be_looked_at_is_not_gone(tmp_path: Path) -> None:
    assert is_gone(str(tmp_path / "nothing"))
    (tmp_path / "file").touch()
    assert is_gone(str(tmp_path / "file"))
    assert is_gone(str(tmp_path / "file" / "below"))
    assert not is_gone(str(tmp_path))
    if os.geteuid():
        (tmp_path / "closed").mkdir(mode=0)
        assert not is_gone(str(tmp_path / "closed" / "project"))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> list[Overview]:
    """The answer of the engines."""
    answers: list[Overview] = []
    for module in (projects, orphans):
        monkeypatch.setattr(module, "look", lambda directories: answers[0])
    return answers


def test_a_project_whose_directory_exists_is_no_orphan(tmp_path: Path, engine: list[Overview]) -> None:
    engine.append(overview(part(tmp_path), part(tmp_path / "gone", name="gone")))
    assert [found.name for found in orphans.orphans()] == ["gone"]
    assert orphans.orphans("shop") == ()


def test_an_orphan_whose_name_a_stranger_has_is_not_deleted(tmp_path: Path, engine: list[Overview]) -> None:
    engine.append(overview(replace(part(tmp_path / "gone"), strangers=("shop-web-1",))))
    (found,) = orphans.orphans()
    assert found.obstacle == "containers that arcctl did not create have its name too: shop-web-1"
    with pytest.raises(PreflightError, match="shop is not deleted: containers that arcctl did not create"):
        orphans.delete(found, print)


def test_an_engine_of_another_machine_says_of_no_directory_that_it_is_gone(
    tmp_path: Path, engine: list[Overview]
) -> None:
    engine.append(overview(part(tmp_path / "gone"), here=False))
    assert orphans.orphans() == ()


def test_the_list_shows_what_each_has(tmp_path: Path, engine: list[Overview]) -> None:
    found = replace(part(tmp_path), running=2, components=3, ports=(80, 443), memory=5, disk=7)
    engine.append(overview(found))
    (one,) = projects.projects().projects
    assert (one.name, one.directory, one.engine, one.state) == ("shop", str(tmp_path), "docker", "running")
    assert not one.gone
    assert (one.running, one.components, one.ports, one.memory_bytes, one.disk_bytes) == (2, 3, (80, 443), 5, 7)


def test_where_the_engine_does_not_answer_the_state_is_unknown(tmp_path: Path, engine: list[Overview]) -> None:
    known_projects.remember(entry(tmp_path))
    known_projects.remember(entry(tmp_path / "gone", name="gone"))
    engine.append(Overview(answers={}, unreachable={"docker": "no answer"}))
    assert {one.name: (one.state, one.reason) for one in projects.projects().projects} == {
        "gone": ("unknown", "no answer"),
        "shop": ("unknown", "no answer"),
    }
    (orphan,) = orphans.orphans()
    assert (orphan.name, orphan.obstacle) == ("gone", "no answer")
