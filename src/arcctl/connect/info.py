"""`info`: how people and programs reach the services, without asking the engine."""

from __future__ import annotations

from dataclasses import dataclass

from arcctl.model.connection import Endpoint
from arcctl.model.graph import resolve
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


def info(words: tuple[str, ...], project: Project) -> InfoReport:
    """The services named (default: all)."""
    chosen = [project.catalogue.services[i] for i in resolve(words or ("all",), project.catalogue)]
    return InfoReport(
        services=tuple(
            ServiceInfo(
                name=service.id,
                title=service.title,
                layer=service.layer.value,
                image=service.container.image,
                endpoints=service.network.endpoints(project.settings.envs[service.id]),
            )
            for service in chosen
        )
    )
