"""What a Docker engine says of itself, of its clock and its names, and of data that homes left on it."""

from __future__ import annotations

import json
import platform
import shlex
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from arcctl.core.checkup.facts import EngineReport, Lookup, VolumeFacts
from arcctl.core.compose import PROJECT
from arcctl.core.model import Catalogue, Stamp
from arcctl.core.upgrade import data_version
from arcctl.core.volumes import declared
from arcctl.errors import ArcError, EngineError
from arcctl.runtime import files, inspection
from arcctl.runtime.docker import DockerEngine

_OURS = ("--filter", f"label=com.docker.compose.project={PROJECT}")
_FILES = f'{{{{.Names}}}}\t{{{{.Label "{inspection.CONFIG_FILES}"}}}}'
_LOOK = """\
cd /volume || exit 1
ls -A | head -n 1 | grep -q . || exit 0
echo full
for found in $1; do folder=$found; done
cd "$folder" 2>/dev/null || exit 0
head -c 20 "$2" 2>/dev/null; echo
shift
for file; do [ -f "$file" ] && echo "$file"; done
exit 0
"""
"""Says whether a volume holds anything, its version, and which of the files are there."""


def report(engine: DockerEngine, home: files.Home, catalogue: Catalogue) -> EngineReport:
    began = time.time()
    try:
        info = json.loads(engine.ask("info", "--format", "{{json .}}"))
        if info.get("ServerErrors"):
            engine.facts()
    except EngineError as error:
        return EngineReport(name=engine.name, problem=(error.message, error.hint))
    middle = (began + time.time()) / 2
    found = EngineReport(
        name=engine.name,
        same_kernel=info.get("KernelVersion", "") == platform.release(),
        rootless=any("rootless" in option for option in info.get("SecurityOptions") or ()),
        cgroup=str(info.get("CgroupVersion", "")),
        memory_limits=info.get("MemoryLimit"),
        storage=info.get("Driver", ""),
        skew=_skew(info.get("SystemTime", ""), middle),
        lookup_possible=True,
    )
    try:
        return _with_traces(replace(found, facts=engine.facts()), engine, home, catalogue, info)
    except ArcError as error:
        return replace(found, compose_problem=(error.message, error.hint))


def _with_traces(
    found: EngineReport, engine: DockerEngine, home: files.Home, catalogue: Catalogue, info: Mapping[str, Any]
) -> EngineReport:
    volumes, known = engine.volumes(), {f"{PROJECT}_{name}" for name in declared(catalogue)}
    foreign = tuple(_foreign(engine, home.root))
    undeclared = tuple(name for name in volumes if name not in known)
    return replace(
        found,
        all_volumes=volumes,
        volumes=tuple(_stamped(engine, catalogue, volumes)),
        foreign=foreign,
        remove_foreign=f"arcctl --home {shlex.quote(foreign[0].rpartition(' of ')[2])} down" if foreign else "",
        undeclared=undeclared,
        remove_undeclared=f"docker volume rm {' '.join(undeclared)}" if undeclared else "",
        lookup=_lookup(engine, catalogue, str(info.get("IndexServerAddress", ""))),
    )


def _skew(said: str, now: float) -> float | None:
    """`2026-01-31T10:00:00.123456789Z` against the middle of the call."""
    try:
        return round(datetime.fromisoformat(said).timestamp() - now, 1)
    except ValueError:
        return None


def _foreign(engine: DockerEngine, root: Path) -> Iterator[str]:
    """Containers of this project that another home's files made."""
    for line in engine.ask("container", "ls", "--all", *_OURS, "--format", _FILES).splitlines():
        name, _, made_from = line.partition("\t")
        home = inspection.home(made_from)
        if home and home.resolve() != root:
            yield f"{name} of {home}"


def _stamped(engine: DockerEngine, catalogue: Catalogue, volumes: tuple[str, ...]) -> Iterator[VolumeFacts]:
    for short, (key, volume) in declared(catalogue).items():
        name = f"{PROJECT}_{short}"
        if volume.stamp and name in volumes:
            container = catalogue.containers()[key]
            said = _look(engine, name, container.image, volume.stamp)
            if said is not None:
                yield _judged(name, key, volume.stamp, data_version(container, container.image), said)


def _look(engine: DockerEngine, name: str, image: str, stamp: Stamp) -> list[str] | None:
    """What a throw-away container of the server's own image says; None where the image is not there."""
    mount = f"type=volume,source={name},target=/volume,readonly"
    alone = ("--rm", "--pull", "never", "--network", "none", "--user", "0:0", "--entrypoint", "sh", "--mount", mount)
    try:
        return engine.ask("run", *alone, image, "-c", _LOOK, "sh", stamp.folder, *stamp.files).splitlines()
    except EngineError:
        return None


def _judged(name: str, key: str, stamp: Stamp, wanted: str, said: list[str]) -> VolumeFacts:
    there = set(said[2:])
    missing = tuple(file for file in stamp.files if file not in there) if said else ()
    version = said[1].strip() if len(said) > 1 else ""
    return VolumeFacts(name=name, service=key, missing=missing, version=version, wanted=wanted)


def _lookup(engine: DockerEngine, catalogue: Catalogue, index: str) -> Lookup | None:
    """Names as the first running container finds them whose image can look one up."""
    running = engine.observe().published
    able = [(key, c.resolver) for key, c in catalogue.containers().items() if c.resolver and key in running]
    if not able:
        return None
    key, resolver = able[0]
    outer = urlsplit(index).hostname or "example.com"
    found = engine.execute(key, (*resolver, outer)).code == 0
    return Lookup(
        inside=key,
        own=engine.execute(key, (*resolver, key)).code == 0,
        outer=outer,
        outer_found=found,
        host_finds=found or _host_finds(outer),
    )


def _host_finds(name: str) -> bool:
    try:
        return bool(socket.getaddrinfo(name, 443))
    except OSError:
        return False
