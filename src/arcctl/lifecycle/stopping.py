"""Stops that a command which was cut off asked for: the engine carries them out all the same."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from arcctl.errors import ArcError
from arcctl.project import Project


@contextlib.contextmanager
def noted(keys: Iterable[str], project: Project) -> Iterator[None]:
    """Around a stop of these components: the note is left where the command is cut off."""
    project.directory.remember_stopping(keys)
    try:
        yield
    except ArcError:
        project.directory.remember_stopping(())
        raise
    project.directory.remember_stopping(())


def finish(project: Project) -> tuple[str, ...]:
    """Wait until the engine has stopped what a command that was cut off asked for; the components."""
    keys = project.directory.stopping()
    if keys:
        project.note(f"finishing the interrupted stop of {', '.join(keys)}")
        project.engine.stop(keys)
        project.directory.remember_stopping(())
    return keys
