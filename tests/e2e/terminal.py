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
    side: int
    seen: str = ""
    """What was written and not yet expected."""

    def type(self, text: str) -> None:
        os.write(self.side, text.encode())

    def expect(self, text: str) -> None:
        """Wait until it is written; what comes before is let go."""
        assert self._comes(text, SECONDS), f"{text!r} did not come, but {self.seen!r}"

    def press(self, key: str, until: str) -> None:
        """Press a key, again each second, until this is written: Python misses one that comes between two looks."""
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
        if not select.select([self.side], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.side, 4096)
        except OSError:  # the other side is closed
            return False
        self.seen += COLOURS.sub("", data.decode(errors="replace"))
        return bool(data)

    def ended(self) -> int:
        """The exit code, when everything was read."""
        end = time.monotonic() + SECONDS
        while self._read(1) and time.monotonic() < end:
            pass
        return self.process.wait(SECONDS)


@contextlib.contextmanager
def terminal(platform: Platform, *words: str, **extra: str) -> Iterator[Terminal]:
    """A command of arcctl that has a terminal of its own."""
    mine, its = pty.openpty()
    termios.tcsetwinsize(its, (40, 120))
    environment = {**platform.environment, "TERM": "xterm", **extra}
    command = ("setsid", "--ctty", PROGRAM, *words)  # without it Ctrl-C would reach nobody
    process = subprocess.Popen(command, cwd=platform.home, env=environment, stdin=its, stdout=its, stderr=its)
    os.close(its)
    try:
        yield Terminal(process, mine)
    finally:
        process.kill()
        process.wait()
        os.close(mine)
