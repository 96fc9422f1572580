"""Paths of the testbed: everything is in one cache folder outside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

CHECKOUT = Path(__file__).resolve().parents[2]
IMAGES = Path(__file__).resolve().parent / "images"
RELEASE = "forky"

ENGINES = ("engine", "engine-2")
ENGINE = os.environ.get("ARCCTL_TESTBED_ENGINE", ENGINES[0])
"""The engine of this process: two can run at once, the second in another network namespace."""


def cache() -> Path:
    """The folder that survives between runs."""
    folder = Path(platformdirs.user_cache_dir("arcctl")) / "testbed"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def engine_root(engine: str = ENGINE) -> Path:
    """The root file system of an engine, with its image layers."""
    return cache() / f"{engine}-root"


def socket_path() -> Path:
    """The engine's socket as this machine sees it."""
    return engine_root() / "run" / "docker.sock"


def docker_host() -> str:
    """The value of DOCKER_HOST for this engine."""
    return f"unix://{socket_path()}"
