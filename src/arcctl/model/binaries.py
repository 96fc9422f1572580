"""Where a local process gets its server from: pinned recipes, as data.

The result of a recipe is a folder. `program` is the path of the server in it, `toolchain` the programs that its build
needs, `minutes` the time of a build on two cores with empty caches; 0 means seconds, and then `up` builds it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

EXTRA = "arcctl[embedded]"
"""Listed as the missing tool where a wheel is not installed."""


@dataclass(frozen=True, kw_only=True)
class OnPath:
    """A server that is installed on the machine."""

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
    """Path in the result. A wheel has the file of this name where it likes, often in a folder named by a processor."""
    toolchain: tuple[str, ...] = ()
    minutes: int = 0

    @property
    def packed(self) -> str:
        """The name of the file in the wheel."""
        return PurePosixPath(self.program).name

    def found(self, files: Iterable[PurePosixPath]) -> PurePosixPath | None:
        """The program among the files of a wheel."""
        return next((file for file in files if file.name == self.packed), None)


@dataclass(frozen=True, kw_only=True)
class Pg0(Wheel):
    """A wheel whose program contains PostgreSQL and unpacks it at its first start."""

    packed = "pg0"


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """A Python environment from the hash-pinned `lock` file of a folder of the project."""

    name: str
    lock: str
    program: str = "bin/python"
    toolchain: tuple[str, ...] = ()
    minutes: int = 0


@dataclass(frozen=True, kw_only=True)
class Npm:
    """One npm package with its dependencies, and the Node.js (from a wheel) that runs it."""

    name: str
    package: str
    version: str
    node: str
    """Version of the wheel with Node.js."""
    long_exports: tuple[str, ...] = ()
    """Packages with hundreds of `exports`, which Node.js would read again for each of their modules."""
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
class OtelCollector:
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


Source = OnPath | Wheel | Requirements | Npm | GoModule | OtelCollector | Maven
