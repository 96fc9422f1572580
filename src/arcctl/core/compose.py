"""Renders the Compose overlays from the declarations. Text out; nothing is read, drawn or written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from arcctl.core.env import symbolic
from arcctl.core.graph import dependencies
from arcctl.core.images import pinned, tag_settings, variable_reference
from arcctl.core.model import (
    Bind,
    Catalogue,
    Container,
    Healthcheck,
    Helper,
    HostPath,
    Inline,
    Layer,
    Mount,
    Port,
    Routes,
    Volume,
    container_name,
)

PROJECT = "arc"
FILES = {Layer.OBSERVABILITY: "base.yaml", Layer.PLATFORM: "stack.yaml", Layer.OWN: "own.yaml"}
PRODUCTION = {"prod.yaml": (Layer.OBSERVABILITY, Layer.PLATFORM), "own-prod.yaml": (Layer.OWN,)}
"""The overlays for a server, each with the layers whose files it goes over."""
HEADER = "# Rendered by `arcctl render` from the declarations in src/arcctl/services. Do not edit.\n"

Document = dict[str, Any]


def overlay(layer: Layer, catalogue: Catalogue, project: str = PROJECT) -> Document:
    """The Compose document of one layer, complete by itself for the observability layer."""
    containers = catalogue.containers(catalogue.layer(layer))
    needs = dependencies(catalogue)
    known = catalogue.containers()
    tags = tag_settings(catalogue)
    document: Document = {"name": project} if layer is Layer.OBSERVABILITY else {}
    document["services"] = {
        key: _service(key, container, {n: known[n] for n in sorted(needs[key])}, project)
        | {"image": variable_reference(pinned(container), tags)}
        for key, container in containers.items()
    }
    return document | _top_level(containers, project)


def production(layers: Iterable[Layer], catalogue: Catalogue) -> Document:
    """The overlay for a server: nothing is published but the gateway's ports, and everything starts at boot."""
    ours = sorted(service for layer in layers for service in catalogue.layer(layer))
    containers = {i: c for service in ours for i, c in catalogue.containers((service,)).items()}
    return {"services": {key: _hardened(c) for key, c in containers.items() if _long_running(c)}} if ours else {}


def _hardened(container: Container[Any]) -> Document:
    ports = container.ports(symbolic(container.env))
    gateway = [_port(p).replace("127.0.0.1:", "") for p in ports if p.gateway]
    published = {"ports": Tagged("override", gateway) if gateway else Tagged("reset", [])} if ports else {}
    return {"restart": "always", **published}


def _long_running(container: Container[Any]) -> bool:
    return not (isinstance(container, Helper) and container.one_shot)


def _service(key: str, container: Container[Any], needs: dict[str, Container[Any]], project: str) -> Document:
    env = symbolic(container.env)
    mounts = container.mounts(env)
    fields: Document = {
        "image": container.image,
        "build": {"context": f"../{container.build}"} if container.build else None,
        "container_name": container_name(project, key),
        "hostname": container.hostname,
        "user": container.user,
        "entrypoint": list(container.entrypoint),
        "command": list(container.command),
        "environment": dict(container.environment(env)),
        "labels": dict(container.labels(env)),
        "ports": [_port(p) for p in container.ports(env)],
        "volumes": [_volume(key, m) for m in mounts if not isinstance(m, Inline)],
        "configs": [_config_use(key, m) for m in mounts if isinstance(m, Inline)],
        "networks": list(container.networks),
        "depends_on": {name: {"condition": _condition(need)} for name, need in needs.items()},
        "healthcheck": _healthcheck(container.healthcheck) if container.healthcheck else None,
        **_hygiene(container),
    }
    return {name: value for name, value in fields.items() if value not in ("", [], {}, None, False)}


def _hygiene(container: Container[Any]) -> Document:
    return {
        "restart": "unless-stopped" if _long_running(container) else "no",
        "security_opt": ["no-new-privileges:true"],
        "cap_drop": ["ALL"],
        "cap_add": list(container.capabilities),
        "read_only": container.read_only,
        "tmpfs": list(container.tmpfs),
        "shm_size": f"{container.shm_mb}m" if container.shm_mb else None,
        "mem_limit": f"{container.limits.memory_mb}m",
        "pids_limit": container.limits.pids,
        "stop_grace_period": f"{container.stop_grace}s",
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
    }


def _port(port: Port) -> str:
    return f"127.0.0.1:{port.host}:{port.container}"


def _volume(key: str, mount: Mount) -> str:
    match mount:
        case Volume(name=name, path=path):
            return f"{_volume_name(key, name)}:{path}"
        case Bind(source, path):
            return f"../config/{source}:{path}:ro"
        case HostPath(source, path):
            return f"{source}:{path}:ro"
        case Inline() | Routes():
            raise AssertionError("an inline file is a config, not a volume")


def _volume_name(key: str, name: str) -> str:
    return f"{key}_{name}".replace("-", "_")


def _config_name(key: str, mount: Inline) -> str:
    return f"{key}{mount.path}".replace("/", "_").replace(".", "_").replace("-", "_")


def _config_use(key: str, mount: Inline) -> Document:
    ids = {"uid": str(mount.uid), "gid": str(mount.gid)}
    return {"source": _config_name(key, mount), "target": mount.path, **ids, "mode": mount.mode}


def _condition(need: Container[Any]) -> str:
    if isinstance(need, Helper) and need.one_shot:
        return "service_completed_successfully"
    return "service_healthy" if need.healthcheck else "service_started"


def _healthcheck(check: Healthcheck) -> Document:
    return {
        "test": list(check.test),
        "interval": f"{check.interval}s",
        "timeout": f"{check.timeout}s",
        "retries": check.retries,
        "start_period": f"{check.start_period}s",
        "start_interval": "1s",
    }


def _top_level(containers: dict[str, Container[Any]], project: str) -> Document:
    mounts = [(key, m) for key, c in containers.items() for m in c.mounts(symbolic(c.env))]
    volumes: Document = {_volume_name(key, m.name): {} for key, m in mounts if isinstance(m, Volume)}
    configs = {_config_name(key, m): {"content": m.text} for key, m in mounts if isinstance(m, Inline)}
    networks = {name: _network(name, project) for c in containers.values() for name in c.networks}
    found: Document = {"networks": networks, "volumes": volumes, "configs": configs}
    return {name: value for name, value in found.items() if value}


def _network(name: str, project: str) -> Document:
    """Only the network that everybody shares reaches the outside; others are private to those who name them."""
    return {"name": project} if name == PROJECT else {"name": f"{project}_{name}", "internal": True}


class Tagged:
    """A value with a Compose merge tag: `!reset` empties, `!override` replaces what earlier files say."""

    def __init__(self, tag: str, value: object) -> None:
        self.tag, self.value = tag, value
