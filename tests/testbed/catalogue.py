"""The stand-in images: which official reference each one answers to and what it is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from arcctl.core.sources import Source
from arcctl.runtime.artifacts import Artifacts
from arcctl.services import jaeger, kratos, loki, otel_collector, prometheus, pulsar, traefik, unleash
from tests.testbed.places import CHECKOUT, IMAGES

ARTIFACTS = Artifacts(CHECKOUT)

RAW = "arcctl-testbed/raw:forky"

Kind = Literal["base", "real", "double"]


@dataclass(frozen=True)
class Image:
    """One image: its folder is its build context unless another one is named."""

    name: str
    reference: str
    kind: Kind = "real"
    artifact: Source | None = None
    parents: tuple[str, ...] = ("base",)
    context: Path | None = field(default=None)

    @property
    def folder(self) -> Path:
        """The build context."""
        return self.context or IMAGES / self.name


_BUSYBOX = ("base", "busybox")
_PYTHON = ("base", "python")

CATALOGUE: tuple[Image, ...] = (
    Image("base", "arcctl-testbed/base:forky", kind="base", parents=()),
    Image("busybox", "arcctl-testbed/busybox:forky", kind="base"),
    Image("python", "python:3.13-slim"),
    Image("postgres", "pgvector/pgvector:0.8.6-pg18-bookworm"),
    Image("redis", "redis:8.10.1-alpine", parents=_BUSYBOX),
    Image("nats", "nats:2.15.0-alpine", parents=_BUSYBOX),
    Image("traefik", "traefik:v3.7.13", artifact=traefik.SOURCE, parents=_BUSYBOX),
    Image("socket-proxy", "tecnativa/docker-socket-proxy:v0.4.2", parents=_BUSYBOX),
    Image("postgres-exporter", "quay.io/prometheuscommunity/postgres-exporter:v0.19.1", parents=_BUSYBOX),
    Image("redis-exporter", "oliver006/redis_exporter:v1.78.0", parents=_BUSYBOX),
    Image("unleash", "unleashorg/unleash-server:8.2.0", artifact=unleash.SOURCE),
    Image("pulsar", "apachepulsar/pulsar:4.2.4", artifact=pulsar.SOURCE),
    Image("mailpit", "axllent/mailpit:v1.31.1", artifact=kratos.MAIL_SOURCE, parents=_BUSYBOX),
    Image("grafana", "grafana/grafana:13.2.0", kind="double", parents=_PYTHON),
    Image("infisical", "infisical/infisical:v0.165.16", kind="double", parents=_PYTHON),
    Image("nats-exporter", "natsio/prometheus-nats-exporter:0.17.3", kind="double", parents=_PYTHON),
    Image("otel-collector", "otel/opentelemetry-collector-contrib:0.161.0", artifact=otel_collector.SOURCE),
    Image("loki", "grafana/loki:3.7.8", artifact=loki.SOURCE),
    Image("prometheus", "prom/prometheus:v3.14.0", artifact=prometheus.SOURCE, parents=_BUSYBOX),
    Image("jaeger", "jaegertracing/jaeger:2.13.0", artifact=jaeger.SOURCE, parents=_BUSYBOX),
    Image("kratos", "oryd/kratos:v1.3.1", artifact=kratos.SOURCE, parents=_BUSYBOX),
    Image("swiss-army", "arcctl/swiss-army:0.1.0", parents=_PYTHON, context=CHECKOUT / "apps" / "swiss_army_py"),
)

# What other images stand on: these come first, one after the other.
GROUNDS = ("base", "busybox", "python")

BY_NAME = {image.name: image for image in CATALOGUE}


def select(names: list[str]) -> list[Image]:
    """The images with these names or references, and the images they are made from, parents first."""
    unknown = [name for name in names if not any(name in (image.name, image.reference) for image in CATALOGUE)]
    if unknown:
        raise SystemExit(f"no such image: {', '.join(unknown)}; there are: {', '.join(BY_NAME)}")
    chosen = [image for image in CATALOGUE if not names or image.name in names or image.reference in names]
    wanted = {image.name for image in chosen} | {parent for image in chosen for parent in image.parents}
    return [image for image in CATALOGUE if image.name in wanted]
