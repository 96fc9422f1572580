"""Drives arcctl as a user does: a process, its exit code, its two streams."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

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
    """One home and the engine it runs on."""

    home: Path
    environment: Mapping[str, str]

    def arcctl(self, *words: str, timeout: float = LONG, **extra: str) -> Done:
        done = subprocess.run(
            (PROGRAM, *words),
            cwd=self.home,
            env={**self.environment, **extra},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def interrupted_up(self, seconds: float, *words: str) -> int:
        """`up` as a process group of its own that gets Ctrl-C after `seconds`."""
        child = subprocess.Popen(
            (PROGRAM, "up", *words),
            cwd=self.home,
            env=dict(self.environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(seconds)
        os.killpg(child.pid, signal.SIGINT)
        return child.wait(timeout=60)

    def docker(self, *words: str) -> str:
        done = subprocess.run(
            ("docker", *words), cwd=self.home, env=dict(self.environment), capture_output=True, text=True, check=False
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

    def secrets(self) -> dict[str, str]:
        lines = (self.home / ".arcctl" / "secrets.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)


def reason(service: Mapping[str, Any]) -> str:
    """The messages of all checks that are not content."""
    return "; ".join(c["message"] for c in service["checks"] if c["status"] in ("fail", "warn"))


def eventually(ask: Callable[[], T], seconds: float = 60.0) -> T:
    """The first truthy answer; the last one where none comes in time."""
    end = time.monotonic() + seconds
    while not (answer := ask()) and time.monotonic() < end:
        time.sleep(0.5)
    return answer
