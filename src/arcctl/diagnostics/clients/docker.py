"""Facts on a Docker engine: the engine itself, its clock, its names, and the data on it."""

from __future__ import annotations

import json
import platform
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from arcctl.diagnostics.facts import EngineReport, Lookup, VolumeFacts
from arcctl.engines.docker import inspection, products
from arcctl.engines.docker.engine import DockerEngine
from arcctl.engines.volumes import declared
from arcctl.errors import ArcError, EngineError
from arcctl.model.data_version import data_version
from arcctl.model.disk import fullest
from arcctl.model.service import Catalogue, DataVersionFile
from arcctl.settings.directory import ProjectDirectory

_FILES = f'{{{{.Names}}}}\t{{{{.Label "{inspection.CONFIG_FILES}"}}}}'
NO_PROGRAM = (126, 127)
"""How Docker ends where an image has no such program, or not for this user."""
_INSPECT_VOLUME = """\
cd /volume || exit 1
ls -A | head -n 1 | grep -q . || exit 0
echo full
for found in $1; do folder=$found; done
cd "$folder" 2>/dev/null || exit 0
head -c 20 "$2" 2>/dev/null; echo
shift
for file; do [ -s "$file" ] && echo "$file"; done
exit 0
"""
"""Prints whether a volume has data, its version, and which of the files exist."""


def report(engine: DockerEngine, directory: ProjectDirectory, catalogue: Catalogue) -> EngineReport:
    began = time.time()
    try:
        info = json.loads(engine.read("info", "--format", "{{json .}}"))
        if info.get("ServerErrors"):
            engine.facts()
    except EngineError as error:
        return EngineReport(name=engine.name, problem=(error.message, error.hint))
    middle = (began + time.time()) / 2
    product, near = products.product(info), info.get("KernelVersion", "") == platform.release()
    found = EngineReport(
        name=engine.name,
        same_kernel=near,
        product=product,
        in_wsl=products.in_wsl(info),
        docker_socket=products.socket_to_mount(product, _endpoint(engine), near=near),
        rootless=products.is_rootless(info),
        selinux=any("selinux" in option for option in info.get("SecurityOptions") or ()),
        cgroup=str(info.get("CgroupVersion", "")),
        memory_limits=info.get("MemoryLimit"),
        storage=info.get("Driver", ""),
        skew=_skew(info.get("SystemTime", ""), middle),
        lookup_possible=True,
    )
    try:
        facts, data = engine.facts(), engine.disks(engine.observe()).values()
        facts = replace(facts, disk=fullest(disk for disk in (facts.disk, *data) if disk))
        return _with_data(replace(found, facts=facts), engine, directory, catalogue, info)
    except ArcError as error:
        return replace(found, compose_problem=(error.message, error.hint))


def _endpoint(engine: DockerEngine) -> str:
    """Where `docker` finds the engine, by its context or by DOCKER_HOST; this asks no engine."""
    try:
        return engine.read("context", "inspect", "--format", "{{.Endpoints.docker.Host}}").strip()
    except EngineError:
        return ""


def _with_data(
    found: EngineReport,
    engine: DockerEngine,
    directory: ProjectDirectory,
    catalogue: Catalogue,
    info: Mapping[str, Any],
) -> EngineReport:
    volumes, known = engine.volumes(), declared(catalogue, engine)
    others = tuple(_other_projects(engine, directory.root))
    undeclared = tuple(name for name in volumes if name not in known)
    return replace(
        found,
        all_volumes=volumes,
        volumes=tuple(_volumes(engine, catalogue, volumes)),
        other_projects=tuple(f"{name} of {other}" for name, other in others),
        about_other_projects="arcctl projects" if others else "",
        undeclared=undeclared,
        about_undeclared=_about(undeclared[0]) if undeclared else "",
        lookup=_lookup(engine, catalogue, str(info.get("IndexServerAddress", ""))),
    )


def _about(volume: str) -> str:
    """It may be the only copy, or somebody else's who has a Compose project of the same name."""
    return f"see what is in it: docker run --rm -v {volume}:/data:ro busybox ls -la /data"


def _skew(said: str, now: float) -> float | None:
    """Seconds between `2026-01-31T10:00:00.123456789Z` and `now`."""
    try:
        return round(datetime.fromisoformat(said).timestamp() - now, 1)
    except ValueError:
        return None


def _other_projects(engine: DockerEngine, root: Path) -> Iterator[tuple[str, Path]]:
    """Containers with names of this project that another project directory created."""
    for line in engine.read("container", "ls", "--all", *engine.project_filter, "--format", _FILES).splitlines():
        name, _, config_files = line.partition("\t")
        directory = inspection.directory(config_files)
        if directory and directory.resolve() != root:
            yield name, directory


def _volumes(engine: DockerEngine, catalogue: Catalogue, volumes: tuple[str, ...]) -> Iterator[VolumeFacts]:
    for name, (key, volume) in declared(catalogue, engine).items():
        file = volume.data_version_file
        if not file or name not in volumes:
            continue
        component = catalogue.components()[key]
        image = component.container.image
        lines = _inspect_volume(engine, name, image, file)
        if lines is not None:
            yield VolumeFacts(
                name=name,
                service=key,
                missing=tuple(f for f in file.files if f not in lines[2:]) if lines else (),
                version=lines[1].strip() if len(lines) > 1 else "",
                wanted=data_version(component, image),
            )


def _inspect_volume(engine: DockerEngine, name: str, image: str, file: DataVersionFile) -> list[str] | None:
    """The output of a temporary container of the server's image; None where the image is missing."""
    mount = f"type=volume,source={name},target=/volume,readonly"
    alone = ("--rm", "--pull", "never", "--network", "none", "--user", "0:0", "--entrypoint", "sh", "--mount", mount)
    try:
        return engine.read("run", *alone, image, "-c", _INSPECT_VOLUME, "sh", file.folder, *file.files).splitlines()
    except EngineError:
        return None


def _lookup(engine: DockerEngine, catalogue: Catalogue, index: str) -> Lookup | None:
    """Names looked up in the first running container whose image has a resolver."""
    running, outer = engine.observe().published, urlsplit(index).hostname or "example.com"
    components = catalogue.components().items()
    for key, resolver in ((k, c.network.resolver) for k, c in components if c.network.resolver and k in running):
        inside = engine.execute(key, (*resolver, key)).code
        if inside not in NO_PROGRAM:
            found = engine.execute(key, (*resolver, outer)).code == 0
            return Lookup(
                inside=key,
                containers_found=inside == 0,
                outer=outer,
                outer_found=found,
                host_finds=found or _host_finds(outer),
            )
    return None


def _host_finds(name: str) -> bool:
    try:
        return bool(socket.getaddrinfo(name, 443))
    except OSError:
        return False
