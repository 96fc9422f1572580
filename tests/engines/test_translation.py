"""How texts of a container become texts of this machine."""

from __future__ import annotations

import pytest

from arcctl import services
from arcctl.engines.embedded import translation as local
from arcctl.engines.embedded.layout import _patched
from arcctl.engines.embedded.translation import Place, merged
from arcctl.errors import SettingsError
from arcctl.model.env import load, variables

PORTS = {
    "redis": {6379: 7000},
    "jaeger": {4317: 14317},
    "otel-collector": {4317: 4317, 8888: 8888},
    "web": {8080: 8081},
}
PLACE = Place("web", {"/etc/web": "/project/run/etc/web", "/data": "/project/data", "/tmp": "/project/tmp"}, PORTS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("redis://redis:6379/0", "redis://127.0.0.1:7000/0"),
        ("endpoint: jaeger:4317", "endpoint: 127.0.0.1:14317"),
        ("http://otel-collector:4317", "http://127.0.0.1:4317"),
        ("0.0.0.0:8080 localhost:8080 127.0.0.1:8080", "127.0.0.1:8081 127.0.0.1:8081 127.0.0.1:8081"),
        ("redis:6380", "127.0.0.1:6380"),
        ("my-redis:6379 redis.example:6379 unknown:6379", "my-redis:6379 redis.example:6379 unknown:6379"),
        ("--config=/etc/web/a.yml", "--config=/project/run/etc/web/a.yml"),
        ("file:///etc/web/a.yml", "file:///project/run/etc/web/a.yml"),
        ("/etc/website /var/data x/data /database", "/etc/website /var/data x/data /database"),
        ('"/data"', '"/project/data"'),
        ("http://host/tmp", "http://host/tmp"),
    ],
)
def test_addresses_and_paths_of_the_platform_are_translated_and_no_others(text: str, expected: str) -> None:
    assert PLACE.translate(text) == expected


def test_a_patch_merges_mappings_replaces_values_and_removes_keys() -> None:
    document = {"a": {"b": 1, "c": [1]}, "d": 2, "e": None}
    patch = {"a": {"c": [2], "n": {"x": 1}}, "d": None}
    assert merged(document, patch) == {"a": {"b": 1, "c": [2], "n": {"x": 1}}, "e": None}


def test_routes_are_those_of_the_labels() -> None:
    catalogue = local.local_catalogue(services.load())
    envs = {}
    for key, container in catalogue.components().items():
        values = {v.name: "x" * 32 for v in variables(container.env) if v.default is None}
        envs[key] = load(container.env, values)
    chosen = {key: catalogue.components()[key] for key in ("swiss-army", "traefik")}
    assert local.routes(chosen, envs) == {
        "http": {
            "routers": {
                "swiss-army": {
                    "service": "swiss-army",
                    "rule": "Host(`swiss-army.localhost`) || Host(`swiss-army.arc.localhost`)",
                    "middlewares": ["operator@file"],
                },
                "traefik": {
                    "service": "api@internal",
                    "rule": "Host(`traefik.localhost`) || Host(`traefik.arc.localhost`)",
                    "middlewares": ["operator@file"],
                },
            },
            "services": {
                "swiss-army": {"loadBalancer": {"servers": [{"url": "http://127.0.0.1:8081"}]}},
            },
        }
    }


def test_no_two_processes_use_the_same_port() -> None:
    taken: dict[int, str] = {}
    for key, container in local.local_catalogue(services.load()).components().items():
        if container.process is None:
            continue
        values = {v.name: "x" * 32 for v in variables(container.env) if v.default is None}
        env = load(container.env, {**values, **container.process.defaults})
        for port in local.local_ports(container, env).values():
            assert taken.setdefault(port, key) == key


def test_a_file_to_patch_that_holds_no_names_and_values_is_refused() -> None:
    assert _patched("anything", None, "config/x.yml") == "anything"
    assert _patched("a: 1", {"b": 2}, "config/x.yml") == "a: 1\nb: 2\n"
    with pytest.raises(SettingsError, match=r"config/x\.yml, line 1: names and values are expected here"):
        _patched("- a", {"b": 2}, "config/x.yml")
