"""The jobs of the examples for CI systems, as scripts that can be run elsewhere."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
GITLAB, GITHUB = EXAMPLES / "gitlab-ci.yml", EXAMPLES / "github-workflow.yml"
_EXPRESSION = re.compile(r"\$\{\{\s*([\w.]+)\s*\}\}")


@dataclass(frozen=True)
class Step:
    """Lines that one shell runs."""

    lines: tuple[str, ...]
    variables: Mapping[str, str]

    def without(self, left_out: Container[str]) -> Step:
        return replace(self, lines=tuple(line for line in self.lines if line not in left_out))


@dataclass(frozen=True)
class Job:
    variables: Mapping[str, str]
    steps: tuple[Step, ...]
    actions: tuple[str, ...] = ()
    """What the hosted service brings along."""

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(line for step in self.steps for line in step.lines)

    def without(self, left_out: Container[str]) -> Job:
        """The same job without some of its lines."""
        return replace(self, steps=tuple(step.without(left_out) for step in self.steps))

    def run(self, folder: Path, environment: Mapping[str, str]) -> str:
        """What it prints. The variables of the job go before those of the environment."""
        return "".join(self._run(step, folder, {**environment, **self.variables}) for step in self.steps)

    @staticmethod
    def _run(step: Step, folder: Path, environment: Mapping[str, str]) -> str:
        script = "\n".join(step.lines)
        done = subprocess.run(
            ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script),
            cwd=folder,
            env={**environment, **step.variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode == 0, f"{script}\nexit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def jobs(values: Mapping[str, str] | None = None) -> dict[str, Job]:
    """Of all examples, by name; `values` are those of the expressions, which are empty otherwise."""
    gitlab = yaml.safe_load(GITLAB.read_text())
    github = yaml.safe_load(GITHUB.read_text())["jobs"]
    return {
        **{f"gitlab, {name}": _of_gitlab(job) for name, job in gitlab.items()},
        **{f"github, {name}": _of_github(job, values or {}) for name, job in github.items()},
    }


def _of_gitlab(job: Mapping[str, Any]) -> Job:
    scripts = ((*job["before_script"], *job["script"]), tuple(job["after_script"]))
    return Job(dict(job["variables"]), tuple(Step(lines, {}) for lines in scripts))


def _of_github(job: Mapping[str, Any], values: Mapping[str, str]) -> Job:
    scripts = [step for step in job["steps"] if "run" in step]
    return Job(
        _filled(job.get("env", {}), values),
        tuple(Step(tuple(step["run"].splitlines()), _filled(step.get("env", {}), values)) for step in scripts),
        tuple(step["uses"] for step in job["steps"] if "uses" in step),
    )


def _filled(variables: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, str]:
    return {
        name: _EXPRESSION.sub(lambda found: values.get(found[1], ""), str(text)) for name, text in variables.items()
    }


def commands(job: Job) -> list[str]:
    """The lines that call arcctl."""
    return [line for line in job.lines if line.startswith("arcctl ")]
