"""`shell`: a service's own client, logged in; where none is here, a prompt of our own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from arcctl.app.world import World, must_run, settings
from arcctl.core.connect import Client, Prompt, Shell
from arcctl.core.graph import one
from arcctl.core.observed import Observed
from arcctl.errors import ProgramMissing, UnhealthyError, UsageError

Converse = Callable[[Prompt, int, tuple[str, ...]], int]
"""Holds the talk of a prompt at a port of the host; the exit code."""


@dataclass(frozen=True)
class Request:
    name: str
    words: tuple[str, ...] = ()
    """What the client is called with besides; without any it reads the terminal or a pipe."""
    user: str = ""
    """Whom it logs in as; empty for whom it usually does."""


def run(request: Request, world: World, converse: Converse) -> int:
    """The exit code of the first client that is here. Raises UnhealthyError for a service that does not run."""
    shells = _shells(request, world)
    observed = world.engine.observe()
    must_run(request.name, observed)
    for shell in shells[:-1]:
        try:
            return _talk(shell, request, world, observed, converse)
        except ProgramMissing:
            continue
    return _talk(shells[-1], request, world, observed, converse)


def _shells(request: Request, world: World) -> tuple[Shell, ...]:
    """At least one. Raises UsageError where there is none."""
    every = one(request.name, world.catalogue).shells(settings(world).envs[request.name])
    if not every:
        raise UsageError(f"{request.name} has no shell", hint=f"arcctl info {request.name}")
    found = tuple(shell for shell in every if shell.user == (request.user or every[0].user))
    if not found:
        users = dict.fromkeys(shell.user for shell in every)
        raise UsageError(f"{request.name} has no shell for {request.user!r}", hint=f"one of {', '.join(users)}")
    return found


def _talk(shell: Shell, request: Request, world: World, observed: Observed, converse: Converse) -> int:
    if isinstance(shell, Client):
        words = (*shell.words, *request.words)
        return world.engine.execute(request.name, words, environment=shell.environment, terminal=True).code
    port = observed.of(request.name).ports.get(shell.port)
    if port is None:
        raise UnhealthyError(f"{request.name} publishes no port for clients", hint=f"arcctl ps {request.name}")
    return converse(shell, port, request.words)
