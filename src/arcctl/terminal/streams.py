"""The standard streams of the program: what happens where nobody reads one, where it is closed, or its disk is full."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Literal, TextIO

from arcctl.errors import OutputError, UsageError


class ReaderGone(Exception):
    """Nobody reads stdout any more: there is nothing left to do, and nobody to tell."""


class _Stream(io.TextIOWrapper):
    """A standard stream; the first error in writing is the last, because nothing is written afterwards."""

    def write(self, text: str, /) -> int:
        if text == "":  # libraries find out in this way what a stream takes, and hide the error
            return 0
        try:
            return super().write(text)
        except OSError as error:
            self._fail(error)
        return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        with _nothing("w") as nothing:
            os.dup2(nothing.fileno(), self.fileno())
        self.failed(error)

    def failed(self, error: OSError) -> None:
        """Progress and errors: work goes on without them."""


class _Data(_Stream):
    """Standard output."""

    def failed(self, error: OSError) -> None:
        if isinstance(error, BrokenPipeError):
            raise ReaderGone from None
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"stdout: {reason}", hint="free space where it goes, or send it elsewhere") from None


SPELLED = {
    "✔": "+", "✘": "x", "○": "o", "…": "...", "→": "->", "·": "-", "─": "-", "│": "|", "├": "|", "└": "`", "█": "#",
}  # fmt: skip
"""What stands for a character where the encoding of a stream lacks it; others are written as Python writes them."""
_SPELLED, _REFUSED = "arcctl.spelled", "arcctl.refused"
"""Names of what Python calls for text that cannot be encoded or decoded."""


def _spelled(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    missing = error.object[error.start : error.end]
    text = "".join(SPELLED.get(c) or c.encode("ascii", "backslashreplace").decode("ascii") for c in missing)
    return text, error.end


def _refused(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    raise UsageError(
        f"stdin: not {error.encoding.upper()} text at byte {error.start}", hint="send it as UTF-8: iconv -t UTF-8"
    )


def prepare() -> None:
    """Open what is closed, else the next file that is opened gets its number; and foresee errors in writing."""
    codecs.register_error(_SPELLED, _spelled)
    codecs.register_error(_REFUSED, _refused)
    sys.stdin = sys.stdin or _nothing("r")
    if isinstance(sys.stdin, io.TextIOWrapper):
        ascii_only = codecs.lookup(sys.stdin.encoding).name == "ascii"
        sys.stdin.reconfigure(encoding="utf-8" if ascii_only else None, errors=_REFUSED)
    sys.stdout = _wrapped(sys.stdout, _Data) if sys.stdout else _nothing("w")
    sys.stderr = _wrapped(sys.stderr, _Stream) if sys.stderr else _nothing("w")


def _nothing(mode: Literal["r", "w"]) -> TextIO:
    device = os.open(os.devnull, os.O_RDWR)
    os.set_inheritable(device, True)  # a program that we start would use the number for its next file too
    return os.fdopen(device, mode)


def _wrapped(stream: TextIO, kind: type[_Stream]) -> TextIO:
    buffered, through = getattr(stream, "line_buffering", False), getattr(stream, "write_through", False)
    return kind(stream.buffer, stream.encoding, _SPELLED, line_buffering=buffered, write_through=through)
