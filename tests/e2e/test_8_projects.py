"""Several projects beside each other: what a command does in one leaves all others as they are."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from arcctl import services
from arcctl.engines.embedded import location, processes
from arcctl.model.service import container_name
from arcctl.settings import known_projects
from tests.e2e.clients import redis_client
from tests.e2e.conftest import local_environment
from tests.e2e.driver import Platform

APART = 200
"""Between the ports of two projects."""


@dataclass
class Machine:
    """Projects in one folder, each with the server and a value of its own."""

    folder: Path
    environment: dict[str, str]
    prefix: str
    shift: int
    made: list[Platform] = field(default_factory=list)

    @property
    def embedded(self) -> bool:
        return self.environment.get("ARCCTL_ENGINE") == "embedded"

    def new(self, name: str, *words: str) -> Platform:
        """A directory for a project, with nothing in it."""
        directory = self.folder / f"{self.prefix}-{name}"
        directory.mkdir()
        return self.at(directory)

    def at(self, directory: Path) -> Platform:
        """Each has ports of its own."""
        shift = self.shift + APART * len(self.made)
        ports = {k: v for k, v in local_environment(shift).items() if k.endswith("_PORT")}
        platform = Platform(directory, {**self.environment, **ports}, shift)
        self.made.append(platform)
        return platform

    def up(self, name: str) -> Platform:
        project = self.new(name)
        project.arcctl("init").ok()
        project.arcctl("up", "redis").ok()
        redis_client(project).set("owner", name)
        return project

    def elsewhere(self, project: Platform) -> Platform:
        """The same settings, in a folder that has nothing to do with it."""
        folder = self.folder / "elsewhere"
        folder.mkdir(exist_ok=True)
        return replace(project, directory=folder)

    def listed(self) -> dict[str, Any]:
        """What `projects` says of those of this folder, by name."""
        found = json.loads(self.elsewhere(self.made[0]).arcctl("projects", "--json").ok().out)["projects"]
        return {one["name"]: one for one in found if Path(one["directory"]).is_relative_to(self.folder)}

    def has(self, project: Platform, base: Path | None = None) -> dict[str, str]:
        """Everything that the engine has of a project; what is restarted or recreated differs."""
        if self.embedded:
            base = base or location.base(project.directory)
            pids = {str(path): path.read_text() for path in base.glob("run/*/pid") if processes.running(path)}
            return {**pids, **{str(path): "" for path in base.glob("data/*")}}
        label = ("--filter", f"label=com.docker.compose.project={project.directory.name}")
        docker = self.elsewhere(project).docker
        containers = docker("container", "ls", "--all", "--quiet", *label).split()
        shown = docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", *containers) if containers else ""
        volumes = docker("volume", "ls", "--quiet", *label).split()
        return {**dict(line.split(" ", 1) for line in shown.splitlines()), **dict.fromkeys(volumes, "")}


@pytest.fixture(params=["engine", "local"], scope="module")
def machine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Docker first, then local processes."""
    docker = request.param == "engine"
    environment = request.getfixturevalue("engine") if docker else {**os.environ, "ARCCTL_ENGINE": "embedded"}
    folder = tmp_path_factory.mktemp("projects")
    folder.chmod(0o755)
    machine = Machine(folder, dict(environment), "d" if docker else "e", 13_000 if docker else 18_000)
    yield machine
    for project in machine.made:
        if (project.directory / "compose").is_dir():
            project.arcctl("clean", "--yes")


@pytest.fixture(scope="module")
def shop(machine: Machine) -> Platform:
    return machine.up("shop")


@pytest.fixture(scope="module")
def others(machine: Machine, shop: Platform) -> dict[str, Platform]:
    """One runs, one is down, the directory of one was deleted while it ran."""
    found = {name: machine.up(name) for name in ("running", "down", "gone")}
    found["down"].arcctl("down").ok()
    if machine.embedded:  # known by the folder, which the directory names as long as it is there
        (found["gone"].directory.parent / "gone-base").write_text(str(location.base(found["gone"].directory)))
    shutil.rmtree(found["gone"].directory)
    return found


def _all(machine: Machine, others: dict[str, Platform]) -> dict[str, dict[str, str]]:
    note = machine.folder / "gone-base"
    base = Path(note.read_text()) if note.is_file() else None
    return {name: machine.has(project, base if name == "gone" else None) for name, project in others.items()}


def test_projects_lists_each_with_its_state(machine: Machine, others: dict[str, Platform]) -> None:
    found = machine.listed()
    name = f"{machine.prefix}-{{}}".format
    assert {one: found[name(one)]["state"] for one in ("shop", *others)} == {
        "shop": "running",
        "running": "running",
        "down": "down",
        "gone": "running",
    }
    assert [one for one in found if found[one]["gone"]] == [name("gone")]
    assert {one["engine"] for one in found.values()} == {"embedded" if machine.embedded else "docker"}
    assert found[name("shop")]["memory_bytes"] > 1_000_000
    assert found[name("shop")]["running"] == found[name("shop")]["components"] > 0


@pytest.mark.parametrize("words", [("status",), ("health", "redis"), ("info",), ("logs", "redis", "--tail", "5")])
def test_a_project_is_found_by_its_name_from_anywhere(
    machine: Machine, shop: Platform, others: dict[str, Platform], words: tuple[str, ...]
) -> None:
    name = shop.directory.name
    for here in (machine.elsewhere(shop), replace(shop, directory=others["running"].directory)):
        assert here.arcctl("-p", name, *words).ok().out


def test_hints_lead_to_the_project_that_was_named(machine: Machine, shop: Platform) -> None:
    name, there = shop.directory.name, machine.elsewhere(shop)
    done = there.arcctl("-p", name, "secrets", "rotate", "REDIS_PASSWORD")
    assert f"hint: arcctl -p {name} secrets rotate REDIS_PASSWORD --yes" in done.err
    here = shop.arcctl("secrets", "rotate", "REDIS_PASSWORD")
    assert "hint: arcctl secrets rotate REDIS_PASSWORD --yes" in here.err
    by_directory = there.arcctl("--project-directory", str(shop.directory), "clean")
    assert f"hint: arcctl --project-directory {shop.directory} clean --yes" in by_directory.err


@pytest.mark.parametrize("words", [("restart",), ("secrets", "rotate", "REDIS_PASSWORD", "--yes"), ("restore",)])
def test_the_others_are_untouched(
    machine: Machine, shop: Platform, others: dict[str, Platform], words: tuple[str, ...]
) -> None:
    before = _all(machine, others)
    assert all(before.values())
    if words == ("restore",):
        name = json.loads(shop.arcctl("backup", "create", "redis", "--json").ok().out)["name"]
        words = ("backup", "restore", name, "--yes")
    shop.arcctl(*words).ok()
    assert _all(machine, others) == before
    assert redis_client(shop).get("owner") == "shop"
    assert redis_client(others["running"]).get("owner") == "running"


@pytest.mark.parametrize("machine", ["engine"], indirect=True)  # local processes run the code in their folder
def test_a_service_of_the_same_name_runs_the_code_of_its_own_project(machine: Machine) -> None:
    image = services.load().services["redis"].container.image
    said = dict[str, str]()
    for name in ("first", "second"):
        project = machine.new(name)
        project.arcctl("init").ok()
        files = {
            "apps/hello/Dockerfile": f"FROM {image}\nCOPY said /said\n",
            "apps/hello/said": name,
            "services/hello.yaml": "build: apps/hello\ncommand: [sleep, '600']\nuser: '999:1000'\n",
        }
        for path, text in files.items():
            (project.directory / path).parent.mkdir(parents=True, exist_ok=True)
            (project.directory / path).write_text(text)
        project.arcctl("render").ok()
        project.arcctl("up", "hello").ok()
        said[name] = project.docker("exec", container_name(project.directory.name, "hello"), "cat", "/said")
    assert said == {"first": "first", "second": "second"}


def test_a_copy_is_refused_until_it_is_a_project_of_its_own(
    machine: Machine, shop: Platform, others: dict[str, Platform]
) -> None:
    before = {**_all(machine, others), "shop": machine.has(shop)}
    copy = machine.at(machine.folder / f"{machine.prefix}-copy")
    shutil.copytree(shop.directory, copy.directory, symlinks=True)
    for words in (("up", "redis"), ("down",), ("clean", "--yes"), ("status",)):
        done = copy.arcctl(*words)
        assert done.code == 2
        assert f"is a copy of the project {shop.directory.name}" in done.err
        assert done.err.endswith(f"arcctl --project-directory {copy.directory} init --new-identity\n")
    copy.arcctl("init", "--new-identity").ok()
    copy.arcctl("up", "redis").ok()
    assert redis_client(copy).get("owner") is None
    assert machine.listed()[copy.directory.name]["state"] == "running"
    copy.arcctl("clean", "--yes").ok()
    assert {**_all(machine, others), "shop": machine.has(shop)} == before


def test_a_directory_that_is_deleted_and_made_again_needs_no_answer(machine: Machine) -> None:
    """As a git worktree that is removed and added again."""
    project = machine.up("again")
    project.arcctl("down").ok()
    name, base = project.directory.name, location.base(project.directory) if machine.embedded else None
    shutil.rmtree(project.directory)
    project.directory.mkdir()
    assert f"the project {name} was here before" in project.arcctl("init").ok().err
    project.arcctl("up", "redis").ok()
    with redis_client(project) as client:
        assert client.get("owner") is None
        client.set("owner", "the new one")
    found = machine.listed()
    assert {one: found[one]["gone"] for one in (name, f"{name}-2")} == {name: True, f"{name}-2": False}
    machine.elsewhere(project).arcctl("-p", name, "clean", "--orphans", "--yes").ok()
    assert machine.has(project, base) == {} or machine.embedded
    with redis_client(project) as client:
        assert client.get("owner") == "the new one"
    if base and base.is_dir():  # of root, who has it outside of the directory
        shutil.rmtree(base)


def test_a_project_that_was_moved_is_found_again(machine: Machine) -> None:
    project = machine.up("here")
    project.arcctl("down").ok()
    moved = replace(project, directory=project.directory.rename(f"{project.directory}-moved"))
    machine.made[machine.made.index(project)] = moved
    name = project.directory.name
    assert machine.listed()[name]["gone"]
    moved.arcctl("up", "redis").ok()
    assert redis_client(moved).get("owner") == "here"
    found = machine.listed()[name]
    assert (found["directory"], found["state"], found["gone"]) == (str(moved.directory), "running", False)
    machine.elsewhere(moved).arcctl("-p", name, "clean", "--yes").ok()
    assert machine.listed()[name]["state"] == "empty"


@pytest.mark.parametrize("words", [("down",), ("clean", "--yes")])
def test_what_stops_or_destroys_one_by_its_name_leaves_the_others_untouched(
    machine: Machine, shop: Platform, others: dict[str, Platform], words: tuple[str, ...]
) -> None:
    before = _all(machine, others)
    machine.elsewhere(shop).arcctl("-p", shop.directory.name, *words).ok()
    assert _all(machine, others) == before
    assert redis_client(others["running"]).get("owner") == "running"
    assert machine.listed()[shop.directory.name]["state"] == ("down" if words == ("down",) else "empty")


def test_what_is_left_of_a_deleted_directory_goes_by_its_name_alone(
    machine: Machine, others: dict[str, Platform]
) -> None:
    before, name = _all(machine, others), others["gone"].directory.name
    there = machine.elsewhere(others["gone"])
    done = there.arcctl("clean", "--orphans", "--yes")
    hint = done.err.splitlines()[-1]  # for the first of all on this machine
    assert (done.code, hint.startswith("hint: arcctl -p "), hint.endswith(" clean --orphans --yes")) == (2, True, True)
    for wrong in (others["running"], others["down"]):
        assert "nothing to destroy" in there.arcctl("-p", wrong.directory.name, "clean", "--orphans", "--yes").ok().err
    if not machine.embedded:
        stranger = ("--label", f"com.docker.compose.project={name}", "--name", f"{name}-web-1")
        there.docker("create", *stranger, services.load().services["redis"].container.image)
        done = there.arcctl("-p", name, "clean", "--orphans", "--yes")
        assert f"not deleted: containers that arcctl did not create have its name too: {name}-web-1" in done.err
        there.docker("rm", f"{name}-web-1")
    assert _all(machine, others) == before
    there.arcctl("-p", name, "clean", "--orphans", "--yes").ok()
    assert _all(machine, others) == {**before, "gone": {}}
    assert name not in machine.listed()
    others["down"].arcctl("up", "redis").ok()
    assert redis_client(others["down"]).get("owner") == "down"


def test_an_orphan_that_only_the_engine_knows_is_found(machine: Machine) -> None:
    project = machine.up("unlisted")
    name, base = project.directory.name, location.base(project.directory) if machine.embedded else None
    (entry,) = (entry for entry in known_projects.known() if entry.name == name)
    known_projects.forget(entry.id)
    assert machine.listed()[name]["state"] == "running"
    shutil.rmtree(project.directory)
    if machine.embedded and base and base.is_relative_to(project.directory):
        pytest.skip("its files were in its directory: only the list of projects knew of it")
    assert machine.listed()[name]["gone"]
    machine.elsewhere(project).arcctl("-p", name, "clean", "--orphans", "--yes").ok()
    assert machine.has(project, base) == {}
