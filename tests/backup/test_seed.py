"""`up --seed-from`: from where a project gets another one's data, and what is left where that fails."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from arcctl.backup.base import BackupTools
from arcctl.backup.clients.repository import BackupRepository
from arcctl.backup.create import Create, create
from arcctl.backup.report import SeedPlan
from arcctl.backup.restore import Restore, restore
from arcctl.backup.seed import Seed, preview, seed
from arcctl.engines.base import ContainerState
from arcctl.errors import BackupError, KeyRefused, PreflightError, SettingsError, UsageError
from arcctl.events import Event
from arcctl.lifecycle import seeding
from arcctl.lifecycle.naming import named
from arcctl.model.backup_method import Dump
from arcctl.model.env import of_machine, published_host
from arcctl.model.rotation import Change
from arcctl.model.service import Catalogue, Process
from arcctl.project import Project, ensure_secrets
from arcctl.settings import identity
from arcctl.settings.directory import ProjectDirectory
from tests.fakes.backups import FakeCopiers
from tests.fakes.catalogue import FRONT, STORE, TOY, FrontEnv
from tests.fakes.smoke_test_runner import FakeSmokeTestRunner
from tests.fakes.toy import FakeEngine, FakePorts, FakeProber

VOLUME = "arc_store_data"
RUNS = ContainerState(state="running")


@dataclass
class Engine(FakeEngine):
    def named(self, project: str) -> Engine:
        return self

    def project_names(self) -> frozenset[str]:
        return frozenset()


@dataclass
class One:
    """A project on disk, and the data of its fake engine."""

    directory: ProjectDirectory
    engine: Engine = field(default_factory=lambda: Engine(TOY))
    copiers: FakeCopiers = field(default_factory=FakeCopiers)
    events: list[Event] = field(default_factory=list)
    catalogue: Catalogue = TOY
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> Project:
        return Project(
            identity=identity.of(self.directory),
            directory=self.directory,
            catalogue=self.catalogue,
            environment=self.environment,
            engine=self.engine,
            prober=FakeProber(),
            smoke_test_runner=FakeSmokeTestRunner(),
            ports=FakePorts(),
            sink=self.events.append,
        )

    @property
    def tools(self) -> BackupTools:
        return BackupTools(self.copiers, BackupRepository(self.directory, lambda text: None))

    @property
    def said(self) -> str:
        return "\n".join(event.message for event in self.events)

    def back_up(self) -> str:
        return asyncio.run(create(Create(), self.project, self.tools)).name


def _one(root: Path) -> One:
    for folder in ("config/store", "compose"):
        (root / folder).mkdir(parents=True)
    (root / "config/store/store.conf").write_text("quiet")
    return One(ProjectDirectory(root))


@pytest.fixture
def shop(tmp_path: Path) -> One:
    """The other project: it is down and has data, secrets and settings."""
    found = _one(tmp_path / "shop")
    ensure_secrets(named(found.project), ())
    found.directory.remember_engine("fake")
    found.directory.remember_engine("")
    found.directory.set_value("store", "STORE_HOST_PORT", "7007")
    found.engine.kept = (VOLUME,)
    found.copiers.data["store"] = "of the shop"
    return found


@pytest.fixture
def new(tmp_path: Path) -> One:
    return _one(tmp_path / "feature")


class MachineEnv(FrontEnv, env_prefix="FRONT_"):
    reached_at: str = published_host()
    """Where clients are sent to."""
    socket: str = of_machine("/run/engine.sock")
    """The engine's socket."""


ELSEWHERE = {
    ("ports", "ARCCTL_BIND_ADDRESS"): "192.0.2.7",
    ("front", "FRONT_REACHED_AT"): "box.example",
    ("front", "FRONT_SOCKET"): "/run/user/1000/engine.sock",
}
"""What a project says of its machine and of its engine, by owner and name."""
HERE = {
    "ARCCTL_BIND_ADDRESS": "127.0.0.1",
    "FRONT_REACHED_AT": "localhost",
    "FRONT_SOCKET": "/run/engine.sock",
}


def _reached_elsewhere(new: One, shop: One) -> None:
    for each in (new, shop):
        each.catalogue = Catalogue({**TOY.services, "front": replace(FRONT, env=MachineEnv)})
    for (owner, name), value in ELSEWHERE.items():
        shop.directory.set_value(owner, name, value)


def _restore(name: str, new: One, shop: One) -> None:
    state = shop.directory.state
    request = Restore(name=str(state / "backups" / name), key_file=str(state / "backup.passphrase"), secrets=True)
    asyncio.run(restore(request, new.project, new.tools))


def _seed(new: One, shop: One, key_file: str = "") -> SeedPlan:
    each = {"shop": shop, "feature": new}
    work = seed(
        Seed(key_file=key_file),
        new.project,
        shop.project,
        lambda project: each[project.name].tools,
        lambda: new.project,
    )
    return asyncio.run(work)[1].plan


def test_volumes_are_copied_with_the_secrets_that_they_were_written_with(new: One, shop: One) -> None:
    plan = _seed(new, shop)
    assert (plan.backup, plan.taken) == ("", {"store": "volumes data"})
    assert (new.copiers.data, shop.copiers.data) == ({"store": "of the shop"}, {"store": "of the shop"})
    assert new.engine.calls == [f"create volume {VOLUME}"]
    assert (new.copiers.calls, shop.copiers.calls) == (["load store", "swap store", "commit store"], ["save store"])
    assert new.directory.secrets() == shop.directory.secrets()
    assert (seeding.source(new.project), new.directory.engine(), [*new.directory.used_engines()]) == ("", "", ["fake"])


def test_its_ports_stay_its_own_and_other_settings_come_along(new: One, shop: One) -> None:
    shop.directory.set_value("front", "FRONT_MOTTO", "welcome")
    shop.directory.set_value("front", "FRONT_HTTP_PORT", "8888")
    assert _seed(new, shop).settings == ("FRONT_MOTTO",)
    assert new.project.settings.values["FRONT_MOTTO"].text == "welcome"
    assert new.project.settings.values["FRONT_HTTP_PORT"].text == "80"


def test_what_the_other_says_of_its_machine_and_engine_stays_behind(new: One, shop: One) -> None:
    _reached_elsewhere(new, shop)
    shop.directory.set_value("front", "FRONT_MOTTO", "welcome")
    assert _seed(new, shop).settings == ("FRONT_MOTTO",)
    assert {name: new.project.settings.values[name].text for name in HERE} == HERE


def test_a_restore_of_settings_leaves_those_of_the_machine_as_they_are(new: One, shop: One) -> None:
    _reached_elsewhere(new, shop)
    shop.directory.set_value("front", "FRONT_MOTTO", "welcome")
    new.directory.set_value("front", "FRONT_SOCKET", HERE["FRONT_SOCKET"])
    _restore(shop.back_up(), new, shop)
    values = new.project.settings.values
    assert {name: values[name].text for name in HERE} == HERE
    assert (values["FRONT_MOTTO"].text, values["STORE_HOST_PORT"].text) == ("welcome", "7007")
    assert new.directory.secrets().items() >= shop.directory.secrets().items()
    assert "as they are here, because they belong to the machine: ARCCTL_BIND_ADDRESS, FRONT_REACHED_AT, F" in new.said


def test_settings_of_the_machine_that_are_the_same_are_not_spoken_of(new: One, shop: One) -> None:
    _reached_elsewhere(new, shop)
    for owner, name in ELSEWHERE:
        new.directory.set_value(owner, name, ELSEWHERE[owner, name])
    _restore(shop.back_up(), new, shop)
    assert "belong to the machine" not in new.said
    assert {name: new.project.settings.values[name].text for _, name in ELSEWHERE} == {
        name: value for (_, name), value in ELSEWHERE.items()
    }


def test_a_setting_of_its_own_stays(new: One, shop: One) -> None:
    shop.directory.set_value("front", "FRONT_MOTTO", "welcome")
    new.directory.set_value("front", "FRONT_MOTTO", "mine")
    _seed(new, shop)
    assert new.project.settings.values["FRONT_MOTTO"].text == "mine"


def test_a_secret_that_is_set_to_another_value_is_refused_by_name_and_never_shown(new: One, shop: One) -> None:
    new.environment["STORE_PASSWORD"] = "of-my-own-and-as-long-as-it-has-to-be"
    with pytest.raises(SettingsError, match="STORE_PASSWORD in the environment") as refused:
        _seed(new, shop)
    assert new.environment["STORE_PASSWORD"] not in str(refused.value)
    assert new.engine.calls == []


def test_a_backup_is_taken_while_the_other_runs(new: One, shop: One) -> None:
    name = shop.back_up()
    shop.engine.states["store"] = RUNS
    shop.copiers.data["store"] = "since then"
    plan = _seed(new, shop)
    assert (plan.backup, plan.taken) == (name, {"store": "volumes data"})
    assert (new.copiers.data["store"], shop.engine.calls) == ("of the shop", [])
    assert new.directory.secrets() == shop.directory.secrets()


def test_databases_are_restored_by_their_server_once_all_files_are_in_place(new: One, shop: One) -> None:
    dumped = replace(STORE, id="databases", title="Databases", backup=lambda env: Dump(port=1, user="u", password="p"))
    for each in (new, shop):
        each.catalogue = Catalogue({"databases": dumped, "store": STORE})
        each.engine.catalogue = each.catalogue
    shop.engine.kept, shop.copiers.data["databases"] = ("arc_databases_data", VOLUME), "rows of the shop"
    shop.engine.states["databases"] = RUNS
    shop.back_up()
    assert [*_seed(new, shop).taken] == ["databases", "store"]
    assert new.copiers.data == {"databases": "rows of the shop", "store": "of the shop"}
    calls = [*new.copiers.calls, *new.engine.calls]
    assert calls.index("commit store") < calls.index("load databases")
    assert not [call for call in new.engine.calls if "start" in call and "store" in call]
    assert new.engine.states["databases"].running


def test_nothing_is_changed_by_a_look(new: One, shop: One) -> None:
    name = shop.back_up()
    each = {"shop": shop, "feature": new}
    plan = preview(Seed(), new.project, shop.project, lambda project: each[project.name].tools)
    assert (plan.source, plan.backup) == ("shop", name)
    assert (new.engine.calls, new.copiers.calls, new.directory.state.exists()) == ([], [], False)


def test_a_damaged_backup_is_said_and_left_for_an_older_one(new: One, shop: One) -> None:
    older = shop.back_up()
    newer = shop.back_up()
    next((shop.directory.state / "backups" / newer).glob("store-*.age")).write_bytes(b"another")
    assert _seed(new, shop).backup == older


def test_without_a_backup_that_opens_the_volumes_are_copied(new: One, shop: One) -> None:
    name = shop.back_up()
    (shop.directory.state / "backup.passphrase").unlink()
    assert _seed(new, shop).backup == ""
    assert f"the backup {name} of shop is not used: this project has no backup passphrase" in shop.said


def test_a_key_that_opens_no_backup_is_refused(new: One, shop: One, tmp_path: Path) -> None:
    shop.back_up()
    (tmp_path / "key").write_text("another passphrase")
    with pytest.raises(KeyRefused):
        _seed(new, shop, str(tmp_path / "key"))
    assert new.engine.calls == []


def test_the_key_of_another_place_opens_it(new: One, shop: One, tmp_path: Path) -> None:
    name = shop.back_up()
    os.rename(shop.directory.state / "backup.passphrase", tmp_path / "key")
    assert _seed(new, shop, str(tmp_path / "key")).backup == name


def test_volumes_of_a_project_that_runs_are_not_copied(new: One, shop: One) -> None:
    shop.engine.states["store"] = RUNS
    with pytest.raises(PreflightError, match="cannot be copied while it is running: store") as refused:
        _seed(new, shop)
    hint = "arcctl -p shop backup create, or stop it while they are copied: arcctl -p shop down"
    assert (refused.value.hint, new.engine.calls) == (hint, [])


def test_only_a_backup_goes_to_another_engine(new: One, shop: One) -> None:
    new.engine.name = "other"
    with pytest.raises(PreflightError, match="is in the fake engine, and only a backup brings it to other") as refused:
        _seed(new, shop)
    assert refused.value.hint == "arcctl -p shop up, then arcctl -p shop backup create"


def test_volumes_of_a_backup_stay_on_their_engine(new: One, shop: One) -> None:
    shop.back_up()
    new.engine.name = "other"
    with pytest.raises(PreflightError, match="nothing of the data of shop can be used here: store: its volume was"):
        _seed(new, shop)


def test_what_remembers_where_it_is_stored_is_left_out_by_name(new: One, shop: One) -> None:
    alone = replace(STORE, process=Process(sources=(), command=lambda env: ("store",), single_instance=True))
    new.catalogue = Catalogue({**TOY.services, "store": alone})
    with pytest.raises(PreflightError, match="store: its data remembers where it is stored"):
        _seed(new, shop)


def test_what_this_project_does_not_have_is_left_out_by_name(new: One, shop: One) -> None:
    shop.catalogue = Catalogue({**TOY.services, "archive": replace(STORE, id="archive", title="Archive")})
    shop.engine.kept = ("arc_archive_data", VOLUME)
    plan = _seed(new, shop)
    assert (plan.left_out, [*plan.taken]) == ({"archive": "this project has no such service"}, ["store"])
    assert "archive starts without data of shop" in new.said


def test_a_project_with_data_keeps_it(new: One, shop: One) -> None:
    new.directory.begin_notes()
    new.directory.remember_engine("fake")
    new.engine.kept = (VOLUME,)
    with pytest.raises(PreflightError, match=f"this project has data already: {VOLUME}"):
        _seed(new, shop)
    assert (new.engine.calls, new.copiers.calls) == ([], [])


def test_a_project_without_data_has_none_to_give(new: One, shop: One) -> None:
    shop.engine.kept = ()
    with pytest.raises(UsageError, match="the project shop has no data"):
        _seed(new, shop)


@pytest.mark.parametrize("call", ["load store", "swap store", "save store"])
def test_a_copy_that_fails_leaves_no_data(new: One, shop: One, call: str) -> None:
    new.copiers.failing = shop.copiers.failing = call
    with pytest.raises(BackupError, match=f"{call.split()[0]} failed"):
        _seed(new, shop)
    assert (new.engine.kept, seeding.source(new.project)) == ((), "")
    new.copiers.failing = shop.copiers.failing = ""
    assert _seed(new, shop).taken


def test_what_a_killed_command_left_starts_nothing_and_is_replaced(
    new: One, shop: One, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody tidies up after a kill."""
    with monkeypatch.context() as killed:
        killed.setattr("arcctl.backup.seed._Seeding._remove", lambda self: None)
        new.copiers.failing = "swap store"
        with pytest.raises(BackupError):
            _seed(new, shop)
    assert new.engine.kept == (VOLUME,)
    with pytest.raises(PreflightError, match="the data of shop was not copied to its end") as refused:
        seeding.refuse(new.project)
    assert "arcctl up --seed-from shop" in str(refused.value.hint)
    new.copiers.failing = ""
    _seed(new, shop)
    assert (new.engine.kept, new.copiers.data["store"]) == ((VOLUME,), "of the shop")
    seeding.refuse(new.project)


def test_a_part_that_was_deleted_is_no_part_any_more(new: One) -> None:
    seeding.begin("shop", named(new.project))
    seeding.refuse(new.project)
    new.engine.kept = (VOLUME,)
    seeding.refuse(new.project)


def test_volumes_whose_secrets_are_being_rotated_are_not_copied(new: One, shop: One) -> None:
    shop.directory.remember_rotation((Change(name="STORE_PASSWORD", old="old-and-long", new="new-and-long"),))
    with pytest.raises(PreflightError, match="a rotation of the secrets of shop was interrupted") as refused:
        _seed(new, shop)
    assert refused.value.hint == "arcctl -p shop secrets rotate"
