"""One snapshot of what the engine runs, copied whole: decisions are taken on it, never on live objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ABSENT = "absent"
DOUBLE = "(contract double)"
"""What stands behind the version of a service whose image is not the real server."""


@dataclass(frozen=True, kw_only=True)
class ContainerState:
    state: str
    """The engine's word: created, running, paused, restarting, exited, dead; `absent` where there is none."""
    health: str = ""
    """The in-container check: starting, healthy, unhealthy; empty where the image has none."""
    health_log: str = ""
    """What that check printed last."""
    exit_code: int = 0
    oom_killed: bool = False
    restarts: int = 0
    config_hash: str = ""
    image: str = ""
    image_id: str = ""
    version: str = ""
    """What runs, where that is not the version in the image's reference."""
    home: str = ""
    """The home whose files made it, where that is still there; empty on an engine that keeps homes apart."""
    double: bool = False
    """Whether the image says that it is a contract double and not the real server."""
    ports: Mapping[int, int] = field(default_factory=dict)
    """Published host port of each container port."""

    @property
    def running(self) -> bool:
        return self.state == "running"


GONE = ContainerState(state=ABSENT)


@dataclass(frozen=True)
class Unavailable:
    """Why a service cannot run on this engine, and the exact command that changes that (empty where none does)."""

    reason: str
    command: str = ""

    def __str__(self) -> str:
        return f"{self.reason} ({self.command})" if self.command else self.reason


@dataclass(frozen=True)
class Observed:
    """Containers by Compose key. What is not listed does not exist."""

    containers: Mapping[str, ContainerState]
    unavailable: Mapping[str, Unavailable] = field(default_factory=dict)

    @property
    def published(self) -> Mapping[str, Mapping[int, int]]:
        """The published host port of each container port, by the key of each container that runs."""
        return {key: state.ports for key, state in self.containers.items() if state.running}

    def of(self, key: str) -> ContainerState:
        return self.containers.get(key, GONE)
