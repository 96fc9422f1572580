"""Commands that change what runs: up, down, restart, clean."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from arcctl.cli.asking import agreed
from arcctl.cli.options import Timeout, Words, Yes

if TYPE_CHECKING:
    from arcctl.app.up import Result
    from arcctl.app.world import World


def register(app: typer.Typer) -> None:
    for command in (up, down, restart, clean):
        app.command()(command)


def up(
    ctx: typer.Context,
    names: Words = None,
    stack: Annotated[
        bool, typer.Option("--stack", help="All services and your own, not the observability layer alone.")
    ] = False,
    layer: Annotated[str, typer.Option(help="One layer: observability, platform or own.")] = "",
    wait: Annotated[bool, typer.Option(help="Wait until every service answered its probe.")] = True,
    timeout: Timeout = 300.0,
    engine: Annotated[str, typer.Option(help="docker, embedded or auto, as before the command.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and do nothing.")] = False,
    locked: Annotated[bool, typer.Option("--locked", help="Only with the images of images.lock.json.")] = False,
) -> None:
    """Start services and what they need, and prove that they answer.

    Examples: `arcctl up`, `arcctl up --stack`, `arcctl up redis unleash`
    """
    from arcctl.app import up as use_case
    from arcctl.app.telemetry import recorded
    from arcctl.cli import wiring
    from arcctl.ui.progress import Progress

    chosen = replace(ctx.obj, engine=engine or ctx.obj.engine)
    words = (*(names or ()), *((layer,) if layer else ()), *(("all",) if stack else ()))
    request = use_case.Request(words=words, wait=wait, timeout=timeout, dry_run=dry_run)
    if not dry_run:
        wiring.refresh(chosen)
    request = use_case.Request(words=words, wait=wait, timeout=timeout, dry_run=dry_run, locked=locked)
    with Progress() as progress:
        world = wiring.world(chosen, progress)
        work = partial(use_case.run, request)
        result = wiring.run(recorded("up", world, work, use_case.came_up))
    _show(result, world, waited=wait)


def _show(result: Result, world: World, *, waited: bool) -> None:
    from arcctl.ui import terminal

    if result.outcome is None:
        for step in result.plan.steps:
            terminal.line(str(step))
        return
    if not waited and not result.outcome.failed:
        terminal.say("started; `arcctl health --wait` tells when all is ready")
        return
    raise_for(result, world)
    done = "everything runs already, nothing to do" if not result.plan.changes else "ready"
    names = ", ".join(result.plan.services)
    terminal.say(f"{done}: {names} ({result.outcome.seconds:.1f} s)", style="green")
    if result.outcome.doubles:
        terminal.say(f"contract doubles, not the real servers: {', '.join(result.outcome.doubles)}", style="yellow")
    if result.left_out:
        terminal.say(f"not up, because not available here: {', '.join(result.left_out)}", style="yellow")
    terminal.say("next: arcctl info, arcctl health" + (", arcctl engine list" if result.left_out else ""))


def raise_for(result: Result, world: World) -> None:
    from arcctl.app.up import came_up
    from arcctl.errors import DeadlineError, UnhealthyError
    from arcctl.ui import terminal

    outcome = result.outcome
    if outcome is None or came_up(result):
        return
    blamed = outcome.failed or outcome.waiting
    culprit, reason = next(iter(blamed.items()))
    for text in world.engine.logs([culprit], follow=False, since="", tail="12"):
        terminal.say(f"  {text}", style="dim")
    others = f" (and {len(blamed) - 1} more: {', '.join(list(blamed)[1:])})" if len(blamed) > 1 else ""
    hint = f"arcctl logs {culprit}, then arcctl up again"
    if outcome.failed:
        raise UnhealthyError(f"{culprit} did not come up: {reason}{others}", hint=hint)
    raise DeadlineError(f"{culprit} was not ready in {outcome.seconds:.0f} s: {reason}{others}", hint=hint)


def down(ctx: typer.Context, names: Words = None) -> None:
    """Stop services and keep their data.

    Examples: `arcctl down`, `arcctl down redis`
    """
    from arcctl.app import stop
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    stopped = stop.down(tuple(names or ()), wiring.world(ctx.obj))
    terminal.say(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")
    terminal.say("all data is kept; `arcctl up` goes on with it, `arcctl clean` destroys it")


def restart(ctx: typer.Context, names: Words = None) -> None:
    """Restart services that exist, and wait until they answer.

    Examples: `arcctl restart`, `arcctl restart loki`
    """
    from arcctl.app import stop
    from arcctl.app import up as use_case
    from arcctl.cli import wiring
    from arcctl.ui import terminal
    from arcctl.ui.progress import Progress

    with Progress() as progress:
        world = wiring.world(ctx.obj, progress)
        restarted = stop.restart(tuple(names or ()), world)
        if not restarted:
            terminal.say("nothing is there to restart; `arcctl up` starts it")
            return
        result = wiring.run(use_case.run(use_case.Request(words=restarted), world))
    raise_for(result, world)
    terminal.say(f"restarted: {', '.join(restarted)}", style="green")


def clean(ctx: typer.Context, yes: Yes = False) -> None:
    """Destroy containers, networks and all data. Lists it first, and asks.

    Examples: `arcctl clean`, `arcctl clean --yes`
    """
    from arcctl.app import stop
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    world = wiring.world(ctx.obj)
    containers, volumes = stop.destroyable(world)
    if not containers and not volumes:
        terminal.say("nothing to destroy")
        return
    terminal.say(f"containers: {', '.join(containers) or 'none'}")
    terminal.say(f"data volumes: {', '.join(volumes) or 'none'}")
    if agreed("Destroy all of this?", yes=yes, command="arcctl clean"):
        stop.clean(world)
        terminal.say("destroyed; settings and secrets are kept")
