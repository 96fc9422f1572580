"""Which services hold something of a kind, and whether they run: where every verb about contents begins."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from arcctl.app.world import World, must_run, settings
from arcctl.core.contents import Holding
from arcctl.core.observed import Observed
from arcctl.core.proof import Call
from arcctl.core.settings import Settings
from arcctl.errors import UnhealthyError

H = TypeVar("H", bound=Holding)


@dataclass(frozen=True)
class Inside(Generic[H]):
    """A service with what it holds."""

    service: str
    held: H
    world: World
    observed: Observed
    settings: Settings

    @property
    def running(self) -> bool:
        return self.observed.of(self.service).running

    @property
    def ports(self) -> Mapping[int, int]:
        return self.observed.of(self.service).ports

    def must_run(self) -> None:
        """Raises UnhealthyError with what to do about it."""
        must_run(self.service, self.observed)

    @property
    def absence(self) -> str:
        """Why it does not run and what to do about it; empty where it does."""
        try:
            self.must_run()
        except UnhealthyError as error:
            return f"{error.message} ({error.hint})"
        return ""

    async def ask(self, call: Call, values: Mapping[str, str]) -> str:
        """The body of an answer. Raises UnhealthyError where there is none that holds."""
        step, body, _ = await self.world.prover.ask(self.service, call, self.observed.published, values)
        if not step.ok:
            raise UnhealthyError(f"{self.service}: {step.name}: {step.message}", hint=f"arcctl health {self.service}")
        return body


async def all_with(kinds: tuple[type[H], ...], world: World) -> tuple[Inside[H], ...]:
    """Every service that holds something of these kinds, whether it runs or not."""
    loaded = settings(world)
    observed = await asyncio.to_thread(world.engine.observe)
    return tuple(
        Inside(i, cast(H, held), world, observed, loaded)
        for i, service in world.catalogue.services.items()
        for held in service.holds(loaded.envs[i])
        if isinstance(held, kinds)
    )


async def one_with(kind: type[H], world: World) -> Inside[H]:
    """The service that holds things of this kind. Raises UnhealthyError where it does not run."""
    found = await all_with((kind,), world)
    found[0].must_run()
    return found[0]
