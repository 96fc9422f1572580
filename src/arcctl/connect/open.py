"""`open`: the web page of a service."""

from __future__ import annotations

from arcctl.errors import UsageError
from arcctl.model.connection import Endpoint
from arcctl.model.graph import one
from arcctl.project import Project, must_run


def web_page(name: str, project: Project) -> Endpoint:
    """Raises UsageError for a service without a web page, UnhealthyError for one that does not run."""
    endpoints = one(name, project.catalogue).network.endpoints(project.settings.envs[name])
    page = next((endpoint.at(project.engine.host) for endpoint in endpoints if endpoint.is_web_page), None)
    if page is None:
        raise UsageError(f"{name} has no web page", hint=f"arcctl info {name}")
    must_run(name, project.engine.observe())
    return page
