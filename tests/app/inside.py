"""A toy platform with something inside its services, and how its verbs are run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest

from arcctl.app.world import World
from arcctl.core.bootstrap import Resource
from arcctl.core.contents import Database, Databases, Flags, Identities, Streams, Topics
from arcctl.core.env import ServiceEnv
from arcctl.core.model import Helper, Limits
from arcctl.core.observed import ContainerState
from arcctl.core.proof import Call, Calls, Sql, Step
from arcctl.errors import ArcError, UsageError
from tests.app.fake_prover import FakeProver
from tests.app.fakes import FakeEngine, Toy
from tests.core.toy import catalogue, plain

T = TypeVar("T")
RUNNING = ContainerState(state="running", ports={1: 1, 2: 2})


def _call(name: str) -> Call:
    return Call(name=name, port=1, path="/")


def _resource(name: str) -> Resource:
    find, make = (Calls(steps=(_call(f"{verb} {name}"),)) for verb in ("find", "make"))
    return Resource(name=name, look=find, make=(make,), hint="look into the log")


def _login(user: str) -> Resource:
    return Resource(name=user, look=Sql(user=user, password=f"of-{user}", port=1, database="root", steps=()), hint="")


def _one_shot(name: str, *, migrates: bool = False) -> Helper[ServiceEnv]:
    small = Limits(memory_mb=1)
    return Helper(id=name, image="toy/x:1", env=ServiceEnv, one_shot=True, migrates=migrates, limits=small)


HELD = Databases(port=1, user="root", password="p", own=lambda name, password: (_resource(f"database-{name}"),))
STORE = replace(plain("store"), holds=lambda env: (HELD,), resources=lambda env: (_login("ours"),))
SHOP = replace(
    plain("shop", STORE),
    helpers=(_one_shot("shop-db"), _one_shot("shop-tables", migrates=True)),
    resources=lambda env: (_login("shop"),),
)
LOG = replace(plain("log"), holds=lambda env: (Topics(port=1, admin_port=2, listener="x", own_tenant="own"),))
BUS = replace(plain("bus"), holds=lambda env: (Streams(port=1, user="u", password="p"),))
TOGGLES = replace(plain("toggles"), holds=lambda env: (Flags(page=_call("page"), on=_call("on"), off=_call("off")),))
PEOPLE = replace(plain("people"), holds=lambda env: (Identities(page=_call("people")),))
CATALOGUE = catalogue(BUS, LOG, PEOPLE, SHOP, STORE, TOGGLES)


@dataclass
class AnsweringProver(FakeProver):
    bodies: Mapping[str, Callable[[Mapping[str, str]], str]] = field(default_factory=dict)
    """What a call brings for its values, by its name; all others are refused."""
    asked: list[str] = field(default_factory=list)

    async def ask(
        self, owner: str, call: Call, ports: Mapping[str, Mapping[int, int]], values: Mapping[str, str]
    ) -> tuple[Step, str, Mapping[str, str]]:
        self.asked.append(" ".join((call.name, *values.values())))
        body, problem = (self.bodies[call.name](values), "") if call.name in self.bodies else ("", "HTTP 500")
        step = Step(owner=owner, service=owner, name=call.name, ok=not problem, ms=0, since_ms=0, message=problem)
        return step, body, values


@dataclass
class Platform:
    prover: AnsweringProver = field(default_factory=AnsweringProver)
    toy: Toy = field(default_factory=lambda: Toy(engine=FakeEngine(CATALOGUE)))

    def __post_init__(self) -> None:
        self.toy.prover = self.prover
        self.toy.engine.states |= {i: RUNNING for i in CATALOGUE.services if i != "shop"}
        self.toy.contents.found = {n: Database(name=n, owner=n, bytes=7) for n in ("root", "ours", "shop", "by_hand")}
        self.toy.contents.found["empty"] = Database(name="empty", owner="root", bytes=7, template=True)
        self.toy.contents.known_roles = {"root", "ours", "shop", "by_hand", "clerk"}

    @property
    def world(self) -> World:
        return replace(self.toy.world(), catalogue=CATALOGUE)

    def without(self, service: str) -> Platform:
        self.toy.engine.states[service] = replace(RUNNING, state="exited")
        return self


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def refused(work: Coroutine[Any, Any, object], kind: type[ArcError] = UsageError) -> tuple[str, str]:
    """Message and hint of what a command is refused with."""
    with pytest.raises(kind) as raised:
        run(work)
    return raised.value.message, raised.value.hint
