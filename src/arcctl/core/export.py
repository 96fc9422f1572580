"""Secrets as texts for other places: an environment file, JSON, or a file for each as Docker wants them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum


class Format(StrEnum):
    ENV = "env"
    DOCKER = "docker"
    JSON = "json"


FILES = {Format.ENV: "arc.env", Format.JSON: "arc-secrets.json"}
"""The one file of each format that has one."""
COMMANDS, COMPOSE = "create-secrets.sh", "secrets.yaml"


def document(values: Mapping[str, str], kind: Format) -> str:
    """All secrets in one text; values are URL-safe, so nothing needs a quote."""
    if kind is Format.JSON:
        return json.dumps(dict(values), indent=2) + "\n"
    return "".join(f"{name}={value}\n" for name, value in values.items())


def files(values: Mapping[str, str], kind: Format) -> dict[str, str]:
    """The texts of a folder, by file name."""
    if kind is not Format.DOCKER:
        return {FILES[kind]: document(values, kind)}
    return {name.lower(): value for name, value in values.items()} | {
        COMMANDS: commands(values),
        COMPOSE: compose(values),
    }


def commands(values: Mapping[str, str]) -> str:
    """What makes them secrets of a swarm; no value stands in it."""
    lines = (f"docker secret create arc_{name.lower()} {name.lower()}\n" for name in values)
    return "#!/bin/sh\nset -e\n" + 'cd "$(dirname "$0")"\n' + "".join(lines)


def compose(values: Mapping[str, str]) -> str:
    """A block for a Compose file in the same folder."""
    entries = (f"  arc_{name.lower()}:\n    file: ./{name.lower()}\n" for name in values)
    return "secrets:\n" + "".join(entries)
