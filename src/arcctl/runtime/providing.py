"""Sets up what services have to hold: looks for a resource, and makes it where it is missing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from arcctl.core.bootstrap import Found, Resource, State
from arcctl.core.proof import Proof
from arcctl.runtime.proving import Broken, Run, carry_out

SECONDS = 30.0
"""What one resource may take."""


class LoopbackProvider:
    """Looks and makes at published loopback ports."""

    async def provide(
        self,
        owner: str,
        resource: Resource,
        ports: Mapping[str, Mapping[int, int]],
        values: Mapping[str, str],
        *,
        make: bool,
    ) -> tuple[Found, Mapping[str, str]]:
        """What came of it, and the values with those that the server told."""
        run, began = Run(owner, ports, values), time.monotonic()
        state, reason = await _state(resource, run, make=make)
        found = Found(
            service=owner,
            resource=resource.name,
            state=state,
            ms=round((time.monotonic() - began) * 1000),
            reason=reason,
            hint=resource.hint if state is State.REFUSED else "",
        )
        return found, run.values


async def _state(resource: Resource, run: Run, *, make: bool) -> tuple[State, str]:
    missing = await _problem((resource.look,), run)
    if not missing:
        return State.THERE, ""
    if not make:
        return State.MISSING, missing
    if not resource.make:
        return State.REFUSED, missing
    refused = await _problem(resource.make, run)
    return (State.REFUSED, refused) if refused else (State.MADE, "")


async def _problem(proofs: tuple[Proof, ...], run: Run) -> str:
    """What did not hold; empty where all did."""
    try:
        async with asyncio.timeout(SECONDS):
            for proof in proofs:
                await carry_out(proof, run)
    except Broken as error:
        last = run.steps[-1] if run.steps else None
        return f"{last.name}: {last.message}" if last and not last.ok else str(error)
    except TimeoutError:
        return f"not done in {SECONDS:.0f} s"
    return ""
