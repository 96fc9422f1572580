"""Memcached: a cache in memory, for values that may be lost."""

from __future__ import annotations

from arcctl.model.connection import Endpoint
from arcctl.model.env import HostPort, ServiceEnv
from arcctl.model.probe import Tcp
from arcctl.model.service import Checks, Container, Layer, Network, Port, Service, service_id

PORT = 11211


class Env(ServiceEnv, env_prefix="MEMCACHED_"):
    host_port: HostPort = PORT
    """Port on the host's loopback address."""


SERVICE: Service[Env] = Service(
    id=service_id(__name__),
    title="Memcached",
    layer=Layer.PLATFORM,
    env=Env,
    container=Container(image="memcached:1.6.40-alpine", user="11211:11211", memory_mb=96),
    network=Network(
        ports=lambda env: (Port(PORT, env.host_port, "memcache"),),
        endpoints=lambda env: (Endpoint(name="memcache", url=f"memcached://127.0.0.1:{env.host_port}"),),
        connect=lambda env, where: {"MEMCACHED_SERVERS": where.at(PORT)},
    ),
    checks=Checks(probe=lambda env: Tcp(port=PORT, send=b"version\r\n", expect=b"VERSION")),
)
