"""`db`: which databases are whose, what may be made and destroyed, what is finished after an interrupt."""

from __future__ import annotations

import pytest

from arcctl.app import databases, migrate
from arcctl.app.up import came_up
from arcctl.core.contents import Database
from arcctl.errors import UnhealthyError
from tests.app.inside import Platform, refused, run


def test_each_database_is_listed_with_the_service_that_declares_it_and_templates_are_not() -> None:
    listed = run(databases.list_((), Platform().world))
    assert [(e.database.name, e.service, e.address, e.secret) for e in listed] == [
        ("root", "store", "127.0.0.1:1/root", "p"),
        ("ours", "store", "127.0.0.1:1/ours", "of-ours"),
        ("shop", "shop", "127.0.0.1:1/shop", "of-shop"),
        ("by_hand", "", "127.0.0.1:1/by_hand", ""),
    ]


def test_a_new_database_gets_a_password_that_the_home_keeps() -> None:
    platform = Platform()
    platform.toy.contents.found["books"] = Database(name="books", owner="books", bytes=1)
    platform.toy.home.kept["DB_BOOKS_PASSWORD"] = "drawn-before"  # an interrupted creation
    entry, made = run(databases.create("books", platform.world))
    assert (entry.secret, made, platform.toy.told) == (
        "drawn-before",
        True,
        ["working store making database-books", "ready store made database-books"],
    )
    assert run(databases.create("books", platform.world))[1] is False


def test_what_the_server_refuses_is_said_with_what_to_do() -> None:
    platform = Platform()
    platform.toy.prover.refusing = frozenset({"database-books"})
    message, hint = refused(databases.create("books", platform.world), UnhealthyError)
    assert (message, hint) == ("store: database-books: database-books is not there", "look into the log")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("shop", "'shop' belongs to shop"),
        ("root", "'root' belongs to store"),
        ("by_hand", "there is a database 'by_hand'"),
        ("clerk", "there is a role 'clerk', which would get another password"),
    ],
)
def test_a_name_that_is_taken_changes_nothing(name: str, message: str) -> None:
    platform = Platform()
    assert refused(databases.create(name, platform.world))[0] == message
    assert (platform.toy.home.kept, platform.toy.prover.held) == ({}, set())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("shop", "'shop' belongs to shop, which needs it"),
        ("root", "'root' belongs to store, which needs it"),
        ("empty", "'empty' is what new databases are made from"),
        ("by_hnad", "no database 'by_hnad'"),
    ],
)
def test_only_a_database_of_the_users_own_is_dropped(name: str, message: str) -> None:
    platform = Platform()
    before = dict(platform.toy.contents.found)
    assert refused(databases.drop(name, platform.world))[0] == message
    assert platform.toy.contents.found == before


def test_a_role_goes_with_its_database_only_where_it_was_made_for_it() -> None:
    platform = Platform()
    run(databases.drop("by_hand", platform.world))
    assert "by_hand" in platform.toy.contents.known_roles
    platform.toy.contents.found["books"] = Database(name="books", owner="books", bytes=1)
    platform.toy.contents.known_roles.add("books")
    platform.toy.home.kept["DB_BOOKS_PASSWORD"] = "x"
    run(databases.drop("books", platform.world))
    assert ("books" in platform.toy.contents.known_roles, platform.toy.home.kept) == (False, {})


def test_a_drop_that_was_interrupted_behind_the_database_is_finished() -> None:
    platform = Platform()
    platform.toy.contents.known_roles.add("books")
    platform.toy.home.kept["DB_BOOKS_PASSWORD"] = "x"
    assert run(databases.loss("books", platform.world)).tables == 0
    run(databases.drop("books", platform.world))
    assert ("books" in platform.toy.contents.known_roles, platform.toy.home.kept) == (False, {})


def test_a_migration_runs_behind_the_one_shots_that_it_waits_for() -> None:
    platform = Platform()
    result = run(migrate.run(("shop",), platform.world))
    assert (came_up(result), platform.toy.engine.calls) == (True, ["recreate shop-db", "recreate shop-tables"])


def test_a_migration_that_fails_is_told() -> None:
    platform = Platform()
    platform.toy.engine.exit_codes = {"shop-tables": 3}
    result = run(migrate.run((), platform.world))
    assert result.outcome is not None
    assert result.outcome.failed == {"shop-tables": "is exited with exit code 3"}


def test_a_service_without_a_migration_says_which_have_one() -> None:
    message, hint = refused(migrate.run(("bus",), Platform().world))
    assert (message.partition(":")[0], hint) == ("bus has no migration to run", "with one: shop")


def test_a_migration_without_a_database_server_starts_nothing() -> None:
    platform = Platform().without("store")
    message = refused(migrate.run(("shop",), platform.world), UnhealthyError)
    assert (message, platform.toy.engine.calls) == (("store is exited", "arcctl up store"), [])


def test_a_name_that_a_service_took_since_is_not_finished() -> None:
    platform = Platform()
    platform.toy.home.kept["DB_SHOP_PASSWORD"] = "of a creation before there was such a service"
    assert refused(databases.create("shop", platform.world))[0] == "'shop' belongs to shop"
