"""`images`: what the platform is made from, held to a lock, carried in a file, compared with what registries have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arcctl.cli.options import Json, Words

if TYPE_CHECKING:
    from arcctl.app.images import Newer, Row
    from arcctl.core.stored import Image, Match

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Images: which they are, and that they stay so.")
LIST, LOCK, OUTDATED = "arcctl.images-list/v1", "arcctl.images-lock/v1", "arcctl.images-outdated/v1"
LOAD, SAVE = "arcctl.images-load/v1", "arcctl.images-save/v1"
MEGABYTE = 1_000_000
SHOWN = 12
"""Characters of a hash that tell one image from another."""
File = Annotated[Path, typer.Argument(metavar="FILE", help="The archive.")]


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="images")


@app.command("list")
def list_(ctx: typer.Context, names: Words = None, json_: Json = False) -> None:
    """Every image: whether it is here, which one it is, its size, and what runs something else.

    Examples: `arcctl images list`, `arcctl images list redis --json`
    """
    from arcctl.app import images as use_case
    from arcctl.cli import wiring

    rows = use_case.listed(tuple(names or ()), wiring.world(ctx.obj))
    _show(rows, LIST, json_=json_)


@app.command()
def lock(ctx: typer.Context, json_: Json = False) -> None:
    """Write down which image each reference is now, to images.lock.json; `up` warns when it is another one.

    Examples: `arcctl images lock`, `arcctl up --stack --locked`
    """
    from dataclasses import asdict

    from arcctl.app import images as use_case
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    locked, missing = use_case.lock(wiring.world(ctx.obj))
    if json_:
        images = {reference: asdict(item) for reference, item in locked.items()}
        terminal.line(json.dumps({"schema": LOCK, "images": images, "missing": list(missing)}, indent=2))
    terminal.say(f"images.lock.json: {len(locked)} images locked", style="green")
    if missing:
        terminal.say(f"not here, so left as they were: {', '.join(missing)} (arcctl images pull)", style="yellow")


@app.command()
def pull(ctx: typer.Context, names: Words = None, json_: Json = False) -> None:
    """Bring images from their registries.

    Examples: `arcctl images pull`, `arcctl images pull redis postgres`
    """
    from arcctl.app import images as use_case
    from arcctl.cli import wiring
    from arcctl.ui.progress import Progress

    with Progress() as progress:
        rows = use_case.pull(tuple(names or ()), wiring.world(ctx.obj, progress))
    _show(rows, LIST, json_=json_)


@app.command()
def save(ctx: typer.Context, file: File, names: Words = None, json_: Json = False) -> None:
    """Everything that services are made from in one file, for a machine without network.

    Examples: `arcctl images save arc.tar`, `arcctl images save redis.tar redis`
    """
    from arcctl.app import images as use_case
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    images = use_case.save(tuple(names or ()), file.absolute(), wiring.world(ctx.obj))
    size = file.stat().st_size
    if json_:
        items = [_image(reference, image) for reference, image in images.items()]
        terminal.line(json.dumps({"schema": SAVE, "file": str(file), "size": size, "images": items}, indent=2))
    terminal.say(f"{file}: {len(images)} images, {size / MEGABYTE:.0f} MB", style="green")
    terminal.say(f"there: arcctl images load {file.name}")


@app.command()
def load(ctx: typer.Context, file: File, json_: Json = False) -> None:
    """Take in a file of `images save`, after every part of it was compared with its hash.

    Example: `arcctl images load arc.tar`
    """
    from arcctl.app import images as use_case
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    rows = use_case.load(file.absolute(), wiring.world(ctx.obj))
    _show(rows, LOAD, json_=json_)
    strange = [row.reference for row in rows if not row.users]
    if strange:
        terminal.say(f"nothing here is made from {', '.join(strange)} (arcctl config diff)", style="yellow")


@app.command()
def outdated(ctx: typer.Context, names: Words = None, json_: Json = False) -> None:
    """Ask registries for newer tags of the same flavour; what does not answer is unknown, with the reason.

    Examples: `arcctl images outdated`, `arcctl images outdated redis --json`
    """
    from dataclasses import asdict

    from arcctl.app import images as use_case
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    world = wiring.world(ctx.obj)
    use_case.store(world)
    found = wiring.run(use_case.outdated(tuple(names or ()), world, wiring.registries()))
    if json_:
        terminal.line(json.dumps({"schema": OUTDATED, "images": [asdict(one) for one in found]}, indent=2))
        return
    terminal.table(("IMAGE", "STATE", "TO TAKE IT"), [(one.reference, *_state(one)) for one in found])


def _state(one: Newer) -> tuple[tuple[str, str], str]:
    if one.unknown:
        return (f"? unknown: {one.unknown}", "dim"), ""
    if not one.tags:
        return ("✔ newest", "green"), ""
    more = f" (and {len(one.tags) - 1} before it)" if len(one.tags) > 1 else ""
    return (f"! newer: {one.tags[0]}{more}", "yellow"), f"arcctl upgrade --to {one.user}={one.tags[0]}"


def _show(rows: tuple[Row, ...], schema: str, *, json_: bool) -> None:
    from arcctl.ui import terminal

    if json_:
        items = [
            {
                **_image(row.reference, row.image),
                "used_by": list(row.users),
                "built": row.built,
                "state": row.match.value,
                "runs": list(row.runs),
            }
            for row in rows
        ]
        terminal.line(json.dumps({"schema": schema, "images": items}, indent=2))
        return
    cells = [(r.reference, _word(r), *_which(r.image), ", ".join(r.users)) for r in rows]
    terminal.table(("IMAGE", "STATE", "DIGEST OR ID", "SIZE", "USED BY"), cells)
    for text in (text for row in rows for text in row.runs):
        terminal.say(f"warning: {text} (arcctl up)", style="yellow")


def _word(row: Row) -> tuple[str, str]:
    from arcctl.core.stored import Match

    words: dict[Match, tuple[str, str]] = {
        Match.LOCKED: ("✔ locked", "green"),
        Match.UNLOCKED: ("✔ here", "green"),
        Match.OTHER: ("✘ not what is locked", "red"),
        Match.MISSING: ("○ not here", "dim"),
    }
    word, style = words[row.match]
    double = ", contract double" if row.image and row.image.double else ""
    return (f"{word}{', built' if row.built and row.image else ''}{double}", style)


def _which(image: Image | None) -> tuple[str, str]:
    if image is None:
        return "", ""
    return image.digest.rpartition(":")[2][:SHOWN], f"{image.size / MEGABYTE:.0f} MB"


def _image(reference: str, image: Image | None) -> dict[str, Any]:
    return {
        "reference": reference,
        "here": image is not None,
        "id": image.id if image else None,
        "digest": image.digest if image else None,
        "size": image.size if image else None,
        "double": image.double if image else False,
    }
