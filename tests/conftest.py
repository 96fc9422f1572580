"""What tests of several tiers need: the docker command line with Compose, brought along where a machine has none."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from hypothesis import settings

from tests.testbed.rootfs import ensure_engine_root, ensure_plugins

settings.register_profile("steady", deadline=None, derandomize=True)  # the same examples, however busy the machine is
settings.load_profile("steady")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need the Docker engine can run beside all others."""
    for item in items:
        asked = {*getattr(item, "fixturenames", ()), *_parameters(item).values()}
        if asked & {"compose_cli", "engine", "platform", "stack"}:
            item.add_marker(pytest.mark.docker)


def _parameters(item: pytest.Item) -> dict[str, str]:
    parameters = getattr(item, "callspec", None)
    return {k: v for k, v in parameters.params.items() if isinstance(v, str)} if parameters else {}


@pytest.fixture(scope="session")
def compose_cli() -> None:
    """`docker compose`, which reads files without an engine; missing is loud, and a failure where CI is set."""
    if _has_compose():
        return
    if os.geteuid() == 0:
        ensure_plugins(ensure_engine_root())
    if not _has_compose():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("COMPOSE TESTS DID NOT RUN: no `docker compose` here")


def _has_compose() -> bool:
    command = ("docker", "compose", "version")
    return bool(shutil.which("docker")) and subprocess.run(command, capture_output=True, check=False).returncode == 0
