"""The health report as a table, JSON, JUnit XML and annotations for GitHub."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from arcctl.checks import view
from arcctl.checks.health_report import Report, Status
from arcctl.errors import ArcError, EngineError
from arcctl.terminal import errors
from tests.fakes.reports import ABSENT, DEPENDENT, FINE, HEALTHY, MIXED, UNHEALTHY, report

pytestmark = pytest.mark.usefixtures("plain_streams")

SCHEMA = Path(__file__).parents[2] / "src" / "arcctl" / "schemas" / "health.v1.json"
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text()))

TABLE = """\
SERVICE   STATUS       VERSION     LATENCY  REASON
big-shop  ✘ unhealthy  3.1 (stub)  12 ms    HTTP 503 on /ready: <b>"100%" & busy</b>
front     ! degraded   9           1 ms     depends on big-shop, which is not healthy
old-shop  ? unknown                         not started
store     ✔ healthy    1.0         3 ms     port 7000 answered OK

✘ unhealthy: 1 healthy, 1 degraded, 1 unhealthy, 1 unknown in 42 ms; stubs, not the real servers: big-shop
"""


NOT_BUILT = "not available here: it was not built (build shop)"
AWAY = replace(
    ABSENT, name="shop", available=False, checks=(replace(ABSENT.checks[0], message=NOT_BUILT, hint="build shop"),)
)


def _shown(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Both streams, without the spaces at the ends of lines."""
    out, err = capsys.readouterr()
    return "".join(f"{line.rstrip()}\n" for line in out.splitlines()), err


def test_the_table_shows_a_word_with_each_glyph_and_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    view.show_health(MIXED)
    assert _shown(capsys) == (TABLE, "big-shop: next, arcctl logs big-shop\n")


def test_healthy_services_need_no_next_command(capsys: pytest.CaptureFixture[str]) -> None:
    view.show_health(FINE)
    assert _shown(capsys) == (
        "SERVICE  STATUS     VERSION  LATENCY  REASON\n"
        "store    ✔ healthy  1.0      3 ms     port 7000 answered OK\n"
        "\n"
        "✔ healthy: 1 healthy in 42 ms\n",
        "",
    )


def test_services_that_cannot_run_here_share_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    view.show_health(report(Status.HEALTHY, HEALTHY, AWAY, replace(AWAY, name="inn")), ("shop", "inn"))
    assert _shown(capsys)[0] == (
        "SERVICE  STATUS     VERSION  LATENCY  REASON\n"
        "store    ✔ healthy  1.0      3 ms     port 7000 answered OK\n"
        "\n"
        "not available here: shop, inn (what each needs: arcctl engine list)\n"
        "\n"
        "✔ healthy: 1 healthy in 42 ms\n"
    )


def test_each_service_that_is_not_left_out_has_its_row(capsys: pytest.CaptureFixture[str]) -> None:
    view.show_health(report(Status.HEALTHY, HEALTHY, AWAY))
    assert (
        "shop     ? unknown                    not available here: it was not built (build shop)" in _shown(capsys)[0]
    )


def test_json_has_every_service_whatever_people_see() -> None:
    document = json.loads(view.health_json(report(Status.HEALTHY, HEALTHY, AWAY)))
    VALIDATOR.validate(document)
    assert [service["name"] for service in document["services"]] == ["store", "shop"]


def test_json_has_every_check() -> None:
    check = {"hint": "", "kind": "readiness", "latency_ms": 0}
    assert json.loads(view.health_json(report(Status.DEGRADED, DEPENDENT))) == {
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
                    check | {"id": "container", "kind": "liveness", "status": "pass", "message": "running"},
                    check | {"id": "probe", "status": "pass", "latency_ms": 1, "message": "HTTP 200 on /"},
                    check
                    | {
                        "id": "needs",
                        "status": "warn",
                        "message": "depends on big-shop, which is not healthy",
                        "hint": "arcctl health big-shop",
                    },
                ],
                "blocked_by": ["big-shop"],
            }
        ],
        "summary": {"healthy": 0, "degraded": 1, "unhealthy": 0, "unknown": 0},
    }


def test_the_schema_is_valid() -> None:
    Draft202012Validator.check_schema(VALIDATOR.schema)


@pytest.mark.parametrize("made", [FINE, MIXED, report(Status.UNKNOWN, ABSENT), report(Status.UNKNOWN)])
def test_every_report_fits_the_schema(made: Report) -> None:
    VALIDATOR.validate(json.loads(view.health_json(made)))


def test_only_a_custom_service_is_marked_as_one() -> None:
    document = json.loads(view.health_json(report(Status.HEALTHY, HEALTHY, replace(HEALTHY, custom=True))))
    VALIDATOR.validate(document)
    assert [service.get("custom") for service in document["services"]] == [None, True]


@pytest.mark.parametrize("error", [EngineError("cannot reach Docker", hint="start it"), ArcError("it rains")])
def test_an_error_fits_the_schema(error: ArcError, capsys: pytest.CaptureFixture[str]) -> None:
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
def test_the_schema_refuses_other_documents(change: dict[str, object]) -> None:
    assert VALIDATOR.is_valid(json.loads(view.health_json(MIXED)))
    assert not VALIDATOR.is_valid(json.loads(view.health_json(MIXED)) | change)


def test_junit_counts_unhealthy_as_failures_and_unknown_as_skipped() -> None:
    text = view.health_junit(MIXED)
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


def test_github_gets_an_annotation_for_each_service_that_is_not_healthy_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    view.show_github(MIXED)
    assert _shown(capsys) == (
        "",
        '::error title=big-shop is unhealthy::HTTP 503 on /ready: <b>"100%25" & busy</b>\n'
        "::warning title=front is degraded::depends on big-shop, which is not healthy\n"
        "::notice title=old-shop is unknown::not started\n",
    )


def test_ci_gets_one_notice_and_one_line_for_what_cannot_run_here(capsys: pytest.CaptureFixture[str]) -> None:
    away = report(Status.HEALTHY, HEALTHY, AWAY)
    line = "not available here: shop (what each needs: arcctl engine list)"
    view.show_github(away, ("shop",))
    assert _shown(capsys)[1] == f"::notice title=not available here: 1 service::{line}\n"
    text = view.health_markdown(away, ("shop",))
    assert text.endswith(f"| store | ✔ healthy | 1.0 | port 7000 answered OK |\n\n{line}\n\n")


def test_the_text_of_a_server_is_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    text = "[red]HTTP 500[/red] :boom: [link=x]"
    view.show_health(report(Status.UNHEALTHY, replace(UNHEALTHY, checks=(replace(UNHEALTHY.checks[1], message=text),))))
    assert text in capsys.readouterr().out
