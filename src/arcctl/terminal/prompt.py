"""The talk of a person, a pipe or a command line with a session: a line, its answer, the next line."""

from __future__ import annotations

import itertools
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from arcctl.errors import CommandRefused
from arcctl.model.connection import Session
from arcctl.terminal import console, errors

END = ("quit", "exit")


def run(session: Session, name: str, words: Sequence[str]) -> int:
    """The exit code: 1 when a command of a script was refused. A person has seen that and goes on."""
    if words:
        good = _do(session, words)
        with suppress(KeyboardInterrupt):
            session.listen()
    elif sys.stdin.isatty():
        good = _talk(session, name)
    else:
        good = all([_answer(session, line) for line in _until_the_end(sys.stdin)])
    session.close()
    return 0 if good else 1


def _talk(session: Session, name: str) -> bool:
    """Ctrl-C ends a command that waits, and nothing else."""
    for line in _until_the_end(_typed(f"{name}> ")):
        with suppress(KeyboardInterrupt):
            _answer(session, line)
    return True


def _typed(prompt: str) -> Iterator[str]:
    """Lines of a person: Ctrl-C drops one, Ctrl-D ends them."""
    import readline  # noqa: F401  its import gives `input` the keys that a person expects

    while True:
        try:
            yield input(prompt)
        except KeyboardInterrupt:
            console.line("")
        except EOFError:
            console.line("")
            return


def _until_the_end(lines: Iterable[str]) -> Iterator[str]:
    return itertools.takewhile(lambda line: line.strip().lower() not in END, lines)


def _answer(session: Session, line: str) -> bool:
    """Whether a line, read as a shell reads it, was well."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        errors.show(CommandRefused(f"{line.strip()}: {str(error).lower()}"))
        return False
    return _do(session, words) if words else True


def _do(session: Session, words: Sequence[str]) -> bool:
    try:
        for text in session.do(words):
            console.line(text)
    except CommandRefused as error:
        errors.show(error)
        return False
    return True
