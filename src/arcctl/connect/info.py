"""`info`: how people and programs reach the services, without asking the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from arcctl.engines.base import Unavailable
from arcctl.model.connection import Endpoint
from arcctl.model.graph import resolve
from arcctl.model.service import Service
from arcctl.project import Project


@dataclass(frozen=True, kw_only=True)
class ServiceInfo:
    name: str
    title: str
    layer: str
    image: str
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, kw_only=True)
class InfoReport:
    services: tuple[ServiceInfo, ...]
    left_out: Mapping[str, Unavailable] = field(default_factory=dict)
    """The services that cannot run on this engine."""


def info(words: tuple[str, ...], project: Project) -> InfoReport:
    """The services named (default: all), without those that cannot run on this engine."""
    asked, missing = resolve(words or ("all",), project.catalogue), project.engine.unavailable
    chosen = [project.catalogue.services[i] for i in asked if i not in missing]
    return InfoReport(
        services=tuple(
            ServiceInfo(
                name=service.id,
                title=service.title,
                layer=service.layer.value,
                image=service.container.image,
                endpoints=_endpoints(service, project),
            )
            for service in chosen
        ),
        left_out={i: missing[i] for i in asked if i in missing},
    )


def _endpoints(service: Service[Any], project: Project) -> tuple[Endpoint, ...]:
    declared = service.network.endpoints(project.settings.envs[service.id])
    return tuple(endpoint.at(project.engine.host) for endpoint in declared)
