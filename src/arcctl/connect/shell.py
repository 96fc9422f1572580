"""`shell`: an interactive client of a service, logged in: its own program, or arcctl's where that is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from arcctl.engines.base import Observed
from arcctl.errors import ProgramMissing, UnhealthyError, UsageError
from arcctl.model.connection import Client, InteractiveClient, Shell
from arcctl.model.graph import one
from arcctl.project import Project, must_run, refuse_other_project

Converse = Callable[[InteractiveClient, str, int, tuple[str, ...]], int]
"""Runs arcctl's client against a host and its port; returns the exit code."""


@dataclass(frozen=True)
class Request:
    name: str
    words: tuple[str, ...] = ()
    """Arguments for the client; without any it reads the terminal or a pipe."""
    user: str = ""
    """Who logs in; empty for the default user."""


def shell(request: Request, project: Project, converse: Converse) -> int:
    """The exit code of the first client that is installed.

    Raises UnhealthyError for a service that does not run, PreflightError for one of another project.
    """
    shells = _shells(request, project)
    observed = project.engine.observe()
    refuse_other_project(observed, project)
    must_run(request.name, observed)
    for candidate in shells[:-1]:
        try:
            return _run(candidate, request, project, observed, converse)
        except ProgramMissing:
            continue
    return _run(shells[-1], request, project, observed, converse)


def _shells(request: Request, project: Project) -> tuple[Shell, ...]:
    """At least one. Raises UsageError where there is none."""
    declared = one(request.name, project.catalogue).network.shells(project.settings.envs[request.name])
    if not declared:
        raise UsageError(f"{request.name} has no shell", hint=f"arcctl info {request.name}")
    found = tuple(shell for shell in declared if shell.user == (request.user or declared[0].user))
    if not found:
        users = dict.fromkeys(shell.user for shell in declared)
        raise UsageError(
            f"{request.name} has no shell for the user {request.user!r}", hint=f"its users: {', '.join(users)}"
        )
    return found


def _run(shell: Shell, request: Request, project: Project, observed: Observed, converse: Converse) -> int:
    if isinstance(shell, Client):
        words = (*shell.words, *request.words)
        return project.engine.execute(request.name, words, environment=shell.environment, terminal=True).code
    port = observed.of(request.name).ports.get(shell.port)
    if port is None:
        raise UnhealthyError(f"{request.name} publishes no port for clients", hint=f"arcctl ps {request.name}")
    return converse(shell, project.engine.host, port, request.words)
