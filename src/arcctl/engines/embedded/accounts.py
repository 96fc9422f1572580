"""The user that servers run as: not root where possible, because some refuse it and none needs it."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path
from typing import Any

NAME = "nobody"
OTHERS = stat.S_IXOTH


def unprivileged() -> pwd.struct_passwd | None:
    """The user for servers that root starts; None for another caller, or where there is no such user."""
    try:
        return pwd.getpwnam(NAME) if os.geteuid() == 0 else None
    except KeyError:
        return None


def run_as(*needed: Path) -> pwd.struct_passwd | None:
    """The user for a program; None, for the caller, also where that user could not reach these paths."""
    return unprivileged() if all(_reachable(path.resolve()) for path in needed) else None


def _reachable(path: Path) -> bool:
    return path.exists() and all(step.stat().st_mode & OTHERS for step in (path, *path.parents))


def give(path: Path, user: pwd.struct_passwd | None) -> None:
    if user:
        os.chown(path, user.pw_uid, user.pw_gid)


def as_user(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """Arguments of `subprocess` that run a child as this user."""
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()} if user else {}
