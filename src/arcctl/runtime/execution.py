"""Runs one program to its end: with the caller's terminal, or with streams that are handed in."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import BinaryIO

from arcctl.core.ports import Executed
from arcctl.errors import EngineError


def execute(
    words: tuple[str, ...],
    environment: Mapping[str, str],
    *,
    stdin: BinaryIO | None,
    stdout: BinaryIO | None,
    terminal: bool,
) -> Executed:
    """What became of it. Raises EngineError where the program does not exist."""
    try:
        if terminal:
            return Executed(subprocess.run(words, env=environment, check=False).returncode)
        done = subprocess.run(
            words,
            env=environment,
            stdin=stdin or subprocess.DEVNULL,
            stdout=stdout or subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=False,
        )
    except FileNotFoundError:
        raise EngineError(f"the program {words[0]} is not here", hint="arcctl doctor") from None
    return Executed(done.returncode, done.stdout or b"", done.stderr.decode(errors="replace").strip())
