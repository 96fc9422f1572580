"""`trace`: what a store has to have, what it may lack, and what is waited for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from arcctl import services
from arcctl.checks import trace as use_case
from arcctl.checks import view
from arcctl.checks.trace_report import Trace
from arcctl.errors import UnhealthyError
from arcctl.model.smoke_test import Call, Step
from arcctl.project import Project
from tests.fakes.contracts import check_document
from tests.fakes.smoke_test_runner import FakeSmokeTestRunner
from tests.fakes.toy import Toy

ID = "0af7651916cd43dd8448eb211c80319c"
SPAN = {"spanId": "a1", "name": "GET /", "startTimeUnixNano": "5000000000", "endTimeUnixNano": "6000000000"}
RESOURCE = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
SPANS = json.dumps({"result": {"resourceSpans": [{"resource": RESOURCE, "scopeSpans": [{"spans": [SPAN]}]}]}})
LINES = json.dumps({"data": {"result": [{"stream": {"service_name": "shop"}, "values": [["1", "sold"]]}]}})
SERIES = json.dumps({"data": {"result": [{"metric": {"span_name": "GET /"}, "value": [1, "7"]}]}})
NOTHING = json.dumps({"status": "success", "data": {"result": [], "stats": {"summary": {}}}})


@dataclass
class Stores(FakeSmokeTestRunner):
    """Answers of the services; a text in the place of JSON is why one does not answer."""

    answers: dict[str, str] = field(
        default_factory=lambda: {"swiss-army": "{}", "jaeger": SPANS, "loki": LINES, "prometheus": SERIES}
    )
    patient: list[str] = field(default_factory=list)
    """The services that were asked to have it in time."""

    async def ask(
        self, owner: str, call: Call, ports: Mapping[str, Mapping[int, int]], values: Mapping[str, str]
    ) -> tuple[Step, str, Mapping[str, str]]:
        body = self.answers[owner]
        self.patient += [owner] if call.patience else []
        problem = "" if body.startswith("{") else body
        if not problem and call.patience and body == NOTHING:
            problem = "not there after 15 s"
        step = Step(owner=owner, service=owner, name=call.name, ok=not problem, ms=1, since_ms=1, message=problem)
        return step, "" if problem else body, {"trace_id": ID, **values}


@pytest.fixture
def stores() -> Stores:
    return Stores()


@pytest.fixture
def project(stores: Stores) -> Project:
    return replace(Toy().project(), catalogue=services.load(), smoke_test_runner=stores)


def _trace(project: Project, trace_id: str = ID, *, wait: bool = False) -> Trace:
    return asyncio.run(use_case.trace(trace_id, project, wait=wait))


def _hops(found: Trace) -> list[tuple[str, bool, bool, str]]:
    return [(hop.service, hop.ok, hop.found, hop.message) for hop in found.hops]


@pytest.mark.usefixtures("plain_streams")
@pytest.mark.parametrize("wait", [False, True])
def test_what_a_store_lacks_of_a_request_is_none_and_not_bad(
    wait: bool, stores: Stores, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    stores.answers |= {"loki": NOTHING, "prometheus": NOTHING}
    found = _trace(project, wait=wait)
    assert _hops(found) == [("jaeger", True, True, ""), ("loki", True, False, ""), ("prometheus", True, False, "")]
    assert stores.patient == (["jaeger", "loki", "prometheus"] if wait else [])
    view.show_trace(found)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines[-3:]] == [
        ["✔", "ok", "jaeger"],
        ["-", "none", "loki"],
        ["-", "none", "prometheus"],
    ]
    assert "logs: none" in lines
    check_document(("trace", "--json"), view.trace_json(found))


def test_a_new_request_has_to_get_to_every_store(stores: Stores, project: Project) -> None:
    stores.answers["loki"] = NOTHING
    assert _hops(_trace(project, "")) == [
        ("swiss-army", True, True, ""),
        ("jaeger", True, True, ""),
        ("loki", False, False, "not there after 15 s"),
        ("prometheus", True, True, ""),
    ]


def test_a_store_that_does_not_answer_is_bad(stores: Stores, project: Project) -> None:
    stores.answers["loki"] = "loki does not run"
    assert _hops(_trace(project))[1] == ("loki", False, False, "loki does not run")


@pytest.mark.parametrize(
    ("wait", "hint"), [(False, f"arcctl trace {ID} --wait"), (True, "arcctl verify, which sends one")]
)
def test_a_trace_that_is_not_there_is_an_error(wait: bool, hint: str, stores: Stores, project: Project) -> None:
    stores.answers["jaeger"] = NOTHING
    with pytest.raises(UnhealthyError, match=f"no trace {ID} in jaeger") as caught:
        _trace(project, wait=wait)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("service", "trace_id", "words"),
    [("swiss-army", "", "no request could be made: swiss-army: gone"), ("jaeger", ID, f"no trace {ID}: jaeger: gone")],
)
def test_a_service_that_does_not_answer_is_named(
    service: str, trace_id: str, words: str, stores: Stores, project: Project
) -> None:
    stores.answers[service] = "gone"
    with pytest.raises(UnhealthyError, match=words) as caught:
        _trace(project, trace_id)
    assert caught.value.hint == f"arcctl health {service}"
