"""`logs` of programs that send their logs to the platform: pages, the newest lines, and lines that come later."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

import pytest

from arcctl import services
from arcctl.checks import logs as use_case
from arcctl.checks.logs import PAGE, Request
from arcctl.checks.logs_report import LOOK_BACK_NS, shown, since_ns
from arcctl.checks.trace_report import LogLine
from arcctl.engines.base import ContainerState
from arcctl.errors import PreflightError, UnhealthyError, UnknownService, UsageError
from arcctl.model.smoke_test import Call, Step
from arcctl.project import Project
from tests.fakes.smoke_test_runner import FakeSmokeTestRunner
from tests.fakes.toy import Toy

SECOND, MINUTE, HOUR = 10**9, 60 * 10**9, 3600 * 10**9
NOW = 1_800_000_000 * SECOND


@dataclass
class LogStore(FakeSmokeTestRunner):
    """Lines of the program `shop`, by time."""

    lines: list[tuple[int, str]] = field(default_factory=list)
    late: str = ""
    """Comes with the third page."""
    problem: str = ""
    refusal: str = ""
    asked: list[Mapping[str, str]] = field(default_factory=list)

    async def ask(
        self, owner: str, call: Call, ports: Mapping[str, Mapping[int, int]], values: Mapping[str, str]
    ) -> tuple[Step, str, Mapping[str, str]]:
        names = "label" in call.path
        problem = self.problem or ("" if names else self.refusal)
        step = Step(owner=owner, service=owner, name="read", ok=not problem, ms=1, since_ms=1, message=problem)
        if names:
            return step, json.dumps({"data": ["shop", "till"]}), {}
        self.asked.append(values)
        if self.late and len(self.asked) == 3:
            self.lines.append((self.lines[-1][0], self.late))
        backward = values["direction"] == "backward"
        found = sorted((t, text) for t, text in self.lines if t >= int(values["start_ns"]))
        chosen = sorted(found, reverse=backward)[: int(values["limit"])]
        stream = {"stream": {"service_name": "shop"}, "values": [[str(t), text] for t, text in chosen]}
        return step, json.dumps({"data": {"result": [stream]}}), {}


@pytest.fixture
def store() -> LogStore:
    return LogStore()


@pytest.fixture
def project(store: LogStore) -> Project:
    return replace(Toy().project(), catalogue=services.load(), smoke_test_runner=store)


def _texts(project: Project, most: int = 10**6, names: tuple[str, ...] = ("shop",), **options: Any) -> list[str]:
    """The lines, at most so many of those that do not end."""

    async def read() -> list[str]:
        found = []
        async for line in use_case.logs(Request(names, **options), project):
            found.append(line.text)
            if len(found) == most:
                break
        return found

    return asyncio.run(read())


@pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE])
def test_every_line_is_read_once_in_the_order_of_time(count: int, store: LogStore, project: Project) -> None:
    store.lines = [(2**62 + i // 7, f"{i:05}") for i in range(count)]  # seven at the same time
    assert _texts(project) == [f"{i:05}" for i in range(count)]
    assert store.asked[0]["services"] == "shop"


def test_the_newest_lines_are_read_alone(store: LogStore, project: Project) -> None:
    store.lines = [(2**62 + i, f"{i}") for i in range(5)]
    assert _texts(project, tail=2) == ["3", "4"]
    assert _texts(project, tail=0) == [f"{i}" for i in range(5)]  # all of them are in the future: new


def test_following_goes_on_after_the_newest_lines(
    store: LogStore, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_case, "PAUSE_SECONDS", 0)
    store.lines = [(2**62 + i, f"{i}") for i in range(5)]
    store.late = "late"
    assert _texts(project, 3, follow=True, tail=2) == ["3", "4", "late"]


def test_a_program_that_sent_nothing_is_refused_with_the_nearest_name(project: Project) -> None:
    with pytest.raises(UnknownService, match="unknown service 'tils', and loki has no logs from it") as caught:
        _texts(project, names=("shop", "tils"))
    assert caught.value.hint == "did you mean till?"


def test_a_log_store_that_does_not_answer_is_named(store: LogStore, project: Project) -> None:
    store.problem = "loki does not run"
    with pytest.raises(UnknownService, match="unknown service 'reddis', and loki does not run") as caught:
        _texts(project, names=("reddis",))
    assert caught.value.hint == "did you mean redis?"


def test_the_log_store_of_another_project_is_not_asked(store: LogStore) -> None:
    toy = Toy()
    toy.engine.states["loki"] = ContainerState(state="running", directory="/srv/other")
    with pytest.raises(PreflightError, match=r"another project \(/srv/other\) already uses these container names"):
        _texts(replace(toy.project(), catalogue=services.load(), smoke_test_runner=store))
    assert store.asked == []


def test_what_the_log_store_refuses_is_said(store: LogStore, project: Project) -> None:
    store.refusal = "HTTP 400: max entries limit"
    with pytest.raises(UnhealthyError, match="loki: HTTP 400: max entries limit"):
        _texts(project, tail=6000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", NOW - LOOK_BACK_NS),
        ("10m", NOW - 10 * MINUTE),
        ("1h30m", NOW - HOUR - 30 * MINUTE),
        ("1d500ms", NOW - 24 * HOUR - SECOND // 2),
        ("2026-01-31T10:00:00Z", 1_769_853_600 * SECOND),
        ("2026-01-31T10:00:00.250+00:00", 1_769_853_600 * SECOND + SECOND // 4),
    ],
)
def test_since_is_a_duration_or_a_time(text: str, expected: int) -> None:
    assert since_ns(text, NOW) == expected


@pytest.mark.parametrize("text", ["yesterday", "10", "10x", "m10"])
def test_other_texts_are_refused_as_times(text: str) -> None:
    with pytest.raises(UsageError, match="is neither a duration nor a time"):
        since_ns(text, NOW)


def test_a_line_has_its_program_time_and_level() -> None:
    line = LogLine(time_ns=1_769_853_600 * SECOND + 7 * 10**6, service="shop", level="warn", text="sold out")
    assert shown(line) == "shop  | 2026-01-31T10:00:00.007Z warn sold out"
    assert shown(replace(line, level="")) == "shop  | 2026-01-31T10:00:00.007Z sold out"


def test_names_are_part_of_a_query_of_the_log_store() -> None:
    _, how = services.load().log_store()
    assert '{service_name=~"{services}"}' in unquote(how.lines.path)
