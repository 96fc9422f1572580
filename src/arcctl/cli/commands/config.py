"""`config`: settings, each value with its origin, and a safe way to change them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from arcctl.cli.options import Json

if TYPE_CHECKING:
    from arcctl.model.env import Variable
    from arcctl.project import Project

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Settings: each value with its origin.")


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="config")


def complete_words(ctx: typer.Context, incomplete: str) -> list[str]:
    """A service and one of its settings, or whole names."""
    typed = ctx.params.get("words") or ()
    if (not typed and incomplete.isupper()) or any("=" in word for word in typed):
        return _whole_names(ctx, incomplete)
    return _keys(ctx, typed[0], incomplete) if typed else _services(ctx, incomplete)


def _services(ctx: typer.Context, incomplete: str) -> list[str]:
    from arcctl import services
    from arcctl.cli import completion
    from arcctl.model.names import IMAGES, PORTS

    known = (*services.names(), *completion.custom_names(ctx), IMAGES, PORTS)
    return [name for name in known if name.startswith(incomplete)]


def _whole_names(ctx: typer.Context, incomplete: str) -> list[str]:
    from arcctl.cli import completion
    from arcctl.settings.resolve import owned

    known = owned(completion.catalogue(ctx)).items()
    return [f"{name}=" for name, (_, v) in known if name.startswith(incomplete) and not v.server_issued]


def _keys(ctx: typer.Context, service: str, incomplete: str) -> list[str]:
    """The settings of the service before it, without its prefix, in the case of what was typed."""
    from arcctl.cli import completion
    from arcctl.settings.resolve import owned, owners, prefix_of

    catalogue = completion.catalogue(ctx)
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
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE... | SERVICE KEY [VALUE]",
            autocompletion=complete_words,
            help="Whole names; or a service, or `images`, and a key with or without its prefix, in any case. "
            "The value `-` is read from stdin.",
        ),
    ],
    unset: Annotated[
        bool, typer.Option("--unset", help="Take those without a value out of the file: back to the default.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check it and show the change; write nothing.")] = False,
    json_: Json = False,
) -> None:
    """Change settings: all are checked first, all are written or none. Says what `arcctl up` recreates because of it.

    A secret without a value is asked for.

    Examples: `arcctl config set redis host_port 6380`, `arcctl config set REDIS_HOST_PORT=6380 NATS_HOST_PORT=4223`,
    `arcctl config set redis HOST_PORT --unset`, `arcctl config set images registry mirror.example.com/dockerhub`,
    `pass show grafana | arcctl config set grafana ADMIN_PASSWORD -`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project
    from arcctl.lifecycle import config, view

    project = load_project(ctx.obj, ctx.obj.display())
    several = "=" in words[0] or config.is_setting(words[0], project)
    values = _several(words, project, unset=unset) if several else _one(words, project, unset=unset)
    changes = config.propose(values, project)
    if not dry_run:
        run(config.write(changes, project))
        project = load_project(ctx.obj)
    view.changed(config.report(changes, project, written=not dry_run), as_json=json_, several=several)


def _one(words: list[str], project: Project, *, unset: bool) -> dict[str, str | None]:
    """`SERVICE KEY [VALUE]`."""
    from arcctl.lifecycle import config

    if len(words) not in (2, 3):
        _refuse("a service, a key and a value are expected", "arcctl config set redis HOST_PORT 6380")
    service, key, *given = words
    variable = config.find(service, key, project)
    if unset and given:
        _refuse("--unset takes no value", f"arcctl config set {service} {key} --unset")
    command = f"arcctl config set {service} {variable.name} "
    return {variable.name: None if unset else _value(variable, given[0] if given else None, command)}


def _several(words: list[str], project: Project, *, unset: bool) -> dict[str, str | None]:
    """`NAME=VALUE...`, and with `--unset` names without a value."""
    from arcctl.lifecycle import config

    values: dict[str, str | None] = {}
    for word in words:
        name, equals, text = word.partition("=")
        variable = config.find_by_name(name, project)
        if name in values:
            _refuse(f"{name} is given twice", "give it once")
        if equals and text == "-" and any(other.endswith("=-") for other in words if other != word):
            _refuse("stdin has one value, and two are to be read from it", f"arcctl config set {name}=-")
        command = f"arcctl config set {name}="
        values[name] = None if unset and not equals else _value(variable, text if equals else None, command)
    return values


def _value(variable: Variable, given: str | None, command: str) -> str:
    """The value as it was given, from stdin, or typed where nobody sees it; `command` lacks only the value."""
    if given == "-":
        return sys.stdin.read().rstrip("\r\n")
    if given is not None and not variable.secret:
        return given
    if given is not None:
        _refuse(f"{variable.name} is a secret, and others see a command line", f"to read it from stdin: {command}-")
    if not (variable.secret and sys.stdin.isatty()):
        _refuse(f"no value for {variable.name}", f"{command}{'-' if variable.secret else 'VALUE'}")
    return str(typer.prompt(variable.name, hide_input=True, confirmation_prompt=True, err=True))


def _refuse(message: str, hint: str) -> NoReturn:
    from arcctl.errors import UsageError

    raise UsageError(message, hint=hint)
