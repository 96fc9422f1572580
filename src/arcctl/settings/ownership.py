"""Who may work on a project: the user whose state folder it has."""

from __future__ import annotations

import contextlib
import os
import pwd
import shlex
import sys
from pathlib import Path

from arcctl.errors import ProjectError
from arcctl.settings.environment import snapshot
from arcctl.settings.location import STATE


def refuse_other_user(directory: Path) -> None:
    """Raises ProjectError for a project of another user, before anything is written that its user could not read.

    One without a state folder is refused only to `sudo`: in a container, root often works on the files of others.
    """
    state = directory / STATE
    kept = next((folder for folder in (state, directory) if folder.is_dir()), None)
    if kept is None:
        return
    owner, me = kept.stat().st_uid, os.geteuid()
    if owner == me or (kept is directory and (me != 0 or snapshot().get("SUDO_UID") != str(owner))):
        return
    raise ProjectError(f"{kept} belongs to {_user(owner)}, and you are {_user(me)}", hint=_as_owner(owner, directory))


def _as_owner(owner: int, directory: Path) -> str:
    """The command that was typed; `sudo` has neither the variables of this shell nor its search path."""
    sudo = f"sudo -u {_user(owner)}" if owner else "sudo"
    words = shlex.join(["--project-directory", str(directory), *sys.argv[1:]])
    return f'{sudo} "$(command -v arcctl)" {words}'


def give_back(path: Path) -> str:
    """The command that gives this user all of the state folder, where another one has this file of it; else nothing."""
    places = (path, *path.parents)
    state = next((place for place in places if place.name == STATE), None)
    if state is None or not any(_is_of_another(place) for place in places if place.is_relative_to(state)):
        return ""
    return f"sudo chown -R {_user(os.geteuid())} {shlex.quote(str(state))}"


def _is_of_another(path: Path) -> bool:
    """Not of one that cannot be seen: a folder above it is."""
    with contextlib.suppress(OSError):
        return path.stat().st_uid != os.geteuid()
    return False


def _user(uid: int) -> str:
    """The name of a user, else the number as `sudo` takes it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"'#{uid}'"
