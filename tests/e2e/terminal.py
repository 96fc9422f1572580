"""A person at a terminal: sees what arcctl writes there, types, presses Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.e2e.driver import PROGRAM, Platform

SECONDS = 30.0
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
INTERRUPT, END = "\x03", "\x04"


@dataclass
class Terminal:
    process: subprocess.Popen[bytes]
    stream: int
    seen: str = ""
    """Output that no `expect` has matched yet."""

    def type(self, text: str) -> None:
        os.write(self.stream, text.encode())

    def expect(self, text: str) -> None:
        """Wait until the text is written; discard what comes before it."""
        assert self._comes(text, SECONDS), f"{text!r} did not come, but {self.seen!r}"

    def press(self, key: str, until: str) -> None:
        """Press a key each second until the text is written: Python can miss a signal between two reads."""
        for _ in range(int(SECONDS)):
            self.type(key)
            if self._comes(until, 1):
                return
        raise AssertionError(f"{until!r} did not come, but {self.seen!r}")

    def _comes(self, text: str, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while text not in self.seen and (left := end - time.monotonic()) > 0:
            assert self._read(left), f"it ended without {text!r}: {self.seen!r}"
        if text not in self.seen:
            return False
        self.seen = self.seen.partition(text)[2]
        return True

    def _read(self, seconds: float) -> bool:
        if not select.select([self.stream], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.stream, 4096)
        except OSError:  # the other end is closed
            return False
        self.seen += COLOURS.sub("", data.decode(errors="replace"))
        return bool(data)

    def ended(self) -> int:
        """Read to the end; return the exit code."""
        end = time.monotonic() + SECONDS
        while self._read(1) and time.monotonic() < end:
            pass
        return self.process.wait(SECONDS)


@contextlib.contextmanager
def terminal(platform: Platform, *words: str, **extra: str) -> Iterator[Terminal]:
    """An arcctl command with its own terminal."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 120))
    environment = {**platform.environment, "TERM": "xterm", **extra}
    command = ("setsid", "--ctty", PROGRAM, *words)  # without it Ctrl-C reaches no process
    process = subprocess.Popen(
        command, cwd=platform.directory, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
