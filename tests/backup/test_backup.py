"""`backup`: in which order data is copied and put back, and what is left where something fails."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from arcctl.backup import servers
from arcctl.backup.base import BackupTools
from arcctl.backup.clients.repository import Backup, BackupRepository
from arcctl.backup.create import Create, create
from arcctl.backup.manifest import Verified
from arcctl.backup.report import CreateReport, Preview, RestoreReport, VerifyReport
from arcctl.backup.restore import Restore, preview, restore
from arcctl.backup.verify import Verify, verify
from arcctl.engines.base import ContainerState, Observed
from arcctl.errors import BackupError, EngineError, KeyRefused, UsageError
from arcctl.lifecycle import up
from arcctl.model.backup_method import Dump
from arcctl.model.probe import Answer
from arcctl.model.service import Catalogue
from arcctl.project import Project
from arcctl.settings.directory import ProjectDirectory
from tests.fakes.backups import FakeCopiers
from tests.fakes.catalogue import STORE, TOY
from tests.fakes.toy import FakeEngine, FakeProber, Toy

STORE_ID = STORE.id
SECRETS = {"STORE_PASSWORD": "of-the-store-and-long", "BIG_SHOP_TOKEN": "of-the-shop-and-as-long"}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "PATIENCE", 0.05)
    monkeypatch.setattr(servers, "PAUSE", 0.001)


@dataclass
class Countable(FakeEngine):
    listings: int = 0
    """How often the volumes were listed."""

    def volumes(self) -> tuple[str, ...]:
        self.listings += 1
        return super().volumes()


@dataclass
class Platform(Toy):
    """A toy platform with a repository of backups on disk."""

    engine: Countable = field(default_factory=lambda: Countable(TOY, kept=("arc_store_data",)))
    copiers: FakeCopiers = field(default_factory=FakeCopiers)
    repository: BackupRepository = field(default=None)  # type: ignore[assignment]
    name: str = ""

    @property
    def tools(self) -> BackupTools:
        return BackupTools(self.copiers, self.repository)

    @property
    def backup(self) -> Backup:
        return self.repository.find(self.name)

    @property
    def untouched(self) -> bool:
        return not (self.engine.calls or self.copiers.calls)

    def create(self, *words: str) -> CreateReport:
        return asyncio.run(create(Create(words=words), self.project(), self.tools))

    def restore(self, *words: str, key_file: str = "") -> RestoreReport:
        request = Restore(name=self.name, words=words, key_file=key_file)
        return asyncio.run(restore(request, self.project(), self.tools))

    def preview(self) -> Preview:
        return preview(Restore(name=self.name), self.project(), self.tools)

    def forget(self) -> None:
        """What was done until now."""
        for done in (self.engine.calls, self.copiers.calls, self.events):
            done.clear()
        self.engine.listings = 0


def _platform(folder: Path, data: str) -> Platform:
    """A store that runs and has this data."""
    folder.mkdir()
    found = Platform(repository=BackupRepository(ProjectDirectory(folder), lambda text: None))
    found.directory.root = folder
    found.directory.kept = dict(SECRETS)
    asyncio.run(up.up(up.Request(words=(STORE_ID,)), found.project()))
    found.copiers.data[STORE_ID] = data
    found.forget()
    return found


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return _platform(tmp_path / "first", "one")


@pytest.fixture
def backed_up(platform: Platform) -> Platform:
    """A store whose data changed after it was backed up."""
    platform.name = platform.create().name
    platform.copiers.data[STORE_ID] = "two"
    platform.forget()
    return platform


def test_a_service_is_stopped_only_while_its_files_are_copied(platform: Platform) -> None:
    created = platform.create()
    assert platform.engine.calls == ["stop store", "restart store"]
    assert platform.copiers.calls == ["save store"]
    assert (created.manifest.services, created.down) == (("store",), ())
    note = "note stopped for seconds, one after the other, while their files are copied: store"
    assert platform.printed[0] == note
    assert platform.engine.listings == 1


def test_what_a_copy_leaves_out_is_said(platform: Platform) -> None:
    platform.copiers.remarks = ("a part of it is not in the backup",)
    assert platform.create().passed
    assert "note store: a part of it is not in the backup" in platform.printed


def test_a_service_that_does_not_run_is_copied_and_left_alone(platform: Platform) -> None:
    platform.engine.states[STORE_ID] = ContainerState(state="exited")
    platform.create()
    assert (platform.engine.calls, platform.copiers.calls) == ([], ["save store"])


def test_a_service_runs_again_after_a_copy_that_failed(platform: Platform) -> None:
    platform.copiers.failing = "save store"
    with pytest.raises(BackupError):
        platform.create()
    assert platform.engine.calls == ["stop store", "restart store"]
    assert platform.repository.entries() == ()


def test_a_service_that_cannot_be_stopped_ends_a_backup_before_databases_are_dumped(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    databases = replace(
        STORE, id="databases", title="Databases", backup=lambda env: Dump(port=1, user="root", password="p")
    )
    project = replace(platform.project(), catalogue=Catalogue({"databases": databases, STORE_ID: STORE}))
    platform.engine.kept = ("arc_databases_data", "arc_store_data")
    platform.engine.states["databases"] = ContainerState(state="running")
    platform.copiers.data["databases"] = "two"

    def refuse(engine: FakeEngine, keys: Iterable[str]) -> None:
        raise EngineError("no supervisor answers")

    monkeypatch.setattr(FakeEngine, "stop", refuse)
    with pytest.raises(EngineError, match="no supervisor answers"):
        asyncio.run(create(Create(), project, platform.tools))
    assert platform.copiers.calls == []


def test_a_service_that_does_not_answer_again_is_named(platform: Platform) -> None:
    platform.prober = FakeProber({7000: Answer(False, "HTTP 500")})
    assert platform.create().down == ("store",)
    assert platform.printed[-1] == "failed store HTTP 500"


def test_no_data_is_reported(platform: Platform) -> None:
    platform.engine.kept = ()
    with pytest.raises(UsageError, match="there is no data to back up"):
        platform.create()


def test_a_service_without_data_of_its_own_is_refused_by_name(platform: Platform) -> None:
    with pytest.raises(UsageError, match="big-shop keeps no data of its own"):
        platform.create("big-shop")


def test_a_restore_unpacks_stops_swaps_and_starts(backed_up: Platform) -> None:
    report = backed_up.restore()
    assert (report.restored, report.not_restored) == (("store",), {})
    assert backed_up.copiers.calls == ["load store", "swap store", "commit store"]
    calls = [call for call in backed_up.engine.calls if "start" in call or "stop" in call]
    assert calls == ["stop store", "restart store"]
    assert backed_up.copiers.data[STORE_ID] == "one"


@pytest.mark.parametrize("call", ["load store", "swap store"])
def test_what_cannot_be_restored_keeps_its_old_data(backed_up: Platform, call: str) -> None:
    backed_up.copiers.failing = call
    report = backed_up.restore()
    assert (report.restored, list(report.not_restored)) == ((), ["store"])
    assert backed_up.copiers.data[STORE_ID] == "two"
    assert backed_up.engine.states[STORE_ID].running


def test_data_with_which_the_server_does_not_answer_is_taken_out_again(backed_up: Platform) -> None:
    backed_up.prober = FakeProber({7000: Answer(False, "HTTP 500")})
    report = backed_up.restore()
    assert report.not_restored == {"store": "does not answer with the restored data: HTTP 500"}
    assert backed_up.copiers.data[STORE_ID] == "two"
    assert backed_up.copiers.calls[-1] == "undo store"


def test_what_cannot_be_copied_is_listed_in_a_backup_of_the_rest(platform: Platform) -> None:
    platform.copiers.names, platform.copiers.not_taken = ("data", "bad", "more"), "bad"
    report = platform.create()
    platform.name = report.name
    assert (report.passed, report.manifest.contents("store")) == (False, "data, more")
    assert [str(m) for m in platform.backup.manifest.missing] == ["store: bad: it is broken (look at it)"]
    assert sorted(p.name for p in platform.backup.path.glob("store-*")) == ["store-0.age", "store-2.age"]
    assert "failed store bad is not in the backup: it is broken" in platform.printed
    verified = asyncio.run(verify(Verify(name=platform.name, quick=True), platform.tools, _no_sandbox))
    assert (verified.passed, verified.missing) == (False, ("store: bad: it is broken (look at it)",))
    assert _restored_in_sandbox(platform) is None


def test_a_copy_of_the_old_data_that_stays_does_not_make_a_restore_fail(backed_up: Platform) -> None:
    backed_up.copiers.failing = "commit store"
    backed_up.copiers.remarks = ("it is sorted in another way",)
    report = backed_up.restore()
    assert (report.restored, report.failed, report.kept) == (("store",), {}, {"store": "commit failed"})
    assert backed_up.copiers.data[STORE_ID] == "one"
    assert "note store: it is sorted in another way" in backed_up.printed


def test_restored_data_that_cannot_be_taken_out_again_is_not_called_the_old_data(backed_up: Platform) -> None:
    backed_up.prober = FakeProber({7000: Answer(False, "HTTP 500")})
    backed_up.copiers.failing = "undo store"
    report = backed_up.restore()
    why = "does not answer with the restored data: HTTP 500; the data from before could not be put back: undo failed"
    assert (report.restored, report.not_restored, report.failed) == ((), {}, {"store": why})
    assert backed_up.engine.calls[-1] == "restart store"


def test_a_damaged_backup_changes_nothing(backed_up: Platform) -> None:
    (backed_up.backup.path / "store-0.age").unlink()
    with pytest.raises(BackupError, match=r"is damaged: store-0\.age is missing"):
        backed_up.restore()
    assert backed_up.untouched


def test_a_wrong_key_changes_nothing(backed_up: Platform, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("another passphrase")
    with pytest.raises(KeyRefused):
        backed_up.restore(key_file=str(tmp_path / "other"))
    assert backed_up.untouched


def test_a_service_that_is_not_in_the_backup_is_named(backed_up: Platform) -> None:
    with pytest.raises(UsageError, match="not in this backup: big-shop"):
        backed_up.restore("big-shop")


def test_a_volume_of_another_engine_is_refused_with_the_reason(backed_up: Platform) -> None:
    backed_up.engine.name = "other"
    reason = "store: its volume was copied on the fake engine, and this project runs on other"
    with pytest.raises(BackupError, match=reason):
        backed_up.restore()
    assert backed_up.copiers.calls == []


def test_a_preview_names_what_is_replaced_by_what(backed_up: Platform) -> None:
    (change,) = backed_up.preview().changes
    assert (change.service, change.current, change.restored, change.refused) == ("store", "two", "data", "")


def test_a_preview_tells_other_secrets_from_those_that_came_later(backed_up: Platform) -> None:
    assert not backed_up.preview().other_secrets
    backed_up.directory.kept["GENERATED_LATER"] = "by-a-newer-arcctl"
    assert not backed_up.preview().other_secrets
    backed_up.directory.kept["STORE_PASSWORD"] = "another-and-as-long-too"
    assert backed_up.preview().other_secrets


@contextmanager
def _no_sandbox() -> Iterator[tuple[Project, BackupTools]]:
    raise AssertionError("nothing is started")
    yield


def _restored_in_sandbox(platform: Platform) -> bool | None:
    """What the newest backup remembers of its verification; None where it was not verified."""
    verified = platform.repository.entries()[-1].verified
    return verified.restored if verified else None


def test_quick_verification_compares_hashes_and_remembers_only_that(backed_up: Platform) -> None:
    report = asyncio.run(verify(Verify(name=backed_up.name, quick=True), backed_up.tools, _no_sandbox))
    assert (report.passed, _restored_in_sandbox(backed_up)) == (True, False)


def test_the_newest_backup_is_verified_where_none_is_named(backed_up: Platform) -> None:
    older = backed_up.backup.path.rename(backed_up.repository.folder / "20200101T000000Z")
    (older / "store-0.age").unlink()
    newest = backed_up.create().name
    report = asyncio.run(verify(Verify(quick=True), backed_up.tools, _no_sandbox))
    assert (report.name, report.passed) == (newest, True)


def test_a_damaged_backup_is_not_started_anywhere(backed_up: Platform) -> None:
    backed_up.backup.note(Verified("2026-11-24T22:00:00+00:00", restored=True))
    (backed_up.backup.path / "store-0.age").unlink()
    report = asyncio.run(verify(Verify(name=backed_up.name), backed_up.tools, _no_sandbox))
    assert (report.passed, report.damages) == (False, ("store-0.age is missing",))
    assert _restored_in_sandbox(backed_up) is None


def _verified(platform: Platform, second: Platform, catalogue: Catalogue) -> VerifyReport:
    @contextmanager
    def sandbox() -> Iterator[tuple[Project, BackupTools]]:
        yield replace(second.project(), catalogue=catalogue), replace(platform.tools, copiers=second.copiers)

    return asyncio.run(verify(Verify(name=platform.name), platform.tools, sandbox))


@pytest.fixture
def second(tmp_path: Path) -> Platform:
    return _platform(tmp_path / "second", "")


def test_verification_restores_into_the_sandbox_and_leaves_the_platform_alone(
    backed_up: Platform, second: Platform
) -> None:
    report = _verified(backed_up, second, TOY)
    assert (report.passed, report.not_restored, report.hashes_only) == (True, {}, ())
    assert backed_up.untouched
    assert second.copiers.data[STORE_ID] == "one"
    assert _restored_in_sandbox(backed_up) is True


def test_what_cannot_run_twice_on_this_machine_is_told_apart_from_what_was_tested(
    backed_up: Platform, second: Platform
) -> None:
    report = _verified(backed_up, second, Catalogue({}))
    assert (report.passed, report.not_restored, report.hashes_only) == (True, {}, ("store",))
    assert _restored_in_sandbox(backed_up) is False


@pytest.mark.parametrize("registry", ["", "mirror.example.com/"])
def test_a_server_is_the_same_one_from_whatever_registry_its_image_comes(registry: str) -> None:
    now = ContainerState(state="running", image=f"{registry}toy/store:1.0", stub=True)
    assert servers.server_of("store", Observed({"store": now}), TOY) == "toy/store:1.0 (stub)"


def test_a_volume_of_a_service_whose_name_ends_the_same_is_not_taken_for_its_data() -> None:
    assert servers.has_data(STORE, ("arc_store_data",), FakeEngine(TOY))
    assert not servers.has_data(STORE, ("arc_old_store_data",), FakeEngine(TOY))
