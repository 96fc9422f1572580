"""Carries out the plan for one secret. Each step can be repeated from any state, as an interrupt may leave any."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from arcctl.checks import verify
from arcctl.checks.verify_report import Outcome
from arcctl.engines.base import ABSENT, Observed
from arcctl.errors import RotationRefused, UnhealthyError
from arcctl.events import Event, Kind, Sink
from arcctl.lifecycle import up
from arcctl.lifecycle.executor import PlanExecutor
from arcctl.model.env import ServiceEnv, variables
from arcctl.model.rotation import Change
from arcctl.model.smoke_test import SmokeTest
from arcctl.project import Project
from arcctl.secrets.plan import Action, Secret, Step, plan

AGAIN = "arcctl secrets rotate"
TIMEOUT = 30.0
"""Seconds that one call of a server may take."""
PATIENCE = 60.0
"""Seconds until a server that was started to finish a rotation accepts one of the two secrets."""
RECOVERY = 75.0
"""Seconds until a service has reconnected to a server that came back: their own retries wait for up to a minute."""
PAUSE = 0.5


@dataclass
class CommandClock:
    """A sink that gives every event the time since the command began, whichever part of it reports."""

    sink: Sink
    began: float = field(default_factory=time.monotonic)
    muted: bool = False

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    def __call__(self, event: Event) -> None:
        if not self.muted:
            self.sink(replace(event, seconds=self.elapsed))


def existing(observed: Observed) -> frozenset[str]:
    """The containers that exist."""
    return frozenset(key for key, state in observed.containers.items() if state.state != ABSENT)


@dataclass
class SecretRotation:
    """One secret being changed."""

    secret: Secret
    change: Change
    project: Project
    """With the settings as they are in the files; another one once the new value is written."""
    clock: CommandClock
    """The sink of the project."""
    observed: Observed | None
    """The last snapshot; None when containers changed since."""
    keep: Callable[[Change], None] = lambda change: None
    """Writes the journal when a server generated the new value itself."""

    def __post_init__(self) -> None:
        self._old = self._with({self.secret.name: self.change.old})
        self._new = self._with(self._to_write())

    def _to_write(self) -> dict[str, str]:
        """Nothing while the server has not generated the new value yet."""
        if not self.change.new:
            return {}
        kept = {self.secret.kept_in: self.change.old} if self.secret.kept_in else {}
        return {self.secret.name: self.change.new, **kept}

    def _with(self, values: Mapping[str, str]) -> Project:
        """The project with these values, which is resolved again only where they differ from the current ones."""
        now = self.project.settings.values
        return self.project.with_values(values) if any(now[n].text != v for n, v in values.items()) else self.project

    async def run(self) -> dict[str, str]:
        """The services that fail their smoke test afterwards, with the reason."""
        await self._start_servers()
        broken: dict[str, str] = {}
        for step in plan(self.secret, self.project.catalogue, existing(await self._observe())):
            self._emit(Kind.WORKING, f"{step}")
            broken |= await self._carry_out(step)
        self._emit(Kind.READY, "rotated")
        return broken

    async def problem(self) -> str:
        """Why this cannot begin: the server refuses the value in the project's files. Empty where it accepts it."""
        problem = await self._login(self._old) if self.secret.rotation.add_credential else ""
        return f"the server refuses the current one: {problem}" if problem else ""

    async def _carry_out(self, step: Step) -> dict[str, str]:
        match step.action:
            case Action.ADD_CREDENTIAL:
                await self._add_credential()
            case Action.WRITE:
                self.project.directory.keep_secrets(self._to_write())
                self.project = self._new
                self.project.directory.write_compose_env(self.project.settings.mapping())
            case Action.RECREATE:
                await self._recreate(step.targets)
            case Action.REVOKE_CREDENTIAL:
                await self._revoke_credential()
            case Action.VERIFY:
                return await self._verify()
        return {}

    async def _start_servers(self) -> None:
        """Start the servers that do not run: the machine may have gone down in the middle."""
        observed = await self._observe()
        stopped = [i for i in self.secret.servers if not observed.of(i).running]
        if not stopped:
            return
        await asyncio.to_thread(self.project.engine.start, stopped)
        end = time.monotonic() + PATIENCE
        self.observed = None
        while await self._login(self._new) and await self._login(self._old) and time.monotonic() < end:
            await asyncio.sleep(PAUSE)
            self.observed = None

    async def _add_credential(self) -> None:
        """It fails where it was done before an interrupt, so what counts is whether the new value is accepted."""
        way = self.secret.rotation
        assert way.add_credential is not None
        if way.server_generated and self.change.new:
            return
        problem, values = await self._call(*way.add_credential(self._env(self._old), self._env(self._new)))
        if way.server_generated and not problem:
            self.change = replace(self.change, new=values[way.field])
            self._new = self._with(self._to_write())
            self.keep(self.change)
        if not problem or not (way.server_generated or await self._login(self._new)):
            return
        hint = f"arcctl bootstrap {self.secret.owner}, then {AGAIN} {self.secret.name}"
        if self._old is self.project and not await self._login(self._old):
            raise RotationRefused(f"{self.secret.name} was not changed: {problem}", hint=hint)
        raise UnhealthyError(f"{self.secret.name} is only partly changed: {problem}", hint=hint)

    async def _recreate(self, keys: tuple[str, ...]) -> None:
        """As `up` does it, which sees by itself what changed, and waits until it answers."""
        catalogue, observed = self.project.catalogue, await self._observe()
        services = tuple(i for i in self.secret.users if set(keys) & set(catalogue.components((i,))))
        running = tuple(i for i in services if observed.of(i).running)
        decided, input_hashes = await asyncio.to_thread(up.decide, running, self.project, observed)
        executor = PlanExecutor(plan=decided, project=self.project, input_hashes=input_hashes, observed=observed)
        outcome = await executor.run(wait=True, timeout=up.TIMEOUT)
        self.observed = outcome.observed
        for key, reason in {**outcome.failed, **outcome.waiting}.items():
            hint = f"arcctl logs {key}, then {AGAIN}"
            raise UnhealthyError(f"{key} is not ready after it was recreated: {reason}", hint=hint)

    async def _revoke_credential(self) -> None:
        way = self.secret.rotation
        assert way.revoke_credential is not None
        problem, _ = await self._call(*way.revoke_credential(self._env(self._old), self._env(self._new)))
        if problem and not await self._login(self._old):
            raise UnhealthyError(f"the old {self.secret.name} could not be revoked: {problem}", hint=AGAIN)

    async def _verify(self) -> dict[str, str]:
        """The new value is accepted, the old one is not, and every service that uses it passes its smoke test."""
        problem = await self._login(self._new)
        if problem:
            raise UnhealthyError(f"the server refuses the new {self.secret.name}: {problem}", hint=AGAIN)
        if self.secret.rotation.is_login and not await self._login(self._old):
            raise UnhealthyError(f"the server still accepts the old {self.secret.name}", hint=AGAIN)
        observed = await self._observe()
        broken = await self._failing(tuple(i for i in self.secret.users if observed.of(i).running))
        end = time.monotonic() + RECOVERY
        while broken and time.monotonic() < end:
            await asyncio.sleep(PAUSE)
            broken = await self._failing(tuple(broken))
        return broken

    async def _failing(self, services: tuple[str, ...]) -> dict[str, str]:
        """Those of the services that fail their smoke test, with the reason."""
        self.clock.muted = True  # a failure is in the report of the rotation
        try:
            report = await verify.verify(verify.Request(words=services), self.project)
        finally:
            self.clock.muted = False
        return {v.name: v.reason for v in report.services if v.outcome is Outcome.FAILED}

    async def _login(self, project: Project) -> str:
        """Why a login with the secret of these settings fails; empty where it does not."""
        problem, _ = await self._call(self.secret.rotation.login(self._env(project)))
        return problem

    async def _call(self, *smoke_tests: SmokeTest) -> tuple[str, Mapping[str, str]]:
        """The first problem, and the values that servers issued: those before, and those that these calls took."""
        owner, values = self.secret.owner, self.project.settings.values
        declared = variables(self.project.catalogue.services[owner].env)
        issued = {v.field: values[v.name].text or "" for v in declared if v.server_issued}
        ports = (await self._observe()).published
        return await self.project.smoke_test_runner.attempt(owner, smoke_tests, ports, issued, TIMEOUT)

    async def _observe(self) -> Observed:
        """The last snapshot, or a new one where containers changed since."""
        if self.observed is None:
            self.observed = await asyncio.to_thread(self.project.engine.observe)
        return self.observed

    def _env(self, project: Project) -> ServiceEnv:
        return project.settings.envs[self.secret.owner]

    def _emit(self, kind: Kind, text: str) -> None:
        self.project.sink(Event(kind, self.secret.name, text))
