"""`support bundle`: files that help others to find a problem, with every secret removed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial

from arcctl.diagnostics.redaction import Redactor
from arcctl.events import Event
from arcctl.lifecycle import up
from arcctl.project import Project

Part = tuple[str, Callable[[], str]]
"""A file of the bundle, and the function that makes its text."""
MISSING = "not available: "
"""How the text of a part that failed begins."""
TAIL = "500"
"""Last lines of each log."""


def gather(parts: Iterable[Part], redact: Redactor) -> dict[str, str]:
    """The text of every part; for one that fails, the reason."""
    return {name: redact(_text(make)) for name, make in parts}


def missing(texts: Mapping[str, str]) -> tuple[str, ...]:
    """The parts that failed."""
    return tuple(name for name, text in texts.items() if text.startswith(MISSING))


def _text(make: Callable[[], str]) -> str:
    try:
        return make()
    except Exception as error:
        return f"{MISSING}{type(error).__name__}: {error}\n"


def logs(project: Project) -> Iterator[Part]:
    """The end of the log of each container that exists."""
    containers: Iterable[str] = ()
    with suppress(Exception):
        containers = project.engine.observe().containers
    for key in sorted(containers):
        yield f"logs/{key}.log", partial(_log, project, key)


def _log(project: Project, key: str) -> str:
    return "".join(f"{line}\n" for line in project.engine.logs([key], follow=False, since="", tail=TAIL))


def plan(project: Project) -> str:
    """The plan of `up` for the services that were started last, after its notes."""
    notes: list[str] = []

    def note(event: Event) -> None:
        notes.append(event.message)

    words = tuple(sorted(project.directory.started()))
    prepared = up.prepare(up.Request(words=words, dry_run=True), replace(project, sink=note))
    return "".join(f"{line}\n" for line in (*notes, *map(str, prepared.plan.steps)))


def settings(project: Project) -> str:
    """Every setting with its origin, as JSON; secrets are hidden."""
    values = project.settings.values
    shown = {name: {"value": value.shown, "origin": value.origin} for name, value in values.items()}
    return json.dumps(shown, indent=2) + "\n"


def containers(project: Project) -> str:
    """The state of each container, as JSON."""
    states = project.engine.observe().containers
    return json.dumps({key: asdict(state) for key, state in states.items()}, indent=2, default=sorted) + "\n"
