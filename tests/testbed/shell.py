"""Runs every command of the testbed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


class TestbedError(RuntimeError):
    """A step of the testbed failed; the message names the step and its log."""

    __test__ = False


def say(text: str) -> None:
    """Print a line of progress."""
    print(f"testbed: {text}", file=sys.stderr, flush=True)


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> None:
    """Run to the end; raise with the last lines of the output if it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if log is not None:
        with log.open("a") as stream:
            stream.write(done.stdout)
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-25:])
        raise TestbedError(f"`{' '.join(map(str, command))[:300]}` ended with {done.returncode}:\n{tail}")


def output(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, seconds: float = 60) -> str | None:
    """What a command prints, or None when it fails or does not exist."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
