"""Three declarations that use every field: a store, a shop that depends on it, a front that depends on the shop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from arcctl.model.backup_method import Folder
from arcctl.model.connection import Endpoint
from arcctl.model.env import ServiceEnv, generated, server_issued, shared
from arcctl.model.probe import Http, Tcp
from arcctl.model.resource import Resource
from arcctl.model.rotation import Fixed, Rotation
from arcctl.model.service import (
    BindMount,
    Catalogue,
    Checks,
    Component,
    ConfigFile,
    Container,
    Healthcheck,
    HostPath,
    Layer,
    Network,
    Port,
    Role,
    Service,
    SetUp,
    Storage,
    Volume,
)
from arcctl.model.smoke_test import Call, Calls


class StoreEnv(ServiceEnv, env_prefix="STORE_"):
    host_port: int = 7000
    """Port on the host."""
    password: SecretStr = generated()
    """Password of the store."""
    ticket: SecretStr = server_issued()
    """A token that the store issues once."""


class ShopEnv(ServiceEnv, env_prefix="BIG_SHOP_"):
    host_port: int = 7100
    """Port on the host."""
    token: SecretStr = generated(32)
    """Signs orders."""
    store_password: SecretStr = shared("STORE_PASSWORD")
    """Password of the store."""


class FrontEnv(ServiceEnv, env_prefix="FRONT_"):
    http_port: int = 80
    """Port for everybody."""
    admin_port: int = 7200
    """Port for the operator."""
    motto: str = "hello"
    """What it says."""


def _resource(name: str, hint: str) -> Resource:
    find, make = (Calls((Call(f"{verb} {name}", 7000, "/"),)) for verb in ("find", "make"))
    return Resource(name, find, create=(make,), hint=hint)


def _say(words: str, secret: SecretStr) -> Calls:
    return Calls((Call(f"{words} {secret.get_secret_value()}", 7000, "/"),))


STORE: Service[StoreEnv] = Service(
    id="store",
    title="Store",
    layer=Layer.OBSERVABILITY,
    env=StoreEnv,
    container=Container(
        image="toy/store:1.0",
        user="70:70",
        command=("store", "--quiet"),
        capabilities=("CHOWN",),
        shm_mb=64,
        stop_grace=30,
        memory_mb=128,
    ),
    network=Network(
        ports=lambda env: (Port(7000, env.host_port, "wire"),),
        endpoints=lambda env: (Endpoint(name="wire", url=f"store://127.0.0.1:{env.host_port}"),),
    ),
    storage=Storage(
        mounts=lambda env: (
            Volume("data", "/data"),
            BindMount("store/store.conf", "/etc/store.conf"),
            ConfigFile("/run/arc/pass.word", env.password.get_secret_value(), uid=70, gid=71),
        )
    ),
    checks=Checks(
        healthcheck=Healthcheck(test=("CMD", "store", "ping"), interval=5),
        probe=lambda env: Tcp(port=7000, send=env.password.get_secret_value().encode(), expect=b"OK"),
    ),
    setup=SetUp(resources=lambda env: (_resource("shelf", "build it by hand"), _resource("ticket", "ask for another"))),
    backup=lambda env: Folder("data"),
    rotations=(
        Rotation(
            "password",
            lambda env: _say("login", env.password),
            add_credential=lambda old, new: (_say("login", old.password), _say("admit", new.password)),
            accepts_both=True,
        ),
        Fixed("ticket", "the store tells it", "ask for another"),
    ),
)

SHOP_DB: Component[ShopEnv] = Component(
    id="shop-db",
    role=Role.INIT,
    env=ShopEnv,
    container=Container(image="toy/store:1.0", entrypoint=("setup",), memory_mb=32, pids=16),
    storage=Storage(
        mounts=lambda env: (ConfigFile("/setup.sql", f"-- setup\n{env.store_password.get_secret_value()}\n"),)
    ),
)

SHOP_EXPORTER: Component[ShopEnv] = Component(
    id="shop-exporter",
    role=Role.SIDECAR,
    after_server=True,
    env=ShopEnv,
    container=Container(image="toy/exporter:2", memory_mb=16, pids=8),
)

SHOP: Service[ShopEnv] = Service(
    id="big-shop",
    title="Shop",
    layer=Layer.PLATFORM,
    env=ShopEnv,
    needs=(STORE,),
    components=(SHOP_DB, SHOP_EXPORTER),
    container=Container(
        image="toy/shop:3.1",
        build="apps/shop",
        environment=lambda env: {"LOG": "warn"},
        read_only=True,
        tmpfs=("/tmp",),
        memory_mb=256,
    ),
    network=Network(hostname="shop", ports=lambda env: (Port(8080, env.host_port),)),
    checks=Checks(probe=lambda env: Http(8080, "/ready")),
)

FRONT: Service[FrontEnv] = Service(
    id="front",
    title="Front",
    layer=Layer.PLATFORM,
    env=FrontEnv,
    needs=(SHOP,),
    container=Container(image="toy/front:9", memory_mb=64, pids=100),
    network=Network(
        networks=("arc", "back"),
        ports=lambda env: (
            Port(80, env.http_port, gateway=True),
            Port(8081, env.admin_port, "admin"),
        ),
        labels=lambda env: {"toy.motto": env.motto},
    ),
    storage=Storage(mounts=lambda env: (HostPath("/var/run/engine.sock", "/engine.sock"),)),
    checks=Checks(healthcheck=Healthcheck(test=("CMD", "front", "ping")), probe=lambda env: Http(80)),
)

TOY = Catalogue({"big-shop": SHOP, "front": FRONT, "store": STORE})


def catalogue(*services: Service[Any]) -> Catalogue:
    return Catalogue({service.id: service for service in services})


def with_data_version(service: Service[Any]) -> Service[Any]:
    """A service with the version of its data in its tag: `1.0-data8`."""
    return replace(
        service,
        container=replace(service.container, image="toy/store:1.0-data8"),
        storage=replace(service.storage, data_version=r"-data(\d+)"),
    )


def plain(name: str, *needs: Service[Any], layer: Layer = Layer.PLATFORM) -> Service[ServiceEnv]:
    """A service with only a name and its dependencies."""
    return Service(
        id=name,
        title=name,
        layer=layer,
        env=ServiceEnv,
        needs=needs,
        container=Container(image=f"toy/{name}:1", memory_mb=1),
        checks=Checks(probe=lambda env: Http(80)),
    )
