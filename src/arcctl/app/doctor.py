"""`doctor`: what usually goes wrong, each point with its evidence and its cure; `--fix` does what is safe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from arcctl.app import preflight
from arcctl.app.world import World, settings
from arcctl.core import checkup
from arcctl.core.checkup.facts import EngineReport, Facts, HomeFacts, Taken
from arcctl.core.checkup.finding import Finding, State
from arcctl.core.checkup.network import EXCEPTION, PROXIES
from arcctl.core.ports import Examiner
from arcctl.core.settings import Settings, near_misses
from arcctl.errors import ArcError

PRIVILEGED = 1024


@dataclass(frozen=True)
class Report:
    engine: str
    findings: tuple[Finding, ...]
    mended: tuple[str, ...] = ()
    """What was done, where that was asked for."""

    @property
    def passed(self) -> bool:
        return all(finding.state is not State.PROBLEM for finding in self.findings)

    @property
    def summary(self) -> Mapping[str, int]:
        return {state.value: sum(f.state is state for f in self.findings) for state in State}


def run(world: World, examiner: Examiner) -> Report:
    """Look at everything and change nothing."""
    return Report(world.engine.name, checkup.judge(gather(world, examiner)))


def fix(world: World, examiner: Examiner) -> Report:
    """Do all that is safe, then look again."""
    mends = [mend for finding in run(world, examiner).findings for mend in finding.mends]
    mended = tuple(filter(None, [examiner.mend(mend) for mend in mends]))
    return replace(run(world, examiner), mended=mended)


def gather(world: World, examiner: Examiner) -> Facts:
    """Every fact once."""
    engine = examiner.engine()
    home, loaded = _home(world, examiner.home())
    containers = world.catalogue.containers().values()
    return Facts(
        host=examiner.host(),
        home=home,
        engine=engine,
        proxies=_proxies(world.environment),
        taken=_taken(world, engine, loaded),
        low_ports={p: i for p, i in _published(world, loaded).items() if p < PRIVILEGED} if loaded else {},
        memory_wanted=preflight.memory_wanted(containers),
        started=bool(world.home.started()),
    )


def _home(world: World, home: HomeFacts) -> tuple[HomeFacts, Settings | None]:
    misses = tuple(near_misses(world.environment, world.catalogue))
    try:
        loaded = settings(world)
    except ArcError as error:
        return replace(home, near_misses=misses, problem=(error.message, error.hint)), None
    return replace(home, near_misses=misses, settings=len(loaded.values)), loaded


def _proxies(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Programs read these names in either case."""
    wanted = (*PROXIES, EXCEPTION)
    return {name.lower(): value for name, value in environment.items() if name.lower() in wanted and value}


def _published(world: World, loaded: Settings) -> Mapping[int, str]:
    services = world.catalogue.services.items()
    return {port.host: i for i, service in services for port in service.ports(loaded.envs[i])}


def _taken(world: World, engine: EngineReport, loaded: Settings | None) -> tuple[Taken, ...] | None:
    if loaded is None or engine.problem or engine.compose_problem:
        return None
    return tuple(_held(world, loaded))


def _held(world: World, loaded: Settings) -> Iterator[Taken]:
    """Ports that a service which does not run could not have."""
    observed = world.engine.observe()
    for port, service in _published(world, loaded).items():
        if not observed.of(service).running and world.ports.taken(port):
            yield Taken(port=port, service=service, owner=preflight.owner(world, port))
