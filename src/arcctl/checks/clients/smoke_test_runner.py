"""Runs smoke tests: each step is timed, the first that fails ends its test, and what was written is removed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from arcctl.checks.clients import http, nats, postgres, pulsar, redis
from arcctl.checks.clients.steps import Run, StepFailed
from arcctl.model.names import LOOPBACK
from arcctl.model.smoke_test import (
    Call,
    Calls,
    Commands,
    EventLog,
    Messaging,
    SmokeTest,
    Sql,
    Step,
    StoredMessages,
    Stream,
)


class LoopbackSmokeTestRunner:
    """Runs smoke tests at published ports."""

    def __init__(self, host: str = LOOPBACK) -> None:
        self._host = host

    async def run(
        self, owner: str, smoke_test: SmokeTest, ports: Mapping[str, Mapping[int, int]], timeout: float
    ) -> tuple[Step, ...]:
        """The steps that ran; what they wrote is removed, also after a failure or an interrupt."""
        run = Run(owner, ports, host=self._host)
        try:
            async with asyncio.timeout(timeout):
                await _run(smoke_test, run)
        except StepFailed as error:
            if not run.steps or run.steps[-1].ok:  # it failed between two steps
                run.note("begin", str(error))
        except TimeoutError:
            run.note("end in time", f"not done in {timeout:.0f} s")
        return tuple(run.steps)

    async def attempt(
        self,
        owner: str,
        smoke_tests: tuple[SmokeTest, ...],
        ports: Mapping[str, Mapping[int, int]],
        values: Mapping[str, str],
        timeout: float,
    ) -> tuple[str, Mapping[str, str]]:
        """Smoke tests in order: the first problem, empty where there is none, and the values with those kept."""
        run = Run(owner, ports, values, self._host)
        try:
            async with asyncio.timeout(timeout):
                for smoke_test in smoke_tests:
                    await _run(smoke_test, run)
        except StepFailed as error:
            failed = run.steps and not run.steps[-1].ok
            return f"{run.steps[-1].name}: {run.steps[-1].message}" if failed else str(error), run.values
        except TimeoutError:
            return f"not done in {timeout:.0f} s", run.values
        return "", run.values

    async def ask(
        self, owner: str, call: Call, ports: Mapping[str, Mapping[int, int]], values: Mapping[str, str]
    ) -> tuple[Step, str, Mapping[str, str]]:
        """One call: its step, the answer's body, and the values with those kept."""
        from arcctl.engines.http import httpx

        run, body = Run(owner, ports, values, self._host), ""
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            with contextlib.suppress(StepFailed):
                async with run.step(call.name, call.at):
                    body = await http.send(call, run, client)
        return run.steps[-1], body, run.values


async def _run(smoke_test: SmokeTest, run: Run) -> None:
    """Raises StepFailed after the first step that failed."""
    match smoke_test:
        case Calls():
            await http.run_calls(smoke_test, run)
        case Sql():
            await postgres.run_sql(smoke_test, run)
        case Commands():
            await redis.run_commands(smoke_test, run)
        case Messaging():
            await nats.run_messaging(smoke_test, run)
        case Stream():
            await nats.run_stream(smoke_test, run)
        case StoredMessages():
            await nats.run_stored_messages(smoke_test, run)
        case EventLog():
            await pulsar.run_event_log(smoke_test, run)
        case _:
            raise TypeError(f"an engine has to start {smoke_test.name} first")
