"""`config`: settings, each value with its origin, and a safe way to change one."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from arcctl.cli.options import Json

if TYPE_CHECKING:
    from arcctl.app.config import Change
    from arcctl.core.env import Variable
    from arcctl.core.plan import Step
    from arcctl.core.settings import Value

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Settings: each value with its origin.")
SHOW, VALIDATE, DIFF, SET = (f"arcctl.config-{verb}/v1" for verb in ("show", "validate", "diff", "set"))


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="config")


def complete_services(ctx: typer.Context, incomplete: str) -> list[str]:
    from arcctl import services
    from arcctl.cli import completion

    return [name for name in (*services.names(), *completion.own(ctx)) if name.startswith(incomplete)]


def complete_keys(ctx: typer.Context, incomplete: str) -> list[str]:
    """The settings of the service that stands before, without its prefix, in the case that was begun."""
    from arcctl.cli import completion
    from arcctl.core.images import prefix
    from arcctl.core.settings import owned

    catalogue, service = completion.catalogue(ctx), str(ctx.params.get("service"))
    if service not in catalogue.services:
        return []
    start = prefix(catalogue.services[service])
    names = (n for n, (owner, v) in owned(catalogue).items() if owner == service and not v.told)
    known = (name.removeprefix(start) for name in names)
    return [key for name in known if (key := name.lower() if incomplete.islower() else name).startswith(incomplete)]


@app.command()
def show(ctx: typer.Context, json_: Json = False) -> None:
    """Every setting, its value (secrets hidden) and where it comes from.

    Examples: `arcctl config show`, `arcctl config show --json`
    """
    from arcctl.app.world import settings
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    values = settings(wiring.world(ctx.obj)).values
    if json_:
        items = [{"name": n, "service": v.service, "value": v.shown, "origin": v.origin} for n, v in values.items()]
        terminal.line(json.dumps({"schema": SHOW, "settings": items}, indent=2))
        return
    rows = [(name, value.shown, value.origin, value.variable.description) for name, value in values.items()]
    terminal.table(("SETTING", "VALUE", "ORIGIN", "MEANING"), rows)


@app.command()
def validate(ctx: typer.Context, json_: Json = False) -> None:
    """Check all settings. Exit code 2 with each problem named.

    Examples: `arcctl config validate`, `arcctl config validate --json`
    """
    from arcctl.app.world import settings
    from arcctl.cli import wiring
    from arcctl.core.settings import near_misses
    from arcctl.errors import ArcError
    from arcctl.ui import errors, terminal

    try:
        world = wiring.world(ctx.obj)
        warnings = [f"environment: {text}" for text in near_misses(world.environment, world.catalogue)]
        for text in () if json_ else warnings:
            terminal.say(f"warning: {text}", style="yellow")
        count = len(settings(world).values)
    except ArcError as error:
        if not json_:
            raise
        errors.show_json(VALIDATE, error)
        raise typer.Exit(error.exit_code) from None
    if json_:
        terminal.line(
            json.dumps({"schema": VALIDATE, "status": "ok", "settings": count, "warnings": warnings}, indent=2)
        )
        return
    terminal.say(f"{count} settings fit", style="green")


@app.command()
def diff(ctx: typer.Context, json_: Json = False) -> None:
    """Every value that is not the default, with what the default is.

    Examples: `arcctl config diff`, `arcctl config diff --json`
    """
    from arcctl.app import config as use_case
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    values = use_case.different(wiring.world(ctx.obj))
    if json_:
        items = [
            {
                "name": v.variable.name,
                "service": v.service,
                **_told(v),
                "default": v.variable.default,
                "meaning": v.variable.description,
            }
            for v in values
        ]
        terminal.line(json.dumps({"schema": DIFF, "settings": items}, indent=2))
    elif values:
        rows = [(v.variable.name, v.shown, _default(v.variable), v.origin, v.variable.description) for v in values]
        terminal.table(("SETTING", "VALUE", "DEFAULT", "ORIGIN", "MEANING"), rows)
    else:
        terminal.say("every setting has its default")


def _told(value: Value) -> dict[str, str]:
    return {"value": value.shown, "origin": value.origin}


def _default(variable: Variable) -> str:
    return "(drawn)" if variable.generate else variable.default or ""


@app.command("set")
def set_(
    ctx: typer.Context,
    service: Annotated[str, typer.Argument(autocompletion=complete_services, help="The service.")],
    key: Annotated[str, typer.Argument(autocompletion=complete_keys, help="With or without its prefix, in any case.")],
    value: Annotated[
        str | None, typer.Argument(help="`-` reads it from stdin. A secret without a value is asked for.")
    ] = None,
    unset: Annotated[bool, typer.Option("--unset", help="Take it out of the file: back to the default.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check it and show the change; write nothing.")] = False,
    json_: Json = False,
) -> None:
    """Change one setting: checked first, written whole, and what `arcctl up` makes anew because of it.

    Examples: `arcctl config set redis host_port 6380`, `arcctl config set redis HOST_PORT --unset`,
    `pass show grafana | arcctl config set grafana ADMIN_PASSWORD -`
    """
    from arcctl.app import config as use_case
    from arcctl.cli import wiring
    from arcctl.ui import terminal
    from arcctl.ui.progress import Progress

    world = wiring.world(ctx.obj, Progress())
    variable = use_case.find(service, key, world)
    text = None if unset else _value(service, variable, value)
    if unset and value is not None:
        _refuse("--unset takes no value", f"arcctl config set {service} {key} --unset")
    change = use_case.propose(service, variable, text, world)
    if not dry_run:
        wiring.run(use_case.write(change, world))
    anew = None if dry_run else use_case.made_anew(wiring.world(ctx.obj))
    if json_:
        terminal.line(json.dumps(_document(change, anew, written=not dry_run), indent=2))
    else:
        _show(change, anew, written=not dry_run)


def _value(service: str, variable: Variable, given: str | None) -> str:
    """The value as it was given, from stdin, or typed where nobody sees it."""
    command = f"arcctl config set {service} {variable.name}"
    if given == "-":
        return sys.stdin.read().rstrip("\r\n")
    if given is not None and not variable.secret:
        return given
    if given is not None:
        _refuse(
            f"{variable.name} is a secret, and a command line is seen by others", f"{command} - reads it from stdin"
        )
    if not (variable.secret and sys.stdin.isatty()):
        _refuse(f"no value for {variable.name}", f"{command} {'-' if variable.secret else 'VALUE'}")
    return str(typer.prompt(variable.name, hide_input=True, confirmation_prompt=True, err=True))


def _refuse(message: str, hint: str) -> NoReturn:
    from arcctl.errors import UsageError

    raise UsageError(message, hint=hint)


def _show(change: Change, anew: tuple[Step, ...] | None, *, written: bool) -> None:
    from arcctl.ui import terminal

    before, after = change.before, change.after
    for text in change.warnings:
        terminal.say(f"warning: {text}", style="yellow")
    terminal.line(f"{change.name}: {before.shown} ({before.origin}) -> {after.shown} ({after.origin})")
    for step in anew or ():
        terminal.line(str(step))
    if not written:
        terminal.say("nothing was written")
    elif anew is None:
        terminal.say("the engine does not answer, so what this changes cannot be told now")
    else:
        terminal.say("next: arcctl up" if anew else "nothing that runs is changed by it")


def _document(change: Change, anew: tuple[Step, ...] | None, *, written: bool) -> dict[str, Any]:
    return {
        "schema": SET,
        "name": change.name,
        "service": change.after.service,
        "before": _told(change.before),
        "after": _told(change.after),
        "written": written,
        "warnings": list(change.warnings),
        "made_anew": None if anew is None else [{"name": s.key, "cause": s.cause} for s in anew],
    }
