"""`secrets`: list, rotate and export them. Never shows a value unless it is asked to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from arcctl.cli.asking import agreed
from arcctl.cli.options import Json, Yes, complete_words
from arcctl.secrets.export import Format

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Secrets: list, rotate, export.")


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="secrets")


def complete_secrets(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of secrets, and services for all of theirs."""
    from arcctl.cli import completion
    from arcctl.settings.resolve import owned

    names = [name for name, (_, variable) in owned(completion.catalogue(ctx)).items() if variable.secret]
    return [*(n for n in names if n.startswith(incomplete.upper() or "_")), *complete_words(ctx, incomplete)]


@app.command("list")
def list_(ctx: typer.Context, json_: Json = False) -> None:
    """List every secret: its service, who uses it, where it comes from, when it changed, whether it can be rotated.

    Examples: `arcctl secrets list`, `arcctl secrets list --json`
    """
    from arcctl.cli.project import load_project
    from arcctl.secrets import view
    from arcctl.secrets.list import list_secrets

    view.listed(list_secrets(load_project(ctx.obj)), as_json=json_)


@app.command()
def rotate(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAMES]...", help="Secrets or services.", autocompletion=complete_secrets),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every secret that can be rotated.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and do nothing.")] = False,
    yes: Yes = False,
    json_: Annotated[bool, typer.Option("--json", help="The plan of --dry-run as one JSON document.")] = False,
) -> None:
    """Generate new secrets, and change the server and everybody who uses them. Run it again after an interrupt.

    Examples: `arcctl secrets rotate REDIS_PASSWORD`, `arcctl secrets rotate unleash --dry-run`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project
    from arcctl.errors import UnhealthyError, UsageError
    from arcctl.secrets import rotate as use_case
    from arcctl.secrets import view

    words = (*(names or ()), *(("all",) if every else ()))
    preview = use_case.preview(words, load_project(ctx.obj, rotating=True))
    if not words and not preview.unfinished:
        raise UsageError("name secrets or services, or use --all", hint="arcctl secrets list")
    view.previewed(preview, data=dry_run, as_json=json_)
    if dry_run:
        return
    if preview.left_out and not preview.secrets and not preview.unfinished:
        raise UnhealthyError(f"nothing is rotated: {preview.left_out[0].reason}", hint=preview.left_out[0].hint)
    command = " ".join(("arcctl secrets rotate", *("--all" if word == "all" else word for word in words)))
    if preview.secrets and not agreed("Change these secrets?", yes=yes, command=command, what="change secrets"):
        return
    with ctx.obj.display() as progress:
        report = run(use_case.rotate(words, load_project(ctx.obj, progress, rotating=True)))
    view.rotated(report)
    for service, reason in report.broken.items():
        message = f"the secrets are rotated, but {service} fails its smoke test: {reason}"
        raise UnhealthyError(message, hint=f"arcctl verify {service}")


@app.command()
def export(
    ctx: typer.Context,
    kind: Annotated[Format, typer.Option("--format", help="env, docker (a file for each) or json.")] = Format.ENV,
    to: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write files there that only you can read.")] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show values on a terminal.")] = False,
) -> None:
    """Export secrets for production: an environment file, JSON, or files for `docker secret create` and Compose.

    Examples: `arcctl secrets export --to ~/arc-secrets`, `arcctl secrets export --format docker --to deploy/secrets`
    """
    from arcctl.cli.project import load_project
    from arcctl.errors import UsageError
    from arcctl.secrets import export as use_case
    from arcctl.secrets import view
    from arcctl.settings import private_folder

    values = use_case.export(load_project(ctx.obj))
    if to:
        written = private_folder.fill(to, use_case.files(values, kind))
        view.exported(to, written)
        return
    if kind is Format.DOCKER:
        hint = "arcctl secrets export --format docker --to FOLDER"
        raise UsageError("the format docker is a folder with a file for each secret", hint=hint)
    if sys.stdout.isatty() and not reveal:
        hint = "arcctl secrets export --reveal, or arcctl secrets export --to FOLDER"
        raise UsageError("secrets are not shown on a terminal unless you ask for it", hint=hint)
    sys.stdout.write(use_case.document(values, kind))
