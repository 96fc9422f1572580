"""Runs arcctl as a user does: a process of its own, its exit code, its two streams."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from arcctl.engines.embedded import location, processes
from arcctl.model.names import PROJECT, PROJECT_NAME
from arcctl.model.service import container_name
from tests.e2e import imported
from tests.fakes.contracts import check_document

PROGRAM = str(Path(sys.executable).parent / "arcctl")
LONG = 400.0
T = TypeVar("T")


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    def ok(self) -> Done:
        assert self.code == 0, f"exit {self.code}\n{self.out}\n{self.err}"
        return self


@dataclass(frozen=True)
class Platform:
    """A project directory and the engine that it uses."""

    directory: Path
    environment: Mapping[str, str]
    shift: int = 0
    """Added to every host port."""

    @property
    def embedded(self) -> bool:
        return self.environment.get("ARCCTL_ENGINE") == "embedded"

    def port(self, default: int) -> int:
        return default + self.shift

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start arcctl in its own process group and return at once."""
        return subprocess.Popen(
            (PROGRAM, *words),
            cwd=self.directory,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def arcctl(self, *words: str, timeout: float = LONG, given: str = "", **extra: str) -> Done:
        """Run it to the end; `given` is its standard input."""
        environment = {**self.environment, **extra}
        if imported.fits(environment):
            done = imported.run((PROGRAM, *words), self.directory, environment, given, timeout)
        else:
            done = subprocess.run(
                (PROGRAM, *words),
                cwd=self.directory,
                env=environment,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
                input=given,
            )
        check_document(words, done.stdout)
        return Done(done.returncode, done.stdout, done.stderr)

    def interrupted(self, seconds: float, *words: str, by: signal.Signals = signal.SIGINT) -> int:
        """The exit code of a command that gets Ctrl-C, or another signal, after `seconds`."""
        child = self.start(*words)
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):  # it has already ended
            os.killpg(child.pid, by)
        child.communicate(timeout=60)
        return child.returncode

    @contextlib.contextmanager
    def new_project(self) -> Iterator[Platform]:
        """Another project with the same environment, with nothing started."""
        with tempfile.TemporaryDirectory(prefix="arc-project-") as folder:
            environment = {name: value for name, value in self.environment.items() if name != PROJECT_NAME}
            project = Platform(Path(folder), environment, self.shift)
            project.arcctl("init").ok()
            yield project

    def docker(self, *words: str) -> str:
        done = subprocess.run(
            ("docker", *words),
            cwd=self.directory,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def health(self, *words: str, **extra: Any) -> dict[str, Any]:
        """The parsed document, whatever the exit code."""
        document: dict[str, Any] = json.loads(self.arcctl("health", *words, "--json", **extra).out)
        return document

    def service(self, name: str, **extra: str) -> dict[str, Any]:
        (found,) = self.health(name, **extra)["services"]
        assert isinstance(found, dict)
        return found

    def containers(self, *words: str) -> list[dict[str, Any]]:
        """The containers that `ps` lists."""
        document = json.loads(self.arcctl("ps", *words, "--json").ok().out)
        return list(document["containers"])

    def variables(self, *words: str) -> dict[str, str]:
        """The variables that `env` prints."""
        document = json.loads(self.arcctl("env", *words, "--format", "json").ok().out)
        return dict(document["variables"])

    def running(self) -> dict[str, str]:
        """An id of each running container or process, which changes when it is restarted or recreated."""
        if self.embedded:
            return {p.parent.name: p.read_text() for p in location.base(self.directory).glob("run/*/pid")}
        ids = self.docker("ps", "--quiet", "--filter", "label=com.docker.compose.project=arc").split()
        shown = self.docker("inspect", "--format", "{{.Name}} {{.Id}} {{.State.StartedAt}}", *ids)
        return dict(line.split(maxsplit=1) for line in shown.splitlines())

    def send_signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to the process of a service on the embedded engine; nothing happens while none runs."""
        if pid := processes.running(location.base(self.directory) / "run" / name / "pid"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def secrets(self) -> dict[str, str]:
        lines = (self.directory / ".arcctl" / "secrets.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)


def container(name: str) -> str:
    """The container of a component."""
    return container_name(PROJECT, name)


def reason(service: Mapping[str, Any]) -> str:
    """The messages of all checks that failed or warned."""
    return "; ".join(c["message"] for c in service["checks"] if c["status"] in ("fail", "warn"))


def eventually(ask: Callable[[], T], seconds: float = 60.0) -> T:
    """The first truthy answer, or the last answer after `seconds`; asks half of the time at most."""
    end, began = time.monotonic() + seconds, time.monotonic()
    while not (answer := ask()) and time.monotonic() < end:
        time.sleep(max(0.5, time.monotonic() - began))
        began = time.monotonic()
    return answer


def forget_losses(platform: Platform, *services: str) -> None:
    """What a service lost counts since its start, as soon as Prometheus has seen that it counts anew."""
    platform.arcctl("restart", *services).ok()
    assert eventually(lambda: {platform.service(i)["status"] for i in services} == {"healthy"}), services
