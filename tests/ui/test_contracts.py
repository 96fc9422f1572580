"""Documents that need a whole platform to be real, held against their schemas here too."""

from __future__ import annotations

import json

import pytest

from arcctl.core.bootstrap import Found, State
from arcctl.core.bootstrap import Report as Setup
from arcctl.core.proof import Outcome, Report, Step, Verdict
from arcctl.core.trace import Hop, LogLine, Series, Signal, Span, Trace
from arcctl.ui import bootstrap, trace, verify
from tests.contracts import hold, shipped

STEP = Step(owner="store", service="store", name="write", ok=False, ms=3, since_ms=4, message="refused")
TRACE = Trace(
    id="0af7651916cd43dd8448eb211c80319c",
    spans=(Span(id="a", parent="", service="shop", name="GET /", start_ns=1, duration_ms=1.5, ok=True),),
    lines=(LogLine(time_ns=2, service="shop", level="INFO", text="done"),),
    series=(Series(labels={"service": "shop"}, value="1"),),
    hops=tuple(Hop(service="shop", signal=signal, ok=True, ms=4) for signal in Signal),
)


def test_every_outcome_and_state_and_signal_fits_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = tuple(Verdict(service="s", outcome=o, double=False, steps=(STEP,)) for o in Outcome)
    found = tuple(Found(service="s", resource="r", state=state) for state in State)
    verify.show_json(
        Report(passed=False, started_at="2026-01-31T10:00:00Z", duration_ms=5, engine="docker", services=verdicts)
    )
    proved = capsys.readouterr().out
    bootstrap.show_json(Setup(passed=False, engine="docker", duration_ms=5, found=found))
    made = capsys.readouterr().out
    trace.show_json(TRACE)
    followed = capsys.readouterr().out
    for text in (proved, made, followed):
        assert shipped(json.loads(text)["schema"])
        hold(("--json",), text)
