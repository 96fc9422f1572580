"""`config`: settings, each value with its origin, and a safe way to change one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from arcctl.cli.options import Json

if TYPE_CHECKING:
    from arcctl.model.env import Variable

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Settings: each value with its origin.")


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="config")


def complete_services(ctx: typer.Context, incomplete: str) -> list[str]:
    from arcctl import services
    from arcctl.cli import completion
    from arcctl.model.names import IMAGES, PORTS

    known = (*services.names(), *completion.custom_names(ctx), IMAGES, PORTS)
    return [name for name in known if name.startswith(incomplete)]


def complete_keys(ctx: typer.Context, incomplete: str) -> list[str]:
    """The settings of the service before it, without its prefix, in the case of what was typed."""
    from arcctl.cli import completion
    from arcctl.settings.resolve import owned, owners, prefix_of

    catalogue, service = completion.catalogue(ctx), str(ctx.params.get("service"))
    if service not in owners(catalogue):
        return []
    start = prefix_of(service, catalogue)
    names = (n for n, (owner, v) in owned(catalogue).items() if owner == service and not v.server_issued)
    known = (name.removeprefix(start) for name in names)
    return [key for name in known if (key := name.lower() if incomplete.islower() else name).startswith(incomplete)]


@app.command()
def show(ctx: typer.Context, json_: Json = False) -> None:
    """Every setting, its value (secrets hidden) and where it comes from.

    Examples: `arcctl config show`, `arcctl config show --json`
    """
    from arcctl.cli.project import load_project
    from arcctl.lifecycle import config, view

    view.settings(config.show(load_project(ctx.obj)), as_json=json_)


@app.command()
def validate(ctx: typer.Context, json_: Json = False) -> None:
    """Check all settings. Exit code 2 with each problem named.

    Examples: `arcctl config validate`, `arcctl config validate --json`
    """
    from arcctl.cli.project import load_project
    from arcctl.errors import ArcError
    from arcctl.lifecycle import config, view
    from arcctl.terminal import errors

    try:
        report = config.validate(load_project(ctx.obj))
    except ArcError as error:
        if not json_:
            raise
        errors.show_json(view.VALIDATE, error)
        raise typer.Exit(error.exit_code) from None
    view.validated(report, as_json=json_)


@app.command()
def diff(ctx: typer.Context, json_: Json = False) -> None:
    """Every value that is not the default, with what the default is.

    Examples: `arcctl config diff`, `arcctl config diff --json`
    """
    from arcctl.cli.project import load_project
    from arcctl.lifecycle import config, view

    view.changed_settings(config.diff(load_project(ctx.obj)), as_json=json_)


@app.command("set")
def set_(
    ctx: typer.Context,
    service: Annotated[str, typer.Argument(autocompletion=complete_services, help="The service, or `images`.")],
    key: Annotated[str, typer.Argument(autocompletion=complete_keys, help="With or without its prefix, in any case.")],
    value: Annotated[
        str | None, typer.Argument(help="`-` reads it from stdin. A secret without a value is asked for.")
    ] = None,
    unset: Annotated[bool, typer.Option("--unset", help="Take it out of the file: back to the default.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check it and show the change; write nothing.")] = False,
    json_: Json = False,
) -> None:
    """Change one setting: checked first, written whole, and which containers `arcctl up` recreates because of it.

    Examples: `arcctl config set redis host_port 6380`, `arcctl config set redis HOST_PORT --unset`,
    `arcctl config set images registry mirror.example.com/dockerhub`,
    `pass show grafana | arcctl config set grafana ADMIN_PASSWORD -`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project
    from arcctl.lifecycle import config, view

    project = load_project(ctx.obj, ctx.obj.display())
    variable = config.find(service, key, project)
    if unset and value is not None:
        _refuse("--unset takes no value", f"arcctl config set {service} {key} --unset")
    text = None if unset else _value(service, variable, value)
    change = config.propose(service, variable, text, project)
    if not dry_run:
        run(config.write(change, project))
        project = load_project(ctx.obj)
    view.changed_setting(config.report(change, project, written=not dry_run), as_json=json_)


def _value(service: str, variable: Variable, given: str | None) -> str:
    """The value as it was given, from stdin, or typed where nobody sees it."""
    command = f"arcctl config set {service} {variable.name}"
    if given == "-":
        return sys.stdin.read().rstrip("\r\n")
    if given is not None and not variable.secret:
        return given
    if given is not None:
        _refuse(f"{variable.name} is a secret, and others see a command line", f"to read it from stdin: {command} -")
    if not (variable.secret and sys.stdin.isatty()):
        _refuse(f"no value for {variable.name}", f"{command} {'-' if variable.secret else 'VALUE'}")
    return str(typer.prompt(variable.name, hide_input=True, confirmation_prompt=True, err=True))


def _refuse(message: str, hint: str) -> NoReturn:
    from arcctl.errors import UsageError

    raise UsageError(message, hint=hint)
