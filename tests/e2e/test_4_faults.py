"""Each fault of each service: `health` tells it in time with the right root cause, and `up` repairs it."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from arcctl import services
from arcctl.model.graph import heights, root_causes
from tests import faults
from tests.e2e.clients import superuser
from tests.e2e.driver import Platform, container, eventually, reason
from tests.faults import Fault

CATALOGUE = services.load()
HEIGHTS = heights(CATALOGUE)
GROUPS = [tuple(i for i in faults.SERVICES if HEIGHTS[i] == height) for height in sorted(set(HEIGHTS.values()))]
"""Services that do not depend on each other fail together, so that each is a root cause."""


def _on_the_engine(stack: Platform, script: str) -> str:
    """Run as root on the engine's machine, where every process of a container has a number."""
    image = CATALOGUE.services["redis"].container.image
    joined = ("--privileged", "--pid", "host", "--user", "0", "--entrypoint", "sh")
    return stack.docker("run", "--rm", "--pull", "never", *joined, image, "-c", script)


def _processes(stack: Platform, name: str) -> list[str]:
    return stack.docker("top", container(name), "-eo", "pid").split()[1:]


def _main_process(stack: Platform, name: str) -> str:
    return stack.docker("inspect", "--format", "{{.State.Pid}}", container(name)).strip()


def _send(stack: Platform, signal_name: str, pids: Iterable[str]) -> None:
    """Some of the processes may have ended meanwhile."""
    _on_the_engine(stack, f"kill -{signal_name} {' '.join(pids)}; true")


def _stop(stack: Platform, group: Collection[str]) -> None:
    stack.docker("stop", *map(container, group))


def _pause(stack: Platform, group: Collection[str]) -> None:
    stack.docker("pause", *map(container, group))


def _freeze(stack: Platform, group: Collection[str]) -> None:
    _send(stack, "STOP", (pid for name in group for pid in _processes(stack, name)))


def _kill_again_and_again(stack: Platform, group: Collection[str]) -> None:
    for _ in range(4):
        _send(stack, "KILL", (pid for name in group if (pid := _main_process(stack, name)) != "0"))


def _remove(stack: Platform, group: Collection[str]) -> None:
    stack.docker("rm", "--force", *map(container, group))


def _cut(stack: Platform, group: Collection[str]) -> None:
    for name in group:
        stack.docker("network", "disconnect", "arc", container(name))


def _start_slowly(stack: Platform, group: Collection[str]) -> None:
    """All at the same time, or the first would be ready before the last one starts."""
    names = [container(name) for name in group]
    stack.docker("update", "--cpus", "0.02", *names)
    stack.docker("stop", "--timeout", "1", *names)
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: stack.docker("start", name), names))


def _signal_processes(local: Platform, group: Collection[str], number: signal.Signals) -> None:
    for name in group:
        local.send_signal(name, number)


def _pause_processes(local: Platform, group: Collection[str]) -> None:
    _signal_processes(local, group, signal.SIGSTOP)


def _kill_processes_again_and_again(local: Platform, group: Collection[str]) -> None:
    for _ in range(4):
        _signal_processes(local, group, signal.SIGKILL)  # of those that were started again by now
        time.sleep(0.5)


Make = Callable[[Platform, Collection[str]], None]
ON_DOCKER: dict[str, Make] = {
    faults.STOPPED.name: _stop,
    faults.PAUSED.name: _pause,
    faults.FROZEN.name: _freeze,
    faults.KILLED.name: _kill_again_and_again,
    faults.REMOVED.name: _remove,
    faults.CUT.name: _cut,
    faults.STARTING.name: _start_slowly,
}
EMBEDDED: dict[str, Make] = {
    faults.PAUSED.name: _pause_processes,
    faults.KILLED.name: _kill_processes_again_and_again,
}


def _made(how: Mapping[str, Make], services_of_engine: Collection[str]) -> list[Any]:
    """Each fault with each group of services of an engine."""
    known = {fault.name: fault for fault in faults.FAULTS}
    return [
        pytest.param(known[name], make, group, id=f"{name}-{group[0]}")
        for name, make in how.items()
        for whole in GROUPS
        if (group := tuple(i for i in whole if i in services_of_engine and i in known[name].services))
    ]


def _wrong(fault: Fault, found: dict[str, Any], causes: Collection[str]) -> str:
    """What is not as the table says; empty where all is."""
    expected = (sorted(causes), True, True)
    cell = (
        sorted(found["blocked_by"]),
        found["status"] in fault.statuses,
        bool(re.search(fault.said, reason(found))),
    )
    return "" if cell == expected else f"{found['status']}, blocked by {found['blocked_by']}: {reason(found)}"


def _healthy(platform: Platform) -> bool:
    return bool(platform.health("all")["status"] == "healthy")


def _settle(platform: Platform) -> None:
    """What depends on others may crash of a fault after `up` saw it well; the next `up` then sees it well again."""
    if not eventually(lambda: _healthy(platform), 60):
        platform.arcctl("up", "--stack").ok()
        assert _healthy(platform), platform.arcctl("health", "all").out


def _told_and_repaired(platform: Platform, fault: Fault, make: Make, group: tuple[str, ...]) -> None:
    _settle(platform)
    try:
        report = _report(platform, fault, make, group)
    finally:
        if fault is faults.STARTING:
            platform.docker("update", "--cpus", "2", *map(container, group))
        repaired = platform.arcctl("up", "--stack")
    assert _all_wrong(report, fault, group) == {}
    repaired.ok()
    _settle(platform)


def _report(platform: Platform, fault: Fault, make: Make, group: tuple[str, ...]) -> dict[str, Any]:
    """The first of three that tells it: on a busy machine others may not answer, or one is ready again too soon."""
    for number in range(3):
        if number == 0 or fault in (faults.STARTING, faults.KILLED):
            make(platform, group)
        report = platform.health("all")
        if not _all_wrong(report, fault, group):
            break
    return report


def _all_wrong(report: dict[str, Any], fault: Fault, group: Collection[str]) -> dict[str, str]:
    """Each service that is not told as it should be: those of the group, those that depend on them, all others."""
    found = {s["name"]: s for s in report["services"] if s["status"] != "unknown"}
    failed = dict.fromkeys(group, True)
    wrong = {}
    for name, service in found.items():
        causes = root_causes(name, failed, CATALOGUE)
        if name in group:
            wrong[name] = _wrong(fault, service, ())
        elif causes and fault.lasting:
            wrong[name] = _wrong(faults.NEED_DOWN, service, causes)
        elif not causes and service["status"] != "healthy":
            wrong[name] = f"{service['status']}: {reason(service)}"
    return {name: words for name, words in wrong.items() if words}


@pytest.mark.parametrize(("fault", "make", "group"), _made(ON_DOCKER, faults.SERVICES))
def test_a_fault_is_told_with_its_cause_and_repaired(
    stack: Platform, fault: Fault, make: Make, group: tuple[str, ...]
) -> None:
    _told_and_repaired(stack, fault, make, group)


@pytest.mark.parametrize(("fault", "make", "group"), _made(EMBEDDED, faults.LOCAL))
def test_a_fault_of_a_process_is_told_with_its_cause_and_repaired(
    local: Platform, fault: Fault, make: Make, group: tuple[str, ...]
) -> None:
    _told_and_repaired(local, fault, make, group)


@pytest.mark.parametrize(
    ("service", "variable"),
    [
        ("postgres", "POSTGRES_PASSWORD"),
        ("postgres", "POSTGRES_APP_PASSWORD"),
        ("redis", "REDIS_PASSWORD"),
        ("nats", "NATS_PASSWORD"),
        ("traefik", "TRAEFIK_PASSWORD"),
        ("unleash", "UNLEASH_ADMIN_TOKEN"),
    ],
)
def test_a_wrong_password_in_the_settings_is_told(either: Platform, service: str, variable: str) -> None:
    _settle(either)
    assert _wrong(faults.PASSWORD, either.service(service, **{variable: "wrong-but-long-enough-7"}), ()) == ""
    assert either.service(service)["status"] == "healthy"


@pytest.mark.parametrize("service", ["kratos", "unleash", "infisical"])
def test_another_password_of_its_role_in_the_database_is_told_and_repaired(either: Platform, service: str) -> None:
    if "ARCCTL_ENGINE" in either.environment and service not in faults.LOCAL:
        return
    with superuser(either) as admin:
        admin.execute(f"ALTER ROLE {service} PASSWORD 'changed-by-hand'")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (service,))
    wrong = _wrong(faults.PASSWORD, either.service(service), ())
    repaired = either.arcctl("up", service)
    assert wrong == ""
    repaired.ok()
    assert eventually(lambda: either.service(service)["status"] == "healthy", 60)


def test_health_wait_ends_when_the_last_service_is_healthy(stack: Platform) -> None:
    stack.docker("restart", "arc_loki")
    assert stack.arcctl("health", "all", "--wait", "--timeout", "60").code == 0


def test_health_of_a_service_that_stays_unhealthy_is_exit_1_and_of_waiting_for_it_exit_4(stack: Platform) -> None:
    stack.docker("pause", "arc_nats")
    try:
        codes = [stack.arcctl("health", "nats", *words).code for words in ((), ("--wait", "--timeout", "3"))]
    finally:
        stack.docker("unpause", "arc_nats")
    assert codes == [1, 4]


def test_up_repairs_what_is_stopped_or_paused_and_leaves_the_rest_alone(stack: Platform) -> None:
    stack.docker("pause", "arc_nats")
    stack.docker("stop", "arc_loki")
    plan = stack.arcctl("up", "--stack", "--dry-run").ok().out
    assert "unpause nats: paused" in plan
    assert "start loki: exited" in plan
    stack.arcctl("up", "--stack").ok()
    assert eventually(lambda: stack.health("all")["status"] == "healthy", 30)
