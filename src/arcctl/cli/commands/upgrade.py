"""`upgrade`: what runs becomes what this home declares, with a copy of the data first; `upgrade undo` goes back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from arcctl.cli.asking import agreed
from arcctl.cli.options import Globals, Json, Yes, complete_words

if TYPE_CHECKING:
    from arcctl.app.upgrade import Undoable, Ways
    from arcctl.app.world import World
    from arcctl.core.events import Sink
    from arcctl.core.upgrade import Move

UNDO = "undo"
SCHEMA = "arcctl.upgrade/v1"
CHANGE = "change what runs"


def register(app: typer.Typer) -> None:
    app.command()(upgrade)


def complete(ctx: typer.Context, incomplete: str) -> list[str]:
    return [*complete_words(ctx, incomplete), *([UNDO] if UNDO.startswith(incomplete) else [])]


def complete_images(ctx: typer.Context, incomplete: str) -> list[str]:
    """`redis=`: services and helpers whose image has a tag."""
    from arcctl.cli import completion
    from arcctl.core.images import tag_settings

    keys = (setting.key for setting in tag_settings(completion.catalogue(ctx)).values())
    return [f"{key}=" for key in keys if key.startswith(incomplete)]


def upgrade(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAMES]... | undo", help="Services or a layer; all that runs.", autocompletion=complete
        ),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(metavar="SERVICE=TAG", help="Another tag; the home remembers it.", autocompletion=complete_images),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and do nothing.")] = False,
    yes: Yes = False,
    json_: Json = False,
) -> None:
    """Make what runs from the images that this home declares. Data is copied first; what moved is proved afterwards.

    `arcctl upgrade undo` goes back to the images and the data from before the last upgrade.

    Examples: `arcctl upgrade --dry-run`, `arcctl upgrade --to redis=8.12.0-alpine`, `arcctl upgrade undo`
    """
    order = Order(ctx.obj, dry_run=dry_run, yes=yes, json_=json_)
    words = tuple(names or ())
    if UNDO not in words:
        _upgrade(order, words, tuple(to or ()))
    elif words == (UNDO,) and not to:
        _undo(order)
    else:
        _refuse("undo takes back the whole last upgrade, and no names or tags with it", "arcctl upgrade undo")


@dataclass(frozen=True)
class Order:
    """How the command was given."""

    chosen: Globals
    dry_run: bool
    yes: bool
    json_: bool


def _upgrade(order: Order, words: tuple[str, ...], to: tuple[str, ...]) -> None:
    from arcctl.app import upgrade as use_case
    from arcctl.cli import wiring
    from arcctl.ui import terminal
    from arcctl.ui.progress import Progress

    world = wiring.world(order.chosen, Progress())
    _refuse_stale(order.chosen)
    decision = use_case.decide(use_case.Request(words=words, to=_pairs(to)), world)
    if order.dry_run or not decision.moves:
        _show(order, decision.moves)
        if not decision.moves:
            terminal.say("nothing to upgrade: what runs is what this home declares")
        return
    _tell(decision.moves)
    command = " ".join(("arcctl upgrade", *words, *(f"--to {pair}" for pair in to)))
    if not agreed("Upgrade?", yes=order.yes, command=command, what=CHANGE):
        return
    with Progress() as progress:
        world = wiring.world(order.chosen, progress)
        done = wiring.run(use_case.run(decision, world, _ways(order.chosen, world, progress)))
    _show(order, done.moves, done)
    terminal.say(f"upgraded and proved: {', '.join(done.services)}", style="green")
    if done.backup:
        terminal.say(f"the data from before is in the backup {done.backup}")
    terminal.say("to go back: arcctl upgrade undo")


def _undo(order: Order) -> None:
    from arcctl.app import upgrade as use_case
    from arcctl.cli import wiring
    from arcctl.ui import terminal
    from arcctl.ui.progress import Progress

    world = wiring.world(order.chosen, Progress())
    done = use_case.last(world)
    if done.backup:
        world.shelf.find(done.backup)  # a copy that is gone is told before anything is touched
    for move in done.moves:
        terminal.say(f"back to {move.before}: {move.key}")
    if done.backup:
        terminal.say(f"what was written since {done.at} is lost, in {', '.join(done.saved)}", style="yellow")
    if order.dry_run:
        _show(order, done.moves, done, status="undoable")
        return
    if not agreed("Go back?", yes=order.yes, command="arcctl upgrade undo", what=CHANGE):
        return
    with Progress() as progress:
        world = wiring.world(order.chosen, progress)
        wiring.run(use_case.undo(done, world, _ways(order.chosen, world, progress)))
    _show(order, done.moves, done, status="undone")
    terminal.say(f"as before the upgrade, and proved: {', '.join(done.services)}", style="green")


def _ways(chosen: Globals, world: World, sink: Sink) -> Ways:
    """How an upgrade copies data and puts it back: backups."""
    from arcctl.app import backup
    from arcctl.app.upgrade import Ways
    from arcctl.cli import wiring

    async def save(services: tuple[str, ...]) -> str:
        return (await backup.create(backup.Create(words=services), world)).name

    async def put_back(name: str, services: tuple[str, ...], fresh: World) -> Mapping[str, str]:
        return (await backup.restore(backup.Restore(name=name, words=services), fresh)).kept

    return Ways(again=lambda: wiring.world(chosen, sink), save=save, put_back=put_back)


def _pairs(to: tuple[str, ...]) -> dict[str, str]:
    pairs = [one.partition("=") for one in to]
    odd = [name for name, _, tag in pairs if not (name and tag)]
    if odd:
        _refuse(f"--to takes SERVICE=TAG, not {odd[0]!r}", f"arcctl upgrade --to {odd[0] or 'SERVICE'}=TAG")
    return {name: tag for name, _, tag in pairs}


def _refuse_stale(chosen: Globals) -> None:
    """Files of another arcctl would bring up what they pin, and not what this one plans."""
    from arcctl.app import render
    from arcctl.cli import wiring
    from arcctl.ui.files import dump

    root = wiring.home_root(chosen)
    stale = render.stale(render.run(wiring.catalogue(chosen), dump), lambda path: wiring.read(root, path))
    files = [str(path) for path in stale if path.parts[0] == "compose"]
    if files:
        _refuse(f"not as this arcctl declares: {', '.join(files)}", "arcctl render, then arcctl upgrade")


def _refuse(message: str, hint: str) -> NoReturn:
    from arcctl.errors import UsageError

    raise UsageError(message, hint=hint)


def _tell(moves: tuple[Move, ...]) -> None:
    from arcctl.core.upgrade import Kind
    from arcctl.ui import terminal

    for move in moves:
        terminal.say(str(move), style="yellow" if move.kind is Kind.DOWNGRADE else "")
    if any(move.kind is Kind.DOWNGRADE for move in moves):
        terminal.say("an older server may not read what a newer one wrote", style="yellow")


def _show(order: Order, moves: tuple[Move, ...], done: Undoable | None = None, status: str = "") -> None:
    """The moves as data; a person has seen them already when it is done."""
    from arcctl.ui import terminal

    if order.json_:
        document = {
            "schema": SCHEMA,
            "status": status or ("upgraded" if done else "planned"),
            "moves": [asdict(move) for move in moves],
            "backup": done.backup if done else "",
        }
        terminal.line(json.dumps(document, indent=2))
    elif done is None:
        for move in moves:
            terminal.line(str(move))
