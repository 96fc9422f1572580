"""Translates a container's declaration to a local process: its texts get local paths and addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from arcctl.model.env import ServiceEnv
from arcctl.model.names import LOOPBACK
from arcctl.model.service import (
    BindMount,
    Catalogue,
    Component,
    ConfigFile,
    Mount,
    Process,
    Routes,
    Volume,
    volume_name,
)

_ITSELF = ("0.0.0.0", LOOPBACK, "localhost")
_PORT = "loadbalancer.server.port"

Document = dict[str, Any]


def local_catalogue(catalogue: Catalogue) -> Catalogue:
    """The catalogue without the components that run in containers only."""
    return Catalogue(
        {
            i: replace(
                s,
                components=tuple(c for c in s.components if c.process is not None),
                left_out=tuple(c for c in s.components if c.process is None),
            )
            for i, s in catalogue.services.items()
        }
    )


def without_single_instances(catalogue: Catalogue) -> Catalogue:
    """For a copy of the data on the same machine: without the services whose data is bound to an address."""
    services = catalogue.services.items()
    return Catalogue({i: s for i, s in services if not (s.process and s.process.single_instance)})


def process_of(component: Component[Any]) -> Process[Any]:
    """How a component runs as a local process, which it must declare."""
    assert component.process is not None, f"{component.id} declares no local process"
    return component.process


def mounts(component: Component[Any], env: ServiceEnv) -> tuple[Mount, ...]:
    """What the container mounts, then what only the process has."""
    extra = component.process.mounts(env) if component.process else ()
    return (*component.storage.mounts(env), *extra)


def local_ports(component: Component[Any], env: ServiceEnv) -> dict[int, int]:
    """The local port of each container port."""
    unpublished = component.process.ports(env) if component.process else ()
    return {port.container: port.host for port in (*unpublished, *component.network.ports(env))}


@dataclass(frozen=True)
class Place:
    """The local paths and ports that one process sees instead of those of its container."""

    key: str
    paths: Mapping[str, str]
    """Local path of each mounted container path."""
    ports: Mapping[str, Mapping[int, int]]
    """Local ports by container key; a port that is not listed keeps its number."""

    def translate(self, text: str) -> str:
        """The text with every `host:port` of the platform and every mounted path replaced."""
        return self._paths(self._addresses(text))

    def _addresses(self, text: str) -> str:
        names = sorted((*self.ports, *_ITSELF), key=len, reverse=True)
        pattern = rf"(?<![\w.-])({'|'.join(map(re.escape, names))}):(\d+)\b"
        return re.sub(pattern, lambda m: self._address(m[1], int(m[2])), text)

    def _address(self, host: str, port: int) -> str:
        known = self.ports.get(self.key if host in _ITSELF else host, {})
        return f"{LOOPBACK}:{known.get(port, port)}"

    def _paths(self, text: str) -> str:
        if not self.paths:
            return text
        known = "|".join(re.escape(path) for path in sorted(self.paths, key=len, reverse=True))
        return re.sub(rf"(?<![\w.-])({known})(?![\w-])", lambda m: self.paths[m[1]], text)


def paths(key: str, component: Component[Any], env: ServiceEnv, run: str, data: str) -> dict[str, str]:
    """Local path of each mounted container path: volumes are below `data`, all else below `run`."""
    found = {path: f"{run}{path}" for path in component.container.tmpfs}
    for mount in mounts(component, env):
        match mount:
            case Volume(name=name, path=path):
                found[path] = f"{data}/{volume_name(key, name)}"
            case BindMount(_, path) | ConfigFile(path=path) | Routes(path):
                found[path] = f"{run}{path}"
    return found


def merged(document: Any, patch: Any) -> Any:
    """A document after a JSON merge patch (RFC 7396): mappings merge, other values replace, None removes."""
    if not isinstance(patch, Mapping):
        return patch
    base = dict(document) if isinstance(document, Mapping) else {}
    result = {**base, **{k: merged(base.get(k), v) for k, v in patch.items()}}
    return {k: v for k, v in result.items() if not (k in patch and v is None)}


def routes(containers: Mapping[str, Component[Any]], envs: Mapping[str, ServiceEnv]) -> Document:
    """The gateway's dynamic configuration, from the labels that it reads from containers."""
    routers: Document = {}
    services: Document = {}
    for key, component in containers.items():
        labels = {name: value for name, value in component.network.labels(envs[key]).items() if ".http." in name}
        for name, value in labels.items():
            kind, owner, option = name.removeprefix("traefik.http.").split(".", 2)
            if kind == "services" and option == _PORT:
                services[owner] = _upstream(local_ports(component, envs[key]).get(int(value), int(value)))
            else:
                routers.setdefault(owner, {"service": owner})[option] = _option(option, value)
    return {"http": {"routers": routers, "services": services}}


def _upstream(port: int) -> Document:
    return {"loadBalancer": {"servers": [{"url": f"http://{LOOPBACK}:{port}"}]}}


def _option(option: str, value: str) -> str | list[str]:
    return value.split(",") if option == "middlewares" else value


def argv(words: Iterable[str], place: Place, program: str, artifact: str) -> tuple[str, ...]:
    """A translated command; `{program}` and `{artifact}` stand for the server and the folder that it was built to."""
    places = {"{program}": program, "{artifact}": artifact}
    return tuple(filled(place.translate(word), places) for word in words)


def filled(text: str, places: Mapping[str, str]) -> str:
    """The text with each key of `places` replaced by its value."""
    for word, meaning in places.items():
        text = text.replace(word, meaning)
    return text
