"""Debian root file systems for the engine and the base image, created with mmdebstrap."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.testbed.places import RELEASE, engine_root
from tests.testbed.shell import output, run, say

ENGINE_PACKAGES = (
    "ca-certificates",
    "docker.io",
    "docker-cli",
    "docker-compose",
    "docker-buildx",
    "iptables",
    "iproute2",
    "procps",
)
PLUGINS = ("docker-compose", "docker-buildx")


def ensure_mmdebstrap() -> None:
    """Install mmdebstrap with apt-get if it is missing."""
    if shutil.which("mmdebstrap") is None:
        say("installing mmdebstrap")
        run(["apt-get", "update"])
        run(["apt-get", "install", "-y", "mmdebstrap"], env={"DEBIAN_FRONTEND": "noninteractive"})


def bootstrap(
    packages: Sequence[str], target: Path, *options: str, release: str = RELEASE, variant: str = "minbase"
) -> None:
    """Create a minimal Debian with these packages, in a folder or, if the name ends with .tar, in an archive."""
    ensure_mmdebstrap()
    # The security suite of an old mirror can have expired.
    stale = 'Acquire::Check-Valid-Until "false"'
    include = f"--include={','.join(packages)}"
    run(["mmdebstrap", f"--variant={variant}", f"--aptopt={stale}", include, *options, release, target])


def ensure_engine_root() -> Path:
    """The root file system of the engine; created once."""
    root = engine_root()
    if not (root / "usr" / "sbin" / "dockerd").exists():
        say(f"creating the root file system of the engine ({RELEASE}, about a minute)")
        draft = root.with_name(f"{root.name}.{os.getpid()}")
        bootstrap(ENGINE_PACKAGES, draft)
        draft.rename(root)
    return root


def ensure_plugins(root: Path) -> None:
    """Install the docker CLI and its compose and buildx plugins where they are missing."""
    if shutil.which("docker") is None:
        shutil.copy2(root / "usr" / "bin" / "docker", "/usr/local/bin/docker")
    folder = Path.home() / ".docker" / "cli-plugins"
    for plugin in PLUGINS:
        if output(["docker", plugin.removeprefix("docker-"), "version"]) is None:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / "usr" / "libexec" / "docker" / "cli-plugins" / plugin, folder / plugin)
