"""How programs and people get at a service: where it is, and what they talk to it with. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Side(StrEnum):
    """Where the program runs that connects."""

    HOST = "host"
    CONTAINER = "container"


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where a service is, as one side sees it."""

    side: Side
    host: str
    ports: Mapping[int, int] = field(default_factory=dict)
    """The port for each container port; one that is not listed keeps its number."""

    def port(self, container: int) -> int:
        return self.ports.get(container, container)

    def at(self, container: int) -> str:
        """`host:port` for a port of the container."""
        return f"{self.host}:{self.port(container)}"


@dataclass(frozen=True, kw_only=True)
class Client:
    """A program that the container brings. Its addresses are written as in the container, `host:port`."""

    user: str
    words: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where its password is, which no process list shows."""


@dataclass(frozen=True, kw_only=True)
class RedisPrompt:
    """arcctl's own prompt for commands of the Redis protocol."""

    user: str
    port: int
    """The container's port."""
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class NatsPrompt:
    """arcctl's own prompt for NATS: publish, subscribe, request, streams."""

    user: str
    port: int
    """The container's port."""
    password: str = field(repr=False)


Prompt = RedisPrompt | NatsPrompt
Shell = Client | Prompt
