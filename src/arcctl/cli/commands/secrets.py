"""`secrets`: what there is, new ones for old, and a way out for production. Never a value unless it is asked for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcctl.cli.asking import agreed
from arcctl.cli.options import Json, Yes, complete_words
from arcctl.core.export import Format

if TYPE_CHECKING:
    from arcctl.app.rotate import Prepared, Result

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Secrets: list, change, export.")


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="secrets")


def complete_secrets(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of secrets, and services for all of theirs."""
    from arcctl.cli import completion
    from arcctl.core.settings import owned

    names = [name for name, (_, variable) in owned(completion.catalogue(ctx)).items() if variable.secret]
    return [*(n for n in names if n.startswith(incomplete.upper() or "_")), *complete_words(ctx, incomplete)]


@app.command("list")
def list_(ctx: typer.Context, json_: Json = False) -> None:
    """Every secret: whose it is, who uses it, where it comes from, when it was changed, whether it can be.

    Examples: `arcctl secrets list`, `arcctl secrets list --json`
    """
    from arcctl.app import secrets as use_case
    from arcctl.cli import wiring
    from arcctl.ui import secrets as show

    found = use_case.entries(wiring.world(ctx.obj))
    (show.show_json if json_ else show.show)(found)


@app.command()
def rotate(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAMES]...", help="Secrets or services.", autocompletion=complete_secrets),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every secret that can be changed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and do nothing.")] = False,
    yes: Yes = False,
    json_: Annotated[bool, typer.Option("--json", help="The plan of --dry-run as one JSON document.")] = False,
) -> None:
    """Draw new secrets, for the server and for everybody who uses them. Run it again to finish after an interrupt.

    Examples: `arcctl secrets rotate REDIS_PASSWORD`, `arcctl secrets rotate unleash --dry-run`
    """
    from arcctl.app import rotate as use_case
    from arcctl.cli import wiring
    from arcctl.errors import UsageError
    from arcctl.ui import secrets as show
    from arcctl.ui import terminal
    from arcctl.ui.progress import Progress

    words = (*(names or ()), *(("all",) if every else ()))
    prepared = use_case.prepare(words, wiring.world(ctx.obj, mending=True))
    if not words and not prepared.unfinished:
        raise UsageError("which secrets? name them, or services, or say --all", hint="arcctl secrets list")
    _announce(prepared)
    if json_ and dry_run:
        show.plan_json(prepared.steps, prepared.warnings)
        return
    for line in show.plan(prepared.steps, prepared.warnings):
        (terminal.line if dry_run else terminal.say)(line)
    if dry_run:
        return
    again = " ".join("--all" if word == "all" else word for word in words)
    command = f"arcctl secrets rotate {again}"
    if prepared.steps and not agreed("Change these secrets?", yes=yes, command=command, what="change secrets"):
        return
    with Progress() as progress:
        result = wiring.run(use_case.run(words, wiring.world(ctx.obj, progress, mending=True)))
    _conclude(result)


def _announce(prepared: Prepared) -> None:
    """What comes besides the plan, and what is not in it."""
    from arcctl.ui import terminal

    if prepared.unfinished:
        terminal.say(f"finishing what was interrupted: {', '.join(prepared.unfinished)}")
    for why in dict.fromkeys(refusal.reason for refusal in prepared.left_out):
        some = [refusal.name for refusal in prepared.left_out if refusal.reason == why]
        terminal.say(f"left as it is, because {why}: {', '.join(some)}", style="yellow")


def _conclude(result: Result) -> None:
    from arcctl.errors import UnhealthyError
    from arcctl.ui import terminal

    if not result.rotated:
        terminal.say("nothing to change")
        return
    terminal.say(f"rotated: {', '.join(result.rotated)} ({result.seconds:.1f} s)", style="green")
    for service, reason in result.broken.items():
        hint = f"arcctl verify {service}"
        raise UnhealthyError(f"the new secrets are taken, but {service} does not do its job: {reason}", hint=hint)
    terminal.say("programs of your own need the new ones: arcctl info --reveal")


@app.command()
def export(
    ctx: typer.Context,
    kind: Annotated[Format, typer.Option("--format", help="env, docker (a file for each) or json.")] = Format.ENV,
    to: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write files there that only you can read.")] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show values on a terminal.")] = False,
) -> None:
    """Secrets for production: an environment file, JSON, or files for `docker secret create` and Compose.

    Examples: `arcctl secrets export --to ~/arc-secrets`, `arcctl secrets export --format docker --to deploy/secrets`
    """
    from arcctl.app import secrets as use_case
    from arcctl.cli import wiring
    from arcctl.core import export as texts
    from arcctl.errors import UsageError
    from arcctl.ui import terminal

    values = use_case.values(wiring.world(ctx.obj))
    if to:
        written = wiring.write_secret(to, texts.files(values, kind))
        terminal.say(f"written to {to}, which only you can read: {', '.join(sorted(written))}")
        return
    if kind is Format.DOCKER:
        raise UsageError(
            "Docker wants a file for each secret", hint="arcctl secrets export --format docker --to FOLDER"
        )
    if sys.stdout.isatty() and not reveal:
        raise UsageError("secrets are not shown on a terminal unless you ask for it", hint="--reveal, or --to FOLDER")
    sys.stdout.write(texts.document(values, kind))
