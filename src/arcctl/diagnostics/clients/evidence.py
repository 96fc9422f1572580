"""Parts of a support bundle that come from the engine, this machine and this installation."""

from __future__ import annotations

import io
import json
import os
import platform
import re
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib.metadata import distributions
from pathlib import Path

from arcctl.engines.base import Engine
from arcctl.engines.docker.engine import DockerEngine
from arcctl.engines.embedded import location
from arcctl.engines.embedded.supervisor import Supervisor
from arcctl.model.env import NOT_ISSUED, variables
from arcctl.model.service import Catalogue
from arcctl.settings.directory import ProjectDirectory
from arcctl.settings.files import PRIVATE_FILE, readable

TAIL = 500
_ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?(\w+)\s*=\s*[\"']?(.*?)[\"']?\s*$", re.MULTILINE)
_LONG_TEXT = re.compile(r'"([^"\\\s]{16,})"')


def parts(engine: Engine, directory: ProjectDirectory) -> Iterator[tuple[str, Callable[[], str]]]:
    """Files of a bundle by name, each made when it is asked for."""
    yield "versions.json", partial(_versions, engine)
    for path in sorted((directory.root / "compose").glob("*.yaml")):
        yield f"compose/{path.name}", path.read_text
    if isinstance(engine, DockerEngine):
        yield "compose/merged.yaml", partial(_merged, engine)
        yield "engine/info.json", partial(engine.read, "info", "--format", "{{json .}}")
        yield "engine/containers.txt", partial(engine.read, "container", "ls", "--all")
        yield "engine/disk.txt", partial(engine.read, "system", "df")
    else:
        base = location.base(directory.root)
        yield "engine/supervisor.json", partial(_supervisor, base)
        yield "engine/supervisor.conf", (base / "supervisor.conf").read_text
        yield "engine/supervisor.log", partial(_tail, base / "log" / "supervisor.log")


def _versions(engine: Engine) -> str:
    packages = {item.name: item.version for item in distributions()}
    own = {
        "arcctl": packages.get("arcctl", ""),
        "python": sys.version,
        "platform": platform.platform(),
        "engine": engine.name,
    }
    return json.dumps({**own, "packages": dict(sorted(packages.items()))}, indent=2) + "\n"


def _merged(engine: DockerEngine) -> str:
    """The merged files of Compose, with names of settings instead of their values."""
    _, *words = engine.command()
    return engine.read(*words, "config", "--no-interpolate")


def _supervisor(base: Path) -> str:
    return json.dumps(Supervisor(base).processes(), indent=2, default=str) + "\n"


def _tail(path: Path) -> str:
    return "".join(path.read_text(errors="replace").splitlines(keepends=True)[-TAIL:])


def secret_values(directory: ProjectDirectory, catalogue: Catalogue, environment: Mapping[str, str]) -> frozenset[str]:
    """Every secret of this project or the environment, also from files that are invalid otherwise."""
    names = {v.name for container in catalogue.components().values() for v in variables(container.env) if v.secret}
    texts = [_lenient(path) for path in (*directory.state.glob("*.env"), *directory.root.glob("config/*/.env"))]
    found = {value for text in texts for name, value in _ASSIGNMENT.findall(text) if name in names}
    found |= {value for _, value in _ASSIGNMENT.findall(_lenient(directory.secrets_file))}
    found |= {value for name, value in environment.items() if name in names}
    found -= {"", NOT_ISSUED}
    return frozenset(found | (_related(directory.state, found) - names))


def _related(state: Path, known: set[str]) -> set[str]:
    """A state file with one secret may hold others: the long texts of such JSON files."""
    texts = [text for path in state.glob("*.json") if any(value in (text := _lenient(path)) for value in known)]
    return {match for text in texts for match in _LONG_TEXT.findall(text)}


def _lenient(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def write_archive(path: Path, folder: str, texts: Mapping[str, str]) -> None:
    """A tar.gz with these texts in `folder`."""
    with readable(path.parent):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream, tarfile.open(fileobj=stream, mode="w:gz") as archive:
                for inside, text in texts.items():
                    _add(archive, f"{folder}/{inside}", text.encode())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(data), PRIVATE_FILE, int(time.time())
    archive.addfile(entry, io.BytesIO(data))
