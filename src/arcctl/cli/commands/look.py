"""Commands that only look: health, ps, top, info, logs."""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcctl.cli.options import Globals, Json, Summary, Words

if TYPE_CHECKING:
    from arcctl.core.health import Report

PAUSE = 1.0
"""Seconds between two looks of `--watch` and `--wait`."""


def register(app: typer.Typer) -> None:
    for command in (health, ps, top, info, logs):
        app.command()(command)
    app.command("status", hidden=True)(ps)


def health(
    ctx: typer.Context,
    names: Words = None,
    json_: Json = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again until Ctrl-C.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Look until all is healthy or --timeout is over.")] = False,
    timeout: Annotated[float, typer.Option(min=0, help="Deadline: 5 s for a look, 300 s with --wait.")] = 0.0,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a JUnit report too.")] = None,
    github: Annotated[bool, typer.Option("--github", help="Annotations for GitHub Actions on stderr.")] = False,
    summary: Summary = None,
    strict: Annotated[bool, typer.Option("--strict", help="Degraded counts as a failure.")] = False,
) -> None:
    """Ask every service whether it serves. Exit code 0 only when it does.

    Examples: `arcctl health`, `arcctl health redis --json`, `arcctl health --wait --timeout 120`
    """
    from arcctl.app import health as use_case
    from arcctl.core.health import SCHEMA
    from arcctl.errors import ArcError

    words = tuple(names or ())
    try:
        report = _look(ctx.obj, words, 0.0 if wait else timeout)
        if watch:
            _watch(ctx.obj, words, report)
        if wait:
            report = _wait(ctx.obj, words, report, timeout or 300.0, strict=strict)
    except ArcError as error:
        if not json_:
            raise
        from arcctl.ui import errors

        errors.show_json(SCHEMA, error)
        raise typer.Exit(error.exit_code) from None
    _show(report, json_=json_, junit=junit, github=github)
    if summary:
        _summarise(report, summary)
    if not use_case.passed(report, strict=strict):
        raise typer.Exit(4 if wait else 1)


def _look(chosen: Globals, words: tuple[str, ...], deadline: float) -> Report:
    from arcctl.app import health as use_case
    from arcctl.app.telemetry import recorded
    from arcctl.cli import wiring
    from arcctl.ui.progress import Progress

    request = use_case.Request(words=words, deadline=deadline or use_case.DEADLINE)
    sink = Progress() if chosen.telemetry else wiring.silent
    work, good = partial(use_case.run, request), partial(use_case.passed, strict=False)
    report: Report = wiring.run(recorded("health", wiring.world(chosen, sink), work, good))
    return report


def _wait(chosen: Globals, words: tuple[str, ...], report: Report, seconds: float, *, strict: bool) -> Report:
    from arcctl.app import health as use_case

    end = time.monotonic() + seconds
    while not use_case.passed(report, strict=strict) and (left := end - time.monotonic()) > 0:
        time.sleep(min(PAUSE, left))
        report = _look(chosen, words, min(max(left, 0.5), use_case.DEADLINE))
    return report


def _watch(chosen: Globals, words: tuple[str, ...], report: Report) -> None:
    from arcctl.ui import health as show
    from arcctl.ui import terminal

    while True:
        terminal.out().clear()
        show.show(report)
        time.sleep(PAUSE)
        report = _look(chosen, words, 0.0)


def _show(report: Report, *, json_: bool, junit: Path | None, github: bool) -> None:
    from arcctl.cli import wiring
    from arcctl.ui import health as show

    if json_:
        show.show_json(report)
    else:
        show.show(report)
    if junit:
        wiring.write_report(junit, show.junit(report))
    if github:
        show.show_github(report)


def _summarise(report: Report, path: Path) -> None:
    from arcctl.cli import wiring
    from arcctl.ui import summary

    wiring.append_report(path, summary.of_health(report))


def ps(ctx: typer.Context, names: Words = None, json_: Json = False) -> None:
    """What runs, as the engine sees it: nothing is probed.

    Examples: `arcctl ps`, `arcctl ps --json`
    """
    from arcctl.app import stop
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    world = wiring.world(ctx.obj)
    keys = world.catalogue.containers(stop.chosen(tuple(names or ()), world.catalogue))
    observed = world.engine.observe()
    rows = [(key, observed.of(key)) for key in keys]
    if json_:
        items = [{"name": k, "state": s.state, "health": s.health, "image": s.image, "ports": s.ports} for k, s in rows]
        terminal.line(json.dumps({"schema": "arcctl.ps/v1", "containers": items}, indent=2))
        return
    cells = [
        (k, s.state, s.health, ", ".join(f"{h}->{c}" for c, h in sorted(s.ports.items())), s.image) for k, s in rows
    ]
    terminal.table(("CONTAINER", "STATE", "IN-CONTAINER CHECK", "PORTS", "IMAGE"), cells)


def top(
    ctx: typer.Context,
    names: Words = None,
    once: Annotated[bool, typer.Option("--once", help="Look once, also on a terminal.")] = False,
    json_: Json = False,
) -> None:
    """Memory, CPU and disk of everything that runs; on a terminal again and again until Ctrl-C.

    Examples: `arcctl top`, `arcctl top postgres redis --once`, `arcctl top --json`
    """
    from arcctl.app import top as use_case
    from arcctl.cli import wiring
    from arcctl.ui import terminal
    from arcctl.ui import top as show

    words, world = tuple(names or ()), wiring.world(ctx.obj)
    rows = use_case.look(words, world)
    if json_:
        show.show_json(rows, world.engine.name)
    elif once or not sys.stdout.isatty():
        show.show(rows)
    else:
        show.follow(lambda: use_case.look(words, world, use_case.sizes(rows)))
    if not rows:
        terminal.say("nothing runs; `arcctl up` starts it")


def info(
    ctx: typer.Context,
    names: Words = None,
    json_: Json = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show passwords and tokens.")] = False,
) -> None:
    """How to reach every service: addresses, users, and passwords where --reveal is given.

    Examples: `arcctl info`, `arcctl info postgres --reveal`, `arcctl info --json`
    """
    from arcctl.app import info as use_case
    from arcctl.cli import wiring
    from arcctl.ui import info as show

    entries = use_case.run(tuple(names or ()), wiring.world(ctx.obj))
    (show.show_json if json_ else show.show)(entries, reveal=reveal)


def logs(
    ctx: typer.Context,
    names: Words = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as new lines come.")] = False,
    since: Annotated[str, typer.Option(help="Only lines since then: 10m, 2026-01-31T10:00:00Z.")] = "",
    tail: Annotated[str, typer.Option(help="Only so many last lines of each container.")] = "",
) -> None:
    """Logs of services and helpers.

    Examples: `arcctl logs loki`, `arcctl logs kratos kratos-migrate --since 10m`, `arcctl logs -f`
    """
    from arcctl.app import stop
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    world = wiring.world(ctx.obj)
    observed = world.engine.observe()
    keys = [k for k in stop.log_keys(tuple(names or ("all",)), world.catalogue) if k in observed.containers]
    if not keys:
        terminal.say("no such container exists; `arcctl ps` shows what does")
        return
    for text in world.engine.logs(keys, follow=follow, since=since, tail=tail):
        terminal.line(text)
