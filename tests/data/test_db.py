"""`db`: which service a database belongs to, what may be created and dropped, and what an interrupt leaves."""

from __future__ import annotations

import asyncio

import pytest

from arcctl.checks.locks_report import Holder
from arcctl.data import db as databases
from arcctl.data import migrate as migrate_module
from arcctl.data.migrate import migrate
from arcctl.data.report import Database, Obstacle
from arcctl.engines.base import ContainerState
from arcctl.errors import UnhealthyError
from tests.fakes.data import FakeDatabases
from tests.fakes.data_platform import Platform, refused, run


def test_each_database_is_listed_with_the_service_that_declares_it_and_templates_are_not() -> None:
    platform = Platform()
    listed = run(databases.list_((), platform.project, platform.clients))
    assert [(d.name, d.service, d.address, d.secret) for d in listed] == [
        ("root", "store", "127.0.0.1:1/root", "p"),
        ("ours", "store", "127.0.0.1:1/ours", "of-ours"),
        ("shop", "shop", "127.0.0.1:1/shop", "of-shop"),
        ("by_hand", "", "127.0.0.1:1/by_hand", ""),
    ]


def test_an_interrupted_creation_is_completed_with_the_password_that_it_stored() -> None:
    platform = Platform()
    platform.clients.stored["books"] = Database(name="books", owner="books", bytes=1)
    platform.toy.directory.kept["DB_BOOKS_PASSWORD"] = "stored-before"  # an interrupted creation
    database, created = run(databases.create("books", platform.project, platform.clients))
    assert (database.secret, created, platform.toy.printed) == (
        "stored-before",
        True,
        ["working store creating database-books", "ready store created database-books"],
    )
    assert run(databases.create("books", platform.project, platform.clients))[1] is False


def test_a_creation_that_the_server_refuses_has_its_hint() -> None:
    platform = Platform()
    platform.toy.smoke_test_runner.refusing = frozenset({"database-books"})
    message, hint = refused(databases.create("books", platform.project, platform.clients), UnhealthyError)
    assert (message, hint) == ("store: database-books: database-books is not there", "look into the log")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("shop", "'shop' is the database of the service shop"),
        ("root", "'root' is the database of the service store"),
        ("by_hand", "the database 'by_hand' exists already"),
        ("clerk", "the role 'clerk' exists already, and its password would change"),
    ],
)
def test_a_name_that_is_taken_changes_nothing(name: str, message: str) -> None:
    platform = Platform()
    assert refused(databases.create(name, platform.project, platform.clients))[0] == message
    assert (platform.toy.directory.kept, platform.toy.smoke_test_runner.created) == ({}, set())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("shop", "'shop' is the database of the service shop, which needs it"),
        ("root", "'root' is the database of the service store, which needs it"),
        ("empty", "'empty' is a template that new databases are copied from"),
        ("by_hnad", "there is no database 'by_hnad'"),
    ],
)
def test_only_a_database_of_the_user_is_dropped(name: str, message: str) -> None:
    platform = Platform()
    before = dict(platform.clients.stored)
    assert refused(databases.drop(name, platform.project, platform.clients))[0] == message
    assert platform.clients.stored == before


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("model", """arcctl shell store --as root -- -d root -c 'ALTER DATABASE "model" IS_TEMPLATE false'"""),
        ("template1", "arcctl db list"),
    ],
)
def test_a_template_is_dropped_once_it_is_none(name: str, hint: str) -> None:
    platform = Platform()
    platform.clients.stored[name] = Database(name=name, owner="root", bytes=1, template=True)
    assert refused(databases.drop(name, platform.project, platform.clients))[1] == hint


def test_a_role_is_dropped_with_its_database_only_where_create_made_it() -> None:
    platform = Platform()
    run(databases.drop("by_hand", platform.project, platform.clients))
    assert "by_hand" in platform.clients.known_roles
    platform.clients.stored["books"] = Database(name="books", owner="books", bytes=1)
    platform.clients.known_roles.add("books")
    platform.toy.directory.kept["DB_BOOKS_PASSWORD"] = "x"
    run(databases.drop("books", platform.project, platform.clients))
    assert ("books" in platform.clients.known_roles, platform.toy.directory.kept) == (False, {})


def test_an_interrupted_drop_is_completed() -> None:
    platform = Platform()
    platform.clients.known_roles.add("books")
    platform.toy.directory.kept["DB_BOOKS_PASSWORD"] = "x"
    assert run(databases.drop_impact("books", platform.project, platform.clients)).tables == 0
    run(databases.drop("books", platform.project, platform.clients))
    assert ("books" in platform.clients.known_roles, platform.toy.directory.kept) == (False, {})


def test_databases_are_adapted_where_their_server_runs() -> None:
    platform = Platform()
    platform.clients.outdated = ("shop",)
    for refresh in (databases.refresh, databases.refresh_running):
        assert [str(done) for done in run(refresh(platform.project, platform.clients))] == ["shop: indexes rebuilt"]
    stopped = Platform().stopped("store")
    assert run(databases.refresh_running(stopped.project, stopped.clients)) == ()
    assert refused(databases.refresh(stopped.project, stopped.clients), UnhealthyError)[1] == "arcctl up store"


def test_a_migration_runs_after_the_init_containers_that_it_depends_on() -> None:
    platform = Platform()
    result = run(migrate(("shop",), platform.project, platform.clients))
    assert (result.passed, platform.toy.engine.calls) == (
        True,
        ["recreate shop-db shop-tables", "start shop-db", "start shop-tables"],
    )


def test_a_failed_migration_is_reported() -> None:
    platform = Platform()
    platform.toy.engine.exit_codes = {"shop-tables": 3}
    result = run(migrate((), platform.project, platform.clients))
    assert result.outcome is not None
    assert result.outcome.failed == {"shop-tables": "exited with code 3"}


def test_a_service_without_a_migration_says_which_have_one() -> None:
    platform = Platform()
    message, hint = refused(migrate(("bus",), platform.project, platform.clients))
    assert (message, hint) == ("bus has no migration to run", "arcctl db migrate shop")


def test_a_migration_without_a_database_server_starts_nothing() -> None:
    platform = Platform().stopped("store")
    message = refused(migrate(("shop",), platform.project, platform.clients), UnhealthyError)
    assert (message, platform.toy.engine.calls) == (("store is not running", "arcctl up store"), [])


def test_an_interrupted_creation_is_not_completed_once_a_service_has_the_name() -> None:
    platform = Platform()
    platform.toy.directory.kept["DB_SHOP_PASSWORD"] = "stored-before"
    message = refused(databases.create("shop", platform.project, platform.clients))[0]
    assert message == "'shop' is the database of the service shop"


def test_a_migration_that_waits_for_a_lock_names_who_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate_module, "POLL_SECONDS", 0.01)
    platform = Platform()
    platform.toy.engine.endless = frozenset({"shop-tables"})
    platform.clients.holders[("shop",)] = (Holder(pid=7, application="psql", address="127.0.0.1"),)
    message, hint = refused(migrate(("shop",), platform.project, platform.clients), UnhealthyError)
    assert message == (
        "a migration is not done: it waited 20 s for a lock that is held by psql (pid 7, 127.0.0.1);"
        " it goes on when that transaction ends"
    )
    assert hint.endswith("arcctl shell store --as root -- -xc 'select * from pg_stat_activity where pid = 7'")


def test_a_migration_that_ends_while_its_holder_is_asked_for_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate_module, "POLL_SECONDS", 0.01)
    platform = Platform()
    platform.toy.engine.endless = frozenset({"shop-tables"})

    async def blocked(*names: object) -> tuple[Holder, ...]:
        platform.toy.engine.states["shop-tables"] = ContainerState(state="exited")
        await asyncio.wait([task for task in asyncio.all_tasks() if task is not asyncio.current_task()])
        return (Holder(pid=7),)

    monkeypatch.setattr(FakeDatabases, "blocked", blocked)
    assert run(migrate(("shop",), platform.project, platform.clients)).passed


def test_what_is_in_the_way_of_a_drop_is_named_before_its_first_step() -> None:
    platform = Platform()
    platform.toy.directory.kept["DB_BY_HAND_PASSWORD"] = "x"
    platform.clients.in_the_way = (
        Obstacle("the subscription s", "root", "table pg_subscription"),
        Obstacle("x", "y", "z"),
    )
    for work in (databases.drop_impact, databases.drop):
        message, hint = refused(work("by_hand", platform.project, platform.clients), UnhealthyError)
        assert message == "'by_hand' is not dropped, nor anything of it; in the way: the subscription s; x"
        assert hint == "arcctl shell store --as root -- -d root -c 'table pg_subscription'"
    assert ("by_hand" in platform.clients.stored, "by_hand" in platform.clients.known_roles) == (True, True)


@pytest.mark.parametrize(
    ("staying", "message", "hint"),
    [
        ("database", "the database by_hand is not dropped: the server still has it", "arcctl db list"),
        (
            "role",
            "the database by_hand is dropped, and its role is not: store: it owns something",
            "arcctl db drop by_hand",
        ),
    ],
)
def test_dropped_is_said_only_after_a_second_look(staying: str, message: str, hint: str) -> None:
    platform = Platform()
    platform.toy.directory.kept["DB_BY_HAND_PASSWORD"] = "x"
    platform.clients.staying = staying
    assert refused(databases.drop("by_hand", platform.project, platform.clients), UnhealthyError) == (message, hint)
    assert platform.toy.directory.kept == {"DB_BY_HAND_PASSWORD": "x"}


def test_what_an_interrupted_drop_database_left_is_listed_and_dropped() -> None:
    platform = Platform()
    platform.clients.stored["half"] = Database(name="half", owner="root", bytes=0, invalid=True, open=False)
    (listed,) = run(databases.list_(("half",), platform.project, platform.clients))
    assert listed.invalid
    run(databases.drop("half", platform.project, platform.clients))
    assert "half" not in platform.clients.stored
