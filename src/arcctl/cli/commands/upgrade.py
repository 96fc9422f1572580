"""`upgrade` and `upgrade undo`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from arcctl.cli.asking import agreed
from arcctl.cli.globals import Globals
from arcctl.cli.options import Json, Yes, complete_words

if TYPE_CHECKING:
    from arcctl.events import Sink
    from arcctl.images.upgrade import Callbacks
    from arcctl.project import Project

UNDO = "undo"
CHANGE = "change what runs"


def register(app: typer.Typer) -> None:
    app.command()(upgrade)


def complete(ctx: typer.Context, incomplete: str) -> list[str]:
    return [*complete_words(ctx, incomplete), *([UNDO] if UNDO.startswith(incomplete) else [])]


def complete_images(ctx: typer.Context, incomplete: str) -> list[str]:
    """`redis=`: services and components whose image has a tag."""
    from arcctl.cli import completion
    from arcctl.settings.image_tags import tag_settings

    keys = (setting.key for setting in tag_settings(completion.catalogue(ctx)).values())
    return [f"{key}=" for key in keys if key.startswith(incomplete)]


Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAMES]... | undo", help="Services or a layer; default: all.", autocompletion=complete),
]
To = Annotated[
    list[str] | None,
    typer.Option(metavar="SERVICE=TAG", help="Another tag, kept in the settings.", autocompletion=complete_images),
]


def upgrade(
    ctx: typer.Context,
    names: Names = None,
    to: To = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and do nothing.")] = False,
    yes: Yes = False,
    json_: Json = False,
) -> None:
    """Recreate containers from the images that the project declares. Backs up their data first, tests them afterwards.

    `arcctl upgrade undo` goes back to the images and the data from before the last upgrade.

    Examples: `arcctl upgrade --dry-run`, `arcctl upgrade --to redis=8.12.0-alpine`, `arcctl upgrade undo`
    """
    words = tuple(names or ())
    if UNDO not in words:
        _upgrade(ctx.obj, words, tuple(to or ()), dry_run=dry_run, yes=yes, json_=json_)
    elif words == (UNDO,) and not to:
        _undo(ctx.obj, dry_run=dry_run, yes=yes, json_=json_)
    else:
        _refuse("undo takes back the whole last upgrade: it takes no names and no --to", "arcctl upgrade undo")


def _upgrade(
    chosen: Globals, words: tuple[str, ...], to: tuple[str, ...], *, dry_run: bool, yes: bool, json_: bool
) -> None:
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project
    from arcctl.images import upgrade, view
    from arcctl.images.report import UpgradeReport, UpgradeStatus

    project = load_project(chosen, chosen.display())
    _refuse_stale(chosen)
    plan = upgrade.plan(words, _pairs(to), project)
    if dry_run or not plan.moves:
        view.upgrade_plan(UpgradeReport(status=UpgradeStatus.PLANNED, moves=plan.moves), as_json=json_)
        return
    view.upgrade_question(plan.moves)
    command = " ".join(("arcctl upgrade", *words, *(f"--to {pair}" for pair in to)))
    if agreed("Upgrade?", yes=yes, command=command, what=CHANGE):
        with chosen.display() as progress:
            project = load_project(chosen, progress)
            report = run(upgrade.upgrade(plan, project, _callbacks(chosen, project, progress)))
        view.upgraded(report, as_json=json_)


def _undo(chosen: Globals, *, dry_run: bool, yes: bool, json_: bool) -> None:
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import backup_repository, load_project
    from arcctl.images import undo, view

    last = undo.last_upgrade(load_project(chosen, chosen.display()))
    if last.backup:
        backup_repository(chosen).find(last.backup)  # raises before anything changes
    view.undo_question(last)
    if dry_run:
        if json_:
            view.upgrade_json(last)
    elif agreed("Go back?", yes=yes, command="arcctl upgrade undo", what=CHANGE):
        with chosen.display() as progress:
            project = load_project(chosen, progress)
            report = run(undo.undo(last, project, _callbacks(chosen, project, progress)))
        view.undone(report, as_json=json_)


def _callbacks(chosen: Globals, project: Project, sink: Sink) -> Callbacks:
    from arcctl.backup import create as creating
    from arcctl.backup import restore as restoring
    from arcctl.cli.project import backup_tools, data_clients, load_project
    from arcctl.data import db as databases
    from arcctl.errors import BackupError
    from arcctl.images.upgrade import Callbacks

    async def back_up(services: tuple[str, ...]) -> str:
        report = await creating.create(creating.Create(words=services), project, backup_tools(project))
        for missing in report.manifest.missing:
            hint = missing.hint or "arcctl backup create"
            raise BackupError(f"the backup {report.name} is not complete: {missing}", hint=hint)
        return report.name

    async def restore(name: str, services: tuple[str, ...], fresh: Project) -> Mapping[str, str]:
        request = restoring.Restore(name=name, words=services)
        return (await restoring.restore(request, fresh, backup_tools(fresh))).failed

    async def refresh(fresh: Project) -> None:
        for done in await databases.refresh_running(fresh, data_clients()):
            fresh.note(str(done))

    return Callbacks(reload=lambda: load_project(chosen, sink), back_up=back_up, restore=restore, refresh=refresh)


def _pairs(to: tuple[str, ...]) -> dict[str, str]:
    pairs = [one.partition("=") for one in to]
    wrong = [name for name, _, tag in pairs if not (name and tag)]
    if wrong:
        _refuse(f"--to takes SERVICE=TAG, not {wrong[0]!r}", f"arcctl upgrade --to {wrong[0] or 'SERVICE'}=TAG")
    return {name: tag for name, _, tag in pairs}


def _refuse_stale(chosen: Globals) -> None:
    """Compose files that another arcctl rendered would start other images than this one plans."""
    from arcctl.cli.project import load_catalogue, project_directory
    from arcctl.render import files as render
    from arcctl.render.compose import dump

    stale = render.stale(render.run(load_catalogue(chosen), dump), project_directory(chosen).read)
    files = [str(path) for path in stale if path.parts[0] == "compose"]
    if files:
        _refuse(f"not as this version of arcctl renders them: {', '.join(files)}", "arcctl render, then arcctl upgrade")


def _refuse(message: str, hint: str) -> NoReturn:
    from arcctl.errors import UsageError

    raise UsageError(message, hint=hint)
