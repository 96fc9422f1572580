"""Data clients in memory: a database server, and brokers with topics."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field

from arcctl.checks.locks_report import Holder
from arcctl.data.base import BrokerClient, DatabaseClient
from arcctl.data.report import Database, DropImpact, NewTopic, Obstacle, Refreshed, Topic
from arcctl.errors import UnhealthyError
from arcctl.model.data_store import Broker, Databases


@dataclass
class FakeDataClients:
    """One database server, and a broker for each service, with its own topics."""

    stored: dict[str, Database] = field(default_factory=dict)
    known_roles: set[str] = field(default_factory=set)
    outdated: tuple[str, ...] = ()
    """Databases that a newer operating system would sort in another way."""
    in_the_way: tuple[Obstacle, ...] = ()
    staying: str = ""
    """What a drop leaves: `database`, or `role` with an error; or a topic that is created again when it is deleted."""
    holders: dict[tuple[str, ...], tuple[Holder, ...]] = field(default_factory=dict)
    """Who holds a lock that sessions in these databases wait for."""
    messages: dict[str, dict[str, list[bytes]]] = field(default_factory=dict)
    """By service and topic."""
    subjects: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def databases(self, service: str, store: Databases, ports: Mapping[int, int], host: str) -> DatabaseClient:
        return FakeDatabases(self)

    def broker(self, service: str, store: Broker, ports: Mapping[int, int], host: str) -> BrokerClient:
        return FakeBroker(service, self.messages.setdefault(service, {}), self.subjects, self.staying)


@dataclass
class FakeDatabases:
    server: FakeDataClients

    async def databases(self) -> tuple[Database, ...]:
        return tuple(self.server.stored.values())

    async def roles(self) -> frozenset[str]:
        return frozenset(self.server.known_roles)

    async def drop_impact(self, name: str) -> DropImpact:
        return DropImpact(bytes=self.server.stored[name].bytes, sessions=1, tables=0)

    async def obstacles(self, name: str, role: str) -> tuple[Obstacle, ...]:
        return self.server.in_the_way

    async def drop(self, name: str, role: str) -> None:
        if "database" not in self.server.staying:
            self.server.stored.pop(name, None)
        if "role" in self.server.staying:
            raise UnhealthyError("store: it owns something", hint="arcctl health store")
        self.server.known_roles.discard(role)

    async def blocked(self, names: Collection[str]) -> tuple[Holder, ...]:
        return self.server.holders.get(tuple(names), ())

    async def refresh(self) -> tuple[Refreshed, ...]:
        return tuple(Refreshed(database=name, reindexed=True, extensions=()) for name in self.server.outdated)


@dataclass
class FakeBroker:
    service: str
    stored: dict[str, list[bytes]]
    subjects: dict[str, tuple[str, ...]]
    staying: str = ""

    async def topics(self) -> tuple[Topic, ...]:
        return tuple(
            Topic(
                service=self.service,
                name=name,
                messages=len(messages),
                bytes=sum(map(len, messages)),
                readers=0,
                subjects=self.subjects.get(name, ()),
            )
            for name, messages in self.stored.items()
        )

    async def create(self, topic: NewTopic) -> None:
        self.stored[topic.name] = []
        self.subjects[topic.name] = topic.subjects

    async def delete(self, name: str) -> None:
        del self.stored[name]
        if name == self.staying:
            self.stored[name] = []

    async def produce(self, name: str, messages: AsyncIterator[bytes], subject: str) -> int:
        sent = [f"{subject}>".encode() + message if subject else message async for message in messages]
        self.stored[name] += sent
        return len(sent)

    async def consume(self, name: str, *, new: bool, follow: bool) -> AsyncGenerator[bytes]:
        for message in self.stored[name][len(self.stored[name]) if new else 0 :]:
            yield message
