"""The examples for CI systems: whole documents, commands that exist, settings that exist."""

from __future__ import annotations

import shlex

import pytest

from arcctl import services
from arcctl.settings.resolve import owned
from tests.ci_examples import commands, jobs
from tests.command_lines import parse

JOBS = jobs()
KNOWN_TO_DOCKER = {"DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_TLS_CERTDIR"}


@pytest.mark.parametrize("line", sorted({line for job in JOBS.values() for line in commands(job)}))
def test_each_command_exists_with_its_options(line: str) -> None:
    parse(shlex.split(line)[1:])


@pytest.mark.parametrize("job", JOBS)
def test_a_job_makes_a_project_starts_it_proves_it_and_stops_it(job: str) -> None:
    verbs = [line.split()[1] for line in commands(JOBS[job])]
    assert verbs[:4] == ["init", "up", "verify", "run"]
    assert verbs[-1] in ("down", "clean")


def test_each_variable_is_a_setting_of_arcctl_or_of_docker() -> None:
    named = {name for job in JOBS.values() for name in job.variables}
    assert named
    assert named - KNOWN_TO_DOCKER - owned(services.load()).keys() == set()
