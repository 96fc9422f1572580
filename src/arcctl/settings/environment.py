"""The process environment: read and changed here and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping


def snapshot() -> Mapping[str, str]:
    """A copy of the environment as it is now."""
    return dict(os.environ)


def remove(names: Iterable[str]) -> None:
    """Take variables away from the libraries that we use and from the programs that we start."""
    for name in names:
        os.environ.pop(name, None)
