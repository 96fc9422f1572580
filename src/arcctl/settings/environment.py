"""The process environment: read and changed here and nowhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping


def snapshot() -> Mapping[str, str]:
    """A copy of the environment as it is now."""
    return dict(os.environ)


def leave_python_path(*ours: str) -> None:
    """Import nothing more from PYTHONPATH, which is for the caller's own programs, unless one of our packages is there.

    `ours` are files of packages.
    """
    given = {os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path}
    if not given & {os.path.dirname(os.path.dirname(os.path.abspath(file))) for file in ours}:
        sys.path[:] = [path for path in sys.path if os.path.abspath(path) not in given]


def remove(names: Iterable[str]) -> None:
    """Take variables away from the libraries that we use and from the programs that we start."""
    for name in names:
        os.environ.pop(name, None)
