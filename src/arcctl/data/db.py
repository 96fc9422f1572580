"""`db`: the databases of the user, next to those of the services."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import SecretStr

from arcctl.data import names
from arcctl.data.base import DatabaseClient, DataClients
from arcctl.data.report import Database, DropImpact, ListedDatabase, Refreshed
from arcctl.data.stores import Server, running_server, servers
from arcctl.errors import UnhealthyError, UsageError, did_you_mean
from arcctl.lifecycle import bootstrap
from arcctl.lifecycle.report import BootstrapReport
from arcctl.model.data_store import Databases
from arcctl.model.env import Variable
from arcctl.model.resource import State
from arcctl.model.smoke_test import Sql
from arcctl.project import Project, project_lock

PASSWORD_LENGTH = 43
SERVERS_OWN = ("template0", "template1")
"""Templates that every server has."""
_NO_TEMPLATE = 'ALTER DATABASE "{}" IS_TEMPLATE false'


@dataclass(frozen=True)
class Owner:
    service: str = ""
    """Empty for a role of the user."""
    password: str = field(default="", repr=False)


_USER = Owner()


async def _open(project: Project, clients: DataClients) -> tuple[Server[Databases], DatabaseClient]:
    server = await running_server(Databases, project)
    return server, clients.databases(server.service, server.store, server.ports, server.project.engine.host)


def owners(server: Server[Databases]) -> dict[str, Owner]:
    """The roles that services log in with; each service's database has the name of its role."""
    found = {server.store.user: Owner(server.service, server.store.password)}
    for service_id, service in server.project.catalogue.services.items():
        resources = service.setup.resources(server.project.settings.envs[service_id])
        for login in (r.check for r in resources if isinstance(r.check, Sql)):
            found.setdefault(login.user, Owner(service_id, login.password))
    return found


def _password_variable(server: Server[Databases], name: str) -> Variable:
    """The secret that holds the password of a database of the user."""
    prefix = server.project.catalogue.services[server.service].env.env_prefix
    return Variable(
        name=f"{prefix}DB_{name}_PASSWORD".upper(),
        field=name,
        default=None,
        description="",
        secret=True,
        generate={"length": PASSWORD_LENGTH, "alphabet": "urlsafe"},
        shared=False,
    )


async def list_(wanted: tuple[str, ...], project: Project, clients: DataClients) -> tuple[ListedDatabase, ...]:
    """All databases, or those named. Raises UsageError for a name that does not exist."""
    server, client = await _open(project, clients)
    found = {d.name: d for d in await client.databases() if not d.template}
    for name in wanted:
        _must_exist(name, found)
    return tuple(_listed(found[name], server) for name in wanted or found)


def _must_exist(name: str, found: Iterable[str]) -> None:
    if name not in found:
        raise UsageError(f"there is no database {name!r}", hint=did_you_mean(name, found, "arcctl db list"))


def _listed(database: Database, server: Server[Databases]) -> ListedDatabase:
    known = owners(server)
    stored = server.project.directory.secrets().get(_password_variable(server, database.owner).name, "")
    return ListedDatabase(
        name=database.name,
        owner=database.owner,
        bytes=database.bytes,
        service=known.get(database.name, _USER).service,
        address=f"{server.project.engine.host}:{server.ports[server.store.port]}/{database.name}",
        secret=known.get(database.owner, Owner(password=stored)).password,
        invalid=database.invalid,
    )


async def create(name: str, project: Project, clients: DataClients) -> tuple[ListedDatabase, bool]:
    """Create a database with the vector extension, and its owner, a role of the same name.

    Returns it, and whether anything had to be created: an interrupted creation is completed.
    Raises UsageError for a name that is taken.
    """
    names.check_database(name)
    with await project_lock(project):
        server, client = await _open(project, clients)
        variable, secrets = _password_variable(server, name), project.directory.secrets()
        await _refuse_taken(name, server, client, interrupted=variable.name in secrets)
        project.directory.add_secrets({variable.name: variable})
        created = await _create_resources(name, project.directory.secrets()[variable.name], server)
        (database,) = (d for d in await client.databases() if d.name == name)
        return _listed(database, server), created


async def _refuse_taken(name: str, server: Server[Databases], client: DatabaseClient, *, interrupted: bool) -> None:
    """`interrupted`: an earlier creation of this name stored its password and may have gone on from there."""
    service, other = owners(server).get(name, _USER).service, "choose another name"
    if service:
        raise UsageError(f"{name!r} is the database of the service {service}", hint=other)
    if interrupted:
        return
    if name in {d.name for d in await client.databases()}:
        raise UsageError(f"the database {name!r} exists already", hint="arcctl db list")
    if name in await client.roles():
        raise UsageError(f"the role {name!r} exists already, and its password would change", hint=other)


async def _create_resources(name: str, password: str, server: Server[Databases]) -> bool:
    """Whether anything was missing. Raises UnhealthyError where the server refuses."""
    setup = bootstrap.ServiceSetUp(server.project, server.service, server.observed.published, True, time.monotonic())
    results = await setup.run(server.store.new_database(name, SecretStr(password)))
    for result in results:
        if result.state is State.REFUSED:
            raise UnhealthyError(f"{server.service}: {result.resource}: {result.reason}", hint=result.hint)
    return any(result.state is State.CREATED for result in results)


async def drop_impact(name: str, project: Project, clients: DataClients) -> DropImpact:
    """What dropping a database destroys. Raises UsageError for one that is not the user's."""
    server, client = await _open(project, clients)
    return await _impact(name, server, client)


async def _impact(name: str, server: Server[Databases], client: DatabaseClient) -> DropImpact:
    found = {d.name: d for d in await client.databases()}
    service, hint = owners(server).get(name, _USER).service, "arcctl db list"
    if service:
        raise UsageError(f"{name!r} is the database of the service {service}, which needs it", hint=hint)
    if name in found and found[name].template:
        sql = _NO_TEMPLATE.format(name.replace('"', '""'))
        raise UsageError(
            f"{name!r} is a template that new databases are copied from",
            hint=hint if name in SERVERS_OWN else _in_shell(server, server.store.user, sql),
        )
    secret = _password_variable(server, name).name
    made = secret in server.project.directory.secrets()
    if name not in found and not made:
        _must_exist(name, found)
    await _refuse_obstacles(name, name if made else "", server, client)
    if name not in found:
        return DropImpact(bytes=0, sessions=0, tables=0)  # an interrupted drop left the role
    return await client.drop_impact(name)


async def _refuse_obstacles(name: str, role: str, server: Server[Databases], client: DatabaseClient) -> None:
    """Raises UnhealthyError before anything is dropped."""
    obstacles = await client.obstacles(name, role)
    if obstacles:
        first, what = obstacles[0], "; ".join(str(o) for o in obstacles)
        raise UnhealthyError(
            f"{name!r} is not dropped, nor anything of it; in the way: {what}",
            hint=_in_shell(server, first.database, first.sql),
        )


def _in_shell(server: Server[Databases], database: str, sql: str) -> str:
    """The command that runs this as the superuser."""
    words = f"-d {shlex.quote(database)} -c {shlex.quote(sql)}"
    return f"arcctl shell {server.service} --as {server.store.user} -- {words}"


async def drop(name: str, project: Project, clients: DataClients) -> None:
    """Drop a database, and the role and the password that `create` made for it.

    Raises UnhealthyError where something refuses that, with nothing dropped, or where something is left.
    """
    with await project_lock(project):
        server, client = await _open(project, clients)
        await _impact(name, server, client)
        secret = _password_variable(server, name).name
        role = name if secret in project.directory.secrets() else ""
        reason, hint = "the server still has it", "arcctl db list"
        try:
            await client.drop(name, role)
        except UnhealthyError as error:
            reason, hint = error.message, error.hint
        if name in {d.name for d in await client.databases()}:
            raise UnhealthyError(f"the database {name} is not dropped: {reason}", hint=hint)
        if role in await client.roles():
            text = f"the database {name} is dropped, and its role is not: {reason}"
            raise UnhealthyError(text, hint=f"arcctl db drop {name}")
        project.directory.forget_secrets([secret])


async def refresh(project: Project, clients: DataClients) -> tuple[Refreshed, ...]:
    """Adapt all databases to a newer server or operating system; those that need nothing stay as they are."""
    with await project_lock(project):
        _, client = await _open(project, clients)
        return await client.refresh()


async def refresh_running(project: Project, clients: DataClients) -> tuple[Refreshed, ...]:
    """The same; nothing where no database server runs."""
    found = await servers((Databases,), project)
    return await refresh(project, clients) if any(server.running for server in found.values()) else ()


async def init(project: Project) -> BootstrapReport:
    """Run `bootstrap` for the server and for every running service that has a database in it."""
    server = await running_server(Databases, project)
    users = {owner.service for owner in owners(server).values()}
    running = tuple(i for i in project.catalogue.services if i in users and server.observed.of(i).running)
    if missing := sorted(users - set(running)):
        project.note(f"not running, so set up when they start: {', '.join(missing)}")
    return await bootstrap.bootstrap(bootstrap.Request(words=running), project)
