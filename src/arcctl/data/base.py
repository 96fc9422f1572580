"""What the use-cases ask of clients for databases and brokers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from typing import Protocol

from arcctl.checks.locks_report import Holder
from arcctl.data.report import Database, DropImpact, NewTopic, Obstacle, Refreshed, Topic
from arcctl.model.data_store import Broker, Databases


class DatabaseClient(Protocol):
    """A client of a database server, logged in as its superuser."""

    async def databases(self) -> tuple[Database, ...]: ...
    async def roles(self) -> frozenset[str]: ...
    async def drop_impact(self, name: str) -> DropImpact: ...
    async def obstacles(self, name: str, role: str) -> tuple[Obstacle, ...]:
        """What refuses that the database, and the role unless it is empty, are dropped."""

    async def drop(self, name: str, role: str) -> None:
        """Drop the database, and the role unless it is empty; either may be gone already."""

    async def blocked(self, names: Collection[str]) -> tuple[Holder, ...]:
        """Who holds the locks that sessions in these databases have waited for too long."""

    async def refresh(self) -> tuple[Refreshed, ...]:
        """Rebuild what was sorted in another way and update extensions, in each database that needs it."""


class BrokerClient(Protocol):
    """A client of a message broker."""

    async def topics(self) -> tuple[Topic, ...]: ...
    async def create(self, topic: NewTopic) -> None: ...
    async def delete(self, name: str) -> None: ...
    async def produce(self, name: str, messages: AsyncIterator[bytes], subject: str) -> int:
        """Send all messages; returns how many the broker stored."""

    def consume(self, name: str, *, new: bool, follow: bool) -> AsyncGenerator[bytes]:
        """Read the stored messages, or with `new` only later ones. Removes none."""


class DataClients(Protocol):
    """Makes clients; `ports` maps each container port to its published port."""

    def databases(self, service: str, store: Databases, ports: Mapping[int, int], host: str) -> DatabaseClient: ...
    def broker(self, service: str, store: Broker, ports: Mapping[int, int], host: str) -> BrokerClient: ...
