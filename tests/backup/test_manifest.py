"""What a backup says of itself."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from arcctl.backup.manifest import Kind, Manifest, Missing, Part, read
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


def test_a_manifest_lists_what_it_holds_and_what_it_does_not() -> None:
    lost = (
        Missing(service="store", name="b", reason="broken"),
        Missing(service="store", name="c", reason="gone", hint="x"),
    )
    found = read(replace(MANIFEST, missing=lost).text, "b")
    assert [str(m) for m in found.missing] == ["store: b: broken", "store: c: gone (x)"]
    assert found.contents("store") == "data, data"
    assert read(_without("missing"), "b") == MANIFEST


def test_a_manifest_has_the_name_of_its_project_and_one_of_before_has_none() -> None:
    named = replace(MANIFEST, project="shop")
    assert (read(named.text, "b").project, read(_without("project"), "b").project) == ("shop", "")


def _without(field: str) -> str:
    """As an earlier version wrote it."""
    return json.dumps({k: v for k, v in json.loads(MANIFEST.text).items() if k != field})


def test_the_parts_of_a_service_are_its_own() -> None:
    other = replace(FOLDER, service="shop", file="shop-0.age")
    assert replace(MANIFEST, parts=(FOLDER, other, DUMP)).of("store") == (FOLDER, DUMP)


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
def test_what_is_no_manifest_is_named(text: str) -> None:
    with pytest.raises(BackupError, match="b: the manifest is damaged"):
        read(text, "b")


def test_a_manifest_of_another_version_is_told_apart_from_a_damaged_one() -> None:
    with pytest.raises(BackupError, match="b: written in a format that this arcctl does not know"):
        read(_changed(schema="arcctl.backup/v9"), "b")


@pytest.mark.parametrize(("field", "value"), [("created_at", None), ("engine", []), ("secrets", [1]), ("parts", 3)])
def test_a_value_of_another_kind_is_damage(field: str, value: object) -> None:
    with pytest.raises(BackupError, match="b: the manifest is damaged"):
        read(json.dumps({**json.loads(MANIFEST.text), field: value}), "b")
