"""What can happen to a service, and what `health` says of it then, for the end-to-end tests and for the docs."""

from __future__ import annotations

from dataclasses import dataclass

from arcctl import services
from arcctl.model.disk import GIGABYTE, Disk
from arcctl.model.env import symbolic
from arcctl.model.probe import Usage
from arcctl.model.service import Volume, volume_name

CATALOGUE = services.load()
SERVICES = tuple(CATALOGUE.services)
LOCAL = tuple(i for i, service in CATALOGUE.services.items() if service.process)
"""Those that run without a container too."""
DEPENDENT = tuple(i for i, service in CATALOGUE.services.items() if service.needs)
VOLUMES = {
    volume_name(i, mount.name): i
    for i, service in CATALOGUE.services.items()
    for mount in service.storage.mounts(symbolic(service.env))
    if isinstance(mount, Volume)
}
DOCKER, EMBEDDED = "Docker", "embedded"
UP = "`arcctl up`"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way in which services fail."""

    name: str
    made: str
    """How the tests make it, for people."""
    said: str
    """A pattern for the reason that `health` gives."""
    shown: str
    """The reason, for people."""
    statuses: tuple[str, ...] = ("unhealthy",)
    lasting: bool = True
    """Whether it is certain that services which depend on it still miss it when `health` looks."""
    repair: str = UP
    services: tuple[str, ...] = SERVICES
    engines: tuple[str, ...] = (DOCKER,)
    local: tuple[str, ...] = LOCAL
    """Those that it is made for on the embedded engine."""
    otherwise: str = ""
    """Why it does not happen to other services, or on the other engine."""

    def tested(self, service: str) -> tuple[str, ...]:
        """The engines on which it happens to a service."""
        here = service in self.services
        return tuple(e for e in self.engines if here and (e == DOCKER or service in self.local))


STOPPED = Fault(
    name="stopped",
    made="`docker stop`",
    said=r"exited with code \d+",
    shown="exited with code 143",
)
PAUSED = Fault(
    name="paused",
    made="`docker pause`; on the embedded engine `kill -STOP`",
    said="paused",
    shown="paused",
    engines=(DOCKER, EMBEDDED),
)
FROZEN = Fault(
    name="frozen",
    made="`kill -STOP` of each process in the container",
    said="no answer on port",
    shown="no answer on port 5432 in 4.5 s",
    repair=f"{UP}, which restarts it after ten seconds",
    otherwise="on the embedded engine this is `paused`",
)
KILLED = Fault(
    name="killed again and again",
    made="`kill -KILL` of the server, four times",
    said=r"crashed (once|\d+ times), was started again at|keeps restarting|crashed too often|exited with code",
    shown="crashed 4 times, was started again at 2026-01-31T10:00:00Z",
    statuses=("unhealthy", "degraded"),
    lasting=False,
    engines=(DOCKER, EMBEDDED),
)
REMOVED = Fault(
    name="removed",
    made="`docker rm --force`",
    said="was started at .*, is gone",
    shown="was started at 2026-01-31T10:00:00Z, is gone",
    otherwise="a process has nothing that could be removed",
)
CUT = Fault(
    name="network cut",
    made="`docker network disconnect`",
    said="not connected to the network arc",
    shown="not connected to the network arc",
    otherwise="processes have no network of their own",
)
NEED_DOWN = Fault(
    name="dependency down",
    made="one of these of a service that it depends on",
    said="depends on .*, which (is|are) not healthy",
    shown="depends on postgres, which is not healthy",
    statuses=("unhealthy", "degraded"),
    services=DEPENDENT,
    engines=(DOCKER, EMBEDDED),
    otherwise="the others depend on nothing",
)
STARTING = Fault(
    name="starting",
    made="`docker stop` and `docker start` with a fiftieth of a core",
    lasting=False,
    said=r"nothing listens on|closes every connection|closed without an answer|no answer on|HTTP [45]\d\d",
    shown="port 8080 closes every connection: the server behind it is not listening yet",
    repair="waiting: `arcctl health --wait`",
    services=tuple(i for i in SERVICES if i not in ("nats", "redis")),
    otherwise="NATS and Redis start in milliseconds",
)
PASSWORD = Fault(
    name="wrong password",
    made="a wrong password in the settings; another password of its role in the database",
    said="password authentication failed|cannot log in|WRONGPASS|Authorization Violation|HTTP (401|50\\d)|no answer",
    shown='password authentication failed for user "arc"',
    repair="the right password in the settings; in the database `arcctl up`",
    services=("infisical", "kratos", "nats", "postgres", "redis", "traefik", "unleash"),
    engines=(DOCKER, EMBEDDED),
    otherwise="`health` does not log in there: they have no password, or lock a user out after wrong ones",
)
DISK = Fault(
    name="disk full",
    made="the disk with the volumes has no byte left",
    said="writes fail: .* no space|writes fail",
    shown=f"writes fail: {Disk(path='/var/lib/docker', size=20 * GIGABYTE, free=0)}",
    repair=f"space, then {UP}",
    services=tuple(VOLUMES.values()),
    engines=(DOCKER, EMBEDDED),
    local=("redis",),
    otherwise="the others keep their data in Postgres, or none; on the embedded engine all data is on one disk",
)
_HELD = Usage(what="connections", used=397, limit=397, holders={"arc (crawler)": 397})
CONNECTIONS = Fault(
    name="connections used up",
    made="a client that opens connections until none is left",
    said="cannot log in|max number of clients reached",
    shown=f"arc cannot log in: remaining connection slots are reserved; {_HELD}",
    repair="the client that closes them; from 80 % on `health` is degraded, and for Postgres says who holds how many",
    services=("postgres", "redis"),
    engines=(DOCKER, EMBEDDED),
    otherwise="NATS takes 65,536, and the others have no limit of their own",
)
FAULTS = (STOPPED, PAUSED, FROZEN, KILLED, REMOVED, CUT, NEED_DOWN, PASSWORD, DISK, STARTING, CONNECTIONS)
