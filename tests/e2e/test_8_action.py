"""The GitHub Action, run step by step on the embedded engine."""

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

from arcctl.engines.embedded import location
from tests.e2e.conftest import CHECKOUT, local_environment
from tests.e2e.driver import PROGRAM, Platform
from tests.e2e.runner import FAILURE, SKIPPED, SUCCESS, Runner, load
from tests.fakes.contracts import check_document

ACTION = CHECKOUT / ".github" / "actions" / "arcctl" / "action.yml"
SHIFT = 15_500
NAMES = "postgres redis"


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Runner]:
    """A job on a machine with arcctl."""
    tmp_path.chmod(0o755)
    environment = local_environment(SHIFT)
    environment["PATH"] = f"{Path(PROGRAM).parent}:{os.environ['PATH']}"
    runner = Runner(load(ACTION), tmp_path, environment, {"names": NAMES, "engine": "embedded", "timeout": "120"})
    yield runner
    if "ARCCTL_PROJECT_DIRECTORY" in environment:
        Platform(Path(environment["ARCCTL_PROJECT_DIRECTORY"]), environment).arcctl("clean", "--yes").ok()


def test_a_job_starts_a_platform_writes_reports_and_stops_it(job: Runner) -> None:
    job.inputs["run"] = "arcctl ps --json > ps.json\narcctl health redis"
    assert job.run() == SUCCESS, job.printed
    assert job.outcomes == {
        "Install arcctl": SUCCESS,
        "Start the platform": SUCCESS,
        "Run": SUCCESS,
        "Verify": SUCCESS,
        "Report health": SUCCESS,
        "Write a support bundle": SKIPPED,
        "Upload the reports": SUCCESS,
        "Shut down": SUCCESS,
    }
    during = {item["name"]: item["state"] for item in json.loads((job.folder / "ps.json").read_text())["containers"]}
    assert (during["postgres"], during["redis"]) == ("running", "running")
    reports = Path(job.outputs["reports"])
    assert job.outputs["status"] == "healthy"
    assert job.uploaded == {"name": "arcctl", "path": str(reports), "if-no-files-found": "ignore"}
    for name in ("health", "verify"):
        check_document(("--json",), (reports / f"{name}.json").read_text())
        assert ElementTree.parse(reports / f"{name}.xml").getroot().tag == "testsuite"
    lines = job.summary.splitlines()
    assert "### Verify: ✔ ok" in lines
    assert "### Health: ✔ healthy, embedded engine" in lines
    assert [line for line in lines if line.startswith("| redis | ✔ passed |")]
    assert [line for line in lines if line.startswith("| redis | ✔ healthy |")]
    project = Platform(Path(job.environment["ARCCTL_PROJECT_DIRECTORY"]), job.environment)
    assert {item["state"] for item in project.containers()} == {"absent"}


def test_a_broken_service_is_annotated_and_a_support_bundle_is_among_the_reports(job: Runner) -> None:
    base = location.base(job.folder / "arcctl" / "project")
    job.inputs |= {"run": f"kill -STOP $(cat {base}/run/redis/pid)", "verify": "false"}
    assert job.run() == FAILURE
    assert {name for name, outcome in job.outcomes.items() if outcome == FAILURE} == {"Report health"}
    assert "::error title=redis is unhealthy::" in job.printed["Report health"]
    assert job.outputs["status"] == "unhealthy"
    assert "| redis | ✘ unhealthy |" in job.summary
    assert "EVIDENCE" in job.printed["Write a support bundle"]
    with tarfile.open(Path(job.outputs["reports"]) / "support.tar.gz") as archive:
        assert "arcctl-support/logs/redis.log" in archive.getnames()
    assert job.outcomes["Shut down"] == SUCCESS


def test_a_failed_command_fails_the_job_after_the_health_report_and_the_shutdown(job: Runner) -> None:
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


def test_a_platform_with_keep_continues_to_run(job: Runner) -> None:
    job.inputs |= {"names": "redis", "keep": "true", "verify": "false"}
    assert job.run() == SUCCESS, job.printed
    assert job.outcomes["Shut down"] == SKIPPED
    project = Platform(Path(job.environment["ARCCTL_PROJECT_DIRECTORY"]), job.environment)
    assert project.service("redis")["status"] == "healthy"


def test_an_input_is_never_executed(job: Runner) -> None:
    job.inputs |= {"names": "redis $(touch executed) `touch executed`", "verify": "false"}
    assert job.run() == FAILURE
    assert "error: unknown service '$(touch'" in job.printed["Start the platform"]
    assert not list(job.folder.rglob("executed"))


def test_a_checkout_is_installed_and_later_steps_use_it(job: Runner) -> None:
    """Without a network: the dependencies come from the environment of these tests."""
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
    assert job.printed["Run"].startswith(f"{job.folder}/arcctl/venv/bin/arcctl\nproject {job.folder}/arcctl/project: ")
    del job.environment["ARCCTL_PROJECT_DIRECTORY"]  # nothing to clean: nothing was started


def test_without_arcctl_the_job_fails_with_a_hint(job: Runner) -> None:
    job.environment["PATH"] = "/usr/bin:/bin"
    assert job.run() == FAILURE
    assert job.printed == {
        "Install arcctl": "::error title=arcctl is not installed::"
        "give this action a version, or the path of a checkout\n"
    }


def test_our_workflow_uses_inputs_that_exist() -> None:
    workflow = yaml.safe_load((CHECKOUT / ".github" / "workflows" / "smoke.yaml").read_text())
    uses = [
        step for job in workflow["jobs"].values() for step in job["steps"] if "actions/arcctl" in step.get("uses", "")
    ]
    assert uses
    for step in uses:
        assert set(step["with"]) <= set(load(ACTION)["inputs"])
