"""A small GitHub runner for a composite action: inputs, conditions, files of the job, outputs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

SUCCESS, FAILURE, SKIPPED = "success", "failure", "skipped"
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_COMPARISON = re.compile(r"([\w.-]+) (==|!=) '([^']*)'")


@dataclass
class Runner:
    """One job that uses one action."""

    action: Mapping[str, Any]
    folder: Path
    environment: dict[str, str]
    inputs: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    """The outcome of each step, by its name."""
    printed: dict[str, str] = field(default_factory=dict)
    uploaded: dict[str, str] = field(default_factory=dict)
    _context: dict[str, str] = field(default_factory=dict)
    _path: list[str] = field(default_factory=list)

    def run(self) -> str:
        """The outcome of the whole action."""
        known = {name: str(item.get("default", "")) for name, item in self.action["inputs"].items()}
        assert set(self.inputs) <= set(known)
        self._context |= {f"inputs.{name}": value for name, value in (known | self.inputs).items()}
        for step in self.action["runs"]["steps"]:
            outcome = self._step(step) if self._wanted(step.get("if", "success()")) else SKIPPED
            self.outcomes[step["name"]] = outcome
            self._context[f"steps.{step.get('id', '')}.outcome"] = outcome
        return FAILURE if FAILURE in self.outcomes.values() else SUCCESS

    @property
    def outputs(self) -> dict[str, str]:
        return {name: self._filled(item["value"]) for name, item in self.action["outputs"].items()}

    @property
    def summary(self) -> str:
        return self._file("GITHUB_STEP_SUMMARY").read_text()

    def _wanted(self, condition: str) -> bool:
        failed = FAILURE in self.outcomes.values()
        functions = {"always()": True, "failure()": failed, "success()": not failed}
        parts = [part.strip() for part in condition.split("&&")]
        status = [functions[part] for part in parts if part in functions] or [not failed]
        return all(status) and all(self._holds(part) for part in parts if part not in functions)

    def _holds(self, comparison: str) -> bool:
        found = _COMPARISON.fullmatch(comparison)
        assert found, f"a condition that this runner does not know: {comparison}"
        return (self._context.get(found[1], "") == found[3]) == (found[2] == "==")

    def _step(self, step: Mapping[str, Any]) -> str:
        if "uses" in step:
            self.uploaded |= {name: self._filled(str(value)) for name, value in step["with"].items()}
            return SUCCESS
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "an input inside a script would be executed"
        script = self.folder / "step.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            ("bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)),
            cwd=self.folder,
            env=self._variables(step),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=400,
            check=False,
        )
        self.printed[step["name"]] = done.stdout
        self._read_job_files(step)
        return FAILURE if done.returncode else SUCCESS

    def _variables(self, step: Mapping[str, Any]) -> dict[str, str]:
        files = ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
        step_env = {name: self._filled(str(value)) for name, value in step.get("env", {}).items()}
        path = ":".join((*reversed(self._path), self.environment["PATH"]))
        paths = {name: str(self._file(name)) for name in files}
        return {**self.environment, "PATH": path, "RUNNER_TEMP": str(self.folder), **paths, **step_env}

    def _read_job_files(self, step: Mapping[str, Any]) -> None:
        """What a step wrote into the files of the job is used by the steps after it."""
        self.environment |= self._assigned("GITHUB_ENV")
        self._path += self._file("GITHUB_PATH").read_text().splitlines()
        outputs = self._assigned("GITHUB_OUTPUT")
        self._context |= {f"steps.{step.get('id', '')}.outputs.{name}": value for name, value in outputs.items()}
        for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT"):
            self._file(name).write_text("")

    def _assigned(self, name: str) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self._file(name).read_text().splitlines())

    def _file(self, name: str) -> Path:
        path = self.folder / name
        path.touch()
        return path

    def _filled(self, text: str) -> str:
        return _EXPRESSION.sub(lambda found: self._context.get(found[1], ""), text)


def load(path: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load(path.read_text())
    assert found["runs"]["using"] == "composite"
    return found
