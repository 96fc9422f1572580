"""The question before something that cannot be undone."""

from __future__ import annotations

import sys

import typer


def agreed(question: str, *, yes: bool, command: str, what: str = "destroy data") -> bool:
    """Whether a person, or a script by `--yes`, wants it. Raises UsageError where nobody can be asked."""
    from arcctl.terminal import console as terminal

    if yes:
        return True
    _refuse_where_nobody_answers(what, f"{command} --yes")
    if typer.confirm(question, err=True):
        return True
    terminal.say("nothing was changed")
    return False


def typed(word: str, question: str, *, command: str) -> bool:
    """Whether a person types exactly this word. Raises UsageError where nobody can be asked."""
    _refuse_where_nobody_answers("destroy data", command)
    return str(typer.prompt(f"{question} ({word})", default="", show_default=False, err=True)).strip() == word


def _refuse_where_nobody_answers(what: str, command: str) -> None:
    from arcctl.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError(f"refusing to {what} without confirmation", hint=command)
