"""The health report in its four forms."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from arcctl.core.health import Report, Status
from arcctl.errors import ArcError, EngineError
from arcctl.ui import errors
from arcctl.ui import health as show
from tests.ui.reports import AWAY, FINE, ILL, LEANS, MIXED, report

SCHEMA = Path(__file__).parents[2] / "src" / "arcctl" / "schemas" / "health.v1.json"
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text()))

TABLE = """\
SERVICE   STATUS       VERSION                LATENCY  REASON
big-shop  ✘ unhealthy  3.1 (contract double)  12 ms    HTTP 503 on /ready: <b>"100%" & busy</b>
front     ! degraded   9                      1 ms     blocked by big-shop; stands on big-shop, which is not healthy
old-shop  ? unknown                                    not started
store     ✔ healthy    1.0                    3 ms     port 7000 answered OK

✘ unhealthy: 1 healthy, 1 degraded, 1 unhealthy, 1 unknown in 42 ms; contract doubles, not the real servers: big-shop
"""


def _shown(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Both streams, without the spaces at the ends of lines."""
    out, err = capsys.readouterr()
    return "".join(f"{line.rstrip()}\n" for line in out.splitlines()), err


def test_the_table_has_a_word_beside_each_glyph_and_one_line_that_sums_up(capsys: pytest.CaptureFixture[str]) -> None:
    show.show(MIXED)
    assert _shown(capsys) == (TABLE, "big-shop: next, arcctl logs big-shop\n")


def test_where_all_is_well_nothing_is_to_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    show.show(FINE)
    assert _shown(capsys) == (
        "SERVICE  STATUS     VERSION  LATENCY  REASON\n"
        "store    ✔ healthy  1.0      3 ms     port 7000 answered OK\n"
        "\n"
        "✔ healthy: 1 healthy in 42 ms\n",
        "",
    )


def test_json_is_one_document_with_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    show.show_json(report(Status.DEGRADED, LEANS))
    out, err = capsys.readouterr()
    check = {"hint": "", "kind": "readiness", "latency_ms": 0}
    assert (err, json.loads(out)) == (
        "",
        {
            "schema": "arcctl.health/v1",
            "status": "degraded",
            "started_at": "2026-01-31T10:00:00.000Z",
            "duration_ms": 42,
            "engine": "docker",
            "project": "arc",
            "services": [
                {
                    "name": "front",
                    "layer": "platform",
                    "status": "degraded",
                    "state": "running",
                    "version": "9",
                    "checks": [
                        check | {"id": "container", "kind": "liveness", "status": "pass", "message": "container runs"},
                        check | {"id": "probe", "status": "pass", "latency_ms": 1, "message": "HTTP 200 on /"},
                        check
                        | {
                            "id": "needs",
                            "status": "warn",
                            "message": "stands on big-shop, which is not healthy",
                            "hint": "arcctl health big-shop",
                        },
                    ],
                    "blocked_by": ["big-shop"],
                }
            ],
            "summary": {"healthy": 0, "degraded": 1, "unhealthy": 0, "unknown": 0},
        },
    )


def test_the_contract_is_a_schema() -> None:
    Draft202012Validator.check_schema(VALIDATOR.schema)


@pytest.mark.parametrize("made", [FINE, MIXED, report(Status.UNKNOWN, AWAY), report(Status.UNKNOWN)])
def test_every_report_keeps_to_the_contract(made: Report, capsys: pytest.CaptureFixture[str]) -> None:
    show.show_json(made)
    VALIDATOR.validate(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize("error", [EngineError("no Docker engine answers", hint="start it"), ArcError("it rains")])
def test_a_failure_keeps_to_the_contract_too(error: ArcError, capsys: pytest.CaptureFixture[str]) -> None:
    errors.show_json("arcctl.health/v1", error)
    document = json.loads(capsys.readouterr().out)
    VALIDATOR.validate(document)
    assert document == {
        "schema": "arcctl.health/v1",
        "status": "error",
        "error": {"code": error.code, "message": error.message, "hint": error.hint},
    }


@pytest.mark.parametrize(
    "change",
    [{"status": "green"}, {"extra": 1}, {"services": [{}]}, {"duration_ms": 1.5}, {"summary": {}}, {"schema": "v2"}],
    ids=str,
)
def test_the_contract_refuses_what_is_none_of_it(change: dict[str, object]) -> None:
    assert VALIDATOR.is_valid(json.loads(json.dumps(show.document(MIXED))))
    assert not VALIDATOR.is_valid(json.loads(json.dumps(show.document(MIXED))) | change)


def test_junit_counts_the_ill_as_failures_and_the_absent_as_skipped() -> None:
    text = show.junit(MIXED)
    assert text.startswith("<?xml version='1.0' encoding='utf-8'?>\n<testsuite ")
    suite = ElementTree.fromstring(text.encode())
    assert suite.attrib == {
        "name": "arcctl health",
        "timestamp": "2026-01-31T10:00:00.000Z",
        "tests": "4",
        "failures": "1",
        "skipped": "1",
        "time": "0.042",
    }
    cases = [(c.get("classname"), c.get("name"), c.get("time"), [(e.tag, e.get("message")) for e in c]) for c in suite]
    assert cases == [
        ("platform", "big-shop", "0.012", [("failure", 'HTTP 503 on /ready: <b>"100%" & busy</b>')]),
        ("platform", "front", "0.001", []),
        ("platform", "old-shop", "0.000", [("skipped", "not started")]),
        ("observability", "store", "0.003", []),
    ]


def test_github_gets_an_annotation_for_each_that_is_not_well_and_stdout_stays_free(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show.show_github(MIXED)
    assert _shown(capsys) == (
        "",
        '::error title=big-shop is unhealthy::HTTP 503 on /ready: <b>"100%25" & busy</b>\n'
        "::warning title=front is degraded::stands on big-shop, which is not healthy\n"
        "::notice title=old-shop is unknown::not started\n",
    )


def test_what_a_server_says_is_text_and_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    said = "[red]HTTP 500[/red] :boom: [link=x]"
    show.show(report(Status.UNHEALTHY, replace(ILL, checks=(replace(ILL.checks[1], message=said),))))
    assert said in capsys.readouterr().out
