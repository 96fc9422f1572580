"""The identity of a project: its name, and an id that stays with its directory when that is moved.

A directory that was copied has the id of the other one: two projects would share one set of containers and data.
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Callable, Container, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from arcctl.errors import ArcError, PreflightError, ProjectError, UsageError
from arcctl.model.names import PROJECT
from arcctl.settings import known_projects, location
from arcctl.settings.directory import ProjectDirectory
from arcctl.settings.known_projects import KnownProject

NOTE = "project"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
LONGEST = 40
_BY_NAME = {"docker"}
"""The engines that know the data of a project by its name, and not by its directory."""
UNNAMED = "project"
"""The name of a project whose directory has no letter that a name may have."""


@dataclass(frozen=True)
class Identity:
    name: str
    id: str = ""
    """Empty until the first command that creates something of the project."""
    fixed: bool = False
    """Whether the name may not be another one: a person said it, or data has it."""
    taken_over: bool = False
    """Whether an earlier arcctl ran the project, and what runs and is stored has its name."""
    elsewhere: str = ""
    """The directory that the project was moved from; empty where it was not."""
    unlisted: bool = False
    """Of a sandbox, which ends with the command: no other project sees it."""


def of(directory: ProjectDirectory, wanted: str = "") -> Identity:
    """Of a project directory; nothing is written.

    Raises ProjectError for a copy of another project directory, and where it has another name than is wanted.
    """
    stored = _stored(directory)
    if stored is None:
        return _new(directory, wanted)
    if wanted and wanted != stored.name:
        raise ProjectError(
            f"the project in {directory.root} has the name {stored.name}", hint=f"arcctl -p {stored.name} status"
        )
    if _is_copy(stored, directory):
        raise ProjectError(
            f"{directory.root} is a copy of the project {stored.name} in {stored.elsewhere}, with the same identity",
            hint="to make it a project of its own: "
            f"arcctl --project-directory {shlex.quote(str(directory.root))} init --new-identity",
        )
    return stored


def _stored(directory: ProjectDirectory) -> Identity | None:
    """What the project directory says, or what is known of it where its state folder was lost."""
    root = str(directory.root)
    if note := directory.note(NOTE):
        was = str(note.get("directory", root))
        return Identity(str(note["name"]), str(note["id"]), fixed=True, elsewhere=was if was != root else "")
    found = (entry for entry in earlier(directory) if not (entry.replaced or _was_made_again(directory, entry)))
    return next((Identity(entry.name, entry.id, fixed=True) for entry in found), None)


def earlier(directory: ProjectDirectory, id: str = "") -> list[KnownProject]:
    """The projects that are listed for this directory, without the one with this id."""
    return [entry for entry in known_projects.known() if entry.directory == str(directory.root) and entry.id != id]


def _was_made_again(directory: ProjectDirectory, entry: KnownProject) -> bool:
    """Whether the directory is newer than the last command there, as a git worktree that was removed and added again.

    One that only lost its state folder is not.
    """
    with suppress(OSError):
        made = [(directory.root / name).stat().st_ctime for name in location.FOLDERS]
        return min(made) > entry.used and not directory.state.exists()
    return False


def _is_copy(stored: Identity, directory: ProjectDirectory) -> bool:
    """Whether the directory that the identity was written for has it still."""
    if not stored.elsewhere or not Path(stored.elsewhere).is_dir():
        return False
    other = ProjectDirectory(Path(stored.elsewhere))
    try:
        same_place = other.root.samefile(directory.root)
        return not same_place and other.note(NOTE).get("id") == stored.id
    except (ArcError, OSError):
        return False


def _new(directory: ProjectDirectory, wanted: str) -> Identity:
    others = {entry.name: entry for entry in known_projects.known()}
    if wanted:
        refuse_name(wanted)
    if _ran_before(directory):
        if wanted in ("", PROJECT) and PROJECT not in others:
            return Identity(PROJECT, fixed=True, taken_over=True)
        if not directory.notes_engines() or directory.used_engines().keys() & _BY_NAME:
            raise _would_lose_data(directory, wanted, others.get(PROJECT))
    return Identity(wanted, fixed=True) if wanted else Identity(unique(normalized(directory.root.name), others))


def _would_lose_data(directory: ProjectDirectory, wanted: str, other: KnownProject | None) -> ProjectError:
    anew = f"arcctl -p {wanted or unique(normalized(directory.root.name), (PROJECT,))} init --new-identity"
    text = f"an earlier arcctl ran the project in {directory.root} under the name {PROJECT}, which its data has"
    if other is None:
        return ProjectError(text, hint=f"arcctl -p {PROJECT} init, or to leave that data and begin anew: {anew}")
    return ProjectError(
        f"{text}, and the project in {other.directory} has that name now",
        hint=f"to leave that data and begin anew: {anew}",
    )


def _ran_before(directory: ProjectDirectory) -> bool:
    """Whether an earlier arcctl, which knew one name only, made secrets here."""
    return directory.secrets_file.exists() or directory.notes_engines()


def normalized(text: str) -> str:
    """A text as Compose makes a project name of it: small letters, digits, `-` and `_`."""
    return re.sub(r"[^a-z0-9_-]", "", text.lower()).lstrip("_-")[:LONGEST] or UNNAMED


def unique(name: str, taken: Container[str]) -> str:
    """The name, or with the first number that makes it one that nobody has."""
    names = (name if number == 1 else f"{name[: LONGEST - 4]}-{number}" for number in count(1))
    return next(found for found in names if found not in taken)


def refuse_name(name: str) -> None:
    """Raises UsageError for what Compose does not take as the name of a project."""
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        hint = f"small letters, digits, - and _, at most {LONGEST}, such as {normalized(name)}"
        raise UsageError(f"{name!r} cannot be the name of a project", hint=hint)


def free(identity: Identity, in_use: Iterable[str]) -> Identity:
    """With a name that nobody else has; `in_use` are the names that the engine knows.

    Raises PreflightError where the name that a person wants is in use.
    """
    others = {entry.name: entry for entry in known_projects.known() if entry.id != identity.id}
    own = {identity.name} if identity.taken_over else set()
    taken = {*others, *in_use} - own
    if identity.fixed and identity.name in taken:
        raise _in_use(identity.name, others.get(identity.name), taken)
    return replace(identity, name=unique(identity.name, taken))


def _in_use(name: str, other: KnownProject | None, taken: Container[str]) -> PreflightError:
    where = f"the project in {other.directory}" if other else "containers, data or a network of somebody else"
    return PreflightError(
        f"the name {name} is in use: {where}", hint=f"choose another one: arcctl -p {unique(name, taken)} init"
    )


def with_id(identity: Identity) -> Identity:
    return replace(identity, id=identity.id or secrets.token_hex(6), fixed=True)


def remember(identity: Identity, directory: ProjectDirectory) -> bool:
    """Write the identity to the project and to the list of all projects; False where that cannot be written."""
    if identity.unlisted:
        return True
    root = str(directory.root)
    note = {"id": identity.id, "name": identity.name, "directory": root}
    if directory.note(NOTE) != note:
        directory.keep_note(NOTE, note)
    before = known_projects.get(identity.id)
    entry = KnownProject(
        id=identity.id,
        name=identity.name,
        directory=root,
        ports=before.ports if before else {},
        engines=directory.used_engines(),
    )
    return known_projects.remember(entry)


def seen(identity: Identity, directory: ProjectDirectory) -> None:
    """Note that the project is used, and where it is now."""
    if identity.id and (identity.elsewhere or not known_projects.touch(identity.id)):
        with suppress(ArcError, OSError):  # a command that only looks needs no list
            remember(identity, directory)


def renewed(directory: ProjectDirectory, wanted: str, tell: Callable[[str], None]) -> Identity:
    """A new identity for a copy of another project: it keeps settings, secrets and files, and forgets what ran.

    Tells where data that was copied along is now. Raises ProjectError where it is no copy: its own data would be left
    to itself.
    """
    stored = _stored(directory)
    if stored and not _is_copy(stored, directory) and directory.used_engines():
        raise ProjectError(
            f"{directory.root} is no copy of another project: it is the project {stored.name}",
            hint=f"to delete its data, so that it can have another name: arcctl -p {stored.name} clean",
        )
    if aside := directory.forget_what_ran(stored.name if stored else PROJECT):
        tell(f"data that was copied along is not used; it is in {aside}")
    name = wanted or unique(normalized(directory.root.name), {entry.name for entry in known_projects.known()})
    refuse_name(name)
    return Identity(name, fixed=bool(wanted))


def find_root(start: Path, named: str, project: str) -> Path:
    """The project directory that is named, else that of the project with this name, else the nearest one.

    Raises ProjectError where there is none.
    """
    if named or not project:
        return location.find(start, named)
    refuse_name(project)
    try:
        here = ProjectDirectory(location.find(start))
    except ProjectError:
        here = None
    stored = _stored(here) if here else None
    is_new = stored is None and project not in {entry.name for entry in known_projects.known()}
    if here and (is_new or (stored and stored.name == project)):
        return here.root
    return Path(known_projects.find(project).directory)
