"""`secrets rotate`: a new secret for the server and for everybody who uses it, in an order that locks nobody out.

Each step can be repeated from any state, so an interrupted rotation is finished by running it once more.
"""

from __future__ import annotations

from dataclasses import replace

from arcctl.engines.base import Observed
from arcctl.errors import RotationRefused, UsageError
from arcctl.events import Event, Kind
from arcctl.model.rotation import Change
from arcctl.project import Project, project_lock, refuse_other_project
from arcctl.secrets.executor import CommandClock, SecretRotation, existing
from arcctl.secrets.plan import Secret, chosen, generated_origins, not_rotatable, plan, secrets
from arcctl.secrets.report import Preview, Refusal, RotateReport, SecretPlan


def preview(words: tuple[str, ...], project: Project) -> Preview:
    """What `rotate` would do.

    Raises UsageError for a secret that was asked for by its name and cannot be changed.
    """
    observed = project.engine.observe()
    refuse_other_project(observed, project)
    return _decide(words, project, observed)


def _decide(words: tuple[str, ...], project: Project, observed: Observed) -> Preview:
    unfinished = tuple(c.name for c in project.directory.rotation())
    every = secrets(project.catalogue)
    names = [name for name in chosen(words, project.catalogue) if name not in unfinished]
    refusals = [Refusal(name, *_refusal(every[name], project, observed)) for name in names]
    refused = {r.name: r for r in refusals if r.reason}
    for word in words:
        if word in refused:
            raise UsageError(f"{word} is not rotated: {refused[word].reason}", hint=refused[word].hint)
    plans = (
        SecretPlan(name, every[name].rotation.warning, plan(every[name], project.catalogue, existing(observed)))
        for name in names
        if name not in refused
    )
    return Preview(tuple(plans), tuple(refused.values()), unfinished)


def _refusal(secret: Secret, project: Project, observed: Observed) -> tuple[str, str]:
    reason, hint = not_rotatable(secret, project.settings.values[secret.name], generated_origins(project.sources))
    stopped = [i for i in dict.fromkeys((*secret.servers, secret.owner)) if not observed.of(i).running]
    if stopped and not reason:
        return f"{stopped[0]} is not running", f"arcctl up {stopped[0]}"
    return reason, hint


async def rotate(words: tuple[str, ...], project: Project) -> RotateReport:
    """Finish what was interrupted, then change what was asked for.

    Raises ArcError at the first secret that a server refuses or a container that does not become ready.
    """
    clock = CommandClock(project.sink)
    with await project_lock(project):
        project = replace(project, sink=clock)
        observed = project.engine.observe()
        refuse_other_project(observed, project)
        done, project, seen = await _rotate_all(project.directory.rotation(), project, clock, observed)
        if done:
            project = project.reloaded()
        observed = seen or project.engine.observe()
        decided = _decide(tuple(w for w in words if w not in done), project, observed)
        names = tuple(p.name for p in decided.secrets if p.name not in done)
        changes = await _new_values(names, words, project, clock, observed)
        done |= (await _rotate_all(changes, project, clock, observed))[0]
    broken = {service: why for found in done.values() for service, why in found.items()}
    return RotateReport(tuple(done), broken, clock.elapsed)


async def _new_values(
    names: tuple[str, ...], words: tuple[str, ...], project: Project, clock: CommandClock, observed: Observed
) -> tuple[Change, ...]:
    """A new value for each. One whose server refuses the current value is left out, or an error if it was named."""
    every, changes = secrets(project.catalogue), list[Change]()
    for name in names:
        secret, old = every[name], project.settings.values[name].text or ""
        change = Change(name=name, old=old, new="")
        problem = await SecretRotation(secret, change, project, clock, observed).problem()
        hint = f"arcctl bootstrap {secret.owner}"
        if problem and name in words:
            raise RotationRefused(f"{name} is not rotated: {problem}", hint=hint)
        if problem:
            project.sink(Event(Kind.WARNING, name, f"is not rotated: {problem} ({hint})"))
        else:
            new = "" if secret.rotation.server_generated else project.directory.draw(secret.variable)
            changes.append(replace(change, new=new))
    return tuple(changes)


async def _rotate_all(
    changes: tuple[Change, ...], project: Project, clock: CommandClock, observed: Observed | None
) -> tuple[dict[str, dict[str, str]], Project, Observed | None]:
    """One secret after the other; the journal has all of them until the last is done.

    Returns for each the services that fail, and the project and its last snapshot as they are then.
    Raises RotationRefused at the end for one that its server refuses: nothing was changed for that one.
    """
    journal = {change.name: change for change in changes}

    def keep(change: Change) -> None:
        journal[change.name] = change
        project.directory.remember_rotation(journal.values())

    project.directory.remember_rotation(changes)
    every, found = secrets(project.catalogue), {name: dict[str, str]() for name in journal}
    refused: list[RotationRefused] = []
    for change in changes:
        work = SecretRotation(every[change.name], change, project, clock, observed, keep)
        try:
            found[change.name] = {} if change.done else await work.run()
            keep(replace(work.change, done=True))
        except RotationRefused as error:
            del found[change.name], journal[change.name]
            refused.append(error)
        project, observed = work.project, work.observed
    project.directory.remember_rotation(())
    if refused:
        raise refused[0]
    return found, project, observed
