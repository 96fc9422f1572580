"""What servers say of data that they cannot read, and the way back that is named."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import pytest

from arcctl import services
from arcctl.checks import health
from arcctl.checks.cause_report import CauseContext, Explanation, explain, last_symptom
from arcctl.checks.clients.nats import sample
from arcctl.engines.base import ContainerState
from arcctl.errors import UnhealthyError
from arcctl.lifecycle import up
from arcctl.model.probe import Answer
from arcctl.model.service import Catalogue
from arcctl.model.smoke_test import Call, Calls, SmokeTest, Step
from arcctl.model.symptom import Cause, Symptom
from tests.fakes.catalogue import TOY
from tests.fakes.smoke_test_runner import FakeSmokeTestRunner
from tests.fakes.toy import FakeEngine, FakeProber, Toy

BACKUP = "20261124T210000Z"
CHECK_AOF = "redis-check-aof --fix appendonlydir/appendonly.aof.manifest"
AOF = "Bad file format reading the append only file appendonly.aof.1.incr.aof: make a backup of your AOF file, then use"
CONTROL = 'could not read file "global/pg_control": read 0 of 296'


def damage(service: str, lines: list[str], backup: str, volumes: tuple[str, ...] = ()) -> Explanation | None:
    found = last_symptom(services.load().services[service].checks.symptoms, lines)
    return explain(found, CauseContext(service=service, backup=backup, volumes=volumes)) if found else None


@pytest.mark.parametrize(
    ("service", "line", "said"),
    [
        ("redis", f"redis  | 1:M 29 Nov 2026 03:00:00.000 # {AOF} ./redis-check-aof", f"{AOF} ./redis-check-aof"),
        ("postgres", f"postgres  | 2026-11-29 03:00:00.000 UTC [1] PANIC:  {CONTROL}", CONTROL),
        (
            "postgres",
            "postgres  | [1] FATAL:  incorrect checksum in control file",
            "incorrect checksum in control file",
        ),
    ],
)
def test_damaged_data_is_told_in_the_words_of_the_server(service: str, line: str, said: str) -> None:
    lines = [f"{service}  | starting", line, f"{service}  | bye"]
    found = damage(service, lines, BACKUP)
    assert found is not None
    assert found.message == f"cannot read its data: {said}"
    assert found.hint == f"arcctl backup restore {BACKUP} {service}"


def test_without_a_backup_the_tool_of_the_server_is_named_after_a_copy() -> None:
    found = damage("redis", [AOF], "", ("arc_redis_data",))
    assert found is not None
    assert (
        found.hint
        == f"no backup in .arcctl/backups has this data; copy the volume arc_redis_data, then run in it: {CHECK_AOF}"
    )


@pytest.mark.parametrize(("service", "line"), [("redis", "Ready to accept connections"), ("traefik", AOF)])
def test_another_line_or_a_service_without_data_is_no_damage(service: str, line: str) -> None:
    assert damage(service, [line], BACKUP) is None


@dataclass
class Damaged(FakeEngine):
    """The log of every component says that its data is damaged."""

    def logs(self, keys: Iterable[str], *, follow: bool, since: str, tail: str) -> Iterator[str]:
        yield from (f"{key}  | it is all junk" for key in keys)


STORE = replace(
    TOY.services["store"],
    checks=replace(
        TOY.services["store"].checks, symptoms=(Symptom(cause=Cause.DATA, pattern="all junk", repair="fix store"),)
    ),
)
CATALOGUE = Catalogue({**TOY.services, "store": STORE})


def _newest(service: str) -> str:
    return BACKUP if service == "store" else ""


@pytest.mark.parametrize(
    ("state", "answer", "reason"),
    [
        (ContainerState(state="restarting", exit_code=1), False, "cannot read its data: all junk"),
        (ContainerState(state="running", restarts=3, ports={7000: 7000}), False, "cannot read its data: all junk"),
        (ContainerState(state="running", restarts=3, ports={7000: 7000}), True, "fine"),
        (ContainerState(state="running", ports={7000: 7000}), False, "no answer"),
        (ContainerState(state="exited"), False, "exited with code 0"),
    ],
)
def test_health_tells_the_damage_of_a_service_that_crashes(state: ContainerState, answer: bool, reason: str) -> None:
    toy = Toy(engine=Damaged(TOY, states={"store": state}))
    toy.prober = FakeProber({7000: Answer(answer, "fine" if answer else "no answer")})
    project = replace(toy.project(), catalogue=CATALOGUE)
    project.directory.keep_secrets({"STORE_PASSWORD": "st0re-secret", "BIG_SHOP_TOKEN": "sh0p-secret"})
    request = health.Request(words=("store",), newest_backup=_newest)
    (verdict,) = asyncio.run(health.health(request, project)).services
    assert verdict.reason == reason
    hints = {check.hint for check in verdict.checks}
    assert (f"arcctl backup restore {BACKUP} store" in hints) == reason.startswith("cannot")


def test_up_tells_the_damage_and_the_way_back() -> None:
    toy = Toy(engine=Damaged(TOY, crashing=frozenset({"store"})))
    toy.prober = FakeProber({7000: Answer(False, "no answer")})
    project = replace(toy.project(), catalogue=CATALOGUE)
    report = asyncio.run(up.up(up.Request(words=("store",), timeout=10), project))
    with pytest.raises(UnhealthyError, match="store cannot read its data: all junk") as caught:
        up.raise_for_failed(report, project.reloaded(), _newest)
    assert caught.value.hint == f"arcctl backup restore {BACKUP} store"


STORED = Calls(tuple(Call(name, 7000, "/") for name in ("log in", "read", "have all records")))
LOST = replace(STORE, checks=replace(STORE.checks, stored=lambda env: STORED))


@dataclass
class Losing(FakeSmokeTestRunner):
    """Runs `STORED`, of which the last step fails."""

    steps_done: int = 2

    async def run(
        self, owner: str, smoke_test: SmokeTest, ports: Mapping[str, Mapping[int, int]], timeout: float
    ) -> tuple[Step, ...]:
        steps = await super().run(owner, smoke_test, ports, timeout)
        last = steps[self.steps_done - 1]
        return (*steps[: self.steps_done - 1], replace(last, ok=False, message="lost 3 records"))


@pytest.mark.parametrize(
    ("steps_done", "backup", "status", "hint"),
    [
        (3, BACKUP, "degraded", f"arcctl backup restore {BACKUP} store"),
        (3, "", "degraded", "no backup in .arcctl/backups has this data; to go on without it: arcctl restart store"),
        (2, BACKUP, "healthy", ""),  # it could not be asked in time, so nothing is known
        (1, BACKUP, "healthy", ""),  # it could not log in, of which the probe says more
    ],
)
def test_health_tells_what_a_running_server_lost(steps_done: int, backup: str, status: str, hint: str) -> None:
    toy = Toy(engine=FakeEngine(TOY, states={"store": ContainerState(state="running", ports={7000: 7000})}))
    toy.smoke_test_runner = Losing(steps_done=steps_done)
    project = replace(toy.project(), catalogue=Catalogue({**TOY.services, "store": LOST}))
    project.directory.keep_secrets({"STORE_PASSWORD": "st0re-secret", "BIG_SHOP_TOKEN": "sh0p-secret"})
    request = health.Request(words=("store",), newest_backup=lambda service: backup)
    (verdict,) = asyncio.run(health.health(request, project)).services
    assert (verdict.status, verdict.checks[0].hint) == (status, hint)
    assert verdict.reason == ("lost 3 records" if hint else "fine")


@pytest.mark.parametrize(
    ("first", "last", "deleted", "most", "expected"),
    [
        (1, 10, [], 20, [*range(1, 11)]),
        (1, 100, [], 4, [1, 26, 51, 76]),
        (5, 10, [6, 7], 2, [5, 8]),
        (11, 10, [], 20, []),
        (1, 10, [], 0, []),
    ],
)
def test_samples_are_messages_that_a_stream_says_it_has(
    first: int, last: int, deleted: list[int], most: int, expected: list[int]
) -> None:
    there = last + 1 - first - len(deleted)
    assert sample({"messages": there, "first_seq": first, "last_seq": last, "deleted": deleted}, most) == expected
