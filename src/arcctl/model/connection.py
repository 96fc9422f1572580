"""How programs and people connect to a service, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

from arcctl.model.names import LOCAL_NAMES, LOOPBACK


class Side(StrEnum):
    """Where the connecting program runs."""

    HOST = "host"
    CONTAINER = "container"


@dataclass(frozen=True, kw_only=True)
class Where:
    """The address of a service, as seen from one side."""

    side: Side
    host: str
    ports: Mapping[int, int] = field(default_factory=dict)
    """The port for each container port; others keep their number."""

    def port(self, container: int) -> int:
        return self.ports.get(container, container)

    def at(self, container: int) -> str:
        """`host:port` for a port of the container."""
        return f"{self.host}:{self.port(container)}"


@dataclass(frozen=True)
class Endpoint:
    """A place that a person or a program connects to, as `info` shows it."""

    name: str
    url: str
    _: KW_ONLY
    user: str = ""
    secret: str = field(default="", repr=False)
    is_web_page: bool = False
    """Whether it is for a browser."""

    def at(self, host: str) -> Endpoint:
        """The same on another machine: a declaration has the address of this one."""
        parts = urlsplit(self.url)
        if host == LOOPBACK or parts.hostname not in LOCAL_NAMES:
            return self
        return replace(self, url=parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host).geturl())


@dataclass(frozen=True, kw_only=True)
class Client:
    """A client program of the image. Addresses are written as in the container, `host:port`."""

    user: str
    words: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Contains its password, which then shows in no process list."""


@dataclass(frozen=True, kw_only=True)
class RedisInteractiveClient:
    """A prompt of arcctl for commands of the Redis protocol."""

    user: str
    port: int
    """The container's port."""
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class NatsInteractiveClient:
    """A prompt of arcctl for NATS: publish, subscribe, request, streams."""

    user: str
    port: int
    """The container's port."""
    password: str = field(repr=False)


InteractiveClient = RedisInteractiveClient | NatsInteractiveClient
Shell = Client | InteractiveClient


class Session(Protocol):
    """A prompt of arcctl, logged in."""

    def do(self, words: Sequence[str]) -> Iterator[str]:
        """Run one command; yields the lines of its answer. Raises CommandRefused."""

    def listen(self) -> None:
        """Wait for messages as long as there are subscriptions."""

    def close(self) -> None:
        """End it, after all outstanding answers arrived."""
