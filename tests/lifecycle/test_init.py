"""`init`: which secrets are generated, and when none may be."""

from __future__ import annotations

import pytest

from arcctl.errors import SecretsLost
from arcctl.lifecycle.init import init
from arcctl.lifecycle.report import InitReport
from tests.fakes.catalogue import TOY
from tests.fakes.toy import FakeDirectory, FakeEngine, Toy


def test_missing_secrets_are_generated_and_named() -> None:
    toy = Toy(directory=FakeDirectory(kept={"STORE_PASSWORD": "mine-since-long-ago"}))
    assert init(toy.project()) == InitReport(directory=toy.directory.root, generated=("BIG_SHOP_TOKEN",))
    assert toy.directory.kept["STORE_PASSWORD"] == "mine-since-long-ago"
    assert init(toy.project()).generated == ()


def test_a_secret_of_the_environment_is_not_generated() -> None:
    toy = Toy(environment={"STORE_PASSWORD": "mine-from-the-vault"})
    assert init(toy.project()).generated == ("BIG_SHOP_TOKEN",)
    assert "STORE_PASSWORD" not in toy.directory.kept


def test_it_works_without_an_engine() -> None:
    toy = Toy(engine=FakeEngine(TOY, away="no engine"))
    assert set(init(toy.project()).generated) == {"STORE_PASSWORD", "BIG_SHOP_TOKEN"}


def test_secrets_are_not_generated_over_data_that_needs_the_old_ones() -> None:
    toy = Toy(engine=FakeEngine(TOY, kept=("arc_store_data", "arc_front_data")))
    with pytest.raises(SecretsLost) as caught:
        init(toy.project())
    assert caught.value.message == (
        "this project has no secrets, but the engine has data that was written with them: "
        "arc_store_data, arc_front_data"
    )
    assert (caught.value.exit_code, "clean" in caught.value.hint, toy.directory.kept) == (2, False, {})


def test_a_new_service_gets_its_secret_where_data_and_other_secrets_exist() -> None:
    toy = Toy(
        directory=FakeDirectory(kept={"STORE_PASSWORD": "kept"}), engine=FakeEngine(TOY, kept=("arc_store_data",))
    )
    assert init(toy.project()).generated == ("BIG_SHOP_TOKEN",)
