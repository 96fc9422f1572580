"""Who may work on a project: the user whose state folder it has."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from arcctl.errors import ProjectError
from arcctl.settings.directory import STATE
from arcctl.settings.environment import snapshot


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
    hint = f"sudo -u {_user(owner)} arcctl" if owner else "sudo arcctl"
    raise ProjectError(f"{kept} belongs to {_user(owner)}, and you are {_user(me)}", hint=hint)


def _user(uid: int) -> str:
    """The name of a user, else the number as `sudo` takes it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"'#{uid}'"
