"""`images`: list, lock, pull, save, load, and compare with registries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arcctl.cli.options import Json, Words

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Container images: list, pull, lock, save, load.")
File = Annotated[Path, typer.Argument(metavar="FILE", help="The archive.")]


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="images")


@app.command("list")
def list_(ctx: typer.Context, names: Words = None, json_: Json = False) -> None:
    """List images with state, digest, size, and the containers that use each or were created from another one.

    Examples: `arcctl images list`, `arcctl images list redis --json`
    """
    from arcctl.cli.project import load_project
    from arcctl.images import view
    from arcctl.images.list import list_ as list_images

    view.images(list_images(tuple(names or ()), load_project(ctx.obj)), view.LIST, as_json=json_)


@app.command()
def lock(ctx: typer.Context, json_: Json = False) -> None:
    """Record in images.lock.json which image each reference means now; `up` warns when it means another one.

    Examples: `arcctl images lock`, `arcctl up --stack --locked`
    """
    from arcctl.cli.project import load_project
    from arcctl.images import lock as use_case
    from arcctl.images import view

    view.locked(use_case.lock(load_project(ctx.obj)), as_json=json_)


@app.command()
def pull(ctx: typer.Context, names: Words = None, json_: Json = False) -> None:
    """Pull images from their registries, several at once. After an interruption, it pulls what is missing.

    Examples: `arcctl images pull`, `arcctl images pull redis postgres`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project
    from arcctl.images import pull as use_case
    from arcctl.images import view

    with ctx.obj.display() as progress:
        pulled = run(use_case.pull(tuple(names or ()), load_project(ctx.obj, progress)))
    view.images(pulled, view.LIST, as_json=json_)


@app.command()
def save(ctx: typer.Context, file: File, names: Words = None, json_: Json = False) -> None:
    """Save the images of services to one file, for a machine without network.

    Examples: `arcctl images save arc.tar`, `arcctl images save redis.tar redis`
    """
    from arcctl.cli.project import load_project
    from arcctl.images import save as use_case
    from arcctl.images import view

    view.saved(use_case.save(tuple(names or ()), file, load_project(ctx.obj)), as_json=json_)


@app.command()
def load(ctx: typer.Context, file: File, json_: Json = False) -> None:
    """Load a file of `images save`, after comparing every part of it with its hash.

    Example: `arcctl images load arc.tar`
    """
    from arcctl.cli.project import load_project
    from arcctl.images import load as use_case
    from arcctl.images import view

    loaded = use_case.load(file, load_project(ctx.obj))
    view.images(loaded, view.LOAD, as_json=json_)
    view.unused(loaded)


@app.command()
def outdated(ctx: typer.Context, names: Words = None, json_: Json = False) -> None:
    """Ask registries for newer tags of the same flavour. For a registry that does not answer, the reason is shown.

    Examples: `arcctl images outdated`, `arcctl images outdated redis --json`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project
    from arcctl.images import outdated, view
    from arcctl.images.clients.registry import HttpRegistries

    found = run(outdated.outdated(tuple(names or ()), load_project(ctx.obj), HttpRegistries()))
    view.outdated(found, as_json=json_)
