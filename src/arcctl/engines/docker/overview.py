"""What the Docker engine has of which project: the same few calls for one project and for many."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from arcctl.engines.base import EngineOverview, EngineProject
from arcctl.engines.docker import inspection
from arcctl.engines.docker.engine import EPHEMERAL, DockerEngine, size
from arcctl.engines.http import httpx
from arcctl.errors import EngineError
from arcctl.model.service import Catalogue
from arcctl.render.compose import LIMITS
from arcctl.settings.known_projects import is_gone

SIZE_SECONDS = 3.0
"""Longest time that the engine may take to add up its volumes, or the memory of its containers."""
STATS_AT_ONCE = 8
_LABEL = '{{{{.Label "com.docker.compose.{}"}}}}'
_CONTAINER = "\t".join(
    (*(_LABEL.format(name) for name in ("project", "service", "depends_on", "project.config_files")),
     "{{.ID}}", "{{.State}}", "{{.Ports}}", f'{{{{.Label "{LIMITS}"}}}}', "{{.Names}}")
)  # fmt: skip
_NAMED = "\t".join((_LABEL.format("project"), "{{.Name}}"))
_FINISHED = re.compile(r"([^:,]+):service_completed_successfully")
_OF_COMPOSE = ("--filter", "label=com.docker.compose.project")
_BY_PROJECT = (*_OF_COMPOSE, "--format", _NAMED)


def look() -> EngineOverview:
    """Raises EngineError where no engine answers."""
    engine = DockerEngine(Catalogue({}), (), Path(os.devnull), "")
    calls = {
        "containers": ("container", "ls", "--all", "--no-trunc", *_OF_COMPOSE, "--format", _CONTAINER),
        "ephemeral": ("container", "ls", "--all", "--format", f'{{{{.Label "{EPHEMERAL}"}}}}\t{{{{.ID}}}}'),
        "volumes": ("volume", "ls", *_BY_PROJECT),
        "networks": ("network", "ls", *_BY_PROJECT),
        "info": ("info", "--format", "{{.ID}}\t{{.Name}}"),
    }
    with ThreadPoolExecutor(len(calls) + 2) as pool:
        sizes, memory = pool.submit(engine.volume_sizes, SIZE_SECONDS), pool.submit(_memory, engine)
        texts = dict(zip(calls, pool.map(lambda words: engine.read(*words), calls.values()), strict=True))
        rows = {name: [line.split("\t") for line in text.splitlines()] for name, text in texts.items()}
        found = _projects(rows, sizes.result(), memory.result())
    id, _, machine = texts["info"].strip().partition("\t")
    return EngineOverview(engine=DockerEngine.name, id=id, here=machine == platform.node(), projects=found)


def _projects(
    rows: Mapping[str, list[list[str]]], sizes: Mapping[str, int], memory: Mapping[str, int]
) -> tuple[EngineProject, ...]:
    containers = _grouped(row for row in rows["containers"] if row[7])
    strangers = _grouped(row for row in rows["containers"] if not row[7])
    volumes, networks = _grouped(rows["volumes"]), _grouped(rows["networks"])
    ephemeral = _grouped(rows["ephemeral"])
    return tuple(
        EngineProject(
            engine=DockerEngine.name,
            name=name,
            directory=_directory(files for _, _, files, *_ in containers.get(name, ())),
            **_counted(containers.get(name, [])),
            containers=(*(row[3] for row in containers.get(name, ())), *(row[0] for row in ephemeral.get(name, ()))),
            networks=tuple(row[0] for row in networks.get(name, ())),
            stores=tuple(row[0] for row in volumes.get(name, ())),
            strangers=tuple(row[7] for row in strangers.get(name, ())),
            memory=sum(memory.get(row[3][:12], 0) for row in containers.get(name, ())),
            disk=sum(sizes.get(row[0], 0) for row in volumes.get(name, ())),
        )
        for name in sorted({*containers, *volumes} - {""})
    )


def _grouped(rows: Iterable[list[str]]) -> dict[str, list[list[str]]]:
    """Rows by their first column, which is the project; without that column."""
    found: dict[str, list[list[str]]] = {}
    for name, *others in rows:
        found.setdefault(name, []).append(others)
    return found


def _directory(files: Iterable[str]) -> str:
    """Of the Compose files; where containers were made from several directories, one that exists."""
    found = sorted({str(path) for path in map(inspection.directory, files) if path})
    return next((path for path in found if not is_gone(path)), found[0] if found else "")


def _counted(rows: list[list[str]]) -> dict[str, Any]:
    """Of the components that are to run for long: another one needs an init container to have ended."""
    init = {name for row in rows for name in _FINISHED.findall(row[1])}
    servers = [row for row in rows if row[0] not in init]
    ports = inspection.published(", ".join(row[5] for row in servers))
    return {
        "running": sum(row[4] == "running" for row in servers),
        "components": len(servers),
        "ports": tuple(sorted(ports)),
    }


def _memory(engine: DockerEngine) -> dict[str, int]:
    """Bytes that each running container uses, by the first letters of its id; empty where that takes too long.

    `docker stats` looks twice, a second apart, for what a processor does meanwhile: a socket is asked without that.
    """
    with contextlib.suppress(EngineError, httpx.HTTPError):
        host = engine.read("context", "inspect", "--format", "{{.Endpoints.docker.Host}}").strip()
        if host.startswith("unix://"):
            return _memory_now(host.removeprefix("unix://"))
        text = engine.read("stats", "--no-stream", "--format", "{{.ID}}\t{{.MemUsage}}", seconds=SIZE_SECONDS)
        rows = (line.split("\t") for line in text.splitlines())
        return {id[:12]: size(used.partition("/")[0]) for id, used in rows}
    return {}


def _memory_now(socket: str) -> dict[str, int]:
    with (
        httpx.Client(
            transport=httpx.HTTPTransport(uds=socket, verify=False), base_url="http://docker", timeout=SIZE_SECONDS
        ) as client,
        ThreadPoolExecutor(STATS_AT_ONCE) as pool,
    ):
        running = json.dumps({"label": [LIMITS], "status": ["running"]})
        ids = [found["Id"] for found in client.get("/containers/json", params={"filters": running}).json()]
        once = {"stream": "false", "one-shot": "true"}
        answers = pool.map(lambda id: client.get(f"/containers/{id}/stats", params=once).json(), ids)
        return {id[:12]: _used(answer.get("memory_stats", {})) for id, answer in zip(ids, answers, strict=True)}


def _used(stats: Mapping[str, Any]) -> int:
    """As `docker stats` shows it: without files that are only kept because there is room."""
    details = stats.get("stats") or {}
    cached = details.get("inactive_file", details.get("total_inactive_file", 0))
    return max(int(stats.get("usage", 0)) - int(cached), 0)


def remove(project: EngineProject) -> None:
    """Remove exactly these containers, networks and volumes. Raises EngineError."""
    engine = DockerEngine(Catalogue({}), (), Path(os.devnull), project.name)
    for words in (
        ("container", "rm", "--force", *project.containers),
        ("network", "rm", *project.networks),
        ("volume", "rm", *project.stores),
    ):
        if len(words) > (2 + (words[0] == "container")):
            engine.read(*words, missing_is_fine=True, seconds=None)
