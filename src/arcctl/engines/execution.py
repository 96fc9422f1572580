"""Runs one program to its end, with the caller's terminal or with the given streams."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

from arcctl.engines.base import Executed
from arcctl.errors import EngineError, ProgramMissing


def execute(
    words: tuple[str, ...],
    environment: Mapping[str, str],
    *,
    stdin: BinaryIO | None,
    stdout: BinaryIO | None,
    terminal: bool,
    seconds: float | None = None,
) -> Executed:
    """Raises ProgramMissing where the program does not exist, EngineError where it takes longer than `seconds`."""
    try:
        if terminal:
            with _interrupts_ignored():
                return Executed(subprocess.run(words, env=environment, check=False).returncode)
        done = subprocess.run(
            words,
            env=environment,
            stdin=stdin or subprocess.DEVNULL,
            stdout=stdout or subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise EngineError(f"{words[0]} did not end in {seconds:.1f} s") from None
    except FileNotFoundError:
        raise ProgramMissing(f"the program {words[0]} is not installed", hint="arcctl doctor") from None
    return Executed(done.returncode, done.stdout or b"", done.stderr.decode(errors="replace").strip())


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ctrl-C also reaches the program: an interactive client ends a query with it and goes on."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
