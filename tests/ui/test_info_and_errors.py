"""Addresses and passwords, errors and their hints."""

from __future__ import annotations

import json

import pytest

from arcctl.app.info import Entry
from arcctl.core.model import Link
from arcctl.errors import ArcError, EngineError, SettingsError
from arcctl.ui import errors, info

SECRET = "s3ntinel-value"
ENTRIES = (
    Entry(
        service="store",
        title="Store",
        layer="observability",
        image="toy/store:1.0",
        links=(
            Link(name="wire", url="store://127.0.0.1:7000", user="admin", secret=SECRET),
            Link(name="ui", url="http://127.0.0.1:7001"),
        ),
    ),
    Entry(service="front", title="Front", layer="platform", image="toy/front:9", links=()),
)


@pytest.mark.parametrize(("reveal", "shown"), [(False, "********"), (True, SECRET)], ids=["hidden", "revealed"])
def test_the_table_shows_a_row_per_link_and_passwords_on_demand(
    reveal: bool, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    info.show(ENTRIES, reveal=reveal)
    out, err = capsys.readouterr()
    assert [line.split() for line in out.splitlines()] == [
        ["SERVICE", "WHAT", "ADDRESS", "USER", "PASSWORD", "OR", "TOKEN"],
        ["store", "wire", "store://127.0.0.1:7000", "admin", shown],
        ["store", "ui", "http://127.0.0.1:7001"],
    ]
    assert err == ("" if reveal else "passwords are hidden: arcctl info --reveal\n")


@pytest.mark.parametrize(("reveal", "shown"), [(False, "********"), (True, SECRET)], ids=["hidden", "revealed"])
def test_json_lists_every_service_and_hides_the_same(
    reveal: bool, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    info.show_json(ENTRIES, reveal=reveal)
    out, err = capsys.readouterr()
    front = {"name": "front", "title": "Front", "layer": "platform", "image": "toy/front:9", "links": []}
    store = {
        "name": "store",
        "title": "Store",
        "layer": "observability",
        "image": "toy/store:1.0",
        "links": [
            {"name": "wire", "url": "store://127.0.0.1:7000", "user": "admin", "secret": shown},
            {"name": "ui", "url": "http://127.0.0.1:7001", "user": "", "secret": ""},
        ],
    }
    assert (json.loads(out), err) == ({"schema": "arcctl.info/v1", "services": [store, front]}, "")


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (EngineError("no engine", hint="start it"), "error: no engine\nhint: start it\n"),
        (SettingsError("[bold]A[/bold]: does not fit :boom:"), "error: [bold]A[/bold]: does not fit :boom:\n"),
        (ArcError("x" * 300, hint="y" * 300), f"error: {'x' * 300}\nhint: {'y' * 300}\n"),
    ],
    ids=["with a hint", "markup is text", "long ones are not folded"],
)
def test_an_error_is_what_happened_and_what_to_do_next_on_stderr(
    error: ArcError, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    errors.show(error)
    assert tuple(capsys.readouterr()) == ("", shown)
