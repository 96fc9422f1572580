"""Measures the first pull of an engine without images, through a network of one speed, beside `docker compose pull`."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from arcctl import services
from arcctl.model.image import mirrored
from benchmarks import measure
from benchmarks.row import ARCCTL, COMPOSE, Row, ratio
from tests.testbed.bad_network import in_front_of
from tests.testbed.catalogue import ARTIFACTS
from tests.testbed.engine import STORES, empty
from tests.testbed.registry import SOURCE, Registry, serving

BYTES_A_SECOND = 50e6
MEGABYTE = 1e6


def possible() -> bool:
    return os.geteuid() == 0 and ARTIFACTS.program(SOURCE).exists()


def rows() -> Iterator[Row]:
    """Takes the images of the engine that answers; pulls them into engines that the testbed starts, as root."""
    with tempfile.TemporaryDirectory(prefix="arc-bench-") as folder, serving(Path(folder)) as registry:
        _fill(registry)
        project = Path(folder, "project")
        project.mkdir()
        measure.seconds((ARCCTL, "--engine", "embedded", "init"), project)  # which has no data of another project
        for store in STORES:
            ours, bytes_ours = _first_pull((ARCCTL, "images", "pull"), store, registry, project)
            theirs, bytes_theirs = _first_pull((*COMPOSE, "pull", "--ignore-buildable"), store, registry, project)
            sizes = f"{bytes_ours / MEGABYTE:.0f} MB / {bytes_theirs / MEGABYTE:.0f} MB"
            yield ratio(f"first pull ({store}, {sizes}) / `docker compose pull`", ours, theirs, 1.05)


def _fill(registry: Registry) -> None:
    components = services.load().components().values()
    for reference in {c.container.image for c in components if not c.container.build}:
        name = mirrored(reference, registry.address)
        for words in (("tag", reference, name), ("push", name), ("image", "rm", name)):
            subprocess.run(("docker", *words), check=True, capture_output=True)


def _first_pull(command: tuple[str, ...], store: str, registry: Registry, project: Path) -> tuple[float, int]:
    """Seconds, and bytes over the network."""
    with in_front_of(registry.address) as network, empty(store) as host:
        network.rate = BYTES_A_SECOND
        environment = {**os.environ, "DOCKER_HOST": host, "ARCCTL_IMAGES_REGISTRY": network.address}
        return measure.seconds(command, project, environment), network.passed_on
