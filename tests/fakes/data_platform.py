"""A fake platform with data stores, and functions that run use-cases on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest

from arcctl.data.report import Database
from arcctl.engines.base import ContainerState
from arcctl.errors import ArcError, UsageError
from arcctl.model.data_store import Databases, Flags, Identities, Streams, Topics
from arcctl.model.env import ServiceEnv
from arcctl.model.resource import Resource
from arcctl.model.service import Component, Container, Role, SetUp, Storage
from arcctl.model.smoke_test import Call, Calls, Sql, Step
from arcctl.project import Project
from tests.fakes.catalogue import catalogue, plain
from tests.fakes.data import FakeDataClients
from tests.fakes.smoke_test_runner import FakeSmokeTestRunner
from tests.fakes.toy import FakeEngine, Toy

T = TypeVar("T")
RUNNING = ContainerState(state="running", ports={1: 1, 2: 2})


def _call(name: str) -> Call:
    return Call(name, 1, "/")


def _resource(name: str) -> Resource:
    find, make = (Calls((_call(f"{verb} {name}"),)) for verb in ("find", "make"))
    return Resource(name, find, create=(make,), hint="look into the log")


def _login(user: str) -> Resource:
    return Resource(user, Sql(user=user, password=f"of-{user}", port=1, database="root", steps=()), hint="")


def _init(name: str) -> Component[ServiceEnv]:
    return Component(id=name, role=Role.INIT, env=ServiceEnv, container=Container(image="toy/x:1", memory_mb=1))


DATABASES = Databases(
    port=1, user="root", password="p", new_database=lambda name, password: (_resource(f"database-{name}"),)
)
STORE = replace(
    plain("store"),
    storage=Storage(data_stores=lambda env: (DATABASES,)),
    setup=SetUp(resources=lambda env: (_login("ours"),)),
)
SHOP = replace(
    plain("shop", STORE),
    components=(_init("shop-db"), _init("shop-tables")),
    setup=SetUp(resources=lambda env: (_login("shop"),), migration="shop-tables"),
)
LOG = replace(
    plain("log"),
    storage=Storage(data_stores=lambda env: (Topics(port=1, admin_port=2, listener="x", system_tenant="system"),)),
)
BUS = replace(plain("bus"), storage=Storage(data_stores=lambda env: (Streams(port=1, user="u", password="p"),)))
TOGGLES = replace(
    plain("toggles"),
    storage=Storage(data_stores=lambda env: (Flags(page=_call("page"), on=_call("on"), off=_call("off")),)),
)
PEOPLE = replace(plain("people"), storage=Storage(data_stores=lambda env: (Identities(page=_call("people")),)))
CATALOGUE = catalogue(BUS, LOG, PEOPLE, SHOP, STORE, TOGGLES)


@dataclass
class AnsweringRunner(FakeSmokeTestRunner):
    bodies: Mapping[str, Callable[[Mapping[str, str]], str]] = field(default_factory=dict)
    """The answer to each call that is not refused, by its name, for its values."""
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
    smoke_test_runner: AnsweringRunner = field(default_factory=AnsweringRunner)
    toy: Toy = field(default_factory=lambda: Toy(engine=FakeEngine(CATALOGUE)))
    clients: FakeDataClients = field(default_factory=FakeDataClients)

    def __post_init__(self) -> None:
        self.toy.smoke_test_runner = self.smoke_test_runner
        self.toy.engine.states |= {i: RUNNING for i in CATALOGUE.services if i != "shop"}
        self.clients.stored = {n: Database(name=n, owner=n, bytes=7) for n in ("root", "ours", "shop", "by_hand")}
        self.clients.stored["empty"] = Database(name="empty", owner="root", bytes=7, template=True)
        self.clients.known_roles = {"root", "ours", "shop", "by_hand", "clerk"}

    @property
    def project(self) -> Project:
        return replace(self.toy.project(), catalogue=CATALOGUE)

    def stopped(self, service: str) -> Platform:
        self.toy.engine.states[service] = replace(RUNNING, state="exited")
        return self


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def refused(work: Coroutine[Any, Any, object], kind: type[ArcError] = UsageError) -> tuple[str, str]:
    """Message and hint of the error."""
    with pytest.raises(kind) as raised:
        run(work)
    return raised.value.message, raised.value.hint
