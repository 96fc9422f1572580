"""The identity of a project: where its name comes from, and what becomes of copies and moves."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from arcctl.errors import PreflightError, ProjectError, UsageError
from arcctl.settings import identity, known_projects
from arcctl.settings.directory import ProjectDirectory
from arcctl.settings.identity import Identity
from arcctl.settings.known_projects import KnownProject
from arcctl.settings.location import LOCAL_DATA


def project(root: Path) -> ProjectDirectory:
    for name in ("config", "compose"):
        (root / name).mkdir(parents=True, exist_ok=True)
    return ProjectDirectory(root)


def fail(text: str) -> None:
    raise AssertionError(text)


def named(root: Path, wanted: str = "") -> ProjectDirectory:
    directory = project(root)
    identity.remember(identity.with_id(identity.free(identity.of(directory, wanted), ())), directory)
    return directory


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("shop", "shop"), ("My Shop", "myshop"), ("_a.b", "ab"), ("日本", "project"), ("x" * 60, "x" * 40),
    ],
)  # fmt: skip
def test_a_new_project_has_the_name_that_compose_makes_of_its_directory(tmp_path: Path, folder: str, name: str) -> None:
    assert identity.of(project(tmp_path / folder)).name == name


def test_a_second_project_of_that_name_gets_a_number(tmp_path: Path) -> None:
    named(tmp_path / "a" / "shop")
    assert identity.of(project(tmp_path / "b" / "shop")).name == "shop-2"


def test_a_name_that_the_engine_has_is_left_to_its_owner(tmp_path: Path) -> None:
    assert identity.free(identity.of(project(tmp_path / "shop")), {"shop", "shop-2"}).name == "shop-3"


def test_a_name_that_a_person_wants_is_not_changed_but_refused(tmp_path: Path) -> None:
    with pytest.raises(PreflightError, match="the name shop is in use: containers, data or a network") as refused:
        identity.free(identity.of(project(tmp_path / "x"), "shop"), {"shop"})
    assert refused.value.hint == "choose another one: arcctl -p shop-2 init"
    named(tmp_path / "a" / "shop")
    with pytest.raises(PreflightError, match=f"the name shop is in use: the project in {tmp_path}/a/shop"):
        identity.free(identity.of(project(tmp_path / "x"), "shop"), ())


@pytest.mark.parametrize("wanted", ["Shop", "-shop", "sh op", "x" * 41, "a/b"])
def test_a_name_that_compose_does_not_take_is_refused(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a project"):
        identity.of(project(tmp_path), wanted)


def test_a_project_of_an_earlier_arcctl_keeps_its_one_name(tmp_path: Path) -> None:
    old = project(tmp_path / "shop")
    old.write_private({old.secrets_file: ""})
    found = identity.of(old)
    assert (found.name, found.taken_over) == ("arc", True)
    assert identity.free(found, {"arc"}) == found
    assert identity.of(old, "arc") == found


@pytest.mark.parametrize("engines", [None, "docker"], ids=["not noted yet", "on Docker"])
def test_a_project_whose_data_has_the_one_name_of_an_earlier_arcctl_gets_no_other_by_accident(
    tmp_path: Path, engines: str | None
) -> None:
    old = project(tmp_path / "shop")
    old.write_private({old.secrets_file: ""})
    if engines:
        old.remember_engine(engines)
    with pytest.raises(ProjectError, match=f"an earlier arcctl ran the project in {old.root} under the name arc") as no:
        identity.of(old, "store")
    assert no.value.hint.startswith("arcctl -p arc init, or ")
    other = named(tmp_path / "other", "arc")
    with pytest.raises(ProjectError, match=f"and the project in {other.root} has that name now") as refused:
        identity.of(old)
    assert refused.value.hint == "to leave that data and begin anew: arcctl -p shop init --new-identity"
    assert identity.renewed(old, "shop", fail) == Identity("shop", fixed=True)


def test_a_project_of_an_earlier_arcctl_without_containers_may_have_another_name(tmp_path: Path) -> None:
    old = project(tmp_path / "shop")
    old.remember_engine("embedded")
    assert identity.of(old, "store") == Identity("store", fixed=True)
    named(tmp_path / "other", "arc")
    assert identity.of(old) == Identity("shop")


def test_a_project_keeps_its_name(tmp_path: Path) -> None:
    directory = named(tmp_path / "shop", "store")
    assert identity.of(directory).name == "store"
    with pytest.raises(ProjectError, match=f"the project in {directory.root} has the name store"):
        identity.of(directory, "other")


def test_a_project_that_lost_its_state_folder_is_known_by_its_directory(tmp_path: Path) -> None:
    directory = named(tmp_path / "shop", "store")
    before = identity.of(directory)
    shutil.rmtree(directory.state)
    assert identity.of(directory) == before


def test_a_directory_that_was_deleted_and_made_again_is_another_project(tmp_path: Path) -> None:
    before = named(tmp_path / "shop")
    (old,) = known_projects.known()
    os.utime(known_projects.folder() / f"{old.id}.json", (old.used - 60, old.used - 60))
    shutil.rmtree(before.root)
    again = project(tmp_path / "shop")
    assert identity.of(again) == Identity("shop-2")
    identity.remember(identity.with_id(identity.of(again)), again)
    (earlier,) = identity.earlier(again, identity.of(again).id)
    known_projects.note_replaced(earlier)
    assert [(e.name, e.gone) for e in known_projects.known()] == [("shop", True), ("shop-2", False)]
    noted = known_projects.get(old.id)
    assert noted
    assert noted.used == pytest.approx(old.used - 60)
    with pytest.raises(ProjectError, match="the directory of the project shop is gone"):
        known_projects.find("shop")
    shutil.rmtree(again.state)
    assert identity.of(again).name == "shop-2"


def test_a_copy_is_refused_until_it_has_an_identity_of_its_own(tmp_path: Path) -> None:
    directory = named(tmp_path / "shop")
    directory.write_private({directory.secrets_file: "A=1\n"})
    directory.remember_engine("docker")
    for path in (directory.state / "backup.passphrase", directory.state / LOCAL_DATA / "data"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("of the shop")
    copy = ProjectDirectory(shutil.copytree(directory.root, tmp_path / "copy"))
    with pytest.raises(ProjectError, match=f"{copy.root} is a copy of the project shop in {directory.root}") as refused:
        identity.of(copy)
    assert refused.value.hint.endswith(f"arcctl --project-directory {copy.root} init --new-identity")
    told: list[str] = []
    new = identity.renewed(copy, "", told.append)
    assert (new.name, new.id, copy.secrets(), copy.used_engines()) == ("copy", "", {"A": "1"}, {})
    assert (copy.state / "backup.passphrase").read_text() == "of the shop"
    aside = copy.state / f"{LOCAL_DATA}-of-shop"
    assert told == [f"data that was copied along is not used; it is in {aside}"]
    assert (aside / "data").read_text() == "of the shop"
    assert not (copy.state / LOCAL_DATA).exists()
    assert identity.of(directory).name == "shop"


def test_a_project_with_data_gets_no_other_identity(tmp_path: Path) -> None:
    directory = named(tmp_path / "shop")
    directory.remember_engine("docker")
    with pytest.raises(ProjectError, match="is no copy of another project"):
        identity.renewed(directory, "other", fail)


def test_a_project_that_was_moved_is_found_again(tmp_path: Path) -> None:
    before = identity.of(named(tmp_path / "shop"))
    moved = ProjectDirectory((tmp_path / "shop").rename(tmp_path / "store"))
    found = identity.of(moved)
    assert (found.id, found.name, found.elsewhere) == (before.id, "shop", str(tmp_path / "shop"))
    identity.seen(found, moved)
    assert [entry.directory for entry in known_projects.known()] == [str(tmp_path / "store")]
    assert identity.of(moved).elsewhere == ""


class TestFindingTheDirectory:
    def test_by_the_name_from_anywhere(self, tmp_path: Path) -> None:
        named(tmp_path / "shop")
        assert identity.find_root(tmp_path, "", "shop") == tmp_path / "shop"

    def test_a_new_project_here_can_have_the_name(self, tmp_path: Path) -> None:
        here = project(tmp_path / "here")
        assert identity.find_root(here.root, "", "shop") == here.root

    def test_a_named_directory_comes_first(self, tmp_path: Path) -> None:
        named(tmp_path / "shop")
        other = project(tmp_path / "other")
        assert identity.find_root(tmp_path, str(other.root), "shop") == other.root

    def test_an_unknown_name_is_refused(self, tmp_path: Path) -> None:
        named(tmp_path / "shop")
        with pytest.raises(ProjectError, match="no project has the name store") as refused:
            identity.find_root(tmp_path / "shop", "", "store")
        assert refused.value.hint == "arcctl projects"

    def test_a_directory_that_is_gone_is_said(self, tmp_path: Path) -> None:
        known_projects.remember(KnownProject(id="a1", name="shop", directory="/nowhere/shop"))
        with pytest.raises(ProjectError, match="the directory of the project shop is gone: /nowhere/shop"):
            identity.find_root(tmp_path, "", "shop")


def test_a_sandbox_is_not_in_the_list_and_leaves_the_entry_of_its_project(tmp_path: Path) -> None:
    directory = named(tmp_path / "shop")
    sandbox = project(tmp_path / "cache")
    assert identity.remember(replace(identity.of(directory), name="shop_verify", unlisted=True), sandbox)
    assert [entry.name for entry in known_projects.known()] == ["shop"]
    assert sandbox.note(identity.NOTE) == {}
