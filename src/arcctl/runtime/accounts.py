"""Whom servers run as: never as root where that can be helped, because some refuse it and none needs it."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path
from typing import Any

OTHERS = stat.S_IXOTH


def unprivileged() -> pwd.struct_passwd | None:
    """The account for servers where root starts them; None where an ordinary user does."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def run_as(program: Path) -> pwd.struct_passwd | None:
    """The account for one program: None, so the caller's own, also where the other account could not reach it."""
    real = program.resolve()
    reachable = all(path.stat().st_mode & OTHERS for path in (real, *real.parents)) if real.exists() else False
    return unprivileged() if reachable else None


def give(path: Path, user: pwd.struct_passwd | None) -> None:
    if user:
        os.chown(path, user.pw_uid, user.pw_gid)


def as_user(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """Arguments of `subprocess` that run a child as this account."""
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()} if user else {}
