"""`service add` and `service new`: the file of a custom service, with ports that are free."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from arcctl.custom.declare import catalogue
from arcctl.custom.files import load, render
from arcctl.custom.new import scaffold
from arcctl.custom.report import AddReport
from arcctl.custom.schema import HTTP, read
from arcctl.errors import SettingsError, UsageError
from arcctl.lifecycle.init import init
from arcctl.model.graph import reserved
from arcctl.model.host_ports import HIGHEST, host_ports
from arcctl.project import Project
from arcctl.render.compose import dump
from arcctl.settings.location import custom_file, refuse_name

FIRST_PORT = 8100


def new(name: str, fields: Mapping[str, Any], project: Project) -> AddReport:
    """Add a service with its first code; files that exist stay as they are."""
    made = scaffold(name, database=fields["database"])
    needs = list(dict.fromkeys((*made.fields["needs"], *fields["needs"])))
    missing = {path: text for path, text in made.files.items() if not (project.directory.root / path).exists()}
    return add(name, {**made.fields, **fields, "needs": needs}, project, missing)


def add(
    name: str, fields: Mapping[str, Any], project: Project, code: Mapping[PurePosixPath, str] | None = None
) -> AddReport:
    """Write the service's file, its code and what is rendered from it, and generate its secrets.

    Raises UsageError with the field that is wrong; then nothing of it is written.
    """
    refuse_name(name, reserved(project.catalogue))
    init(project)
    document, file, directory = _document(fields, project.reloaded()), custom_file(name), project.directory
    existing = load(directory.root)
    try:
        after = catalogue(existing | {name: read(name, document)})
    except SettingsError as error:
        message = error.message.removeprefix(f"{file}: ")
        raise UsageError(f"{name}: {message}", hint="arcctl service add --help") from None
    text = f"# A service of your own. Edit it, then: arcctl up {name}\n{dump(document)}"
    render(directory, catalogue(existing), after, {**(code or {}), PurePosixPath(file): text})
    init(replace(project, catalogue=after))
    return AddReport(
        name=name,
        file=file,
        image=document.get("image", ""),
        build=document.get("build", ""),
        addresses=tuple(f"http://127.0.0.1:{port['host']}" for port in document.get("ports", ())),
        needs=tuple(document.get("needs", ())),
        database=fields["database"],
        web=fields["web"],
        starts_here=project.engine.image_store is not None or "embedded" in document,
        code_files=len(code or {}),
    )


def _document(fields: Mapping[str, Any], project: Project) -> dict[str, Any]:
    """The content of the file, without empty fields; `ports` are container ports, and each gets one of the host."""
    hosts = free_ports(project, len(fields["ports"]))
    names = (HTTP, *(f"port{port}" for port in fields["ports"][1:]))
    ports = [{"container": c, "host": h, "name": n} for c, h, n in zip(fields["ports"], hosts, names, strict=False)]
    return {field: value for field, value in {**fields, "ports": ports}.items() if value}


def free_ports(project: Project, count: int) -> tuple[int, ...]:
    """Ports of the host that no service of a project uses, running or not, and that nothing listens on now."""
    used = {port.number for port in host_ports(project.catalogue, project.settings.envs, local=True)}
    free = (port for port in range(FIRST_PORT, HIGHEST + 1) if port not in used and not project.is_taken(port))
    return tuple(itertools.islice(free, count))
