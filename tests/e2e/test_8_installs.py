"""arcctl installed as people install it: by `pip`, `pipx` and `uv tool`, by root and by others, in unusual places."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from arcctl.settings.identity import normalized
from tests.e2e.conftest import local_environment
from tests.e2e.driver import Platform
from tests.testbed.installers import build_wheel, install_tools, reachable_python, wheelhouse

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")

SHIFT = 13_000
UNUSUAL = f"Jürgen Müller's Übungen {'x' * 90}"
"""The name of a home: with spaces, a quote and letters that are not of ASCII, and long."""
SERVICES = ("postgres", "redis", "nats", "traefik")


@dataclass(frozen=True)
class Somebody:
    """A user of this machine, at home in a new folder."""

    user: str
    home: Path
    python: str

    @property
    def environment(self) -> Mapping[str, str]:
        ports = {name: value for name, value in local_environment(SHIFT).items() if name.endswith("_PORT")}
        bin_folders = f"{self.home}/.local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {**ports, "HOME": str(self.home), "PATH": bin_folders, "LANG": "C.UTF-8", "ARCCTL_ENGINE": "embedded"}

    def run(self, *words: str | Path, cwd: Path | None = None) -> str:
        """What a command prints that succeeds, with a strict umask."""
        done = subprocess.run(
            [str(word) for word in words],
            cwd=cwd or self.home,
            env=dict(self.environment),
            umask=0o077,
            user=self.user,
            group=self.user,
            extra_groups=(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def wheels() -> Iterator[Path]:
    """A folder that everybody can read, with the wheel of this checkout, all that it needs, and the installers."""
    with tempfile.TemporaryDirectory(prefix="arc-installs-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        python = reachable_python("daemon")
        if not python:
            (pytest.fail if os.environ.get("CI") else pytest.skip)("no Python here that every user can run")
        wheelhouse(build_wheel(folder), python, folder)
        install_tools(python, folder, folder / "tools")
        yield folder


@pytest.fixture
def somebody(request: pytest.FixtureRequest) -> Iterator[Somebody]:
    """With a home that has a usual name for root, and an unusual one for others."""
    user: str = request.param
    with tempfile.TemporaryDirectory(prefix="arc-home-") as name:
        Path(name).chmod(0o755)
        home = Path(name) / (user if user == "root" else UNUSUAL)
        home.mkdir(mode=0o700)
        shutil.chown(home, user, user)
        yield Somebody(user, home, reachable_python(user))


def _install(who: Somebody, how: str, wheels: Path) -> Path:
    """The program, installed without a network."""
    (wheel,) = wheels.glob("arcctl-*.whl")
    tools, local = wheels / "tools", ("--no-index", "--find-links", str(wheels))
    match how:
        case "pip":
            who.run(who.python, "-m", "venv", "venv")
            who.run("venv/bin/python", "-m", "pip", "install", "--quiet", *local, f"{wheel}[embedded]")
            return who.home / "venv" / "bin" / "arcctl"
        case "pipx":
            who.run(tools / "pipx" / "bin" / "pipx", "install", "--pip-args", " ".join(local), f"{wheel}[embedded]")
        case _:
            who.run(
                tools / "uv" / "bin" / "uv", "tool", "install", "--python", who.python, *local, f"{wheel}[embedded]"
            )
    return who.home / ".local" / "bin" / "arcctl"


@as_root
@pytest.mark.parametrize(
    ("how", "somebody", "names"),
    [("pip", "root", SERVICES[1:3]), ("pipx", "daemon", SERVICES), ("uv", "daemon", SERVICES[1:3])],
    indirect=["somebody"],
    ids=["pip, root", "pipx, another user", "uv tool, another user"],
)
def test_who_installs_the_wheel_has_a_platform_in_an_empty_folder(
    how: str, somebody: Somebody, names: tuple[str, ...], wheels: Path
) -> None:
    arcctl, project, link = _install(somebody, how, wheels), somebody.home / "my project", somebody.home / "link"
    project.mkdir(mode=0o700)
    shutil.chown(project, somebody.user, somebody.user)
    link.symlink_to(project)
    somebody.run(arcctl, "init", cwd=link)
    for folder in (project / "config", project / "compose"):
        somebody.run("chmod", "-R", "a-w", folder)
    try:
        somebody.run(arcctl, "up", *names, cwd=link)
        health = json.loads(somebody.run(arcctl, "health", *names, "--json", cwd=project))
        assert {found["name"]: found["status"] for found in health["services"]} == dict.fromkeys(names, "healthy")
        somebody.run(arcctl, "--project-directory", link, "verify", *names)
    finally:
        somebody.run(arcctl, "clean", "--yes", cwd=project)


@pytest.mark.parametrize("linked", [False, True], ids=["by its path", "by a link"])
def test_a_project_on_docker_may_be_in_an_unusual_place(engine: dict[str, str], linked: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="arc-place-") as folder:
        directory, link = Path(folder) / UNUSUAL / "Ann's größtes Projekt", Path(folder) / "link"
        directory.mkdir(parents=True)
        link.symlink_to(directory)
        environment = {**engine, "XDG_DATA_HOME": f"{folder}/data"}
        project = Platform(link if linked else directory, environment)
        from_elsewhere = Platform(Path(folder), {**environment, "ARCCTL_PROJECT_DIRECTORY": str(project.directory)})
        label = f"label=com.docker.compose.project={normalized(directory.name)}"
        try:
            project.arcctl("init").ok()
            project.arcctl("up", "redis").ok()
            assert [place.service("redis")["status"] for place in (project, from_elsewhere)] == ["healthy", "healthy"]
            assert len(project.docker("volume", "ls", "--quiet", "--filter", label).split()) == 1
        finally:
            done = from_elsewhere.arcctl("clean", "--yes")
        done.ok()
        for kind in (("container", "ls", "--all"), ("volume", "ls"), ("network", "ls")):
            assert project.docker(*kind, "--quiet", "--filter", label) == ""
