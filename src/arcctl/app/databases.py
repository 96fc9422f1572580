"""`db`: databases with an owner and a password of their own, beside those of the platform's services."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from pydantic import SecretStr

from arcctl.app import bootstrap
from arcctl.app.inside import Inside, one_with
from arcctl.app.world import World, turn
from arcctl.core import content_names as names
from arcctl.core.bootstrap import Found, Report, State
from arcctl.core.contents import Database, Databases, Loss
from arcctl.core.env import Variable
from arcctl.core.ports import DatabaseClient
from arcctl.core.proof import Sql
from arcctl.errors import UnhealthyError, UsageError

PASSWORD_LENGTH = 43


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A database as people and programs see it."""

    database: Database
    service: str
    """Whose it is; empty for one of the user's own."""
    address: str
    """Host, port and name, as they stand in a connection URL."""
    secret: str = field(repr=False)
    """The owner's password; empty where nobody kept it."""


@dataclass(frozen=True)
class Owner:
    """Whose a role or a database is."""

    service: str = ""
    password: str = field(default="", repr=False)


USER = Owner()


def client(inside: Inside[Databases]) -> DatabaseClient:
    return inside.world.contents.databases(inside.service, inside.held, inside.ports)


def owners(inside: Inside[Databases]) -> dict[str, Owner]:
    """By the roles that declarations log in with; a database is called as its role is."""
    catalogue, loaded = inside.world.catalogue, inside.settings
    found = {inside.held.user: Owner(inside.service, inside.held.password)}
    for service_id, service in catalogue.services.items():
        logins = [r.look for r in service.resources(loaded.envs[service_id]) if isinstance(r.look, Sql)]
        for login in logins:
            found.setdefault(login.user, Owner(service_id, login.password))
    return found


def _variable(inside: Inside[Databases], name: str) -> Variable:
    """The secret that a database of the user's own is kept under."""
    prefix = inside.world.catalogue.services[inside.service].env.model_config["env_prefix"]
    rule = {"length": PASSWORD_LENGTH, "alphabet": "urlsafe"}
    return Variable(
        name=f"{prefix}DB_{name}_PASSWORD".upper(),
        field=name,
        default=None,
        description="",
        secret=True,
        generate=rule,
        shared=False,
    )


async def list_(wanted: tuple[str, ...], world: World) -> tuple[Entry, ...]:
    """All databases, or those that are named. Raises UsageError for a name that is not there."""
    inside = await one_with(Databases, world)
    found = {d.name: d for d in await client(inside).databases() if not d.template}
    for name in wanted:
        _existing(name, found)
    return tuple(_entry(found[name], inside) for name in wanted or found)


def _existing(name: str, found: dict[str, Database]) -> Database:
    if name not in found:
        raise names.unknown("database", name, {n: n for n in found}, "arcctl db list")
    return found[name]


def _entry(database: Database, inside: Inside[Databases]) -> Entry:
    known, name = owners(inside), database.name
    kept = inside.world.home.secrets().get(_variable(inside, database.owner).name, "")
    return Entry(
        database=database,
        service=known.get(name, USER).service,
        address=f"127.0.0.1:{inside.ports[inside.held.port]}/{name}",
        secret=known.get(database.owner, Owner(password=kept)).password,
    )


async def create(name: str, world: World) -> tuple[Entry, bool]:
    """A database with vectors in it and a role of the same name, and whether anything of it was missing.

    Raises UsageError for a name that is taken. What an interrupted creation left is finished.
    """
    names.database(name)
    with await turn(world):
        inside = await one_with(Databases, world)
        variable = _variable(inside, name)
        await _refuse_taken(name, inside, begun=variable.name in world.home.secrets())
        world.home.add_secrets({variable.name: variable})
        password = SecretStr(world.home.secrets()[variable.name])
        found = await _make(name, password, inside)
    (entry,) = await list_((name,), world)
    return entry, any(one.state is State.MADE for one in found)


async def _refuse_taken(name: str, inside: Inside[Databases], *, begun: bool) -> None:
    """`begun` where an earlier creation of this name drew its password."""
    owner = owners(inside).get(name, USER).service
    if owner:
        raise UsageError(f"{name!r} belongs to {owner}", hint="choose another name")
    if begun:
        return
    if name in {d.name for d in await client(inside).databases()}:
        raise UsageError(f"there is a database {name!r}", hint="arcctl db list")
    if name in await client(inside).roles():
        raise UsageError(f"there is a role {name!r}, which would get another password", hint="choose another name")


async def _make(name: str, password: SecretStr, inside: Inside[Databases]) -> tuple[Found, ...]:
    world, began = inside.world, time.monotonic()
    making = bootstrap.SettingUp(world, inside.settings, inside.service, inside.observed.published, True, began)
    found = await making.run(inside.held.own(name, password))
    for one in found:
        if one.state is State.REFUSED:
            raise UnhealthyError(f"{inside.service}: {one.resource}: {one.reason}", hint=one.hint)
    return found


async def loss(name: str, world: World) -> Loss:
    """What dropping a database takes away. Raises UsageError for one that is not the user's own."""
    inside = await one_with(Databases, world)
    everything = {d.name: d for d in await client(inside).databases()}
    owner = owners(inside).get(name, USER).service
    if owner:
        raise UsageError(f"{name!r} belongs to {owner}, which needs it", hint="arcctl clean destroys all data")
    if name in everything and everything[name].template:
        raise UsageError(f"{name!r} is what new databases are made from", hint="arcctl db list")
    if name not in everything and _variable(inside, name).name in world.home.secrets():
        return Loss(bytes=0, sessions=0, tables=0)  # an interrupted drop left its role
    _existing(name, everything)
    return await client(inside).loss(name)


async def drop(name: str, world: World) -> None:
    """The database, and the role and the password that were made for it."""
    with await turn(world):
        await loss(name, world)
        inside = await one_with(Databases, world)
        secret = _variable(inside, name).name
        made_here = secret in world.home.secrets()
        await client(inside).drop(name, name if made_here else "")
        world.home.forget_secrets([secret])


async def init(world: World) -> Report:
    """What `bootstrap` makes in the server and in every service with a database of its own that runs."""
    inside = await one_with(Databases, world)
    users = {owner.service for owner in owners(inside).values()}
    running = tuple(i for i in world.catalogue.services if i in users and inside.observed.of(i).running)
    absent = sorted(users - set(running))
    if absent:
        world.note(f"not running, so set up when they start: {', '.join(absent)}")
    return await bootstrap.run(bootstrap.Request(words=running), world)
