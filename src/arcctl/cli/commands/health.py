"""`health`: whether every service serves."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcctl.cli.globals import Globals
from arcctl.cli.options import Json, Summary, Unavailable, Words

if TYPE_CHECKING:
    from arcctl.checks.health_report import Report

PAUSE = 1.0
"""Seconds between two rounds of `--watch` and `--wait`."""


def register(app: typer.Typer) -> None:
    app.command()(health)


def health(
    ctx: typer.Context,
    names: Words = None,
    all_: Unavailable = False,
    json_: Json = False,
    watch: Annotated[bool, typer.Option("--watch", help="Repeat until Ctrl-C.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Repeat until all are healthy or --timeout is over.")] = False,
    timeout: Annotated[float, typer.Option(min=0, help="Deadline in seconds: 5, or 300 with --wait.")] = 0.0,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a JUnit report too.")] = None,
    github: Annotated[bool, typer.Option("--github", help="Annotations for GitHub Actions on stderr.")] = False,
    summary: Summary = None,
    strict: Annotated[bool, typer.Option("--strict", help="Degraded counts as a failure.")] = False,
) -> None:
    """Check whether each service answers. The exit code is 0 if all are healthy or degraded.

    Examples: `arcctl health`, `arcctl health redis --json`, `arcctl health --wait --timeout 120`
    """
    from arcctl.checks import health as use_case
    from arcctl.checks.health_report import SCHEMA
    from arcctl.errors import ArcError

    words = tuple(names or ())
    try:
        report = _ask(ctx.obj, words, 0.0 if wait else timeout)
        if watch:
            _watch(ctx.obj, words, report, all_=all_)
        if wait:
            report = _wait(ctx.obj, words, report, timeout or 300.0, strict=strict)
    except ArcError as error:
        if not json_:
            raise
        from arcctl.terminal import errors

        errors.show_json(SCHEMA, error)
        raise typer.Exit(error.exit_code) from None
    left_out = () if all_ else report.unavailable(words)
    _show(report, left_out, json_=json_, junit=junit, github=github)
    if summary:
        _summarise(report, left_out, summary)
    if not use_case.passed(report, strict=strict):
        raise typer.Exit(4 if wait else 1)


def _ask(chosen: Globals, words: tuple[str, ...], deadline: float) -> Report:
    from arcctl.checks import health as use_case
    from arcctl.checks.record import record
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import ignore, load_project, newest_backup

    project = load_project(chosen, chosen.display() if chosen.telemetry else ignore)
    newest = newest_backup(project)
    request = use_case.Request(words=words, deadline=deadline or use_case.DEADLINE, newest_backup=newest)
    work, good = partial(use_case.health, request), partial(use_case.passed, strict=False)
    report: Report = run(record("health", project, work, good, asked=chosen.telemetry))
    return report


def _wait(chosen: Globals, words: tuple[str, ...], report: Report, seconds: float, *, strict: bool) -> Report:
    from arcctl.checks import health as use_case

    end = time.monotonic() + seconds
    while not use_case.passed(report, strict=strict) and (left := end - time.monotonic()) > 0:
        time.sleep(min(PAUSE, left))
        report = _ask(chosen, words, min(max(left, 0.5), use_case.DEADLINE))
    return report


def _watch(chosen: Globals, words: tuple[str, ...], report: Report, *, all_: bool) -> None:
    from arcctl.checks import view
    from arcctl.terminal import console as terminal

    while True:
        terminal.out().clear()
        view.show_health(report, () if all_ else report.unavailable(words))
        time.sleep(PAUSE)
        report = _ask(chosen, words, 0.0)


def _show(report: Report, left_out: tuple[str, ...], *, json_: bool, junit: Path | None, github: bool) -> None:
    from arcctl.checks import view
    from arcctl.cli import report_files
    from arcctl.terminal import console as terminal

    if json_:
        terminal.line(view.health_json(report))
    else:
        view.show_health(report, left_out)
    if junit:
        report_files.write(junit, view.health_junit(report))
    if github:
        view.show_github(report, left_out)


def _summarise(report: Report, left_out: tuple[str, ...], path: Path) -> None:
    from arcctl.checks import view
    from arcctl.cli import report_files

    report_files.append(path, view.health_markdown(report, left_out))
