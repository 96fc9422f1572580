"""The examples for CI systems: whole documents, commands that exist, settings that exist."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from arcctl import services
from arcctl.settings.resolve import owned
from tests.command_lines import parse

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
GITLAB, GITHUB = EXAMPLES / "gitlab-ci.yml", EXAMPLES / "github-workflow.yml"
KNOWN_TO_DOCKER = {"DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_TLS_CERTDIR"}


def gitlab_job() -> dict[str, Any]:
    (job,) = yaml.safe_load(GITLAB.read_text()).values()
    assert isinstance(job, dict)
    return job


def github_jobs() -> dict[str, dict[str, Any]]:
    return dict(yaml.safe_load(GITHUB.read_text())["jobs"])


def commands(lines: list[str]) -> list[str]:
    """Those that call arcctl."""
    return [line for line in lines if line.startswith("arcctl ")]


def _lines() -> dict[str, list[str]]:
    job = gitlab_job()
    of_github = {name: [step.get("run", "") for step in job["steps"]] for name, job in github_jobs().items()}
    return {"gitlab": [*job["script"], *job["after_script"]], **of_github}


@pytest.mark.parametrize("line", sorted({line for lines in _lines().values() for line in commands(lines)}))
def test_each_command_exists_with_its_options(line: str) -> None:
    parse(shlex.split(line)[1:])


@pytest.mark.parametrize("job", _lines())
def test_a_job_makes_a_project_starts_it_proves_it_and_stops_it(job: str) -> None:
    verbs = [line.split()[1] for line in commands(_lines()[job])]
    assert verbs[:4] == ["init", "up", "verify", "run"]
    assert verbs[-1] in ("down", "clean")


def test_each_variable_is_a_setting_of_arcctl_or_of_docker() -> None:
    named = {*gitlab_job()["variables"], *github_jobs()["elsewhere"]["env"]}
    assert named - KNOWN_TO_DOCKER - owned(services.load()).keys() == set()
