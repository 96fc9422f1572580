"""A mounted configuration file that is not what a server can read is one clear error before anything is changed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from arcctl.engines.embedded import accounts
from arcctl.settings import directory
from tests.cli.command_line import CommandLine, container

FILES = ("config/nats/arc.conf", "config/kratos/kratos.yml", "config/prometheus/prometheus.yml")
HOW = {"a folder": "is a directory", "missing": "is missing", "empty": "is empty"}


def _break(path: Path, how: str) -> None:
    path.unlink()
    if how == "a folder":
        path.mkdir()
    elif how == "empty":
        path.touch()


@pytest.fixture(autouse=True)
def engine(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "unprivileged", lambda: None)
    cli.engine()


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(("engine_name", "file"), [*(("docker", file) for file in FILES), ("embedded", FILES[0])])
def test_it_is_refused_and_the_hint_brings_it_back(cli: CommandLine, engine_name: str, file: str, how: str) -> None:
    cli.environment["ARCCTL_ENGINE"] = engine_name
    path = cli.directory / file
    before, service = path.read_text(), file.split("/")[1]
    _break(path, how)
    for options in (("--dry-run",), ()):
        done = cli.arcctl("up", *options, service)
        assert (done.code, done.out) == (2, "")
        assert f"error: {file} {HOW[how]}\nhint: " in done.err
    assert (path.is_dir(), path.exists()) == (how == "a folder", how != "missing")
    points = json.loads(cli.arcctl("doctor", "--json").out)["diagnoses"]
    (fix,) = [point["fix"] for point in points if point["evidence"] == f"{file} {HOW[how]}"]
    assert fix in done.err
    first, _, _ = fix.partition(", then ")
    if how != "missing":
        subprocess.run(("sh", "-c", first), check=True)
    assert "arcctl init" in fix
    assert cli.arcctl("init").code == 0
    assert path.read_text() == before
    assert cli.arcctl("up", "--dry-run", service).code == 0


@pytest.mark.parametrize("of_arcctl", [True, False])
@pytest.mark.parametrize("in_git", [True, False])
def test_the_hint_names_what_can_bring_the_file_back(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, in_git: bool, of_arcctl: bool
) -> None:
    file, checkout = "config/nats/arc.conf", f"git -C {cli.directory} checkout -- config/nats/arc.conf"
    if of_arcctl:
        monkeypatch.setattr(directory, "template", lambda: cli.directory)
    if in_git:
        (cli.directory / ".git").mkdir()
    (cli.directory / file).unlink()
    hint = cli.arcctl("up", "--dry-run", "nats").err.partition("hint: ")[2].strip()
    init = "arcctl init, which writes it as in a new project"
    ways = [checkout] * in_git + [init] * (not of_arcctl)
    assert hint == (" or ".join(ways) or "put a copy of it back")


def test_a_file_in_the_place_of_a_mounted_folder_is_refused(cli: CommandLine) -> None:
    folder = cli.directory / "config/traefik/dynamic"
    (folder / "operator.yml").unlink()
    folder.rmdir()
    folder.touch()
    done = cli.arcctl("up", "--dry-run", "traefik")
    assert (done.code, "error: config/traefik/dynamic is no directory\n" in done.err) == (2, True)


def test_a_restart_stops_nothing_then(cli: CommandLine) -> None:
    cli.engine(container("nats"))
    _break(cli.directory / "config/nats/arc.conf", "a folder")
    done = cli.arcctl("restart", "nats")
    assert (done.code, "config/nats/arc.conf is a directory" in done.err) == (2, True)
    assert [call for call in cli.docker.calls if "restart" in call] == []


def test_what_another_service_mounts_is_not_in_the_way(cli: CommandLine) -> None:
    _break(cli.directory / "config/nats/arc.conf", "missing")
    assert cli.arcctl("up", "--dry-run", "redis").code == 0


def test_doctor_names_what_a_local_process_cannot_be_started_with(cli: CommandLine) -> None:
    cli.environment["ARCCTL_ENGINE"] = "embedded"
    (cli.directory / "config/traefik/traefik.yml").write_text("# nothing\n")
    points = json.loads(cli.arcctl("doctor", "--json").out)["diagnoses"]
    text = "config/traefik/traefik.yml, line 1: names and values are expected here"
    assert [p["fix"] for p in points if p["evidence"] == text] == ["edit config/traefik/traefik.yml"]
