#!/usr/bin/env python3
"""Write settings from the environment into configuration files.

A variable with the name of a key in the file replaces its value; PULSAR_PREFIX_<key> replaces or adds it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

PREFIX = "PULSAR_PREFIX_"


def key_of(line: str) -> str | None:
    """The key that a line sets; a commented line counts too."""
    text = line.strip().removeprefix("#")
    name, sign, _ = text.partition("=")
    return name.strip() if sign and name.strip() and " " not in name.strip() else None


def apply(text: str, environment: dict[str, str]) -> str:
    """The text of a configuration file with the settings of the environment."""
    wanted = {name.removeprefix(PREFIX): value for name, value in environment.items() if name.startswith(PREFIX)}
    lines = []
    for line in text.splitlines():
        key = key_of(line)
        value = wanted.pop(key, environment.get(key)) if key else None
        lines.append(line if value is None else f"{key}={value}")
    lines += [f"{key}={value}" for key, value in wanted.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Rewrite each file that is named."""
    if len(sys.argv) < 2:
        raise SystemExit(f"Usage: {sys.argv[0]} file...")
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(apply(path.read_text(), dict(os.environ)))


if __name__ == "__main__":
    main()
