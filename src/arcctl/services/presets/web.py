"""What several declarations say in the same words."""

from __future__ import annotations

from collections.abc import Mapping

from arcctl.model.connection import Endpoint
from arcctl.model.service import Healthcheck

GUARD = "operator@file"
"""The gateway's middleware that asks for the operator's password."""


def answers(url: str, **timing: int) -> Healthcheck:
    """A check by the image's own wget; `timing` in seconds, as the fields of Healthcheck."""
    return Healthcheck(test=("CMD", "wget", "-q", "-O", "/dev/null", url), **timing)


def ui(host_port: int, user: str = "", secret: str = "") -> Endpoint:
    """The service's own web page."""
    return Endpoint("ui", f"http://127.0.0.1:{host_port}", user=user, secret=secret, is_web_page=True)


def joined(project: str) -> Mapping[str, str]:
    """Labels by which a container joins the gateway of its project: it leaves everything else on the engine alone."""
    return {"traefik.enable": "true", "traefik.docker.network": project}


def hosts(name: str, project: str) -> str:
    """The rule for the addresses of a page. Browsers send cookies to all ports of a name, so one has the project's."""
    return f"Host(`{name}.localhost`) || Host(`{name}.{project}.localhost`)"


def web(name: str, port: int, project: str, *, guard: bool = False) -> Mapping[str, str]:
    """Labels with which the gateway serves `port` as `http://<name>.localhost` and `http://<name>.<project>.localhost`.

    `guard` puts the operator's password in front of pages that have no login of their own: in production the gateway
    is open to the network, and anybody can send a Host header.
    """
    router = f"traefik.http.routers.{name}"
    labels = {
        **joined(project),
        f"{router}.rule": hosts(name, project),
        f"traefik.http.services.{name}.loadbalancer.server.port": str(port),
    }
    return labels | ({f"{router}.middlewares": GUARD} if guard else {})
