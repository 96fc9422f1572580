"""`service list`: the custom services of a project."""

from __future__ import annotations

from arcctl.custom.report import ListedService, ListReport
from arcctl.model.service import Catalogue, Layer
from arcctl.settings.location import custom_file


def list_services(catalogue: Catalogue) -> ListReport:
    services = (catalogue.services[name] for name in catalogue.layer(Layer.CUSTOM))
    return ListReport(
        tuple(
            ListedService(
                name=service.id,
                title=service.title,
                image=service.container.image,
                build=service.container.build or None,
                needs=tuple(need.id for need in service.needs),
                file=custom_file(service.id),
            )
            for service in services
        )
    )
