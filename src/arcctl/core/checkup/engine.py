"""The engine: whether it answers, is recent, and can do what the files ask of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from arcctl.core.checkup.facts import EngineReport, Facts
from arcctl.core.checkup.finding import Finding, State, fine, judged, unknown
from arcctl.core.requirements import GIGABYTE, MEGABYTE, SPARE_DISK, too_old

BUILD, IN_CONTAINERS = "arcctl engine build", "arcctl --engine docker"
UNUSUAL_STORAGE = ("vfs", "devicemapper", "aufs", "overlay")
LITTLE_DISK = 5 * GIGABYTE
NOTABLE_SKEW, BAD_SKEW = 2.0, 30.0
"""Seconds between two clocks; more than the second breaks tokens, and metrics are refused as too old."""


def _engine(facts: Facts) -> Iterator[Finding]:
    report = facts.engine
    if report.problem:
        yield Finding(id="engine", state=State.PROBLEM, evidence=report.problem[0], fix=report.problem[1])
        return
    versions = report.facts.versions if report.facts else {}
    shown = ", ".join(f"{name} {version}" for name, version in versions.items()) or f"{report.name} answers"
    old = too_old(versions)
    text, fix = old or (shown, "")
    yield judged("engine", State.PROBLEM, text, wrong=old, fix=fix)


def _compose(facts: Facts) -> Iterator[Finding]:
    problem = facts.engine.compose_problem
    if problem:
        yield Finding(id="compose", state=State.PROBLEM, evidence=problem[0], fix=problem[1])


def _cgroup(facts: Facts) -> Iterator[Finding]:
    report = facts.engine
    if not report.cgroup:
        return
    if not report.memory_limits:
        text = f"cgroup v{report.cgroup} without the memory controller: limits of memory do not hold"
        fix = "add cgroup_enable=memory swapaccount=1 to the kernel's command line, then restart"
        yield Finding(id="cgroup", state=State.WARN, evidence=text, fix=fix)
        return
    fix = "boot with systemd.unified_cgroup_hierarchy=1"
    old = report.cgroup == "1"
    yield judged("cgroup", State.WARN, f"cgroup v{report.cgroup}, memory controller on", wrong=old, fix=fix)


def _storage(facts: Facts) -> Iterator[Finding]:
    driver = facts.engine.storage
    if driver:
        odd = driver in UNUSUAL_STORAGE
        text = f"{driver}: slow, and every container is a whole copy of its image" if odd else driver
        fix = 'set "storage-driver": "overlay2" in /etc/docker/daemon.json, then restart Docker'
        yield judged("storage", State.WARN, text, wrong=odd, fix=fix)


def _skew(facts: Facts) -> Iterator[Finding]:
    skew = facts.engine.skew
    if skew is not None:
        bad = State.PROBLEM if abs(skew) > BAD_SKEW else State.WARN
        text = f"the engine's clock is {abs(skew):.1f} s {'ahead' if skew > 0 else 'behind'}"
        fix = "restart Docker, or sudo hwclock --hctosys where it runs"
        yield judged("time", bad, text, wrong=abs(skew) > NOTABLE_SKEW, fix=fix)


def _memory(facts: Facts) -> Iterator[Finding]:
    if facts.engine.facts is None:
        return
    has, wanted = facts.engine.facts.memory, facts.memory_wanted
    if not has:
        yield unknown("memory", "the engine does not tell")
        return
    text = f"the engine has {has // MEGABYTE} MiB, all services together may use {wanted // MEGABYTE} MiB"
    fix = "give the engine more memory, or start less: arcctl up NAME"
    yield judged("memory", State.WARN, text, wrong=has < wanted // 2, fix=fix)


def _disk(facts: Facts) -> Iterator[Finding]:
    if facts.engine.facts is None:
        return
    free = facts.engine.facts.disk_free
    if not free:
        yield unknown("disk", "the engine keeps its data in another machine", "docker system df")
        return
    bad = State.PROBLEM if free < SPARE_DISK else State.WARN
    fix = "docker system df, then docker image prune" if facts.engine.storage else "arcctl engine clean, or free space"
    yield judged("disk", bad, f"{free / GIGABYTE:.1f} GiB free", wrong=free < LITTLE_DISK, fix=fix)


def _rootless(facts: Facts) -> Iterator[Finding]:
    if facts.engine.rootless:
        yield fine("rootless", "the engine runs without root; limits need cgroup v2 and ports below 1024 a setting")


def _servers(facts: Facts) -> Iterator[Finding]:
    """Servers of local processes that are not there and could be."""
    report = facts.engine
    if report.socket:
        elsewhere = {name for name, why in report.unavailable.items() if why.command.startswith(IN_CONTAINERS)}
        lacking = {name: why for name, why in report.unavailable.items() if name not in elsewhere}
        never = f"in containers only: {', '.join(sorted(elsewhere))}" if elsewhere else "all are there"
        text = "; ".join((*(f"{name}: {why.reason}" for name, why in lacking.items()), never))
        yield judged("servers", State.WARN, text, wrong=lacking, fix=_way(report, lacking))


def _way(report: EngineReport, lacking: Iterable[str]) -> str:
    """The first thing to do for all of them: a tool that is missing, else to build."""
    commands = [report.unavailable[name].command for name in lacking]
    return next((command for command in commands if not command.startswith(BUILD)), BUILD)


def _socket(facts: Facts) -> Iterator[Finding]:
    report = facts.engine
    if report.socket:
        long = len(report.socket) > report.socket_limit
        text = f"{report.socket} has {len(report.socket)} of {report.socket_limit} characters"
        yield judged("socket", State.PROBLEM, text, wrong=long, fix="arcctl --home ~/arc init, a shorter path")


CHECKS = (_engine, _compose, _cgroup, _storage, _skew, _memory, _disk, _rootless, _servers, _socket)
