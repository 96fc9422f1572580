"""One snapshot of what the engine runs, copied whole: decisions are taken on it, never on live objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ABSENT = "absent"


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
    double: bool = False
    """Whether the image says that it is a contract double and not the real server."""
    ports: Mapping[int, int] = field(default_factory=dict)
    """Published host port of each container port."""

    @property
    def running(self) -> bool:
        return self.state == "running"


GONE = ContainerState(state=ABSENT)


@dataclass(frozen=True)
class Observed:
    """Containers by Compose key. What is not listed does not exist."""

    containers: Mapping[str, ContainerState]

    def of(self, key: str) -> ContainerState:
        return self.containers.get(key, GONE)
