"""The addresses on the host that containers tell to browsers and clients, where every port of the host is another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from arcctl import services
from arcctl.model.service import BindMount, ConfigFile
from arcctl.settings.resolve import Source, any_secrets, owned, resolve

CONFIG = Path(__file__).parents[2] / "config"
CATALOGUE = services.load()
MOVED = {name: str(20001 + n) for n, name in enumerate(n for n in owned(CATALOGUE) if n.endswith("_PORT"))}
ENVS = resolve(CATALOGUE, [Source("test", MOVED), any_secrets(CATALOGUE)]).envs
ON_THE_HOST = re.compile(r"(?:localhost|127\.0\.0\.1):(\d+)")


def _texts(name: str) -> Iterator[str]:
    """What the containers of a service read: the values of variables, and files."""
    env = ENVS[name]
    for component in CATALOGUE.components((name,)).values():
        yield from component.container.environment(env).values()
        for mount in component.storage.mounts(env):
            if isinstance(mount, ConfigFile):
                yield mount.text
            if isinstance(mount, BindMount):
                path = CONFIG / mount.source
                yield from (each.read_text() for each in (path, *path.rglob("*")) if each.is_file())


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("grafana", "GRAFANA_HOST_PORT"),
        ("infisical", "TRAEFIK_HTTP_PORT"),
        ("kratos", "TRAEFIK_HTTP_PORT"),
        ("pulsar", "PULSAR_HOST_PORT"),
        ("unleash", "UNLEASH_HOST_PORT"),
    ],
)
def test_an_address_that_a_container_tells_has_the_port_of_its_setting_and_never_the_usual_one(
    name: str, setting: str
) -> None:
    assert {port for text in _texts(name) for port in ON_THE_HOST.findall(text)} == {MOVED[setting]}
