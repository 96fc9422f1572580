"""The first code of a user's own service: the sample application's telemetry, and an example to replace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from string import Template

from arcctl.services import otel_collector, swiss_army

_SAMPLE = PurePosixPath(swiss_army.PROJECT)
_PACKAGE = "swiss_army"
USER = "10001:10001"
"""The account in the sample's image."""
_TAKEN_OVER = ("Dockerfile", ".dockerignore", "requirements.lock")
_MODULES = ("__main__.py", "correlation.py", "server_spans.py", "telemetry.py")

Read = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class Scaffold:
    """Files by their path in the home, and what the service's own file says of them."""

    folder: str
    files: dict[PurePosixPath, str]
    lock: str
    command: tuple[str, ...]
    port: int = swiss_army.PORT
    user: str = USER
    needs: tuple[str, ...] = (otel_collector.SERVICE.id,)


def make(name: str, *, database: bool, sample: Read, template: Read) -> Scaffold:
    """`sample` reads a file of a home as it is shipped, `template` one of the package's own texts."""
    folder, package = PurePosixPath("apps", name), f"{name.replace('-', '_')}_service"
    code = folder / "src" / package
    words = {
        "name": name,
        "package": package,
        "title": f"The service {name}",
        "dependencies": '  "psycopg[binary]~=3.3",\n' if database else "",
    }

    def taken_over(path: str) -> str:
        text = sample(str(_SAMPLE / path))
        return (
            text.replace(_PACKAGE, package)
            .replace(swiss_army.SERVICE.id, name)
            .replace("sample application", f"service {name}")
        )

    def filled(file: str) -> str:
        return Template(template(f"{file}.txt")).substitute(words)

    files = {folder / file: taken_over(file) for file in _TAKEN_OVER}
    files |= {code / file: taken_over(f"src/{_PACKAGE}/{file}") for file in _MODULES}
    files |= {folder / file: filled(file) for file in ("README.md", "pyproject.toml")}
    files |= {code / "__init__.py": filled("init.py"), code / "app.py": filled("app.py")}
    files[code / "visits.py"] = filled("visits_in_database.py" if database else "visits.py")
    if database:
        files[folder / "requirements.lock"] += template("database.lock")
    return Scaffold(
        folder=str(folder),
        files=files,
        lock=str(folder / "requirements.lock"),
        command=("python", "-m", package, "--host", "127.0.0.1", "--port", "${PORT}"),
    )
