"""`backup` and words that do not fit: a sentence, the next command, an exit code, and nothing touched."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from arcctl.cli.commands.backup import complete_names
from tests.cli.command_line import CommandLine, container
from tests.small_disk import SmallDisk

NAME = "20261124T210000Z"
PART = {"service": "redis", "kind": "folder", "name": "data", "file": "redis-0.age", "bytes": 4, "sha256": "ab"}
MANIFEST = {
    "schema": "arcctl.backup/v1",
    "created_at": "2026-11-24T21:00:00+00:00",
    "arcctl": "0.1.0",
    "engine": "docker",
    "lock": "passphrase",
    "secrets_id": "cd",
    "parts": [{**PART, "server": "redis:8.10.1-alpine"}],
}


@pytest.fixture
def kept(cli: CommandLine) -> Path:
    """A backup whose one file is not what was written."""
    folder = cli.directory / ".arcctl" / "backups" / NAME
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(MANIFEST))
    (folder / "redis-0.age").write_text("text")
    return folder


def test_a_project_without_data_has_nothing_to_back_up(cli: CommandLine) -> None:
    cli.engine()
    done = cli.arcctl("backup", "create")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == ["error: there is no data to back up", "hint: arcctl up"]
    assert not (cli.directory / ".arcctl" / "backups").exists()


def test_a_server_that_can_only_be_dumped_while_it_runs_is_not_left_out_in_silence(cli: CommandLine) -> None:
    cli.engine(container("postgres", State={"Status": "exited"}), volumes="arc_postgres_data\n")
    done = cli.arcctl("backup", "create")
    assert (done.code, done.out) == (1, "")
    message = "postgres does not run (exited with code 0); its databases can be dumped only while it does"
    assert f"error: {message}" in done.err
    assert "hint: arcctl up postgres" in done.err


def test_a_server_that_a_full_disk_stopped_is_not_told_to_start(cli: CommandLine, small_disk: SmallDisk) -> None:
    small_disk.fill()
    mounts = [{"Type": "volume", "Source": str(small_disk.path), "Destination": "/var/lib/postgresql"}]
    stopped = container("postgres", State={"Status": "exited"}, Mounts=mounts)
    cli.engine(stopped, volumes="arc_postgres_data\n")
    done = cli.arcctl("backup", "create")
    assert (done.code, done.out) == (1, "")
    assert f"can be dumped only while it does; writes fail: {small_disk.path}: 0 MiB of" in done.err
    assert "hint: arcctl doctor" in done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("create", "traefik"), "traefik keeps no data of its own"),
        (("create", "--recipient", "ssh-rsa"), "not an age recipient: ssh-rsa"),
        (("create", "--recipient", "age1x", "--passphrase-file", "f"), "either --recipient or --passphrase-file"),
        (("create", "rediss"), "unknown service 'rediss'"),
        (("restore", "yesterday"), "no backup 'yesterday'; there are none yet"),
        (("verify", "yesterday"), "no backup 'yesterday'; there are none yet"),
        (("delete", "/nowhere"), "no backup '/nowhere'; there are none yet"),
    ],
)
def test_words_that_do_not_fit_are_explained(cli: CommandLine, words: tuple[str, ...], message: str) -> None:
    cli.engine()
    done = cli.arcctl("backup", *words)
    assert (done.code, done.out) == (2, "")
    assert f"error: {message}" in done.err


def test_no_backups_yet(cli: CommandLine) -> None:
    assert cli.arcctl("backup", "list").err == "no backups yet; to create one: arcctl backup create\n"
    cli.engine()
    done = cli.arcctl("backup", "verify")
    assert (done.code, done.err) == (2, "error: no backups yet\nhint: arcctl backup create\n")
    document = json.loads(cli.arcctl("backup", "list", "--json").out)
    assert document == {"schema": "arcctl.backup-list/v1", "backups": []}


def test_list_shows_what_there_is_also_what_is_broken(cli: CommandLine, kept: Path) -> None:
    (kept.parent / "20261124T220000Z").mkdir()
    (kept.parent / "20261124T230000Z.abc.new").mkdir()
    first, second = json.loads(cli.arcctl("backup", "list", "--json").out)["backups"]
    assert (first["name"], first["services"], first["bytes"], first["verified"]) == (NAME, ["redis"], 4, None)
    assert second == {
        "name": "20261124T220000Z",
        "problem": "20261124T220000Z has no readable manifest",
    }
    table = cli.arcctl("backup", "list").out
    assert "? not yet" in table
    assert "✘ 20261124T220000Z has no readable manifest" in table


@pytest.mark.parametrize(("restored", "shown"), [(True, "✔ restored and tested, "), (False, "✔ hashes only, ")])
def test_list_says_when_a_backup_was_verified_and_that_a_file_is_missing_now(
    cli: CommandLine, kept: Path, restored: bool, shown: str
) -> None:
    (kept / "verified.json").write_text(json.dumps({"at": "2026-11-24T22:00:00+00:00", "restored": restored}))
    assert shown in cli.arcctl("backup", "list").out
    (kept / "redis-0.age").unlink()
    table = cli.arcctl("backup", "list").out
    assert "✘ a file is missing or has another size" in table
    assert "redis" in table
    (entry,) = json.loads(cli.arcctl("backup", "list", "--json").out)["backups"]
    assert (entry["problem"], entry["services"]) == ("a file is missing or has another size", ["redis"])


def test_list_and_restore_say_what_is_not_in_a_backup(cli: CommandLine, kept: Path) -> None:
    missing = [{"service": "postgres", "name": "bad", "reason": "broken", "hint": ""}]
    (kept / "manifest.json").write_text(json.dumps({**MANIFEST, "missing": missing}))
    (entry,) = json.loads(cli.arcctl("backup", "list", "--json").out)["backups"]
    assert entry["missing"] == missing
    assert "✘ not complete: postgres: bad" in cli.arcctl("backup", "list").out
    cli.engine()
    assert "not in this backup: postgres: bad: broken" in cli.arcctl("backup", "restore", NAME).err


def test_quick_verification_names_the_file_that_changed(cli: CommandLine, kept: Path) -> None:
    cli.engine()
    done = cli.arcctl("backup", "verify", NAME, "--quick", "--json")
    assert done.code == 1
    document = json.loads(done.out)
    assert (document["passed"], document["damages"]) == (False, ["redis-0.age is not what was written"])
    assert not (kept / "verified.json").exists()


def test_deleting_a_backup_asks_a_person(cli: CommandLine, kept: Path) -> None:
    done = cli.arcctl("backup", "delete", NAME)
    assert done.code == 2
    assert done.err.splitlines() == [
        f"{NAME}: redis of the docker engine, 4 bytes",
        "error: refusing to delete a backup without confirmation",
        f"hint: arcctl backup delete {NAME} --yes",
    ]
    assert kept.is_dir()
    assert cli.arcctl("backup", "delete", NAME, "--yes").code == 0
    assert not kept.exists()


def test_names_are_completed(cli: CommandLine, kept: Path) -> None:
    context: Any = SimpleNamespace(find_root=lambda: SimpleNamespace(params={"project_directory": str(cli.directory)}))
    assert complete_names(context, "2026") == [kept.name]
    assert complete_names(context, "1999") == []
