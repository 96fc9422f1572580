"""Carries out the plan for one secret. Each step may be run again from any state, as an interrupt may leave any."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from arcctl.app import up, verify
from arcctl.app.launch import Launch
from arcctl.app.world import World, settings
from arcctl.core.env import ServiceEnv, variables
from arcctl.core.events import Event, Kind
from arcctl.core.observed import ABSENT, Observed
from arcctl.core.proof import Outcome, Proof
from arcctl.core.rotation import Action, Secret, Step, plan
from arcctl.core.secret import Change, Rotation
from arcctl.core.settings import Settings
from arcctl.errors import RotationRefused, UnhealthyError

AGAIN = "arcctl secrets rotate"
TIMEOUT = 30.0
"""Seconds that one call of a server may take."""
PATIENCE = 60.0
"""Seconds until a server that was started to finish a rotation takes one of the two secrets."""
PAUSE = 0.5


def way_of(secret: Secret) -> Rotation[Any]:
    """How a secret is changed that can be."""
    assert isinstance(secret.way, Rotation), secret.name
    return secret.way


def there(observed: Observed) -> frozenset[str]:
    """The containers that exist."""
    return frozenset(key for key, state in observed.containers.items() if state.state != ABSENT)


@dataclass
class Rotating:
    """One secret being changed."""

    secret: Secret
    change: Change
    world: World
    began: float
    """On the monotonic clock."""
    keep: Callable[[Change], None] = lambda change: None
    """Writes the journal, when a server drew the new one itself."""

    @property
    def _old(self) -> Settings:
        return settings(self.world, {self.secret.name: self.change.old})

    @property
    def _new(self) -> Settings:
        """As now, while the server has not told the new one."""
        return settings(self.world, self._written() if self.change.new else {})

    def _written(self) -> dict[str, str]:
        kept = {self.secret.kept_in: self.change.old} if self.secret.kept_in else {}
        return {self.secret.name: self.change.new, **kept}

    async def run(self) -> dict[str, str]:
        """The services that do not do their job afterwards, with the reason."""
        await self._wake()
        observed = await self._observed()
        broken: dict[str, str] = {}
        for step in plan(self.secret, self.world.catalogue, there(observed)):
            self._tell(Kind.WORKING, f"{step}")
            broken |= await self._carry_out(step)
        self._tell(Kind.READY, "rotated")
        return broken

    async def _carry_out(self, step: Step) -> dict[str, str]:
        match step.action:
            case Action.ADMIT:
                await self._admit()
            case Action.WRITE:
                self.world.home.keep_secrets(self._written())
                self.world.home.write_compose_env(settings(self.world).mapping())
            case Action.RECREATE:
                await self._recreate(step.targets)
            case Action.RETIRE:
                await self._retire()
            case Action.PROVE:
                return await self._prove()
        return {}

    async def _wake(self) -> None:
        """Start the servers that do not run: a machine may have gone down in the middle."""
        observed = await self._observed()
        asleep = [i for i in self.secret.servers if not observed.of(i).running]
        if asleep:
            await asyncio.to_thread(self.world.engine.start, asleep)
            end = time.monotonic() + PATIENCE
            while await self._problem(self._new) and await self._problem(self._old) and time.monotonic() < end:
                await asyncio.sleep(PAUSE)

    async def _admit(self) -> None:
        """It fails where it was done before the interrupt, so what counts is whether the new one is taken."""
        way = way_of(self.secret)
        assert way.admit is not None
        if way.issues and self.change.new:
            return
        problem, values = await self._try(*way.admit(self._env(self._old), self._env(self._new)))
        if way.issues and not problem:
            self.change = replace(self.change, new=values[way.field])
            self.keep(self.change)
        if not problem or not (way.issues or await self._problem(self._new)):
            return
        untouched = self._kept() == self.change.old and not await self._problem(self._old)
        if untouched:
            raise RotationRefused(f"{self.secret.name} was not changed: {problem}", hint=self._repair())
        raise UnhealthyError(f"{self.secret.name} is half changed: {problem}", hint=self._repair())

    def _repair(self) -> str:
        return f"arcctl bootstrap {self.secret.owner}, then {AGAIN} {self.secret.name}"

    async def check(self) -> str:
        """Why this cannot begin: the server does not take what is in the files of the home. Empty where it does."""
        problem = await self._problem(self._old) if way_of(self.secret).admit else ""
        return f"the server does not take the one of now: {problem}" if problem else ""

    def _kept(self) -> str:
        """The value in the files of the home."""
        return settings(self.world).values[self.secret.name].text or ""

    async def _recreate(self, keys: tuple[str, ...]) -> None:
        """Through the machinery of `up`, which sees by itself what changed, and waits until it answers."""
        catalogue, observed = self.world.catalogue, await self._observed()
        services = tuple(i for i in self.secret.users if set(keys) & set(catalogue.containers((i,))))
        running = tuple(i for i in services if observed.of(i).running)
        decided, made_from = await asyncio.to_thread(up.decide, running, self.world, observed)
        world = replace(self.world, sink=lambda event: self._tell(event.kind, event.message, event.subject))
        launch = Launch(plan=decided, world=world, settings=self._new, made_from=made_from)
        outcome = await launch.run(wait=True, timeout=up.TIMEOUT)
        for key, reason in {**outcome.failed, **outcome.waiting}.items():
            raise UnhealthyError(f"{key} did not come back: {reason}", hint=f"arcctl logs {key}, then {AGAIN}")

    async def _retire(self) -> None:
        retire = way_of(self.secret).retire
        assert retire is not None
        problem = await self._attempt(*retire(self._env(self._old), self._env(self._new)))
        if problem and not await self._problem(self._old):
            raise UnhealthyError(f"the old {self.secret.name} could not be taken away: {problem}", hint=AGAIN)

    async def _prove(self) -> dict[str, str]:
        """The new one is taken, the old one is not, and everybody who uses it does its job."""
        problem = await self._problem(self._new)
        if problem:
            raise UnhealthyError(f"the new {self.secret.name} is not taken: {problem}", hint=AGAIN)
        if way_of(self.secret).tells and not await self._problem(self._old):
            raise UnhealthyError(f"the old {self.secret.name} is still taken", hint=AGAIN)
        observed = await self._observed()
        running = tuple(i for i in self.secret.users if observed.of(i).running)
        report = await verify.run(verify.Request(words=running), replace(self.world, sink=_quiet))
        return {v.service: v.reason for v in report.services if v.outcome is Outcome.BROKEN}

    async def _problem(self, loaded: Settings) -> str:
        """Why a login with the secret of these settings fails; empty where it does not."""
        return await self._attempt(way_of(self.secret).login(self._env(loaded)))

    async def _attempt(self, *proofs: Proof) -> str:
        problem, _ = await self._try(*proofs)
        return problem

    async def _try(self, *proofs: Proof) -> tuple[str, Mapping[str, str]]:
        """What did not hold, and the values of the proofs: what the server told before, and what they took."""
        ports, values = (await self._observed()).published, settings(self.world).values
        env = self.world.catalogue.services[self.secret.owner].env
        told = {v.field: values[v.name].text or "" for v in variables(env) if v.told}
        return await self.world.prover.attempt(self.secret.owner, proofs, ports, told, TIMEOUT)

    async def _observed(self) -> Observed:
        return await asyncio.to_thread(self.world.engine.observe)

    def _env(self, loaded: Settings) -> ServiceEnv:
        return loaded.envs[self.secret.owner]

    def _tell(self, kind: Kind, text: str, subject: str = "") -> None:
        """With the time since the command began, whoever tells it."""
        self.world.sink(Event(kind, subject or self.secret.name, text, time.monotonic() - self.began))


def _quiet(event: Event) -> None:
    """What is proved is told by the last step."""
    del event
