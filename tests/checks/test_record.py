"""The recorded trace of a command."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from arcctl import services
from arcctl.checks.record import Recorder, record
from arcctl.events import Event, Kind
from arcctl.model.smoke_test import Call, Step
from arcctl.model.telemetry import ENVIRONMENT
from arcctl.project import Project
from arcctl.services import otel_collector
from tests.fakes.smoke_test_runner import FakeSmokeTestRunner
from tests.fakes.toy import Toy


def _spans(recorder: Recorder, *, ok: bool) -> list[dict[str, object]]:
    document = recorder.document("up", "ab" * 16, "toy", ok=ok)
    found: list[dict[str, object]] = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    return found


def test_each_subject_is_a_span_of_the_command_from_its_first_to_its_last_event() -> None:
    recorder = Recorder()
    for kind, message in ((Kind.WORKING, "create"), (Kind.WAITING, "loading"), (Kind.READY, "fine")):
        recorder.note(Event(kind, "store", message))
    recorder.note(Event(Kind.FAILED, "shop", "crashed"))
    recorder.note(Event(Kind.NOTE, "", "by the way"))
    root, store, shop = _spans(recorder, ok=False)
    assert [span["name"] for span in (root, store, shop)] == ["up", "store", "shop"]
    assert store["parentSpanId"] == shop["parentSpanId"] == root["spanId"]
    assert [span["status"] for span in (root, store, shop)] == [{"code": 2}, {"code": 1}, {"code": 2}]
    assert int(str(store["startTimeUnixNano"])) >= int(str(root["startTimeUnixNano"]))
    assert int(str(store["endTimeUnixNano"])) <= int(str(root["endTimeUnixNano"]))


def test_the_trace_that_is_sent_has_the_name_of_its_project_as_other_telemetry_of_the_platform_has() -> None:
    sent: list[Any] = []

    class Runner(FakeSmokeTestRunner):
        async def ask(
            self, owner: str, call: Call, ports: Mapping[str, Mapping[int, int]], values: Mapping[str, str]
        ) -> tuple[Step, str, Mapping[str, str]]:
            sent.append(call.json)
            return Step(owner=owner, service=owner, name=call.name, ok=True, ms=1, since_ms=1, message=""), "", {}

    async def work(project: Project) -> bool:
        return True

    toy = Toy(smoke_test_runner=Runner())
    project = replace(toy.project(), catalogue=services.load())
    assert asyncio.run(record("up", project, work, bool, asked=True))
    (document,) = sent
    (spans,) = document["resourceSpans"]
    assert {a["key"]: a["value"]["stringValue"] for a in spans["resource"]["attributes"]} == {
        "service.name": "arcctl",
        ENVIRONMENT: "arc",
    }
    assert f"{ENVIRONMENT}=arc" in otel_collector.exporting("store", "arc")["OTEL_RESOURCE_ATTRIBUTES"].split(",")
