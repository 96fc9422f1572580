"""`support`: what helps somebody else to help."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from arcctl.app.support import Part
    from arcctl.app.world import World

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What helps somebody else to help.")


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="support")


@app.command()
def bundle(
    ctx: typer.Context,
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write it; default: here.")] = None,
) -> None:
    """Pack versions, doctor, health, plan, settings, logs and Compose files into an archive, without any secret.

    Only you can read it. Look through it before you send it: names of hosts and folders are in it.

    Examples: `arcctl support bundle`, `arcctl support bundle --to /tmp/arc.tar.gz`
    """
    from datetime import datetime

    from arcctl.app import support as use_case
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    world = wiring.world(ctx.obj)
    texts = use_case.gather(_parts(world), wiring.redactor(world))
    path = to or Path(f"arcctl-support-{datetime.now():%Y%m%d-%H%M%S}.tar.gz")
    wiring.write_archive(path, texts)
    failed = [name for name, text in texts.items() if text.startswith(use_case.MISSING)]
    terminal.say(f"{len(texts)} files, secrets removed" + (f"; without {', '.join(failed)}" if failed else ""))
    terminal.line(str(path))


def _parts(world: World) -> Iterator[Part]:
    from arcctl.app import support as use_case
    from arcctl.cli import wiring

    yield "doctor.json", partial(_doctor, world)
    yield "health.json", partial(_health, world)
    yield "ps.json", partial(_ps, world)
    yield "plan.txt", partial(use_case.plan, world)
    yield "settings.json", partial(_settings, world)
    yield from wiring.evidence(world)
    yield from use_case.logs(world)


def _doctor(world: World) -> str:
    from arcctl.app import doctor as use_case
    from arcctl.cli import wiring
    from arcctl.ui import doctor as show

    return _json(show.document(use_case.run(world, wiring.examiner(world))))


def _health(world: World) -> str:
    from arcctl.app import health as use_case
    from arcctl.cli import wiring
    from arcctl.ui import health as show

    return _json(show.document(wiring.run(use_case.run(use_case.Request(), world))))


def _ps(world: World) -> str:
    from dataclasses import asdict

    return _json({key: asdict(state) for key, state in world.engine.observe().containers.items()})


def _settings(world: World) -> str:
    from arcctl.app.world import settings

    values = settings(world).values
    return _json({name: {"value": value.shown, "origin": value.origin} for name, value in values.items()})


def _json(document: object) -> str:
    import json

    return json.dumps(document, indent=2) + "\n"
