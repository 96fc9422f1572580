"""`db migrate`: runs the init containers that migrate the tables of services."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from arcctl.checks.locks_report import POLL_SECONDS, Holder, explained, hint
from arcctl.data.base import DataClients
from arcctl.data.db import owners
from arcctl.data.stores import Server, running_server
from arcctl.errors import UnhealthyError, UsageError
from arcctl.lifecycle.executor import PlanExecutor
from arcctl.lifecycle.plan import Action, Plan, Step
from arcctl.lifecycle.report import UpReport
from arcctl.model.data_store import Databases
from arcctl.model.graph import dependencies, resolve
from arcctl.project import Project, ensure_secrets, must_run, project_lock

TIMEOUT = 300.0
"""Seconds for all migrations together."""


async def migrate(words: tuple[str, ...], project: Project, clients: DataClients) -> UpReport:
    """Run the migrations of these services (default: all), each after the init containers that it depends on.

    Raises UnhealthyError where the database server does not run, and where a migration waits too long for a lock.
    """
    chosen = _chosen(words, project)
    with await project_lock(project):
        server = await running_server(Databases, project)
        for service in chosen:
            if service in server.observed.unavailable:
                must_run(service, server.observed)
        project = ensure_secrets(project, project.engine.volumes())
        plan = _plan(chosen, project)
        work = asyncio.create_task(
            PlanExecutor(plan=plan, project=project, input_hashes={}).run(wait=True, timeout=TIMEOUT)
        )
        try:
            while not (await asyncio.wait({work}, timeout=POLL_SECONDS))[0]:
                holders = await _blocked(chosen, server, clients)
                if holders and not work.done():
                    text = f"a migration is not done: it {explained(holders)}; it goes on when that transaction ends"
                    raise UnhealthyError(text, hint=hint(server.service, server.store.user, holders))
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        return UpReport(plan, work.result(), ())


async def _blocked(chosen: Collection[str], server: Server[Databases], clients: DataClients) -> tuple[Holder, ...]:
    """Who holds the locks that sessions in the databases of these services have waited for too long."""
    client = clients.databases(server.service, server.store, server.ports, server.project.engine.host)
    return await client.blocked([name for name, owner in owners(server).items() if owner.service in chosen])


def _chosen(words: tuple[str, ...], project: Project) -> dict[str, str]:
    """The init container that migrates, by service. Raises UsageError for a named service that has none."""
    services = project.catalogue.services
    known = {i: service.setup.migration for i, service in services.items() if service.setup.migration}
    asked = resolve(words or ("all",), project.catalogue)
    for service in asked:
        if service in words and service not in known:
            raise UsageError(f"{service} has no migration to run", hint=f"arcctl db migrate {' '.join(known)}")
    return {i: known[i] for i in asked if i in known}


def _plan(chosen: dict[str, str], project: Project) -> Plan:
    """Recreate the migrations, and before each the init containers that it depends on."""
    needs, components = dependencies(project.catalogue), project.catalogue.components()
    init = {component.id for i in chosen for component in project.catalogue.services[i].components}
    keys = [k for key in chosen.values() for k in (*sorted(needs[key] & init), key)]
    images = {components[key].container.image for key in keys}
    missing = frozenset(images - set(project.engine.images(images)))
    causes = dict.fromkeys(keys, "needed by a migration") | dict.fromkeys(chosen.values(), "migrates tables")
    steps = tuple(Step(key, Action.RECREATE, causes[key]) for key in keys)
    return Plan(tuple(chosen), steps, {key: needs[key] & set(keys) for key in keys}, missing)
