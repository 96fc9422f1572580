"""Whom servers run as: never as root where that can be helped, because some refuse it and none needs it."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path
from typing import Any

NAME = "nobody"
OTHERS = stat.S_IXOTH


def unprivileged() -> pwd.struct_passwd | None:
    """The account for servers where root starts them; None where an ordinary user does, or there is no such account."""
    try:
        return pwd.getpwnam(NAME) if os.geteuid() == 0 else None
    except KeyError:
        return None


def run_as(*needed: Path) -> pwd.struct_passwd | None:
    """The account for a program: None, so the caller's own, also where that could not reach these paths."""
    return unprivileged() if all(_reachable(path.resolve()) for path in needed) else None


def _reachable(path: Path) -> bool:
    return path.exists() and all(step.stat().st_mode & OTHERS for step in (path, *path.parents))


def give(path: Path, user: pwd.struct_passwd | None) -> None:
    if user:
        os.chown(path, user.pw_uid, user.pw_gid)


def as_user(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """Arguments of `subprocess` that run a child as this account."""
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()} if user else {}
