"""The talk of a person, a pipe or a command line with a session: a line, its answer, the next line."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence

from arcctl.core.connect import Session
from arcctl.errors import CommandRefused
from arcctl.ui import errors

END = ("quit", "exit")


def tell(text: str) -> None:
    """One line of data, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def hold(session: Session, name: str, words: Sequence[str]) -> int:
    """The exit code: 1 when a command of a script was refused. A person has seen that and goes on."""
    if words:
        good = _do(session, words)
        session.listen()
    else:
        good = _talk(session, name)
    session.close()
    return 0 if good else 1


def _talk(session: Session, name: str) -> bool:
    person = sys.stdin.isatty()
    good = True
    for line in _typed(f"{name}> ") if person else sys.stdin:
        words = _words(line)
        if words and words[0].lower() in END:
            break
        good = (_do(session, words) if words else words is not None) and good
    return good or person


def _typed(prompt: str) -> Iterator[str]:
    """Lines of a person: Ctrl-C drops one, Ctrl-D ends them."""
    import readline  # noqa: F401  its import gives `input` the keys that a person expects

    while True:
        try:
            yield input(prompt)
        except KeyboardInterrupt:
            tell("")
        except EOFError:
            tell("")
            return


def _words(line: str) -> list[str] | None:
    """A line as a shell reads it; None where a quote stands alone."""
    try:
        return shlex.split(line)
    except ValueError as error:
        errors.show(CommandRefused(f"{line.strip()}: {str(error).lower()}"))
        return None


def _do(session: Session, words: Sequence[str]) -> bool:
    try:
        for text in session.do(words):
            tell(text)
    except CommandRefused as error:
        errors.show(error)
        return False
    return True
