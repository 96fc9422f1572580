"""JSON documents of commands that need a running platform fit their schemas."""

from __future__ import annotations

import json

import pytest

from arcctl.checks import view
from arcctl.checks.trace_report import Hop, LogLine, Series, Span, Trace
from arcctl.checks.verify_report import Outcome, Report, Verdict
from arcctl.lifecycle import view as lifecycle
from arcctl.lifecycle.report import BootstrapReport
from arcctl.model.resource import ResourceResult, State
from arcctl.model.smoke_test import Step
from arcctl.model.telemetry import Signal
from tests.fakes.contracts import check_document, shipped

pytestmark = pytest.mark.usefixtures("plain_streams")

STEP = Step(owner="store", service="store", name="write", ok=False, ms=3, since_ms=4, message="refused")
TRACE = Trace(
    id="0af7651916cd43dd8448eb211c80319c",
    spans=(Span(id="a", parent="", service="shop", name="GET /", start_ns=1, duration_ms=1.5, ok=True),),
    lines=(LogLine(time_ns=2, service="shop", level="INFO", text="done"),),
    series=(Series(labels={"service": "shop"}, value="1"),),
    hops=tuple(Hop(service="shop", signal=signal, ok=True, ms=4) for signal in Signal),
)


def test_every_outcome_state_and_signal_fits_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = tuple(Verdict(name="s", outcome=o, stub=False, steps=(STEP,)) for o in Outcome)
    found = tuple(ResourceResult(service="s", resource="r", state=state) for state in State)
    verified = view.verify_json(
        Report(passed=False, started_at="2026-01-31T10:00:00Z", duration_ms=5, engine="docker", services=verdicts)
    )
    lifecycle.bootstrap_json(BootstrapReport(passed=False, engine="docker", duration_ms=5, resources=found))
    for text in (verified, capsys.readouterr().out, view.trace_json(TRACE)):
        assert shipped(json.loads(text)["schema"])
        check_document(("--json",), text)
