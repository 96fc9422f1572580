"""Other programs in the foreground, with the user's terminal."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import webbrowser
from collections.abc import Mapping, Sequence
from typing import NoReturn

from arcctl.errors import UsageError


def become(words: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Give this process to another program: its signals and its exit code are that program's own.

    Raises UsageError where there is no such program.
    """
    program = shutil.which(words[0], path=environment.get("PATH"))
    if program is None:
        raise UsageError(f"no program {words[0]!r} on the PATH", hint="arcctl run -- env")
    sys.stdout.flush()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and what is ignored stays so
    try:
        os.execve(program, list(words), dict(environment))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UsageError(f"{program} does not start: {why}", hint="arcctl run -- env") from None


def run(words: Sequence[str]) -> int:
    """Run a program to its end; its exit code."""
    program = shutil.which(words[0]) or words[0]
    return subprocess.run((program, *words[1:]), check=False).returncode


def browse(address: str) -> bool:
    """Show a page in the user's browser; False where there is none."""
    return webbrowser.open(address)
