"""Grafana: dashboards over metrics, logs and traces, with links between the three."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from arcctl.core.backup import Folder
from arcctl.core.bootstrap import Resource
from arcctl.core.env import HostPort, ServiceEnv, generated
from arcctl.core.model import Bind, Catalogue, Healthcheck, Inline, Layer, Limits, Link, Port, Service, Volume
from arcctl.core.monitoring import Document, Monitoring, Unit
from arcctl.core.probe import Http
from arcctl.core.proof import Call, Calls, Proof
from arcctl.core.secret import Rotation
from arcctl.services import jaeger, loki, prometheus
from arcctl.services._presets import web

NAME = __name__.rpartition(".")[2]
PORT = 3000
UID = 472
USER = "admin"
_LOGIN_FILE = "/run/arc/password"
_PROVISIONING = "/etc/grafana/provisioning"


class Env(ServiceEnv, env_prefix="GRAFANA_"):
    host_port: HostPort = PORT
    """Port on the host's loopback address."""
    admin_password: SecretStr = generated()
    """Password of the user `admin`. Grafana reads it once, when its volume is new."""


def _login(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def _get(name: str, path: str, login: dict[str, str], expect: str = "") -> Call:
    return Call(name=name, port=PORT, path=path, headers=login, expect=expect)


def _known(env: Env) -> Calls:
    return Calls(steps=(_get("log in", "/api/org", _login(USER, env.admin_password.get_secret_value())),))


def _change(old: Env, new: Env) -> tuple[Proof, ...]:
    before, after = old.admin_password.get_secret_value(), new.admin_password.get_secret_value()
    body = {"oldPassword": before, "newPassword": after, "confirmNew": after}
    call = Call(
        name="change the password",
        method="PUT",
        port=PORT,
        path="/api/user/password",
        json=body,
        headers=_login(USER, before),
    )
    return (Calls(steps=(call,)),)


def _resources(env: Env) -> tuple[Resource, ...]:
    """Data sources and dashboards are files; the account is made by the server's own first start."""
    hint = f"set GRAFANA_ADMIN_PASSWORD in config/{NAME}/.env to the password that you chose"
    return (Resource(name=f"account {USER}", look=_known(env), hint=hint),)


def _proofs(env: Env) -> tuple[Proof, ...]:
    """Each data source answers through Grafana, each dashboard loads, and the login that everybody knows is refused."""
    from arcctl import services

    admin = _login(USER, env.admin_password.get_secret_value())
    sources = tuple(
        _get(f"query {source.id}", f"/api/datasources/uid/{source.id}/health", admin, "OK")
        for source in (loki.SERVICE, prometheus.SERVICE, jaeger.SERVICE)
    )
    steps = (
        _get("log in", "/api/org", admin),
        replace(_get("refuse the default login", "/api/org", _login("admin", "admin")), status=(401,)),
        *sources,
    )
    loads = tuple(
        _get(f"load dashboard {name}", f"/api/dashboards/uid/arc-{name}", admin, '"panels"')
        for name in (_OVERVIEW, *_shown(services.load()))
    )
    return (Calls(steps=(*steps, *loads)),)


_OVERVIEW = "overview"


def _shown(catalogue: Catalogue) -> dict[str, Service[Any]]:
    """The services that have a dashboard of their own."""
    return {i: s for i, s in catalogue.services.items() if s.monitoring.panels}


def _dashboards(catalogue: Catalogue) -> dict[str, Document]:
    """The overview, and one for each service that has more to show."""
    from arcctl.core import dashboards

    sources = dashboards.Sources(prometheus.SERVICE.id, loki.SERVICE.id, jaeger.SERVICE.id)
    rows = (s.monitoring.row(i) for i, s in catalogue.services.items())
    drawn = {_OVERVIEW: dashboards.overview(rows, sources)}
    for name, service in _shown(catalogue).items():
        choice = service.monitoring.choice
        drawn[name] = dashboards.detail(name, service.title, service.monitoring.panels, sources, choice=choice)
    return {f"dashboards/{name}.json": document for name, document in drawn.items()}


_MONITORING = Monitoring(
    rate='sum(rate(grafana_http_request_duration_seconds_count{job="$id"}[2m]))', unit=Unit.REQUESTS
)


SERVICE: Service[Env] = Service(
    module=__name__,
    title="Grafana",
    layer=Layer.OBSERVABILITY,
    env=Env,
    image="grafana/grafana:13.2.0",
    needs=(loki.SERVICE, prometheus.SERVICE, jaeger.SERVICE),
    ports=lambda env: (Port(container=PORT, host=env.host_port),),
    environment=lambda env: {
        "GF_SECURITY_ADMIN_USER": USER,
        "GF_SECURITY_ADMIN_PASSWORD__FILE": _LOGIN_FILE,
        "GF_SECURITY_DISABLE_GRAVATAR": "true",
        "GF_USERS_ALLOW_SIGN_UP": "false",
        # Without these Grafana downloads plugins and asks for updates at each start: slow, and it fails offline.
        "GF_PLUGINS_PREINSTALL_DISABLED": "true",
        "GF_PLUGINS_PREINSTALL_AUTO_UPDATE": "false",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "GF_NEWS_NEWS_FEED_ENABLED": "false",
        "GF_LOG_LEVEL": "warn",
        "GOMEMLIMIT": "400MiB",
    },
    mounts=lambda env: (
        Volume("data", "/var/lib/grafana"),
        Bind(f"{NAME}/provisioning/datasources", f"{_PROVISIONING}/datasources"),
        Bind(f"{NAME}/provisioning/dashboards", f"{_PROVISIONING}/dashboards"),
        Bind(f"{NAME}/dashboards", "/etc/grafana/dashboards"),
        Inline(path=_LOGIN_FILE, text=env.admin_password.get_secret_value(), uid=UID, first_run=True),
    ),
    labels=lambda env: web(NAME, PORT),
    stop_grace=30,
    has_tar=True,
    limits=Limits(memory_mb=512),
    healthcheck=Healthcheck(test=("CMD", "wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{PORT}/api/health")),
    monitoring=_MONITORING,
    files=_dashboards,
    backup=lambda env: Folder("data"),
    probe=lambda env: Http(port=PORT, path="/api/health", body='"database": "ok"'),
    proofs=_proofs,
    resources=_resources,
    # As its Terraform provider calls them.
    connect=lambda env, where: {
        "GRAFANA_URL": f"http://{where.at(PORT)}",
        "GRAFANA_AUTH": f"{USER}:{env.admin_password.get_secret_value()}",
    },
    rotations=(
        Rotation(
            field="admin_password", login=_known, admit=_change, by_hand=f"change the password of {USER} on its page"
        ),
    ),
    links=lambda env: (
        Link(
            name="ui",
            url=f"http://127.0.0.1:{env.host_port}",
            user=USER,
            secret=env.admin_password.get_secret_value(),
            page=True,
        ),
    ),
)
