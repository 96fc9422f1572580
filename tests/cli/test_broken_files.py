"""A file of the project that cannot be read is one clear error in every command, and one point of `doctor`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine

BROKEN = {
    "UTF-16": "A=Größe\n".encode("utf-16"),
    "Latin-1": "A=Größe\n".encode("latin-1"),
    "cut off": b'{"a": ["b',
    "folder": None,
}
LOOKS_LIKE = {"UTF-16": "it looks like UTF-16", "Latin-1": "it looks like Latin-1", "folder": "is a directory"}
FILES = {
    "config/redis/.env": "env",
    ".arcctl/secrets.env": "env",
    "services/my-agent.yaml": "yaml",
    "images.lock.json": "json",
    ".arcctl/rotation.json": "json",
    ".arcctl/engine": "word",
    ".arcctl/started.json": "json",
    ".arcctl/input-hashes.json": "json",
    ".arcctl/bootstrapped.json": "json",
    ".arcctl/secret-changes.json": "json",
    ".arcctl/upgrade.json": "json",
    ".arcctl/data-versions.json": "json",
}
NEEDED_BY = {
    "config/redis/.env": ("config", "show"),
    ".arcctl/secrets.env": ("info",),
    "services/my-agent.yaml": ("service", "list"),
    "images.lock.json": ("images", "list"),
    ".arcctl/rotation.json": ("status",),
    ".arcctl/engine": ("health",),
    ".arcctl/started.json": ("doctor",),
    ".arcctl/input-hashes.json": ("up", "--dry-run"),
    ".arcctl/bootstrapped.json": ("doctor",),
    ".arcctl/secret-changes.json": ("secrets", "list"),
    ".arcctl/upgrade.json": ("upgrade", "undo"),
    ".arcctl/data-versions.json": ("doctor",),
}
"""A command that cannot do without the file."""
OTHERS = (("status",), ("env",), ("config", "validate"), ("secrets", "list"), ("backup", "list"), ("up", "--dry-run"))
CASES = [(file, how) for file, kind in FILES.items() for how in BROKEN if how != "cut off" or kind in ("json", "yaml")]


def _break(directory: Path, file: str, how: str) -> None:
    path, data = directory / file, BROKEN[how]
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    if data is None:
        path.mkdir()
    else:
        path.write_bytes(data)
        path.chmod(0o600)


@pytest.mark.parametrize(("file", "how"), [case for case in CASES if NEEDED_BY[case[0]] != ("doctor",)])
def test_a_command_that_needs_the_file_says_what_is_wrong_with_it(cli: CommandLine, file: str, how: str) -> None:
    cli.engine()
    _break(cli.directory, file, how)
    done = cli.arcctl(*NEEDED_BY[file])
    assert (done.code, done.out) == (2, "")
    assert file in done.err
    assert LOOKS_LIKE.get(how, "line") in done.err
    assert "hint: " in done.err


@pytest.mark.parametrize("file", FILES)
def test_any_other_command_says_it_too_or_does_without_the_file(cli: CommandLine, file: str) -> None:
    cli.engine()
    _break(cli.directory, file, "UTF-16")
    for command in OTHERS:
        done = cli.arcctl(*command)
        assert "Traceback" not in done.err
        assert done.code in (0, 1) or file in done.err


@pytest.mark.parametrize(("file", "how"), CASES)
def test_doctor_tells_the_file_and_goes_on(cli: CommandLine, file: str, how: str) -> None:
    cli.engine()
    _break(cli.directory, file, how)
    done = cli.arcctl("doctor", "--json")
    points = json.loads(done.out)["diagnoses"]
    assert done.code == 1
    named = [p for p in points if p["state"] == "problem" and file in p["evidence"]]
    assert [LOOKS_LIKE.get(how, "") in point["evidence"] and bool(point["fix"]) for point in named] == [True]
    assert {"python", "modes"} <= {point["id"] for point in points}
