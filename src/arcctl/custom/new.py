"""`service new`: the first code of a custom service, made from the sample application and an example to replace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from string import Template
from typing import Any

from arcctl.services import otel_collector, swiss_army
from arcctl.settings.template import template as project_template
from arcctl.settings.text import packaged

_SAMPLE = PurePosixPath(swiss_army.PROJECT)
_PACKAGE = "swiss_army"
USER = "10001:10001"
"""The account in the sample's image."""
_COPIED = ("Dockerfile", ".dockerignore", "requirements.lock")
_MODULES = ("__main__.py", "correlation.py", "server_spans.py", "telemetry.py")


@dataclass(frozen=True)
class Scaffold:
    """Files by their path in the project directory, and the fields of the service's file that belong to them."""

    files: Mapping[PurePosixPath, str]
    fields: Mapping[str, Any]


def scaffold(name: str, *, database: bool) -> Scaffold:
    folder, package = PurePosixPath("apps", name), f"{name.replace('-', '_')}_service"
    code = folder / "src" / package
    words = {
        "name": name,
        "package": package,
        "title": f"The service {name}",
        "dependencies": '  "psycopg[binary]~=3.3",\n' if database else "",
    }

    def copied(path: str) -> str:
        text = (project_template() / _SAMPLE / path).read_text(encoding="utf-8")
        return (
            text.replace(_PACKAGE, package)
            .replace(swiss_army.SERVICE.id, name)
            .replace("sample application", f"service {name}")
        )

    def filled(file: str) -> str:
        return Template(_text(f"{file}.txt")).substitute(words)

    files = {folder / file: copied(file) for file in _COPIED}
    files |= {code / file: copied(f"src/{_PACKAGE}/{file}") for file in _MODULES}
    files |= {folder / file: filled(file) for file in ("README.md", "pyproject.toml")}
    files |= {code / "__init__.py": filled("init.py"), code / "app.py": filled("app.py")}
    files[code / "visits.py"] = filled("visits_in_database.py" if database else "visits.py")
    if database:
        files[folder / "requirements.lock"] += _text("database.lock")
    fields = {
        "build": str(folder),
        "ports": [swiss_army.PORT],
        "probe": "/health",
        "needs": [otel_collector.SERVICE.id],
        "user": USER,
        "embedded": {
            "lock": str(folder / "requirements.lock"),
            "command": ["python", "-m", package, "--host", "127.0.0.1", "--port", "${PORT}"],
        },
    }
    return Scaffold(files, fields)


def _text(file: str) -> str:
    return packaged(f"templates/service/{file}")
