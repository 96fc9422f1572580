"""Apache Pulsar, standalone: the durable event log with subscriptions, retries and replay."""

from __future__ import annotations

from arcctl.core.env import HostPort, ServiceEnv
from arcctl.core.model import Healthcheck, Layer, Limits, Link, Port, Service, Volume
from arcctl.core.probe import Http
from arcctl.core.sources import Maven

HOST = __name__.rpartition(".")[2]
PORT, HTTP_PORT = 6650, 8080
LISTENER = "external"
"""What a client on the host passes as `listener_name`; clients in containers pass none."""
_HEALTH = "/admin/v2/brokers/health"

# `standalone` reads its file only, so settings come in by the image's own script. The file itself stays the image's.
_START = "bin/apply-config-from-env.py conf/standalone.conf && exec bin/pulsar standalone -nfw -nss"


SOURCE = Maven(name="pulsar", pom="pulsar.xml")


class Env(ServiceEnv, env_prefix="PULSAR_"):
    host_port: HostPort = PORT
    """Port for clients on the host's loopback address, which give the listener name `external`."""
    http_port: HostPort = 8082
    """Port of the admin interface on the host's loopback address."""


def _settings(env: Env) -> dict[str, str]:
    listeners = f"internal:pulsar://{HOST}:{PORT},{LISTENER}:pulsar://localhost:{env.host_port}"
    settings = {
        "advertisedListeners": listeners,
        "internalListenerName": "internal",
        # Ledgers remember their store by its address, which changes when the container is made anew. By its host
        # name, which does not, they are found again.
        "useHostNameAsBookieID": "true",
    }
    return {f"PULSAR_PREFIX_{name}": value for name, value in settings.items()}


SERVICE: Service[Env] = Service(
    module=__name__,
    title="Apache Pulsar",
    layer=Layer.PLATFORM,
    env=Env,
    image="apachepulsar/pulsar:4.2.4",
    hostname=HOST,
    ports=lambda env: (
        Port(container=PORT, host=env.host_port, name="client"),
        Port(container=HTTP_PORT, host=env.http_port, name="admin"),
    ),
    command=("sh", "-c", _START),
    environment=lambda env: {
        # The default would be 2 GB of heap and 4 GB beside it.
        "PULSAR_MEM": "-Xms256m -Xmx512m -XX:MaxDirectMemorySize=256m",
        "PULSAR_LOG_LEVEL": "warn",
        **_settings(env),
    },
    mounts=lambda env: (Volume("data", "/pulsar/data"),),
    stop_grace=90,
    limits=Limits(memory_mb=1400, pids=1024),
    # With curl, because the image's own tools each start a second Java machine.
    healthcheck=Healthcheck(
        test=("CMD-SHELL", f"curl -fsS -m 8 http://127.0.0.1:{HTTP_PORT}{_HEALTH} | grep -qx ok"),
        interval=15,
        timeout=10,
        start_period=180,
    ),
    probe=lambda env: Http(port=HTTP_PORT, path=_HEALTH, body="ok"),
    links=lambda env: (
        Link(name="client", url=f"pulsar://localhost:{env.host_port}"),
        Link(name="admin", url=f"http://127.0.0.1:{env.http_port}"),
    ),
)
