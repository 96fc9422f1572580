"""`arcctl health` from the command line to a real server: output, exit code and time."""

from __future__ import annotations

import gc
import json
import re
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import validate

from arcctl import services
from tests.cli.command_line import CommandLine, Done, container, serving

SCHEMA = json.loads((Path(__file__).parents[2] / "src" / "arcctl" / "schemas" / "health.v1.json").read_text())
INSIDE_ILL = {"Health": {"Status": "unhealthy", "Log": [{"Output": "no such file"}]}}


def _steady(done: Done) -> Done:
    """Without what differs from run to run: times, and spaces at the ends of lines."""
    lines = [re.sub(r"\d+ ms( *)", r"N ms\1", line).rstrip() for line in done.out.splitlines()]
    return Done(done.code, "\n".join(re.sub(r" {2,}", "  ", line) for line in lines), done.err)


def test_a_service_that_answers_is_healthy_and_exit_0(cli: CommandLine) -> None:
    with serving() as port:
        cli.engine(container(port=port))
        done = _steady(cli.arcctl("health", "loki"))
    assert done == Done(
        0,
        "SERVICE  STATUS  VERSION  LATENCY  REASON\n"
        "loki  ✔ healthy  3.7.8  N ms  HTTP 200 on /ready\n"
        "\n"
        "✔ healthy: 1 healthy in N ms",
        "",
    )


def test_a_running_container_that_does_not_serve_is_unhealthy_and_exit_1(cli: CommandLine) -> None:
    with serving(503, "Ingester not ready") as port:
        cli.engine(container(port=port, State={"Health": {"Status": "healthy"}}))
        done = _steady(cli.arcctl("health", "loki"))
    assert done == Done(
        1,
        "SERVICE  STATUS  VERSION  LATENCY  REASON\n"
        "loki  ✘ unhealthy  3.7.8  N ms  HTTP 503 on /ready: Ingester not ready\n"
        "\n"
        "✘ unhealthy: 1 unhealthy in N ms",
        "loki: next, arcctl logs loki\n",
    )


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--strict",), 1)], ids=["by default", "strict"])
def test_degraded_fails_only_where_it_is_held_against_it(cli: CommandLine, words: tuple[str, ...], code: int) -> None:
    with serving() as port:
        cli.engine(container(port=port, State=INSIDE_ILL))
        done = cli.arcctl("health", "loki", *words)
    assert (done.code, "in-container check unhealthy: no such file" in done.out) == (code, True)


@pytest.mark.parametrize("words", [("loki",), ("all",), ("observability",), ()], ids=" ".join)
def test_json_is_one_valid_document_and_nothing_else(cli: CommandLine, words: tuple[str, ...]) -> None:
    with serving() as port:
        cli.engine(container(port=port))
        done = cli.arcctl("health", *words, "--json")
    document = json.loads(done.out)
    validate(document, SCHEMA)
    assert (done.code, done.err, document["status"]) == (0, "", "healthy")
    assert {s["name"]: s["status"] for s in document["services"]}["loki"] == "healthy"


def test_nothing_started_is_not_green(cli: CommandLine) -> None:
    cli.engine()
    done = cli.arcctl("health", "--json")
    assert (done.code, json.loads(done.out)["summary"]["unknown"]) == (1, len(services.names()))


def test_a_server_that_hangs_is_given_up_at_the_deadline(cli: CommandLine) -> None:
    with serving(hang=True) as port:
        cli.engine(container(port=port))
        began = time.monotonic()
        done = cli.arcctl("health", "loki", "--timeout", "1", "--json")
        took = time.monotonic() - began
    (service,) = json.loads(done.out)["services"]
    assert (done.code, service["status"]) == (1, "unhealthy")
    assert re.fullmatch(rf"no answer on port {port} in \d\.\d s", service["checks"][-1]["message"])
    assert took < 30


def test_waiting_in_vain_is_exit_4_with_the_last_report(cli: CommandLine) -> None:
    with serving(503, "") as port:
        cli.engine(container(port=port))
        done = cli.arcctl("health", "loki", "--wait", "--timeout", "0.2", "--json")
    document = json.loads(done.out)
    assert (done.code, document["status"]) == (4, "unhealthy")


def test_waiting_ends_as_soon_as_all_is_well(cli: CommandLine) -> None:
    with serving() as port:
        cli.engine(container(port=port))
        began = time.monotonic()
        assert cli.arcctl("health", "loki", "--wait", "--timeout", "60").code == 0
    assert time.monotonic() - began < 30


def test_junit_and_annotations_are_written_with_the_json(cli: CommandLine, tmp_path: Path) -> None:
    with serving(503, "busy") as port:
        cli.engine(container(port=port))
        done = cli.arcctl("health", "loki", "--json", "--github", "--junit", str(tmp_path / "report.xml"))
    validate(json.loads(done.out), SCHEMA)
    assert done.err == "::error title=loki is unhealthy::HTTP 503 on /ready: busy\n"
    assert ElementTree.parse(tmp_path / "report.xml").getroot().get("failures") == "1"


def test_a_report_that_cannot_be_written_is_named(cli: CommandLine, tmp_path: Path) -> None:
    with serving() as port:
        cli.engine(container(port=port))
        done = cli.arcctl("health", "loki", "--junit", str(tmp_path / "nowhere" / "report.xml"))
    error = f"error: {tmp_path}/nowhere: no such file or directory\nhint: see what is there: ls -la {tmp_path}\n"
    assert (done.code, done.err) == (2, error)


@pytest.mark.parametrize(
    ("words", "code", "kind"),
    [(("lokki",), 2, "unknown-service"), ((), 3, "engine")],
    ids=["unknown service", "no engine"],
)
def test_json_keeps_to_the_contract_also_when_it_fails(
    cli: CommandLine, words: tuple[str, ...], code: int, kind: str
) -> None:
    cli.docker.says("*", err="Cannot connect to the Docker daemon", code=1)
    done = cli.arcctl("health", *words, "--json")
    document = json.loads(done.out)
    validate(document, SCHEMA)
    assert (done.code, done.err, document["status"], document["error"]["code"]) == (code, "", "error", kind)


def test_settings_that_do_not_fit_are_a_document_too_and_show_no_value(cli: CommandLine) -> None:
    cli.engine()
    cli.environment["LOKI_HOST_PORT"] = "s3ntinel"
    done = cli.arcctl("health", "--json")
    validate(json.loads(done.out), SCHEMA)
    assert (done.code, json.loads(done.out)["error"]["code"], "s3ntinel" in done.out) == (2, "invalid-settings", False)


def test_a_setting_that_is_invalid_is_an_error_and_no_more(cli: CommandLine, caplog: pytest.LogCaptureFixture) -> None:
    cli.engine()
    cli.environment["REDIS_HOST_PORT"] = "none"
    done = cli.arcctl("health", "redis")
    gc.collect()
    assert (done.code, done.err.startswith("error: REDIS_HOST_PORT: "), caplog.records) == (2, True, [])
