"""Names that a user gives to services, and the files that bear them. Loads nothing: completion reads it too."""

from __future__ import annotations

import re
from collections.abc import Iterable

from arcctl.errors import UsageError

FOLDER = "services"
"""Of the home; each file in it is one service, called as the file is."""
NAME = re.compile(r"[a-z]([a-z0-9]|-(?=[a-z0-9]))*")
LONGEST = 32


def own_file(name: str) -> str:
    """Where a service is described, as seen from the home."""
    return f"{FOLDER}/{name}.yaml"


def refuse_name(name: str, taken: Iterable[str]) -> None:
    """Raises UsageError for a name that a service cannot have."""
    hint = "small letters, digits and single dashes, such as my-agent"
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        raise UsageError(f"{name!r} cannot be the name of a service", hint=hint)
    if name in set(taken):
        raise UsageError(f"{name!r} is taken already", hint="arcctl service list, or choose another name")
