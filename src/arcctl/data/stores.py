"""Finds the services that have a kind of data store, and whether they run."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from arcctl.engines.base import Observed
from arcctl.errors import UnhealthyError
from arcctl.model.data_store import DataStore
from arcctl.model.smoke_test import Call
from arcctl.project import Project, must_run, refuse_other_project

S = TypeVar("S", bound=DataStore)


@dataclass(frozen=True)
class Server(Generic[S]):
    """A service and one of its data stores, as the engine runs it now."""

    service: str
    store: S
    project: Project
    observed: Observed

    @property
    def running(self) -> bool:
        return self.observed.of(self.service).running

    @property
    def ports(self) -> Mapping[int, int]:
        return self.observed.of(self.service).ports

    def must_run(self) -> None:
        """Raises UnhealthyError with the command that starts it."""
        must_run(self.service, self.observed)

    @property
    def why_not_running(self) -> str:
        """The reason with the command that starts it; empty where it runs."""
        try:
            self.must_run()
        except UnhealthyError as error:
            return f"{error.message} ({error.hint})"
        return ""

    async def ask(self, call: Call, values: Mapping[str, str]) -> str:
        """The body of the answer. Raises UnhealthyError where the call fails."""
        step, body, _ = await self.project.smoke_test_runner.ask(self.service, call, self.observed.published, values)
        if not step.ok:
            raise UnhealthyError(f"{self.service}: {step.name}: {step.message}", hint=f"arcctl health {self.service}")
        return body


async def servers(kinds: tuple[type[S], ...], project: Project) -> dict[str, Server[S]]:
    """Every service that has a data store of these kinds, running or not.

    Raises PreflightError where those on the engine are another project's.
    """
    observed = await asyncio.to_thread(project.engine.observe)
    await asyncio.to_thread(refuse_other_project, observed, project)
    return {
        service_id: Server(service_id, cast(S, store), project, observed)
        for service_id, service in project.catalogue.services.items()
        for store in service.storage.data_stores(project.settings.envs[service_id])
        if isinstance(store, kinds)
    }


async def running_server(kind: type[S], project: Project) -> Server[S]:
    """The service that has this kind of data store. Raises UnhealthyError where it does not run."""
    server = next(iter((await servers((kind,), project)).values()))
    server.must_run()
    return server
