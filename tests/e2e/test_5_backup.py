"""A backup restores all data; a backup that cannot be restored changes nothing."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

from arcctl import services
from arcctl.engines.embedded import location
from tests.e2e.clients import redis_client, sql, superuser
from tests.e2e.counting import ledger, writing
from tests.e2e.driver import Platform, reason
from tests.e2e.user_data import USER_DATA


@pytest.fixture(params=["stack", "local"], scope="module")
def full(request: pytest.FixtureRequest) -> Platform:
    """All services, filled with data of a user."""
    found: Platform = request.getfixturevalue(request.param)
    _up(found)
    for name in _present(found):
        USER_DATA[name].write(found)
    return found


SOME = ("postgres", "redis", "nats")
"""Enough to be cut off in the middle of: a dump, and two folders."""


def _up(platform: Platform) -> None:
    platform.arcctl("up", "all").ok()


def _present(platform: Platform) -> list[str]:
    """What runs here, be it too busy at the moment to answer in time or not."""
    started = {s["name"] for s in platform.health("all")["services"] if s["status"] != "unknown"}
    return [name for name in USER_DATA if name in started]


def _content(platform: Platform) -> dict[str, Any]:
    return {name: USER_DATA[name].read(platform) for name in _present(platform)}


def _backup(platform: Platform, *words: str) -> str:
    return platform.arcctl("backup", "create", *words).ok().out.strip()


def _listed(platform: Platform) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(platform.arcctl("backup", "list", "--json").ok().out)["backups"]
    return found


@pytest.fixture(scope="module")
def backup(full: Platform) -> str:
    """A backup that is created while a program writes."""
    with writing(full):
        return _backup(full)


def test_a_backup_under_load_is_restored_into_a_new_platform(full: Platform, backup: str) -> None:
    before, counted = _content(full), ledger(full)
    full.arcctl("clean", "--yes").ok()
    full.arcctl("backup", "restore", backup).ok()
    _up(full)
    assert _content(full) == before
    after = ledger(full)
    assert all(20 < after[store] <= counted[store] for store in after)


def test_the_restored_platform_works(full: Platform, backup: str) -> None:
    del backup
    assert full.health("all")["status"] == "healthy"
    full.arcctl("verify").ok()


def test_restoring_over_data_lists_it_and_asks(full: Platform, backup: str) -> None:
    before = _content(full)
    done = full.arcctl("backup", "restore", backup, "redis", "postgres")
    assert done.code == 2
    assert "databases, " in done.err
    assert f"hint: arcctl backup restore {backup} redis postgres --yes" in done.err
    assert _content(full) == before


def test_one_service_is_restored_and_no_other(full: Platform, backup: str) -> None:
    with redis_client(full) as client:
        client.set("name", "another")
        client.set("new", "since then")
    with sql(full) as arc:
        arc.execute("CREATE TABLE since_then ()")
    full.arcctl("backup", "restore", backup, "redis", "--yes").ok()
    with redis_client(full) as client:
        assert (client.get("name"), client.get("new")) == ("value", None)
    with sql(full) as arc:
        arc.execute("DROP TABLE since_then")


def test_databases_are_replaced_while_programs_hold_connections(full: Platform, backup: str) -> None:
    with sql(full) as arc:
        arc.execute("DELETE FROM memories")
        full.arcctl("backup", "restore", backup, "postgres", "--yes").ok()
        with pytest.raises(psycopg.OperationalError):
            arc.execute("SELECT 1")
    with sql(full) as arc:
        assert arc.execute("SELECT count(*) FROM memories").fetchone() == (500,)
    assert _temporary_databases(full) == 0
    assert full.health("all")["status"] == "healthy"


def _temporary_databases(platform: Platform) -> int:
    """Databases under temporary names, which an unfinished restore leaves."""
    with sql(platform) as arc:
        (found,) = arc.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'arcctl%'").fetchone()
    return int(found)


def test_verify_restores_into_a_sandbox_and_leaves_the_platform_unchanged(full: Platform, backup: str) -> None:
    before, running = _content(full), full.running()
    full.arcctl("backup", "verify", backup).ok()
    assert full.running() == running
    assert _content(full) == before
    (entry,) = (e for e in _listed(full) if e["name"] == backup)
    assert entry["verified"]["restored"] is True
    _no_second_platform(full)


def _no_second_platform(platform: Platform) -> None:
    if "ARCCTL_ENGINE" in platform.environment:
        return
    mine = ("--filter", "label=com.docker.compose.project=arc_verify", "-q")
    assert platform.docker("ps", "-a", *mine) == platform.docker("volume", "ls", *mine) == ""


def test_verify_that_is_interrupted_leaves_no_sandbox(full: Platform, backup: str) -> None:
    running = full.running()
    assert full.interrupted(6, "backup", "verify", backup) == 130
    _no_second_platform(full)
    assert full.running() == running


def test_a_changed_byte_is_found_before_anything_is_touched(full: Platform, backup: str, tmp_path: Path) -> None:
    copy = shutil.copytree(full.directory / ".arcctl" / "backups" / backup, tmp_path / "copy")
    part = max(copy.glob("redis-*.age"))
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    done = full.arcctl("backup", "verify", str(copy), "--quick")
    assert (done.code, "is not what was written" in done.err) == (1, True)
    done = full.arcctl("backup", "restore", str(copy), "--yes")
    assert done.code == 1
    assert "redis-0.age is not what was written" in done.err
    assert "Traceback" not in done.err


def test_a_missing_file_and_a_damaged_manifest_are_named(full: Platform, backup: str, tmp_path: Path) -> None:
    copy = shutil.copytree(full.directory / ".arcctl" / "backups" / backup, tmp_path / "copy")
    (copy / "nats-0.age").unlink()
    done = full.arcctl("backup", "verify", str(copy), "--quick")
    assert (done.code, "nats-0.age is missing" in done.err) == (1, True)
    (copy / "manifest.json").write_text('{"schema": "arcctl.backup/v1", "parts": 7}')
    done = full.arcctl("backup", "restore", str(copy), "--yes")
    assert (done.code, done.err.splitlines()[0]) == (1, "error: copy: the manifest is damaged")


def test_a_wrong_passphrase_is_refused(full: Platform, backup: str, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("open sesame\n")
    done = full.arcctl("backup", "restore", backup, "--yes", "--key", str(tmp_path / "wrong"))
    assert done.code == 2
    assert done.err.splitlines()[-2] == "error: the passphrase does not open this backup"


def test_no_secret_of_the_project_is_in_a_backup_unencrypted_and_only_its_owner_reads_it(
    full: Platform, backup: str
) -> None:
    folder = full.directory / ".arcctl" / "backups" / backup
    secrets = {v.encode() for v in full.secrets().values() if len(v) > 20}
    secrets |= {(full.directory / ".arcctl" / "backup.passphrase").read_bytes().strip()}
    for file in folder.iterdir():
        data = file.read_bytes()
        assert [s for s in secrets if s in data] == []
        assert file.suffix != ".age" or data.startswith(b"age-encryption.org/v1\n")
        assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_create_that_is_interrupted_leaves_no_half_backup(full: Platform) -> None:
    before = _listed(full)
    for seconds, by in ((3.0, signal.SIGINT), (3.5, signal.SIGKILL)):
        full.interrupted(seconds, "backup", "create", *SOME, by=by)
        _up(full)  # a killed backup may leave a service stopped
        new = [e for e in _listed(full) if e not in before]
        assert all(e["problem"] == "" for e in new)
    name = _backup(full, *SOME)
    assert [p.name for p in (full.directory / ".arcctl" / "backups").glob("*.new")] == []
    full.arcctl("backup", "verify", name, "--quick").ok()


def test_a_restore_that_is_interrupted_leaves_each_service_whole(full: Platform) -> None:
    expected, name = _content(full), _backup(full, *SOME)
    for seconds, by in ((4.0, signal.SIGINT), (6.0, signal.SIGKILL)):
        full.interrupted(seconds, "backup", "restore", name, "--yes", by=by)
        _up(full)
        assert _content(full) == expected
    with superuser(full) as admin:
        kept = [row[0] for row in admin.execute("SELECT datname FROM pg_database WHERE datname ~ '^arcctl_old_'")]
    full.arcctl("backup", "restore", name, "--yes").ok()
    assert _content(full) == expected
    for copy in kept:  # data from before a restore that did not end is the user's to drop
        with superuser(full) as admin:
            admin.execute(f'ALTER DATABASE "{copy}" IS_TEMPLATE false')  # which `db drop` proposes for a template
        full.arcctl("db", "drop", copy, "--yes").ok()
    assert _temporary_databases(full) == 0


def _damage(platform: Platform, service: str, script: str) -> None:
    """Run a script in the volume of a service that was stopped."""
    platform.arcctl("down", service).ok()
    if "ARCCTL_ENGINE" in platform.environment:
        folder = location.base(platform.directory) / "data" / f"{service}_data"
        subprocess.run(("sh", "-ec", script), cwd=folder, check=True)
    else:
        image = services.load().services["redis"].container.image
        volume = ("--volume", f"arc_{service}_data:/volume", "--workdir", "/volume")
        platform.docker(
            "run", "--rm", "--network", "none", "--user", "0:0", *volume, "--entrypoint", "sh", image, "-ec", script
        )


OVERWRITE = 'for f in {}; do head -c 200 /dev/urandom | dd of="$f" bs=1 seek={} conv=notrunc 2>/dev/null; done'


@pytest.mark.parametrize(
    ("service", "script", "words"),
    [
        ("redis", OVERWRITE.format("appendonlydir/*.incr.aof", 100), "Bad file format reading the append only file"),
        (
            "postgres",
            'for f in global/pg_control */docker/global/pg_control; do [ ! -f "$f" ] || : >"$f"; done',
            'could not read file "global/pg_control"',
        ),
    ],
)
def test_a_server_that_cannot_read_its_data_names_the_backup_that_brings_it_back(
    full: Platform, service: str, script: str, words: str
) -> None:
    expected, name = USER_DATA[service].read(full), _backup(full, service)
    _damage(full, service, script)
    done = full.arcctl("up", service)
    assert done.code == 1
    *_, error, hint = done.err.splitlines()
    assert error.startswith(f"error: {service} cannot read its data: {words}")
    assert hint == f"hint: arcctl backup restore {name} {service}"
    found = full.service(service)
    assert (found["status"], found["checks"][0]["hint"]) == ("unhealthy", hint.removeprefix("hint: "))
    assert words in found["checks"][0]["message"]
    full.arcctl("backup", "restore", name, service, "--yes").ok()
    assert USER_DATA[service].read(full) == expected
    assert full.service(service)["status"] == "healthy"


def test_messages_that_nats_lost_are_told_with_the_backup_that_has_them(full: Platform) -> None:
    expected, name = USER_DATA["nats"].read(full), _backup(full, "nats")
    _damage(full, "nats", OVERWRITE.format("jetstream/*/streams/AGENTS/msgs/*.blk", 0))
    full.arcctl("up", "nats").ok()
    found = full.service("nats")
    assert found["status"] == "degraded"
    assert "stream AGENTS lost " in reason(found)
    assert found["checks"][0]["hint"] == f"arcctl backup restore {name} nats"
    assert full.arcctl("verify", "nats").code == 1
    full.arcctl("backup", "restore", name, "nats", "--yes").ok()
    assert USER_DATA["nats"].read(full) == expected
    assert full.service("nats")["status"] == "healthy"
    full.arcctl("verify", "nats").ok()
