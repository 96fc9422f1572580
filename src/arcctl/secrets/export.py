"""`secrets export`: every secret that is set, as an environment file, JSON, or a file for each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from arcctl.errors import UsageError

if TYPE_CHECKING:
    from arcctl.project import Project


def export(project: Project) -> dict[str, str]:
    """The values by name.

    Raises UsageError where there is none.
    """
    from arcctl.model.env import NOT_ISSUED
    from arcctl.secrets.plan import secrets

    values = project.settings.values
    texts = {name: values[name].text for name in sorted(secrets(project.catalogue))}
    found = {name: text for name, text in texts.items() if text and text != NOT_ISSUED}
    if not found:
        raise UsageError("this project has no secrets yet", hint="arcctl init")
    return found


class Format(StrEnum):
    ENV = "env"
    DOCKER = "docker"
    JSON = "json"


FILES = {Format.ENV: "arc.env", Format.JSON: "arc-secrets.json"}
"""The file name of each format that is one file."""


def document(values: Mapping[str, str], kind: Format) -> str:
    """All secrets in one text; values are URL-safe, so nothing needs a quote."""
    if kind is Format.JSON:
        return json.dumps(dict(values), indent=2) + "\n"
    return "".join(f"{name}={value}\n" for name, value in values.items())


def files(values: Mapping[str, str], kind: Format) -> dict[str, str]:
    """The texts of a folder, by file name."""
    if kind is not Format.DOCKER:
        return {FILES[kind]: document(values, kind)}
    commands = (f"docker secret create arc_{name.lower()} {name.lower()}\n" for name in values)
    block = (f"  arc_{name.lower()}:\n    file: ./{name.lower()}\n" for name in values)
    return {name.lower(): value for name, value in values.items()} | {
        "create-secrets.sh": '#!/bin/sh\nset -e\ncd "$(dirname "$0")"\n' + "".join(commands),
        "secrets.yaml": "secrets:\n" + "".join(block),
    }
