"""The process environment: read here and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping


def snapshot() -> Mapping[str, str]:
    """A copy of the environment as it is now."""
    return dict(os.environ)
