"""Gives this process to another program: its terminal, its signals and its exit code are that program's own."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from arcctl.errors import UsageError


def become(words: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Raises UsageError where there is no such program."""
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
