"""`flags` and `identities`: how lists are paged, and what is switched."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from arcctl.data import flags
from arcctl.errors import UnhealthyError
from arcctl.model.data_store import PAGE
from tests.fakes.data_platform import Platform, refused, run


def _page(values: Mapping[str, str], total: int, development: bool = False) -> str:
    offset = int(values["offset"])
    numbers = range(offset, min(offset + PAGE, total))
    environments = [{"name": "development", "enabled": development}, {"name": "production", "enabled": True}]
    flags_ = [{"name": f"flag-{n}", "project": "p", "environments": environments} for n in numbers]
    return json.dumps({"features": flags_})


@pytest.mark.parametrize(("total", "shown", "asked"), [(0, 0, 1), (PAGE, PAGE, 2), (250, 250, 3), (9999, 5000, 50)])
def test_a_list_is_read_page_by_page_up_to_a_limit(total: int, shown: int, asked: int) -> None:
    platform = Platform()
    platform.smoke_test_runner.bodies = {"page": lambda values: _page(values, total)}
    assert len(run(flags.list_flags(platform.project))) == shown
    assert len(platform.smoke_test_runner.asked) == asked
    assert platform.toy.printed == (["note only the first 5000 are shown"] if total > shown else [])


def test_accounts_are_read_on_after_the_last_one_of_the_page_before() -> None:
    """Kratos counts pages up to a thousand accounts only."""
    ids = [f"{n:08}-0000-0000-0000-000000000000" for n in range(1, 1235)]

    def people(values: Mapping[str, str]) -> str:
        found = [i for i in ids if i > values["after"]][:PAGE]
        return json.dumps([{"id": i, "schema_id": "person"} for i in found])

    platform = Platform()
    platform.smoke_test_runner.bodies = {"people": people}
    assert [account.id for account in run(flags.list_identities(platform.project))] == ids


def test_a_flag_is_switched_only_where_that_changes_it() -> None:
    platform = Platform()
    asked = platform.smoke_test_runner.asked
    on = "on p flag-0 development"
    platform.smoke_test_runner.bodies = {"page": lambda values: _page(values, 1, on in asked), "on": lambda values: ""}
    assert run(flags.switch("flag-0", "development", on=True, project=platform.project)) is True
    assert asked[-2] == on
    assert run(flags.switch("flag-0", "production", on=True, project=platform.project)) is False
    assert asked[-1].startswith("page")


def test_a_flag_that_is_not_on_afterwards_was_not_switched() -> None:
    platform = Platform()
    platform.smoke_test_runner.bodies = {"page": lambda values: _page(values, 1), "on": lambda values: ""}
    error = refused(flags.switch("flag-0", "development", on=True, project=platform.project), UnhealthyError)
    assert error == ("the flag flag-0 is not on in development", "arcctl flags list")


@pytest.mark.parametrize(
    ("name", "environment", "error"),
    [
        ("flag0", "development", ("there is no flag 'flag0'", "did you mean flag-0?")),
        ("flag-0", "dev", ("the flag flag-0 has no environment 'dev'", "its environments: development, production")),
    ],
)
def test_an_unknown_flag_or_environment_is_named(name: str, environment: str, error: tuple[str, str]) -> None:
    platform = Platform()
    platform.smoke_test_runner.bodies = {"page": lambda values: _page(values, 1)}
    assert refused(flags.switch(name, environment, on=True, project=platform.project)) == error


def test_a_service_that_refuses_is_named_with_its_answer() -> None:
    message = refused(flags.list_identities(Platform().project), UnhealthyError)
    assert message == ("people: people: HTTP 500", "arcctl health people")
