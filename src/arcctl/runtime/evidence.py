"""What an engine, this machine and this installation say of themselves, for whoever has to help."""

from __future__ import annotations

import json
import platform
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib.metadata import distributions
from pathlib import Path

from arcctl.core.env import UNTOLD, variables
from arcctl.core.model import Catalogue
from arcctl.core.ports import Engine
from arcctl.runtime import embedded, files
from arcctl.runtime.docker import DockerEngine
from arcctl.runtime.supervision import Supervisor

TAIL = 500
_ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?(\w+)\s*=\s*[\"']?(.*?)[\"']?\s*$", re.MULTILINE)
_LONG_TEXT = re.compile(r'"([^"\\\s]{16,})"')


def parts(engine: Engine, home: files.Home) -> Iterator[tuple[str, Callable[[], str]]]:
    """Files of a bundle by their names, each made when it is asked for."""
    yield "versions.json", partial(_versions, engine)
    for path in sorted((home.root / "compose").glob("*.yaml")):
        yield f"compose/{path.name}", path.read_text
    if isinstance(engine, DockerEngine):
        yield "compose/merged.yaml", partial(_merged, engine)
        yield "engine/info.json", partial(engine.ask, "info", "--format", "{{json .}}")
        yield "engine/containers.txt", partial(engine.ask, "container", "ls", "--all")
        yield "engine/disk.txt", partial(engine.ask, "system", "df")
    else:
        base = embedded.base(home.root)
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
    """As Compose reads the files, with the names of settings in the place of their values."""
    _, *words = engine.command()
    return engine.ask(*words, "config", "--no-interpolate")


def _supervisor(base: Path) -> str:
    return json.dumps(Supervisor(base).processes(), indent=2, default=str) + "\n"


def _tail(path: Path) -> str:
    return "".join(path.read_text(errors="replace").splitlines(keepends=True)[-TAIL:])


def secret_values(home: files.Home, catalogue: Catalogue, environment: Mapping[str, str]) -> frozenset[str]:
    """Every value of a secret that this home or the environment has, also from files that are broken otherwise."""
    names = {v.name for container in catalogue.containers().values() for v in variables(container.env) if v.secret}
    texts = [_lenient(path) for path in (*home.state.glob("*.env"), *home.root.glob("config/*/.env"))]
    found = {value for text in texts for name, value in _ASSIGNMENT.findall(text) if name in names}
    found |= {value for _, value in _ASSIGNMENT.findall(_lenient(home.secrets_file))}
    found |= {value for name, value in environment.items() if name in names}
    found -= {"", UNTOLD}
    return frozenset(found | (_beside(home.state, found) - names))


def _beside(state: Path, known: set[str]) -> set[str]:
    """A file that holds one secret holds others: long texts of the state folder's JSON files that do."""
    texts = [text for path in state.glob("*.json") if any(value in (text := _lenient(path)) for value in known)]
    return {match for text in texts for match in _LONG_TEXT.findall(text)}


def _lenient(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
