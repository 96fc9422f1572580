"""Carries out proofs: each step is timed, the first that fails ends its proof, and what was written is removed."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from arcctl.core.proof import Call, Calls, Commands, Proof, Sql, Step
from arcctl.runtime.steps import Broken, Run, cleaned, same

if TYPE_CHECKING:
    import httpx

HOST = "127.0.0.1"
PAUSE = 0.1


class LoopbackProver:
    """Carries out proofs at published loopback ports."""

    async def prove(
        self, owner: str, proof: Proof, ports: Mapping[str, Mapping[int, int]], timeout: float
    ) -> tuple[Step, ...]:
        """The steps that were tried; what was written is gone, also after a failure or an interrupt."""
        run = Run(owner, ports)
        try:
            async with asyncio.timeout(timeout):
                await carry_out(proof, run)
        except Broken as error:
            if not run.steps or run.steps[-1].ok:  # it broke between two steps
                run.note("begin", str(error))
        except TimeoutError:
            run.note("end in time", f"not done in {timeout:.0f} s")
        return tuple(run.steps)

    async def attempt(
        self,
        owner: str,
        proofs: tuple[Proof, ...],
        ports: Mapping[str, Mapping[int, int]],
        values: Mapping[str, str],
        timeout: float,
    ) -> tuple[str, Mapping[str, str]]:
        """Proofs one after the other: what did not hold, empty where all did, and the values with those taken."""
        run = Run(owner, ports, values)
        try:
            async with asyncio.timeout(timeout):
                for proof in proofs:
                    await carry_out(proof, run)
        except Broken as error:
            failed = run.steps and not run.steps[-1].ok
            return f"{run.steps[-1].name}: {run.steps[-1].message}" if failed else str(error), run.values
        except TimeoutError:
            return f"not done in {timeout:.0f} s", run.values
        return "", run.values

    async def ask(
        self, owner: str, call: Call, ports: Mapping[str, Mapping[int, int]], values: Mapping[str, str]
    ) -> tuple[Step, str, Mapping[str, str]]:
        """One call by itself: what came of it, the answer's body, and the values with those that it took."""
        from arcctl.runtime.http import httpx

        run, body = Run(owner, ports, values), ""
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            with contextlib.suppress(Broken):
                async with run.step(call.name, call.at):
                    body = await _patiently(call, run, client)
        return run.steps[-1], body, run.values


@functools.singledispatch
async def carry_out(proof: Proof, run: Run) -> None:
    """One kind of proof. Raises Broken after the first step that failed."""
    from arcctl.runtime import proving_messages  # registers the kinds whose clients are heavy

    await proving_messages.carry_out(proof, run)


@carry_out.register
async def _calls(proof: Calls, run: Run) -> None:
    from arcctl.runtime.http import httpx

    async with httpx.AsyncClient(trust_env=False, verify=False) as client:

        async def clean() -> None:
            for call in proof.cleanup:
                await _patiently(call, run, client)

        async with cleaned(clean):
            for call in proof.steps:
                async with run.step(call.name, call.at):
                    await _patiently(call, run, client)


async def _patiently(call: Call, run: Run, client: httpx.AsyncClient) -> str:
    """Until it holds or patience is over, which a service that does not run needs none of."""
    port = run.port(call.port, call.at)
    end = time.monotonic() + call.patience
    while True:
        try:
            return await _call(call, port, run, client)
        except Broken:
            if time.monotonic() >= end:
                raise
        await asyncio.sleep(PAUSE)


async def _call(call: Call, port: int, run: Run, client: httpx.AsyncClient) -> str:
    """The body of an answer that holds. Raises Broken for any other."""
    request = client.build_request(
        call.method,
        f"http://{HOST}:{port}{run.filled(call.path)}",
        json=run.filled(call.json),
        headers=run.filled(call.headers),
        timeout=call.seconds,
    )
    try:
        answer = await client.send(request)
    except Exception as error:
        raise Broken(f"no answer on port {port}: {type(error).__name__}") from None
    if answer.status_code not in call.status:
        raise Broken(f"HTTP {answer.status_code}: {answer.text}")
    if run.filled(call.expect) not in answer.text:
        raise Broken(f"expected {run.filled(call.expect)!r} in the answer: {answer.text}")
    if answer.status_code == call.status[0]:
        run.values |= {name: _found(answer.text, place) for name, place in call.take.items()}
    return answer.text


def _found(text: str, place: str) -> str:
    """A value in a JSON text, by its dotted place."""
    value = json.loads(text)
    for part in place.split("."):
        try:
            value = _item(value, part) if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError, StopIteration):
            raise Broken(f"the answer has no {place}: {text}") from None
    return str(value)


def _item(items: list[Any], part: str) -> Any:
    """By its number, or by `field=value`."""
    name, by_field, wanted = part.partition("=")
    return next(item for item in items if item[name] == wanted) if by_field else items[int(part)]


@carry_out.register
async def _sql(proof: Sql, run: Run) -> None:
    import psycopg

    login: dict[str, Any] = {"user": proof.user, "password": proof.password, "dbname": proof.database}
    async with run.step(f"log in as {proof.user}", proof.at):
        port = run.port(proof.port, proof.at)
        connection = await psycopg.AsyncConnection.connect(
            host=HOST, port=port, sslmode="disable", autocommit=True, **login
        )

    async def clean() -> None:
        for text in proof.cleanup:
            await connection.execute(run.filled(text))

    async with connection, cleaned(clean):
        for statement in proof.steps:
            async with run.step(statement.name, proof.at):
                cursor = await connection.execute(run.filled(statement.sql))
                if statement.expect:
                    row = await cursor.fetchone()
                    same(",".join(str(value) for value in row or ()), run.filled(statement.expect))


@carry_out.register
async def _commands(proof: Commands, run: Run) -> None:
    import redis.asyncio
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    # With the client's own patience a password that is refused would be tried four times.
    client: Any = redis.asyncio.Redis(
        host=HOST,
        port=run.port(proof.port),
        password=proof.password,
        decode_responses=True,
        socket_timeout=5,
        retry=Retry(NoBackoff(), 0),
    )

    async def clean() -> None:
        for words in proof.cleanup:
            await client.execute_command(*run.filled(words))

    async with client, cleaned(clean):
        for command in proof.steps:
            async with run.step(command.name):
                same(_flat(await client.execute_command(*run.filled(command.words))), run.filled(command.expect))


def _flat(answer: Any) -> str:
    """An answer of the Redis protocol as one text."""
    match answer:
        case dict():
            return ",".join(f"{key},{_flat(value)}" for key, value in answer.items())
        case list() | tuple():
            return ",".join(_flat(item) for item in answer)
        case _:
            return str(answer)
