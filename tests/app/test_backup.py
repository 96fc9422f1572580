"""`backup`: in which order data is taken and put back, and what is left where something fails."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from arcctl.app import backup, backup_verify, restoring, up
from arcctl.app.world import World
from arcctl.core.backup_results import Restored
from arcctl.core.model import Catalogue
from arcctl.core.observed import ContainerState
from arcctl.core.probe import Answer
from arcctl.errors import BackupError, KeyRefused, UsageError
from tests.app.fakes import FakeEngine, FakeProber, Toy
from tests.core.toy import STORE, TOY

STORE_ID = STORE.id


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoring, "PATIENCE", 0.05)
    monkeypatch.setattr(restoring, "PAUSE", 0.001)


def _toy(data: str = "one") -> Toy:
    """A store that runs and holds this."""
    toy = Toy(engine=FakeEngine(TOY, kept=("arc_store_data",)))
    toy.home.kept = {"STORE_PASSWORD": "of-the-store-and-long", "BIG_SHOP_TOKEN": "of-the-shop-and-as-long"}
    asyncio.run(up.run(up.Request(words=(STORE_ID,)), toy.world()))
    toy.copier.data[STORE_ID] = data
    toy.engine.calls.clear()
    toy.events.clear()
    return toy


def _backed_up() -> Toy:
    """A store whose data changed since."""
    toy = _toy()
    asyncio.run(backup.create(backup.Create(), toy.world()))
    toy.copier.data[STORE_ID] = "two"
    toy.copier.calls.clear()
    toy.engine.calls.clear()
    return toy


FIRST = backup.Restore(name="first")


def _restore(toy: Toy, request: backup.Restore = FIRST) -> Restored:
    return asyncio.run(backup.restore(request, toy.world()))


def test_a_service_stands_still_only_while_it_is_copied() -> None:
    toy = _toy()
    created = asyncio.run(backup.create(backup.Create(), toy.world()))
    assert toy.engine.calls == ["stop store", "restart store"]
    assert toy.copier.calls == ["save store"]
    assert (created.manifest.services, created.down) == (("store",), ())
    assert toy.told[0] == "note one after the other stands still while it is copied, for seconds: store"


def test_a_service_that_does_not_run_is_copied_and_left_alone() -> None:
    toy = _toy()
    toy.engine.states[STORE_ID] = ContainerState(state="exited")
    asyncio.run(backup.create(backup.Create(), toy.world()))
    assert (toy.engine.calls, toy.copier.calls) == ([], ["save store"])


def test_a_service_runs_again_after_a_copy_that_failed() -> None:
    toy = _toy()
    toy.copier.failing = "save store"
    with pytest.raises(BackupError):
        asyncio.run(backup.create(backup.Create(), toy.world()))
    assert toy.engine.calls == ["stop store", "restart store"]
    assert toy.shelf.kept == {}


def test_a_service_that_does_not_answer_again_is_named() -> None:
    toy = _toy()
    toy.prober = FakeProber({7000: Answer(False, "HTTP 500")})
    created = asyncio.run(backup.create(backup.Create(), toy.world()))
    assert created.down == ("store",)
    assert toy.told[-1] == "failed store HTTP 500"


def test_nothing_to_take_is_said() -> None:
    with pytest.raises(UsageError, match="there is no data to back up"):
        asyncio.run(backup.create(backup.Create(), Toy().world()))


def test_a_service_without_data_of_its_own_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="big-shop keeps no data of its own"):
        asyncio.run(backup.create(backup.Create(words=("big-shop",)), _toy().world()))


def test_a_restore_unpacks_beside_stops_swaps_and_starts() -> None:
    toy = _backed_up()
    restored = _restore(toy)
    assert (restored.services, restored.kept) == (("store",), {})
    assert toy.copier.calls == ["load store", "swap store", "settle store"]
    assert [call for call in toy.engine.calls if "start" in call or "stop" in call] == ["stop store", "restart store"]
    assert toy.copier.data[STORE_ID] == "one"


@pytest.mark.parametrize("call", ["load store", "swap store"])
def test_what_cannot_be_restored_goes_on_with_its_old_data(call: str) -> None:
    toy = _backed_up()
    toy.copier.failing = call
    restored = _restore(toy)
    assert (restored.services, list(restored.kept)) == ((), ["store"])
    assert toy.copier.data[STORE_ID] == "two"
    assert toy.engine.states[STORE_ID].running


def test_data_that_the_server_does_not_like_is_taken_out_again() -> None:
    toy = _backed_up()
    toy.prober = FakeProber({7000: Answer(False, "HTTP 500")})
    restored = _restore(toy)
    assert restored.kept == {"store": "does not answer with the restored data: HTTP 500"}
    assert toy.copier.data[STORE_ID] == "two"
    assert toy.copier.calls[-1] == "undo store"


def test_a_damaged_backup_touches_nothing() -> None:
    toy = _backed_up()
    toy.shelf.kept["first"].broken = ("store-0.age is missing",)
    with pytest.raises(BackupError, match=r"first is damaged: store-0\.age is missing"):
        _restore(toy)
    assert (toy.engine.calls, toy.copier.calls) == ([], [])


def test_a_wrong_key_touches_nothing() -> None:
    toy = _backed_up()
    with pytest.raises(KeyRefused):
        _restore(toy, replace(FIRST, key_file="other"))
    assert (toy.engine.calls, toy.copier.calls) == ([], [])


def test_a_service_that_is_not_in_the_backup_is_named() -> None:
    with pytest.raises(UsageError, match="not in this backup: big-shop"):
        _restore(_backed_up(), replace(FIRST, words=("big-shop",)))


def test_a_raw_folder_of_another_engine_is_refused_with_the_reason() -> None:
    toy = _backed_up()
    toy.engine.name = "other"
    with pytest.raises(BackupError, match="store: is a raw folder of the fake engine, and this home runs on other"):
        _restore(toy)
    assert toy.copier.calls == []


def test_a_preview_says_what_goes_and_what_comes() -> None:
    toy = _backed_up()
    plan = backup.preview(FIRST, toy.world())
    assert [(c.service, c.there, c.comes, c.refused) for c in plan.changes] == [("store", "two", "data", "")]
    assert not plan.strange_secrets
    toy.home.kept["DRAWN_LATER"] = "by-a-newer-arcctl"
    assert not backup.preview(FIRST, toy.world()).strange_secrets
    toy.home.kept["STORE_PASSWORD"] = "another-and-as-long-too"
    assert backup.preview(FIRST, toy.world()).strange_secrets


def test_quick_verification_compares_hashes_and_remembers_only_that() -> None:
    toy = _backed_up()
    request = backup_verify.Request(name="first", quick=True)
    assert asyncio.run(backup_verify.run(request, toy.world(), _never)).passed
    noted = toy.shelf.kept["first"].verified
    assert noted is not None
    assert not noted.restored


def test_the_newest_backup_is_verified_where_none_is_named() -> None:
    toy = _backed_up()
    toy.shelf.kept = {"older": replace(toy.shelf.kept["first"], broken=("is old",)), **toy.shelf.kept}
    checked = asyncio.run(backup_verify.run(backup_verify.Request(quick=True), toy.world(), _never))
    assert (checked.name, checked.passed) == ("first", True)


@contextmanager
def _never() -> Iterator[World]:
    raise AssertionError("nothing is started")
    yield


def test_a_damaged_backup_is_not_started_anywhere() -> None:
    toy = _backed_up()
    toy.shelf.kept["first"].broken = ("store-0.age is missing",)
    result = asyncio.run(backup_verify.run(backup_verify.Request(name="first"), toy.world(), _never))
    assert (result.passed, result.damages) == (False, ("store-0.age is missing",))
    assert toy.shelf.kept["first"].verified is None


def test_verification_restores_into_the_second_platform_and_leaves_the_first_alone() -> None:
    toy, second = _backed_up(), _toy("")
    second.shelf = toy.shelf

    @contextmanager
    def beside() -> Iterator[World]:
        yield second.world()

    result = asyncio.run(backup_verify.run(backup_verify.Request(name="first"), toy.world(), beside))
    assert (result.passed, result.kept, result.left_out) == (True, {}, ())
    assert (toy.engine.calls, toy.copier.calls) == ([], [])
    assert second.copier.data[STORE_ID] == "one"
    noted = toy.shelf.kept["first"].verified
    assert noted is not None
    assert noted.restored


def test_what_cannot_run_twice_on_this_machine_is_told_apart_from_what_was_proved() -> None:
    toy, second = _backed_up(), _toy("")
    second.shelf = toy.shelf

    @contextmanager
    def beside() -> Iterator[World]:
        yield replace(second.world(), catalogue=Catalogue({}))

    result = asyncio.run(backup_verify.run(backup_verify.Request(name="first"), toy.world(), beside))
    assert (result.passed, result.kept, result.left_out) == (True, {}, ("store",))
    noted = toy.shelf.kept["first"].verified
    assert noted is not None
    assert not noted.restored
