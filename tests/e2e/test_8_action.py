"""The GitHub Action: its steps are carried out as a runner would, on the embedded engine."""

from __future__ import annotations

import json
import os
import sysconfig
import tarfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from arcctl.runtime import embedded
from tests.contracts import hold
from tests.e2e.conftest import CHECKOUT, local_environment
from tests.e2e.driver import PROGRAM, Platform
from tests.e2e.runner import FAILURE, SKIPPED, SUCCESS, Runner, load

ACTION = CHECKOUT / ".github" / "actions" / "arcctl" / "action.yml"
SHIFT = 15_500
NAMES = "postgres redis"


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Runner]:
    """A job on a machine on which arcctl is installed."""
    tmp_path.chmod(0o755)
    environment = local_environment(SHIFT)
    environment["PATH"] = f"{Path(PROGRAM).parent}:{os.environ['PATH']}"
    runner = Runner(load(ACTION), tmp_path, environment, {"names": NAMES, "engine": "embedded", "timeout": "120"})
    yield runner
    if "ARCCTL_HOME" in environment:
        Platform(Path(environment["ARCCTL_HOME"]), environment).arcctl("clean", "--yes").ok()


def test_a_job_gets_a_platform_reports_about_it_and_leaves_nothing_running(job: Runner) -> None:
    job.inputs["run"] = "arcctl ps --json > ps.json\narcctl health redis"
    assert job.run() == SUCCESS, job.printed
    assert job.outcomes == {
        "Install arcctl": SUCCESS,
        "Start the platform": SUCCESS,
        "Run": SUCCESS,
        "Verify": SUCCESS,
        "Report health": SUCCESS,
        "Pack what helps": SKIPPED,
        "Upload the reports": SUCCESS,
        "Shut down": SUCCESS,
    }
    during = {item["name"]: item["state"] for item in json.loads((job.folder / "ps.json").read_text())["containers"]}
    assert (during["postgres"], during["redis"]) == ("running", "running")
    reports = Path(job.outputs["reports"])
    assert job.outputs["status"] == "healthy"
    assert job.uploaded == {"name": "arcctl", "path": str(reports), "if-no-files-found": "ignore"}
    for name in ("health", "verify"):
        hold(("--json",), (reports / f"{name}.json").read_text())
        assert ElementTree.parse(reports / f"{name}.xml").getroot().tag == "testsuite"
    lines = job.summary.splitlines()
    assert "### Verify: ✔ ok" in lines
    assert "### Health: ✔ healthy, embedded engine" in lines
    assert [line for line in lines if line.startswith("| redis | ✔ proved |")]
    assert [line for line in lines if line.startswith("| redis | ✔ healthy |")]
    home = Platform(Path(job.environment["ARCCTL_HOME"]), job.environment)
    assert {item["state"] for item in home.containers()} == {"absent"}


def test_a_broken_service_is_annotated_and_a_support_bundle_is_among_the_reports(job: Runner) -> None:
    base = embedded.base(job.folder / "arcctl" / "home")
    job.inputs |= {"run": f"kill -STOP $(cat {base}/run/redis/pid)", "verify": "false"}
    assert job.run() == FAILURE
    assert {name for name, outcome in job.outcomes.items() if outcome == FAILURE} == {"Report health"}
    assert "::error title=redis is unhealthy::" in job.printed["Report health"]
    assert job.outputs["status"] == "unhealthy"
    assert "| redis | ✘ unhealthy |" in job.summary
    assert "POINT" in job.printed["Pack what helps"]
    with tarfile.open(Path(job.outputs["reports"]) / "support.tar.gz") as archive:
        assert "arcctl-support/logs/redis.log" in archive.getnames()
    assert job.outcomes["Shut down"] == SUCCESS


def test_a_command_that_fails_fails_the_job_after_health_was_told_and_all_was_stopped(job: Runner) -> None:
    job.inputs |= {"run": "echo to the log; exit 3", "artifact": ""}
    assert job.run() == FAILURE
    assert job.printed["Run"] == "to the log\n"
    assert [job.outcomes[name] for name in ("Run", "Verify", "Report health", "Upload the reports", "Shut down")] == [
        FAILURE,
        SKIPPED,
        SUCCESS,
        SKIPPED,
        SUCCESS,
    ]


def test_a_platform_that_is_to_be_kept_runs_on(job: Runner) -> None:
    job.inputs |= {"names": "redis", "keep": "true", "verify": "false"}
    assert job.run() == SUCCESS, job.printed
    assert job.outcomes["Shut down"] == SKIPPED
    home = Platform(Path(job.environment["ARCCTL_HOME"]), job.environment)
    assert home.service("redis")["status"] == "healthy"


def test_an_input_is_a_word_and_never_a_program(job: Runner) -> None:
    job.inputs |= {"names": "redis $(touch owned) `touch owned`", "verify": "false"}
    assert job.run() == FAILURE
    assert "error: unknown service '$(touch'" in job.printed["Start the platform"]
    assert not list(job.folder.rglob("owned"))


def test_a_checkout_is_installed_into_the_job_and_found_by_the_steps_behind(job: Runner) -> None:
    """Without a network: what the package needs is found where these tests found it."""
    steps = [step for step in job.action["runs"]["steps"] if step["name"] in ("Install arcctl", "Run")]
    job.action = {**job.action, "runs": {"steps": steps}}
    job.environment |= {
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PYTHONPATH": sysconfig.get_path("purelib"),
    }
    job.inputs |= {"path": str(CHECKOUT), "run": "command -v arcctl; arcctl init 2>&1"}
    assert job.run() == SUCCESS, job.printed
    assert job.printed["Run"].startswith(f"{job.folder}/arcctl/venv/bin/arcctl\nhome {job.folder}/arcctl/home: ")
    del job.environment["ARCCTL_HOME"]  # nothing was started, so there is nothing to clean


def test_without_arcctl_the_job_says_what_to_give_and_does_nothing_else(job: Runner) -> None:
    job.environment["PATH"] = "/usr/bin:/bin"
    assert job.run() == FAILURE
    assert job.printed == {
        "Install arcctl": "::error title=arcctl is not installed::"
        "give this action a version, or the path of a checkout\n"
    }


def test_our_own_workflow_uses_inputs_that_exist() -> None:
    workflow = yaml.safe_load((CHECKOUT / ".github" / "workflows" / "smoke.yaml").read_text())
    uses = [
        step for job in workflow["jobs"].values() for step in job["steps"] if "actions/arcctl" in step.get("uses", "")
    ]
    assert uses
    for step in uses:
        assert set(step["with"]) <= set(load(ACTION)["inputs"])
