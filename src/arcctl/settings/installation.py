"""How arcctl is installed, and the commands that add packages to it."""

from __future__ import annotations

import json
import shlex
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

NAME, EXTRA = "arcctl", "embedded"


def with_extra() -> str:
    """The command that installs the packages of the embedded engine."""
    return _command(_itself())


def offered(package: str) -> bool:
    """Whether the extra has this package on a machine of this kind; True where that is not known."""
    from packaging.requirements import Requirement

    wanted = [found for line in metadata.requires(NAME) or () if (found := Requirement(line)).name == package]
    return not wanted or any(found.marker is None or found.marker.evaluate({"extra": EXTRA}) for found in wanted)


def install(requirement: str) -> str:
    """The command that installs another package, or another version of one, next to arcctl."""
    match _installer():
        case "pipx":
            return f"pipx inject --force {NAME} {shlex.quote(requirement)}"
        case "uv tool":
            return f"{_command(_itself())} --with {shlex.quote(requirement)}"
        case _:
            return _command(shlex.quote(requirement))


def _command(requirement: str) -> str:
    match _installer():
        case "pipx":
            return f"pipx install --force {requirement}"
        case "uv tool":
            return f"uv tool install --force {requirement}"
        case "uv":
            return f"uv pip install --python {shlex.quote(sys.executable)} {requirement}"
        case _:
            return f"{shlex.quote(sys.executable)} -m pip install {requirement}"


def _installer() -> str:
    """What made the environment of this interpreter."""
    if _file("pipx_metadata.json"):
        return "pipx"
    if _file("uv-receipt.toml"):
        return "uv tool"
    return "uv" if find_spec("pip") is None and "\nuv = " in f"\n{_file('pyvenv.cfg')}" else "pip"


def _file(name: str) -> str:
    try:
        return (Path(sys.prefix) / name).read_text()
    except OSError:
        return ""


def _itself() -> str:
    """arcctl with its extra, from where this one was installed."""
    origin = json.loads(metadata.distribution(NAME).read_text("direct_url.json") or "{}")
    url = str(origin.get("url", ""))
    if not url:
        return shlex.quote(f"{NAME}[{EXTRA}]")
    if "dir_info" in origin:
        editable = "-e " if origin["dir_info"].get("editable") else ""
        return editable + shlex.quote(f"{url.removeprefix('file://')}[{EXTRA}]")
    scheme = f"{origin['vcs_info']['vcs']}+" if "vcs_info" in origin else ""
    return shlex.quote(f"{NAME}[{EXTRA}] @ {scheme}{url}")
