"""What the declarations become: the hygiene of every container in the rendered Compose documents."""

from __future__ import annotations

import re
from typing import Any

import pytest

from arcctl import services
from arcctl.custom import declare as custom_services
from arcctl.model.env import NAME
from arcctl.model.graph import dependencies
from arcctl.model.names import PROJECT_NAME
from arcctl.model.service import Layer, Role
from arcctl.render import compose
from arcctl.render.compose import dump
from arcctl.services.presets.containers import START_AS_ROOT
from arcctl.settings.resolve import owned
from tests.fakes.custom_examples import EXAMPLES

CATALOGUE = custom_services.catalogue(EXAMPLES)
CONTAINERS = CATALOGUE.components()
DOCUMENTS = {layer: compose.overlay(layer, CATALOGUE) for layer in Layer}
RENDERED: dict[str, dict[str, Any]] = {k: s for document in DOCUMENTS.values() for k, s in document["services"].items()}
HARDENED: dict[str, dict[str, Any]] = compose.production(compose.PRODUCTION["prod.yaml"], CATALOGUE)["services"]
VARIABLE = re.compile(r"\$\{?(\w+)")
PUBLISHED = re.compile(r"\$\{ARCCTL_BIND_ADDRESS:-127\.0\.0\.1\}:\$\{\w+:-\d+\}:\d+")
BUILT_IN = services.load().components()

each_container = pytest.mark.parametrize("key", CONTAINERS)


def _is_init(key: str) -> bool:
    component = CONTAINERS[key]
    return component.role is Role.INIT


def test_every_container_is_in_exactly_one_document() -> None:
    places = [key for document in DOCUMENTS.values() for key in document["services"]]
    assert sorted(places) == sorted(CONTAINERS)


@each_container
def test_its_ports_are_on_the_loopback_address(key: str) -> None:
    assert [p for p in RENDERED[key].get("ports", []) if not PUBLISHED.fullmatch(p)] == []


@each_container
def test_its_memory_and_its_processes_are_limited(key: str) -> None:
    assert re.fullmatch(r"[1-9]\d*m", RENDERED[key]["mem_limit"])
    assert 0 < RENDERED[key]["pids_limit"] <= 1024


@each_container
def test_it_gains_no_privilege_and_keeps_capabilities_only_to_become_another_user(key: str) -> None:
    rendered = RENDERED[key]
    assert rendered["security_opt"] == ["no-new-privileges:true"]
    assert rendered["cap_drop"] == ["ALL"]
    assert tuple(rendered.get("cap_add", ())) in ((), START_AS_ROOT)
    assert not ("cap_add" in rendered and "user" in rendered)


@each_container
def test_its_log_cannot_fill_the_disk(key: str) -> None:
    assert RENDERED[key]["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}


@each_container
def test_it_comes_back_unless_it_runs_once(key: str) -> None:
    assert RENDERED[key]["restart"] == ("no" if _is_init(key) else "unless-stopped")


@each_container
def test_it_has_no_access_to_the_host(key: str) -> None:
    asked = {"privileged", "network_mode", "pid", "ipc", "devices", "volumes_from", "userns_mode"}
    assert asked & set(RENDERED[key]) == set()


@each_container
def test_its_folders_of_the_host_are_read_only(key: str) -> None:
    from_host = [v for v in RENDERED[key].get("volumes", []) if v.startswith((".", "/", "$"))]
    assert [v for v in from_host if not v.endswith(":ro")] == []


@each_container
def test_compose_starts_it_after_all_that_it_needs_in_its_own_layer_or_below(key: str) -> None:
    assert set(RENDERED[key].get("depends_on", {})) == dependencies(CATALOGUE)[key]


def test_the_observability_layer_is_complete_by_itself() -> None:
    """`docker compose -f base.yaml` must work: nothing there may need what only the other file declares."""
    base = DOCUMENTS[Layer.OBSERVABILITY]["services"]
    assert {need for s in base.values() for need in s.get("depends_on", {})} <= set(base)


@pytest.mark.parametrize("layer", Layer)
def test_every_variable_is_a_setting(layer: Layer) -> None:
    text = dump(DOCUMENTS[layer]).replace("$$", "")
    assert sorted(set(VARIABLE.findall(text)) - {PROJECT_NAME, *owned(CATALOGUE)}) == []


@pytest.mark.parametrize("layer", Layer)
def test_secrets_appear_only_in_files_made_by_compose(layer: Layer) -> None:
    secrets = {name for name, (_, variable) in owned(CATALOGUE).items() if variable.secret}
    assert secrets & set(VARIABLE.findall(dump(DOCUMENTS[layer]["services"]))) == set()


@pytest.mark.parametrize("layer", Layer)
def test_what_is_declared_at_the_top_is_used_and_declared_what_is_used(layer: Layer) -> None:
    document = DOCUMENTS[layer]
    used = {
        "configs": {c["source"] for s in document["services"].values() for c in s.get("configs", [])},
        "networks": {n for s in document["services"].values() for n in s["networks"]},
        "volumes": {v.partition(":")[0] for s in document["services"].values() for v in s.get("volumes", [])},
    }
    used["volumes"] = {name for name in used["volumes"] if name[0] not in "./$"}
    assert {kind: set(document.get(kind, {})) for kind in used} == used


def test_only_the_common_network_reaches_the_outside() -> None:
    networks = {n: facts for document in DOCUMENTS.values() for n, facts in document["networks"].items()}
    assert networks.pop("arc") == {"name": NAME}
    assert networks == {name: {"name": f"{NAME}_{name}", "internal": True} for name in networks}


def test_no_two_files_or_volumes_fall_on_the_same_name() -> None:
    """Names are made by replacing characters, so two different ones could meet."""
    configs = [c["source"] for s in RENDERED.values() for c in s.get("configs", [])]
    volumes = [v.partition(":")[0] for s in RENDERED.values() for v in s.get("volumes", []) if v[0].isalpha()]
    assert (len(configs), len(volumes)) == (len(set(configs)), len(set(volumes)))


def test_in_production_only_the_gateway_keeps_ports() -> None:
    ports = {key: fields["ports"] for key, fields in HARDENED.items() if "ports" in fields}
    kept = {key: tagged.value for key, tagged in ports.items() if tagged.tag == "override"}
    assert kept == {"traefik": ["${TRAEFIK_HTTP_PORT:-80}:80", "${TRAEFIK_HTTPS_PORT:-443}:443"]}
    assert set(ports) == {key for key, s in RENDERED.items() if "ports" in s and key in BUILT_IN}
    assert {tagged.tag for key, tagged in ports.items() if key not in kept} == {"reset"}


def test_in_production_everything_that_stays_comes_back_at_boot() -> None:
    assert {key: fields["restart"] for key, fields in HARDENED.items()} == {
        key: "always" for key in BUILT_IN if not _is_init(key)
    }
