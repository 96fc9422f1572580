"""What containers take, by two calls of the Docker command line."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping

from arcctl.core.compose import PROJECT
from arcctl.core.env import symbolic
from arcctl.core.local import volume_name
from arcctl.core.model import Catalogue, Volume, container_name
from arcctl.core.usage import Usage, size
from arcctl.errors import EngineError

Read = Callable[..., str]
"""One bounded call of `docker`."""


def usage(read: Read, keys: tuple[str, ...]) -> dict[str, Usage]:
    """By key, for containers that run."""
    if not keys:
        return {}
    names = {container_name(PROJECT, key): key for key in keys}
    lines = read("stats", "--no-stream", "--format", "json", *names, missing_is_fine=True).splitlines()
    return {names[item["Name"]]: _usage(item) for item in map(json.loads, lines) if item["Name"] in names}


def _usage(item: Mapping[str, str]) -> Usage:
    memory, _, limit = item["MemUsage"].partition("/")
    return Usage(memory=size(memory), limit=size(limit), cpu=float(item["CPUPerc"].rstrip("%").replace("--", "0")))


def disk(read: Read, catalogue: Catalogue) -> dict[str, int]:
    """Bytes in the volumes of each container that has any; nothing where the engine takes too long to add them up."""
    volumes: list[dict[str, str]] = []
    with contextlib.suppress(EngineError):
        volumes = json.loads(read("system", "df", "--verbose", "--format", "{{json .Volumes}}"))
    sizes = {volume["Name"]: size(volume["Size"]) for volume in volumes}
    found: dict[str, int] = {}
    for key, container in catalogue.containers().items():
        names = [m.name for m in container.mounts(symbolic(container.env)) if isinstance(m, Volume)]
        known = [sizes[full] for name in names if (full := f"{PROJECT}_{volume_name(key, name)}") in sizes]
        if known:
            found[key] = sum(known)
    return found
