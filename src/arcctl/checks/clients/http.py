"""Smoke tests over HTTP."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from arcctl.checks.clients.steps import Run, StepFailed, cleaned
from arcctl.model.smoke_test import Call, Calls

if TYPE_CHECKING:
    import httpx

PAUSE = 0.1
"""Seconds between two tries of a call."""


async def run_calls(smoke_test: Calls, run: Run) -> None:
    from arcctl.engines.http import httpx

    async with httpx.AsyncClient(trust_env=False, verify=False) as client:

        async def clean() -> None:
            for call in smoke_test.cleanup:
                await send(call, run, client)

        async with cleaned(clean):
            for call in smoke_test.steps:
                async with run.step(call.name, call.at):
                    await send(call, run, client)


async def send(call: Call, run: Run, client: httpx.AsyncClient) -> str:
    """The answer's body; asks again while `patience` lasts. Raises StepFailed with the last reason."""
    port = run.port(call.port, call.at)
    end = time.monotonic() + call.patience
    while True:
        try:
            return await _send_once(call, port, run, client)
        except StepFailed:
            if time.monotonic() >= end:
                raise
        await asyncio.sleep(PAUSE)


async def _send_once(call: Call, port: int, run: Run, client: httpx.AsyncClient) -> str:
    """The body of an answer as expected. Raises StepFailed for any other."""
    request = client.build_request(
        call.method,
        f"http://{run.host}:{port}{run.filled(call.path)}",
        json=run.filled(call.json),
        headers=run.filled(call.headers),
        timeout=call.seconds,
    )
    try:
        answer = await client.send(request)
    except Exception as error:
        raise StepFailed(f"no answer on port {port}: {type(error).__name__}") from None
    if answer.status_code not in call.status:
        raise StepFailed(f"HTTP {answer.status_code}: {answer.text}")
    if run.filled(call.expect) not in answer.text and call.patience:
        raise StepFailed(f"not there after {call.patience:.0f} s")
    if run.filled(call.expect) not in answer.text:
        raise StepFailed(f"expected {run.filled(call.expect)!r} in the answer: {answer.text}")
    if answer.status_code == call.status[0]:
        run.values |= {name: _found(answer.text, place) for name, place in call.take.items()}
    return answer.text


def _found(text: str, place: str) -> str:
    """The value at a dotted place in a JSON text."""
    value = json.loads(text)
    for part in place.split("."):
        try:
            value = _item(value, part) if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError, StopIteration):
            raise StepFailed(f"the answer has no {place}: {text}") from None
    return str(value)


def _item(items: list[Any], part: str) -> Any:
    """By its number, or by `field=value`."""
    name, by_field, wanted = part.partition("=")
    return next(item for item in items if item[name] == wanted) if by_field else items[int(part)]
