"""Grafana: dashboards over metrics, logs and traces, with links between the three."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from arcctl.model.backup_method import Folder
from arcctl.model.env import HostPort, ServiceEnv, generated, reveal
from arcctl.model.probe import Http
from arcctl.model.resource import Resource
from arcctl.model.rotation import Rotation
from arcctl.model.service import (
    BindMount,
    Catalogue,
    Checks,
    ConfigFile,
    Container,
    Layer,
    Network,
    Port,
    Service,
    SetUp,
    Storage,
    Volume,
    service_id,
)
from arcctl.model.smoke_test import Call, Calls, SmokeTest
from arcctl.model.telemetry import Document, Scrape, Telemetry, Unit, rate
from arcctl.services import jaeger, loki, prometheus
from arcctl.services.presets.web import answers, ui, web

ID = service_id(__name__)
PORT = 3000
UID = 472
USER = "admin"
_LOGIN_FILE = "/run/arc/password"
_PROVISIONING = "/etc/grafana/provisioning"
_READING_FILES, _READING_ONE = 30, 5
"""Seconds that it may still read files after its first healthy answer, and after the first dashboard is there."""


class Env(ServiceEnv, env_prefix="GRAFANA_"):
    host_port: HostPort = PORT
    """Port on the host's loopback address."""
    admin_password: SecretStr = generated()
    """Password of the user `admin`. Grafana reads it once, when its volume is new."""


def _login(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def _get(name: str, path: str, login: dict[str, str], expect: str = "") -> Call:
    return Call(name, PORT, path, headers=login, expect=expect)


def _known(env: Env) -> Calls:
    return Calls((_get("log in", "/api/org", _login(USER, reveal(env.admin_password))),))


def _change(old: Env, new: Env) -> tuple[SmokeTest, ...]:
    before, after = reveal(old.admin_password), reveal(new.admin_password)
    body = {"oldPassword": before, "newPassword": after, "confirmNew": after}
    call = Call(
        "change the password", PORT, "/api/user/password", method="PUT", json=body, headers=_login(USER, before)
    )
    return (Calls((call,)),)


def _resources(env: Env) -> tuple[Resource, ...]:
    """The server's first start creates the account; data sources and dashboards are files."""
    hint = f"set GRAFANA_ADMIN_PASSWORD in config/{ID}/.env to the password that you chose"
    return (Resource(f"account {USER}", _known(env), hint=hint),)


def _smoke_tests(env: Env) -> tuple[SmokeTest, ...]:
    """An unknown login is refused, each dashboard loads, and each data source answers through Grafana."""
    from arcctl import services

    admin = _login(USER, reveal(env.admin_password))
    sources = tuple(
        _get(f"query {source.id}", f"/api/datasources/uid/{source.id}/health", admin, "OK")
        for source in (loki.SERVICE, prometheus.SERVICE, jaeger.SERVICE)
    )
    steps = (
        _get("log in", "/api/org", admin),
        # Five wrong logins of a user in five minutes lock it out, hence not as the administrator.
        replace(_get("refuse an unknown login", "/api/org", _login("nobody", "admin")), status=(401,)),
    )
    loads = tuple(
        replace(_get(f"load dashboard {name}", f"/api/dashboards/uid/arc-{name}", admin, '"panels"'), patience=seconds)
        for name, seconds in {_OVERVIEW: _READING_FILES, **dict.fromkeys(_shown(services.load()), _READING_ONE)}.items()
    )
    # It reads the files of the data sources before those of the dashboards.
    return (Calls((*steps, *loads, *sources)),)


_OVERVIEW = "overview"


def _shown(catalogue: Catalogue) -> dict[str, Service[Any]]:
    """The services that have a dashboard of their own."""
    return {i: s for i, s in catalogue.services.items() if s.telemetry.panels}


def _dashboards(catalogue: Catalogue) -> dict[str, Document]:
    """The overview, and one for each service that has more to show."""
    from arcctl.services.presets import dashboards

    sources = dashboards.Sources(prometheus.SERVICE.id, loki.SERVICE.id, jaeger.SERVICE.id)
    rows = (s.telemetry.row(i) for i, s in catalogue.services.items())
    drawn = {_OVERVIEW: dashboards.overview(rows, sources)}
    for name, service in _shown(catalogue).items():
        choice = service.telemetry.choice
        drawn[name] = dashboards.detail(name, service.title, service.telemetry.panels, sources, choice=choice)
    return {f"dashboards/{name}.json": document for name, document in drawn.items()}


_TELEMETRY = Telemetry(
    scrape=Scrape(PORT), rate=rate('grafana_http_request_duration_seconds_count{job="$id"}'), unit=Unit.REQUESTS
)


SERVICE: Service[Env] = Service(
    id=ID,
    title="Grafana",
    layer=Layer.OBSERVABILITY,
    env=Env,
    needs=(loki.SERVICE, prometheus.SERVICE, jaeger.SERVICE),
    container=Container(
        image="grafana/grafana:13.2.2",
        init=True,
        has_tar=True,
        has_nc=True,
        environment=lambda env: {
            "GF_SECURITY_ADMIN_USER": USER,
            "GF_SECURITY_ADMIN_PASSWORD__FILE": _LOGIN_FILE,
            "GF_SECURITY_DISABLE_GRAVATAR": "true",
            "GF_USERS_ALLOW_SIGN_UP": "false",
            # What its links begin with, in shared views and in mails.
            "GF_SERVER_ROOT_URL": f"http://localhost:{env.host_port}/",
            # Without these Grafana downloads plugins and asks for updates at each start: slow, and it fails offline.
            "GF_PLUGINS_PREINSTALL_DISABLED": "true",
            "GF_PLUGINS_PREINSTALL_AUTO_UPDATE": "false",
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
            "GF_NEWS_NEWS_FEED_ENABLED": "false",
            "GF_LOG_LEVEL": "warn",
            # Of this process alone: the plugins are others.
            "GOMEMLIMIT": "600MiB",
        },
        stop_grace=30,
        memory_mb=1024,
    ),
    network=Network(
        ports=lambda env: (Port(PORT, env.host_port),),
        labels=lambda env: web(ID, PORT, env.project),
        endpoints=lambda env: (ui(env.host_port, USER, reveal(env.admin_password)),),
        # As its Terraform provider calls them.
        connect=lambda env, where: {
            "GRAFANA_URL": f"http://{where.at(PORT)}",
            "GRAFANA_AUTH": f"{USER}:{reveal(env.admin_password)}",
        },
    ),
    storage=Storage(
        mounts=lambda env: (
            Volume("data", "/var/lib/grafana"),
            BindMount(f"{ID}/provisioning/datasources", f"{_PROVISIONING}/datasources"),
            BindMount(f"{ID}/provisioning/dashboards", f"{_PROVISIONING}/dashboards"),
            BindMount(f"{ID}/dashboards", "/etc/grafana/dashboards"),
            ConfigFile(_LOGIN_FILE, reveal(env.admin_password), uid=UID, first_run=True),
        ),
        files=_dashboards,
    ),
    checks=Checks(
        healthcheck=answers(f"http://127.0.0.1:{PORT}/api/health"),
        probe=lambda env: Http(PORT, "/api/health", body='"database": "ok"'),
        smoke_tests=_smoke_tests,
    ),
    setup=SetUp(resources=_resources),
    backup=lambda env: Folder("data"),
    rotations=(
        Rotation(
            "admin_password", _known, add_credential=_change, by_hand=f"change the password of {USER} on its page"
        ),
    ),
    telemetry=_TELEMETRY,
)
