"""Reads what Grafana provisions from files: data sources, and dashboards by their providers."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import yaml

VARIABLE = re.compile(r"\$\$|\$\{(\w+)\}|\$(\w+)")


class ProvisioningError(Exception):
    """A file that Grafana would refuse to start with."""


def expand(value: Any) -> Any:
    """Variables of the environment in every text; `$$` is one dollar sign."""
    if isinstance(value, str):
        return VARIABLE.sub(replacement, value)
    if isinstance(value, list):
        return [expand(item) for item in value]
    if isinstance(value, dict):
        return {key: expand(item) for key, item in value.items()}
    return value


def replacement(match: re.Match[str]) -> str:
    """What one match of a variable becomes."""
    name = match.group(1) or match.group(2)
    return "$" if name is None else os.environ.get(name, "")


def documents(folder: Path) -> list[dict[str, Any]]:
    """The YAML files of a folder, in the order of their names."""
    files = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
    return [read(path) for path in files]


def read(path: Path) -> dict[str, Any]:
    """One YAML file with its variables expanded."""
    try:
        content = yaml.safe_load(path.read_text()) or {}
    except yaml.YAMLError as problem:
        raise ProvisioningError(f"{path}: {problem}") from problem
    return dict(expand(content))


def datasources(folder: Path) -> list[dict[str, Any]]:
    """Every data source; a name or uid may come once, and only one may be the default."""
    found = [source for document in documents(folder) for source in document.get("datasources") or []]
    for number, source in enumerate(found, start=1):
        if not source.get("name") or not source.get("type"):
            raise ProvisioningError(f"datasource {number} has no name or no type")
        source.setdefault("uid", source["name"].lower())
        source.update(id=number, orgId=1, readOnly=not source.get("editable", False))
        source.setdefault("isDefault", False)
    for key in ("name", "uid"):
        values = [source[key] for source in found]
        if len(set(values)) != len(values):
            raise ProvisioningError(f"data source with the same {key} already exists")
    if sum(bool(source["isDefault"]) for source in found) > 1:
        raise ProvisioningError("Only one datasource per organization can be marked as default")
    return found


def dashboards(folder: Path) -> dict[str, dict[str, Any]]:
    """Every dashboard below the providers' folders, by its uid."""
    found: dict[str, dict[str, Any]] = {}
    for provider in (item for document in documents(folder) for item in document.get("providers") or []):
        root = Path(provider["options"]["path"])
        for path in sorted(root.rglob("*.json")):
            model = json.loads(path.read_text())
            if not model.get("title"):
                raise ProvisioningError(f"{path}: Dashboard title cannot be empty")
            found[model.get("uid") or path.stem] = {"model": model, "folder": provider.get("folder"), "path": path.name}
    return found
