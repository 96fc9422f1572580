"""Which services hold something of a kind, and whether they run: where every verb about contents begins."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from arcctl.app.world import World, settings
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
        if not self.running:
            raise not_running(self.service, self.observed)

    async def ask(self, call: Call, values: Mapping[str, str]) -> str:
        """The body of an answer. Raises UnhealthyError where there is none that holds."""
        step, body, _ = await self.world.prover.ask(self.service, call, self.observed.published, values)
        if not step.ok:
            raise UnhealthyError(f"{self.service}: {step.name}: {step.message}", hint=f"arcctl health {self.service}")
        return body


def not_running(service: str, observed: Observed) -> UnhealthyError:
    why = observed.unavailable.get(service)
    if why:
        return UnhealthyError(f"{service} is not available here: {why.reason}", hint=why.command)
    return UnhealthyError(f"{service} is {observed.of(service).state}", hint=f"arcctl up {service}")


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
