"""The inside of services in memory: a database server, and brokers with topics."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field

from arcctl.core.contents import Broker, Database, Databases, Loss, Topic, Wanted
from arcctl.core.ports import BrokerClient, DatabaseClient


@dataclass
class FakeContents:
    """One database server and one kind of broker, each service with topics of its own."""

    found: dict[str, Database] = field(default_factory=dict)
    known_roles: set[str] = field(default_factory=set)
    kept: dict[str, dict[str, list[bytes]]] = field(default_factory=dict)
    """Messages by service and topic."""
    subjects: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def databases(self, service: str, held: Databases, ports: Mapping[int, int]) -> DatabaseClient:
        return FakeDatabases(self)

    def broker(self, service: str, held: Broker, ports: Mapping[int, int]) -> BrokerClient:
        return FakeBroker(service, self.kept.setdefault(service, {}), self.subjects)


@dataclass
class FakeDatabases:
    contents: FakeContents

    async def databases(self) -> tuple[Database, ...]:
        return tuple(self.contents.found.values())

    async def roles(self) -> frozenset[str]:
        return frozenset(self.contents.known_roles)

    async def loss(self, name: str) -> Loss:
        return Loss(bytes=self.contents.found[name].bytes, sessions=1, tables=0)

    async def drop(self, name: str, role: str) -> None:
        self.contents.found.pop(name, None)
        self.contents.known_roles.discard(role)


@dataclass
class FakeBroker:
    service: str
    kept: dict[str, list[bytes]]
    subjects: dict[str, tuple[str, ...]]

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
            for name, messages in self.kept.items()
        )

    async def create(self, wanted: Wanted) -> None:
        self.kept[wanted.name] = []
        self.subjects[wanted.name] = wanted.subjects

    async def delete(self, name: str) -> None:
        del self.kept[name]

    async def produce(self, name: str, messages: AsyncIterator[bytes], subject: str) -> int:
        sent = [f"{subject}>".encode() + message if subject else message async for message in messages]
        self.kept[name] += sent
        return len(sent)

    async def consume(self, name: str, *, new: bool, follow: bool) -> AsyncGenerator[bytes]:
        for message in self.kept[name][len(self.kept[name]) if new else 0 :]:
            yield message
