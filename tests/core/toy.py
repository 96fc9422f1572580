"""Three declarations with one of everything: a store, a shop that stands on it, a front that stands on the shop."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from arcctl.core.backup import Folder
from arcctl.core.bootstrap import Resource
from arcctl.core.env import ServiceEnv, generated, shared, told
from arcctl.core.model import (
    Bind,
    Catalogue,
    Healthcheck,
    Helper,
    HostPath,
    Inline,
    Layer,
    Limits,
    Link,
    Port,
    Service,
    Volume,
)
from arcctl.core.probe import Http, Tcp
from arcctl.core.proof import Call, Calls
from arcctl.core.secret import Fixed, Rotation


class StoreEnv(ServiceEnv, env_prefix="STORE_"):
    host_port: int = 7000
    """Port on the host."""
    password: SecretStr = generated()
    """Password of the store."""
    ticket: SecretStr = told()
    """What the store hands out once."""


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
    find, make = (Calls(steps=(Call(name=f"{verb} {name}", port=7000, path="/"),)) for verb in ("find", "make"))
    return Resource(name=name, look=find, make=(make,), hint=hint)


def _say(words: str, secret: SecretStr) -> Calls:
    return Calls(steps=(Call(name=f"{words} {secret.get_secret_value()}", port=7000, path="/"),))


STORE: Service[StoreEnv] = Service(
    module="toy.store",
    title="Store",
    layer=Layer.OBSERVABILITY,
    env=StoreEnv,
    image="toy/store:1.0",
    user="70:70",
    ports=lambda env: (Port(container=7000, host=env.host_port, name="wire"),),
    command=("store", "--quiet"),
    mounts=lambda env: (
        Volume("data", "/data"),
        Bind("store/store.conf", "/etc/store.conf"),
        Inline(path="/run/arc/pass.word", text=env.password.get_secret_value(), uid=70, gid=71),
    ),
    capabilities=("CHOWN",),
    shm_mb=64,
    stop_grace=30,
    limits=Limits(memory_mb=128),
    healthcheck=Healthcheck(test=("CMD", "store", "ping"), interval=5),
    probe=lambda env: Tcp(port=7000, send=env.password.get_secret_value().encode(), expect=b"OK"),
    backup=lambda env: Folder("data"),
    links=lambda env: (Link(name="wire", url=f"store://127.0.0.1:{env.host_port}"),),
    resources=lambda env: (
        _resource("shelf", "build it by hand"),
        _resource("ticket", "ask for another"),
    ),
    rotations=(
        Rotation(
            field="password",
            login=lambda env: _say("login", env.password),
            admit=lambda old, new: (_say("login", old.password), _say("admit", new.password)),
            both=True,
        ),
        Fixed(field="ticket", reason="the store tells it", hint="ask for another"),
    ),
)

SHOP_DB: Helper[ShopEnv] = Helper(
    id="shop-db",
    image="toy/store:1.0",
    env=ShopEnv,
    one_shot=True,
    entrypoint=("setup",),
    mounts=lambda env: (Inline(path="/setup.sql", text=f"-- setup\n{env.store_password.get_secret_value()}\n"),),
    limits=Limits(memory_mb=32, pids=16),
)

SHOP_EXPORTER: Helper[ShopEnv] = Helper(
    id="shop-exporter", image="toy/exporter:2", env=ShopEnv, aside=True, limits=Limits(memory_mb=16, pids=8)
)

SHOP: Service[ShopEnv] = Service(
    module="toy.big_shop",
    title="Shop",
    layer=Layer.PLATFORM,
    env=ShopEnv,
    image="toy/shop:3.1",
    build="apps/shop",
    hostname="shop",
    needs=(STORE,),
    ports=lambda env: (Port(container=8080, host=env.host_port),),
    environment=lambda env: {"LOG": "warn"},
    read_only=True,
    tmpfs=("/tmp",),
    limits=Limits(memory_mb=256),
    probe=lambda env: Http(port=8080, path="/ready"),
    helpers=(SHOP_DB, SHOP_EXPORTER),
)

FRONT: Service[FrontEnv] = Service(
    module="toy.front",
    title="Front",
    layer=Layer.PLATFORM,
    env=FrontEnv,
    image="toy/front:9",
    needs=(SHOP,),
    ports=lambda env: (
        Port(container=80, host=env.http_port, gateway=True),
        Port(container=8081, host=env.admin_port, name="admin"),
    ),
    mounts=lambda env: (HostPath("/var/run/engine.sock", "/engine.sock"),),
    labels=lambda env: {"toy.motto": env.motto},
    networks=("arc", "back"),
    limits=Limits(memory_mb=64, pids=100),
    healthcheck=Healthcheck(test=("CMD", "front", "ping")),
    probe=lambda env: Http(port=80),
)

TOY = Catalogue({"big-shop": SHOP, "front": FRONT, "store": STORE})


def catalogue(*services: Service[Any]) -> Catalogue:
    return Catalogue({service.id: service for service in services})


def plain(name: str, *needs: Service[Any], layer: Layer = Layer.PLATFORM) -> Service[ServiceEnv]:
    """A service that is nothing but its name and what it needs."""
    return Service(
        module=f"toy.{name}",
        title=name,
        layer=layer,
        env=ServiceEnv,
        image=f"toy/{name}:1",
        limits=Limits(memory_mb=1),
        needs=needs,
        probe=lambda env: Http(port=80),
    )
