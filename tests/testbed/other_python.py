"""`python -m tests.testbed.other_python 3.14`: the unit tests on another Python, in a Debian root file system."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.testbed.places import CHECKOUT, RELEASE, cache
from tests.testbed.rootfs import bootstrap
from tests.testbed.shell import TestbedError, run, say

LOCK = CHECKOUT / "requirements.lock"
LEFT_OUT = (".git", ".venv", ".cache", ".site", "__pycache__", ".*_cache", ".hypothesis", "benchmarks")
PACKAGES = ("docker-cli", "docker-compose", "make", "procps")
"""Programs that the tests call."""
VENV, PROJECT = "/opt/venv", "/opt/arcctl"


def ensure_root(version: str) -> Path:
    """A Debian with this Python and all locked requirements; created once for each set of requirements."""
    packages = (f"python{version}-venv", *PACKAGES)
    key = hashlib.sha256(f"{RELEASE} {packages}".encode() + LOCK.read_bytes()).hexdigest()[:12]
    root = cache() / f"python-{version}-{key}"
    if root.is_dir():
        return root
    say(f"creating a root file system with Python {version} ({RELEASE}, about a minute)")
    draft = root.with_name(f"{root.name}.{os.getpid()}")
    try:
        bootstrap(packages, draft)
        _install(version, draft)
        draft.rename(root)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    for old in cache().glob(f"python-{version}-*"):
        if old != root:
            shutil.rmtree(old)
    return root


def _install(version: str, root: Path) -> None:
    """Install the requirements; pip of this environment downloads them, so the root needs no network."""
    wheels = root / "opt" / "wheels"
    pip, hashes = (sys.executable, "-m", "pip"), ("--require-hashes", "--requirement")
    wanted = ("--quiet", "--python-version", version, "--only-binary", ":all:", "--dest", wheels)
    run((*pip, "download", *wanted, *hashes, LOCK))
    shutil.copy2(LOCK, root / "opt" / LOCK.name)
    chroot = ("chroot", root, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
    run((*chroot, f"python{version}", "-m", "venv", VENV))
    local = ("--quiet", "--no-index", "--find-links", "/opt/wheels")
    run((*chroot, f"{VENV}/bin/python", "-m", "pip", "install", *local, *hashes, f"/opt/{LOCK.name}"))
    shutil.rmtree(wheels)


def test(root: Path) -> int:
    """Copy the checkout into a temporary overlay of the root, run the unit tests there and return their exit code."""
    enter = Path(__file__).with_name("enter_python.sh")
    copy = root.with_name(f"{root.name}-run.{os.getpid()}")
    try:
        shutil.copytree(CHECKOUT, copy / "new" / PROJECT.lstrip("/"), ignore=shutil.ignore_patterns(*LEFT_OUT))
        return subprocess.call(
            ("unshare", "--mount", "--net", "--pid", "--fork", "sh", enter, root, copy, VENV, PROJECT)
        )
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def main() -> None:
    if os.geteuid() != 0:
        say("skipped the tests on another Python: only root can create the root file system for them")
        sys.exit(1 if "CI" in os.environ else 0)
    try:
        sys.exit(test(ensure_root(sys.argv[1])))
    except TestbedError as problem:
        raise SystemExit(f"testbed: {problem}") from None


if __name__ == "__main__":
    main()
