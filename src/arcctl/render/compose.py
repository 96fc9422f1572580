"""Compose overlays as documents, made from the declarations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from arcctl.model.env import NAME, symbolic
from arcctl.model.graph import dependencies
from arcctl.model.names import PROJECT
from arcctl.model.service import (
    BindMount,
    Catalogue,
    Component,
    ConfigFile,
    Healthcheck,
    HostPath,
    Layer,
    Port,
    Role,
    Volume,
    container_name,
    network_name,
    volume_name,
)
from arcctl.settings import bind_address, image_registry
from arcctl.settings.image_tags import TagSetting, pinned, tag_settings, variable_reference

FILES = {Layer.OBSERVABILITY: "base.yaml", Layer.PLATFORM: "stack.yaml", Layer.CUSTOM: "custom.yaml"}
PRODUCTION = {"prod.yaml": (Layer.OBSERVABILITY, Layer.PLATFORM), "custom-prod.yaml": (Layer.CUSTOM,)}
"""The production overlays, each with the layers that it covers."""
REMOTE = "remote.yaml"
"""The overlay for an engine that shares no files with this machine: config files are in volumes."""
CONFIG_VOLUME = "arcctl.config"
"""The label of a volume that has config files of a component and no data; its value is the component."""
HEADER = "# Rendered by `arcctl render` from the declarations in src/arcctl/services. Do not edit.\n"

CONFIG = "config"
"""The name of such a volume within its component."""
LIMITS = "arcctl.limits"
"""The label with the limits that a container is created with: `docker update` changes them and leaves no trace."""

Document = dict[str, Any]


def limits(component: Component[Any]) -> str:
    """Memory in MiB and processes, `512/100`."""
    return f"{component.container.memory_mb}/{component.container.pids}"


def overlay(layer: Layer, catalogue: Catalogue) -> Document:
    """The Compose document of one layer, complete by itself for the observability layer."""
    containers = catalogue.components(catalogue.layer(layer))
    needs = dependencies(catalogue)
    known = catalogue.components()
    tags = tag_settings(catalogue)
    document: Document = {"name": NAME} if layer is Layer.OBSERVABILITY else {}
    document["services"] = {
        key: _service(key, component, {n: known[n] for n in sorted(needs[key])}) | {"image": _image(component, tags)}
        for key, component in containers.items()
    }
    return document | _top_level(containers)


def _image(component: Component[Any], tags: Mapping[str, TagSetting]) -> str:
    """The image as Compose reads it, with the tag and the mirror that the project chose."""
    reference = variable_reference(pinned(component), tags)
    return reference if component.container.build else image_registry.variable_reference(reference)


def production(layers: Iterable[Layer], catalogue: Catalogue) -> Document:
    """The overlay for a server: nothing is published but the gateway's ports, and everything starts at boot."""
    ours = sorted(service for layer in layers for service in catalogue.layer(layer))
    containers = {i: c for service in ours for i, c in catalogue.components((service,)).items()}
    return {"services": {key: _hardened(c) for key, c in containers.items() if _long_running(c)}} if ours else {}


def remote(catalogue: Catalogue) -> Document:
    """The overlay in which every bind mount is a part of a volume, which `up` fills."""
    known = {key: c for key, c in catalogue.components().items() if config_paths(c)}
    volumes: Document = {volume_name(key, CONFIG): {"labels": {CONFIG_VOLUME: key}} for key in known}
    return {"services": {key: _without_bind_mounts(key, c) for key, c in known.items()}, "volumes": volumes}


def config_paths(component: Component[Any]) -> tuple[str, ...]:
    """The files and folders below `config/` that a component mounts."""
    mounts = component.storage.mounts(symbolic(component.env))
    return tuple(mount.source for mount in mounts if isinstance(mount, BindMount))


def _without_bind_mounts(key: str, component: Component[Any]) -> Document:
    mounts = component.storage.mounts(symbolic(component.env))
    wanted = [
        _part_of_volume(key, m) if isinstance(m, BindMount) else _volume(key, m)
        for m in mounts
        if isinstance(m, Volume | BindMount | HostPath)
    ]
    return {"volumes": Tagged("override", wanted)}


def _part_of_volume(key: str, mount: BindMount) -> Document:
    part = {"subpath": mount.source, "nocopy": True}
    source, target = volume_name(key, CONFIG), mount.path
    return {"type": "volume", "source": source, "target": target, "read_only": True, "volume": part}


def _hardened(component: Component[Any]) -> Document:
    ports = component.network.ports(symbolic(component.env))
    gateway = [f"{p.host}:{p.container}" for p in ports if p.gateway]
    published = {"ports": Tagged("override", gateway) if gateway else Tagged("reset", [])} if ports else {}
    return {"restart": "always", **published}


def _long_running(component: Component[Any]) -> bool:
    return component.role is not Role.INIT


def _service(key: str, component: Component[Any], needs: dict[str, Component[Any]]) -> Document:
    env = symbolic(component.env)
    mounts = component.storage.mounts(env)
    fields: Document = {
        "image": component.container.image,
        "build": {"context": f"../{component.container.build}"} if component.container.build else None,
        "container_name": container_name(NAME, key),
        "hostname": component.network.hostname,
        "user": component.container.user,
        "entrypoint": list(component.container.entrypoint),
        "command": list(component.container.command),
        "environment": dict(component.container.environment(env)),
        "labels": {**component.network.labels(env), LIMITS: limits(component)},
        "ports": [_port(p) for p in component.network.ports(env)],
        "volumes": [_volume(key, m) for m in mounts if isinstance(m, Volume | BindMount | HostPath)],
        "configs": [_config_use(key, m) for m in mounts if isinstance(m, ConfigFile)],
        "networks": list(component.network.networks),
        "depends_on": {name: {"condition": _condition(need)} for name, need in needs.items()},
        "healthcheck": _healthcheck(component.checks.healthcheck) if component.checks.healthcheck else None,
        **_hygiene(component),
    }
    return {name: value for name, value in fields.items() if value not in ("", [], {}, None, False)}


def _hygiene(component: Component[Any]) -> Document:
    return {
        "init": component.container.init,
        "restart": "unless-stopped" if _long_running(component) else "no",
        "security_opt": ["no-new-privileges:true"],
        "cap_drop": ["ALL"],
        "cap_add": list(component.container.capabilities),
        "read_only": component.container.read_only,
        "tmpfs": list(component.container.tmpfs),
        "shm_size": f"{component.container.shm_mb}m" if component.container.shm_mb else None,
        "mem_limit": f"{component.container.memory_mb}m",
        "pids_limit": component.container.pids,
        "ulimits": {"nofile": component.container.open_files} if component.container.open_files else None,
        "stop_grace_period": f"{component.container.stop_grace}s",
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
    }


def _port(port: Port) -> str:
    return f"{bind_address.reference()}:{port.host}:{port.container}"


def _volume(key: str, mount: Volume | BindMount | HostPath) -> str:
    match mount:
        case Volume(name=name, path=path):
            return f"{volume_name(key, name)}:{path}"
        case BindMount(source, path):
            return f"../config/{source}:{path}:ro"
        case HostPath(source, path):
            return f"{source}:{path}:ro"
        case never:
            assert_never(never)


def _config_name(key: str, mount: ConfigFile) -> str:
    return f"{key}{mount.path}".replace("/", "_").replace(".", "_").replace("-", "_")


def _config_use(key: str, mount: ConfigFile) -> Document:
    ids = {"uid": str(mount.uid), "gid": str(mount.gid)}
    return {"source": _config_name(key, mount), "target": mount.path, **ids, "mode": mount.mode}


def _condition(need: Component[Any]) -> str:
    if need.role is Role.INIT:
        return "service_completed_successfully"
    return "service_healthy" if need.checks.healthcheck else "service_started"


def _healthcheck(check: Healthcheck) -> Document:
    return {
        "test": list(check.test),
        "interval": f"{check.interval}s",
        "timeout": f"{check.timeout}s",
        "retries": check.retries,
        "start_period": f"{check.start_period}s",
        "start_interval": "2s",
    }


def _top_level(containers: dict[str, Component[Any]]) -> Document:
    mounts = [(key, m) for key, c in containers.items() for m in c.storage.mounts(symbolic(c.env))]
    volumes: Document = {volume_name(key, m.name): {} for key, m in mounts if isinstance(m, Volume)}
    configs = {_config_name(key, m): {"content": m.text} for key, m in mounts if isinstance(m, ConfigFile)}
    networks = {name: _network(name) for c in containers.values() for name in c.network.networks}
    found: Document = {"networks": networks, "volumes": volumes, "configs": configs}
    return {name: value for name, value in found.items() if value}


def _network(name: str) -> Document:
    """Only the common network reaches the outside; others are private to the components that name them."""
    return {"name": network_name(NAME, name)} | ({} if name == PROJECT else {"internal": True})


class Tagged:
    """A value with a Compose merge tag: `!reset` empties, `!override` replaces what earlier files say."""

    def __init__(self, tag: str, value: object) -> None:
        self.tag, self.value = tag, value


def dump(document: Document) -> str:
    """YAML in the order of the document, with merge tags and block text."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def tagged(dumper: Dumper, value: Tagged) -> yaml.Node:
        node = dumper.represent_data(value.value)
        node.tag = f"!{value.tag}"
        return node

    def text(dumper: Dumper, value: str) -> yaml.Node:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(Tagged, tagged)
    Dumper.add_representer(str, text)
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, width=120)
