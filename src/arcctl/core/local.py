"""Decides how a container's declaration runs as a local process: its words with local paths and addresses in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from arcctl.core.env import ServiceEnv
from arcctl.core.model import Bind, Catalogue, Container, Inline, Mount, Process, Routes, Service, Volume

LOOPBACK = "127.0.0.1"
_ITSELF = ("0.0.0.0", LOOPBACK, "localhost")
_PORT = "loadbalancer.server.port"

Document = dict[str, Any]


def localized(catalogue: Catalogue) -> Catalogue:
    """The catalogue without the helpers that exist for containers only."""
    return Catalogue(
        {
            i: replace(
                s,
                helpers=tuple(h for h in s.helpers if h.process is not None),
                left_out=tuple(h for h in s.helpers if h.process is None),
            )
            for i, s in catalogue.services.items()
        }
    )


def defaults(catalogue: Catalogue) -> dict[str, str]:
    """Settings that start from another value than in a container."""
    processes = [c.process for c in catalogue.containers().values() if c.process is not None]
    return {name: value for process in processes for name, value in process.defaults.items()}


def moved(catalogue: Catalogue, by: int) -> Catalogue:
    """For a second platform beside the first: every local port that no setting names at another place."""
    services = catalogue.services.items()
    return Catalogue({i: _moved(s, by) for i, s in services if not (s.process and s.process.alone)})


def _moved(service: Service[Any], by: int) -> Service[Any]:
    process = service.process
    if process is None or not process.ports:
        return service
    numbers = re.compile(rf"\b({'|'.join(map(str, process.ports.values()))})\b")

    def text(value: str) -> str:
        return numbers.sub(lambda m: str(int(m[0]) + by), value)

    def value(found: Any) -> Any:
        match found:
            case Mapping():
                return {k: value(v) for k, v in found.items()}
            case bool() | None:
                return found
            case int():
                return int(text(str(found)))
            case str():
                return text(found)
            case _:
                return found

    shifted = replace(
        process,
        ports={inside: outside + by for inside, outside in process.ports.items()},
        patches=lambda env: value(process.patches(env)),
        environment=lambda env: value(process.environment(env)),
    )
    return replace(service, process=shifted)


def process_of(container: Container[Any]) -> Process[Any]:
    """The local launch of a container that has one."""
    assert container.process is not None, f"{container.image} has no local launch"
    return container.process


def mounts(container: Container[Any], env: ServiceEnv) -> tuple[Mount, ...]:
    """What the container mounts, and what the process has instead or besides."""
    extra = container.process.mounts(env) if container.process else ()
    return (*container.mounts(env), *extra)


def local_ports(container: Container[Any], env: ServiceEnv) -> dict[int, int]:
    """The local port of each port that is published or moved out of another server's way."""
    moved = container.process.ports if container.process else {}
    return {**moved, **{p.container: p.host for p in container.ports(env)}}


@dataclass(frozen=True)
class Place:
    """Where one process runs: what stands for the paths and addresses of its container."""

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


def paths(key: str, container: Container[Any], env: ServiceEnv, run: str, data: str) -> dict[str, str]:
    """Where each mounted path of a container is: volumes below `data`, all else below `run`."""
    found = {path: f"{run}{path}" for path in container.tmpfs}
    for mount in mounts(container, env):
        match mount:
            case Volume(name=name, path=path):
                found[path] = f"{data}/{volume_name(key, name)}"
            case Bind(_, path) | Inline(path=path) | Routes(path):
                found[path] = f"{run}{path}"
    return found


def volume_name(key: str, name: str) -> str:
    return f"{key}_{name}".replace("-", "_")


def merged(document: Any, patch: Any) -> Any:
    """A document with a patch over it: mappings merge, everything else replaces, None takes away (RFC 7396)."""
    if not isinstance(patch, Mapping):
        return patch
    base = dict(document) if isinstance(document, Mapping) else {}
    result = {**base, **{k: merged(base.get(k), v) for k, v in patch.items()}}
    return {k: v for k, v in result.items() if not (k in patch and v is None)}


def routes(containers: Mapping[str, Container[Any]], envs: Mapping[str, ServiceEnv]) -> Document:
    """The gateway's dynamic configuration, made from the same labels that it reads off containers."""
    routers: Document = {}
    services: Document = {}
    for key, container in containers.items():
        labels = {name: value for name, value in container.labels(envs[key]).items() if ".http." in name}
        for name, value in labels.items():
            kind, owner, option = name.removeprefix("traefik.http.").split(".", 2)
            if kind == "services" and option == _PORT:
                services[owner] = _upstream(local_ports(container, envs[key]).get(int(value), int(value)))
            else:
                routers.setdefault(owner, {"service": owner})[option] = _option(option, value)
    return {"http": {"routers": routers, "services": services}}


def _upstream(port: int) -> Document:
    return {"loadBalancer": {"servers": [{"url": f"http://{LOOPBACK}:{port}"}]}}


def _option(option: str, value: str) -> str | list[str]:
    return value.split(",") if option == "middlewares" else value


def argv(words: Iterable[str], place: Place, program: str, artifact: str) -> tuple[str, ...]:
    """A command with the server's place and local words in it."""
    places = {"{program}": program, "{artifact}": artifact}
    return tuple(filled(place.translate(word), places) for word in words)


def filled(text: str, places: Mapping[str, str]) -> str:
    """The text with what each word of `places` stands for."""
    for word, meaning in places.items():
        text = text.replace(word, meaning)
    return text
