"""`upgrade undo`: goes back to the images and the data from before the last upgrade."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from arcctl.errors import UpgradeError, UsageError
from arcctl.images.plan import Move, MoveKind
from arcctl.images.report import UpgradeReport, UpgradeStatus
from arcctl.images.upgrade import NOTE, Callbacks, bring_up
from arcctl.lifecycle import up
from arcctl.lifecycle.image_lock import image_store
from arcctl.model.image import split
from arcctl.model.service import Component
from arcctl.project import Project, refuse_other_project
from arcctl.settings.image_tags import pinned, tag_settings


def last_upgrade(project: Project) -> UpgradeReport:
    """The upgrade that can be undone. Raises UsageError where there is none, and on an engine without images."""
    note = project.directory.note(NOTE)
    if not note:
        raise UsageError("there is no upgrade to undo", hint="arcctl upgrade --dry-run")
    if project.engine.image_store is None:
        raise UsageError(
            f"the servers of the {project.engine.name} engine come from packages, which arcctl cannot downgrade",
            hint=f"install the earlier packages, then arcctl backup restore {note['backup']}".rstrip(),
        )
    return UpgradeReport(
        status=UpgradeStatus.UNDOABLE,
        moves=tuple(Move(**{**move, "kind": MoveKind(move["kind"])}) for move in note["moves"]),
        at=note["at"],
        backup=note["backup"],
        saved=tuple(note["saved"]),
    )


async def undo(last: UpgradeReport, project: Project, callbacks: Callbacks) -> UpgradeReport:
    """Restore the tag settings, recreate the containers, restore the data, run the smoke tests.

    Raises UpgradeError where that fails; it can be run again.
    """
    refuse_other_project(project.engine.observe(), project)
    for move in last.moves:
        component = project.catalogue.components()[move.key]
        if move.kind is MoveKind.REPLACE:
            image_store(project).name(move.before_id, component.container.image)
        else:
            _restore_tag(move, component, project)
    project = callbacks.reload()
    # The earlier server may not come up on newer data: its own data is restored next.
    await up.up(up.Request(words=last.services, wait=not last.backup), project)
    failed = await callbacks.restore(last.backup, last.saved, project) if last.backup else {}
    if failed:
        service, reason = next(iter(failed.items()))
        hint = f"arcctl backup restore {last.backup} {service}"
        raise UpgradeError(f"the data of {service} was not restored: {reason}", hint=hint)
    await bring_up(last.services, project, callbacks)
    project.directory.keep_note(NOTE, {})
    return replace(last, status=UpgradeStatus.UNDONE)


def _restore_tag(move: Move, component: Component[Any], project: Project) -> None:
    """Write the earlier tag, or remove the setting where it is the declared one."""
    setting, tag = tag_settings(project.catalogue).get(pinned(component)), split(move.before)[1]
    if setting:
        value = None if tag == split(setting.reference)[1] else tag
        project.directory.set_value(setting.service, setting.name, value)
