"""`flags` and `identities`: feature flags and accounts, through the HTTP calls that their services declare."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from arcctl.data import names
from arcctl.data.report import Flag, Identity, read_flags, read_identities
from arcctl.data.stores import Server, running_server
from arcctl.errors import UnhealthyError, UsageError, did_you_mean
from arcctl.model.data_store import FIRST, MOST_PAGES, PAGE, Flags, Identities
from arcctl.project import Project

T = TypeVar("T")
F = TypeVar("F", Flags, Identities)


async def _pages(
    server: Server[F], read: Callable[[str], tuple[T, ...]], name: Callable[[T], str] = lambda item: ""
) -> tuple[T, ...]:
    """Read pages until one is not full; after the last page that is allowed a note says that more exist.

    `name` is what a server calls an item that it is asked to go on after.
    """
    found: list[T] = []
    for number in range(MOST_PAGES):
        after = name(found[-1]) if found else FIRST
        page = read(await server.ask(server.store.page, {"after": after, "offset": str(number * PAGE)}))
        found += page
        if len(page) < PAGE:
            return tuple(found)
    server.project.note(f"only the first {len(found)} are shown")
    return tuple(found)


async def list_flags(project: Project) -> tuple[Flag, ...]:
    return await _pages(await running_server(Flags, project), read_flags)


async def list_identities(project: Project) -> tuple[Identity, ...]:
    return await _pages(await running_server(Identities, project), read_identities, lambda account: account.id)


async def switch(name: str, environment: str, *, on: bool, project: Project) -> bool:
    """Turn a flag on or off in one environment; returns whether that changed anything.

    Raises UsageError for a flag or an environment that does not exist.
    """
    names.check_flag(name)
    server = await running_server(Flags, project)
    known = {flag.name: flag for flag in await _pages(server, read_flags)}
    if name not in known:
        raise UsageError(f"there is no flag {name!r}", hint=did_you_mean(name, known, "arcctl flags list"))
    flag = known[name]
    if environment not in flag.environments:
        hint = f"its environments: {', '.join(flag.environments) or 'none'}"
        raise UsageError(f"the flag {name} has no environment {environment!r}", hint=hint)
    if flag.environments[environment] is on:
        return False
    call = server.store.on if on else server.store.off
    await server.ask(call, {"project": flag.project, "flag": name, "environment": environment})
    now = {flag.name: flag for flag in await _pages(server, read_flags)}
    if name not in now or now[name].environments.get(environment) is not on:
        state = "on" if on else "off"
        raise UnhealthyError(f"the flag {name} is not {state} in {environment}", hint="arcctl flags list")
    return True
