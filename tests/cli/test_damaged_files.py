"""Whatever became of a file of a project: no command that only reads ends in a traceback or writes, and files of arcctl
that can be written again are."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arcctl import services
from arcctl.backup.manifest import Kind, Manifest, Part
from arcctl.engines.embedded import accounts
from arcctl.errors import EXIT_CODES
from arcctl.model.image import Locked
from arcctl.settings.directory import LOST, ProjectDirectory
from tests.cli.command_line import CommandLine, container
from tests.cli.conftest import settled
from tests.fakes.docker import FakeDocker

BACKUP = ".arcctl/backups/20260101T000000Z"
RUNS = ".arcctl/embedded/run/redis"
READING = (
    "ps", "info", "env", "config show", "config validate", "secrets list", "backup list", "images list", "service list",
    "up --dry-run", "logs redis", "render --check", "health loki", "upgrade --dry-run",
)  # fmt: skip
DAMAGE: dict[str, Callable[[bytes, int, bytes], bytes]] = {
    "empty": lambda data, place, more: b"",
    "cut off": lambda data, place, more: data[:place],
    "bytes between": lambda data, place, more: data[:place] + more + data[place:],
    "text behind": lambda data, place, more: data + b"} trailing [",
    "Latin-1": lambda data, place, more: data[:place] + "Größe".encode("latin-1") + data[place:],
    "another document": lambda data, place, more: b'{"a": [null]}',
}
FOLDER, CLOSED = "a folder in its place", "unreadable"


@pytest.fixture(scope="module")
def home(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A project whose state folder has all that `up`, `backup create` and both engines write there."""
    folder = tmp_path_factory.mktemp("damaged")
    cli = CommandLine(settled(prepared, folder / "project"), FakeDocker(folder / "bin"))
    cli.engine(*(container(key) for key in services.load().components()))
    project = ProjectDirectory(cli.directory)
    project.set_value("redis", "REDIS_HOST_PORT", "6390")
    project.remember_started(["loki", "redis"])
    project.remember_started_at({"redis": "2026-01-01T00:00:00Z"})
    project.remember_input_hashes({"redis": "0"})
    project.remember_bootstrapped(["redis"])
    for name in ("data-versions", "servers", "upgrade"):
        project.keep_note(name, {"redis": "redis 8"})
    project.lock_images({"redis:8": Locked(*("sha256:0",) * len(Locked.__dataclass_fields__))})
    part = Part(service="redis", kind=Kind.FOLDER, name="data", file="redis.age", bytes=1, sha256="", server="")
    moment = "2026-01-01T00:00:00Z"
    manifest = Manifest(created_at=moment, arcctl="1", engine="docker", lock="", secrets_id="", parts=(part,))
    _write(cli.directory / BACKUP, {"manifest.json": manifest.text, "redis.age": "x", "verified.json": "{}"})
    record = json.dumps({"hash": "0", "artifact": "redis", "version": "8"})
    _write(
        cli.directory / RUNS, {"process.json": record, "starts": "9 0\n9 20\n", "pid": "4194000\n", "start": "#!sh\n"}
    )
    _write(project.state / "embedded", {"supervisor.conf": "[supervisord]\n"})
    _write(project.state, {"lock": "", "project-id": "0123456789ab\n", "backup.passphrase": "one two\n"})
    return cli


def _write(folder: Path, texts: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text)


def _files(directory: Path) -> list[str]:
    """Those of arcctl and of settings twice: they are read by most commands."""
    found = sorted(str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file() and not p.is_symlink())
    return found + [file for file in found if file.startswith(".arcctl/") or file.endswith((".env", ".json"))]


def _content(directory: Path) -> dict[str, tuple[int, str]]:
    found = {str(path): path for path in directory.rglob("*") if not path.is_symlink()}
    return {name: (path.stat().st_mode, _hash(path)) for name, path in found.items()}


def _hash(path: Path) -> str:
    readable = path.is_file() and os.access(path, os.R_OK)
    return hashlib.sha256(path.read_bytes()).hexdigest() if readable else ""


def _damage(path: Path, how: str, place: int, more: bytes) -> None:
    data = path.read_bytes()
    if how == FOLDER:
        path.unlink()
        path.mkdir()
    elif how == CLOSED:
        path.chmod(0)
    else:
        path.write_bytes(DAMAGE[how](data, place % (len(data) + 1), more))


def _check_reading(cli: CommandLine, file: str, how: str, words: str, engine: str) -> None:
    """The command line raises what is not foreseen."""
    cli.environment["ARCCTL_ENGINE"] = engine
    before = _content(cli.directory)
    done = cli.arcctl(*words.split())
    assert done.code in EXIT_CODES
    assert _content(cli.directory) == before
    if done.code == 2:
        shown = words == "images list" and engine == "embedded"  # there are none, whatever the file
        assert shown or Path(file).name in done.err, (file, how, words, done.err)


@pytest.mark.usefixtures("fast")
@settings(max_examples=int(os.environ.get("EXAMPLES", "60")), suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_command_that_reads_says_which_file_is_damaged_and_changes_nothing(
    home: CommandLine, data: st.DataObject
) -> None:
    file = data.draw(st.sampled_from(_files(home.directory)))
    kinds = (*DAMAGE, FOLDER, *((CLOSED,) if os.geteuid() else ()))  # root may read all
    how, words = data.draw(st.sampled_from(kinds)), data.draw(st.sampled_from(READING))
    place, more = data.draw(st.integers(0, 1 << 16)), data.draw(st.binary(min_size=1, max_size=8))
    engine = data.draw(st.sampled_from(("docker", "embedded")))
    path = home.directory / file
    kept, mode = path.read_bytes(), path.stat().st_mode
    try:
        _damage(path, how, place, more)
        _check_reading(home, file, how, words, engine)
    finally:
        path.rmdir() if path.is_dir() else path.unlink()
        path.write_bytes(kept)
        path.chmod(mode)


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The embedded engine has its files in the project, whoever runs the tests, and no server is built."""
    monkeypatch.setattr(accounts, "unprivileged", lambda: None)
    monkeypatch.setenv("ARCCTL_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.mark.parametrize("name", LOST)
def test_what_changes_a_project_sets_a_damaged_file_aside_that_it_does_without(cli: CommandLine, name: str) -> None:
    cli.engine()
    ProjectDirectory(cli.directory).remember_engine("docker")
    path = cli.directory / ".arcctl" / name
    path.write_bytes(b"\xff{")
    path.with_name(f"{name}.damaged").write_text("of before")
    done = cli.arcctl("init")
    assert done.code == 0
    assert f"{path} is damaged and was set aside as {name}.damaged1; lost is {LOST[name]}" in done.err
    assert path.with_name(f"{name}.damaged1").read_bytes() == b"\xff{"
    assert cli.arcctl("config", "validate").code == 0


def test_doctor_sets_it_aside_when_asked(cli: CommandLine) -> None:
    cli.engine()
    path = cli.directory / ".arcctl/started.json"
    path.mkdir()
    found = json.loads(cli.arcctl("doctor", "--json").out)
    (named,) = (point for point in found["diagnoses"] if point["id"] == "files")
    assert (str(path) in named["evidence"], "arcctl doctor --fix" in named["fix"], named["repairable"]) == (True,) * 3
    fixed = json.loads(cli.arcctl("doctor", "--fix", "--json").out)
    assert [point for point in fixed["diagnoses"] if point["id"] == "files"] == []
    assert path.with_name("started.json.damaged").is_dir()


@pytest.mark.parametrize(
    ("file", "data", "said"),
    [
        ("secrets.env", b"REDIS_PASSWORD=abc\nNATS_PASS", "line 2: the file is cut off here"),
        ("rotation.json", b"[", "line 1: the file is cut off here"),
        ("engine", b"dock\n", "line 1: 'dock' is no engine"),
        ("used-engines", b"embed\n", "line 1: 'embed' is no engine"),
    ],
)
def test_what_nobody_can_write_again_stays_and_is_refused(cli: CommandLine, file: str, data: bytes, said: str) -> None:
    cli.engine()
    path = cli.directory / ".arcctl" / file
    path.write_bytes(data)
    for command in ("init", "up", "info"):
        done = cli.arcctl(command)
        assert (done.code, path.read_bytes()) == (2, data)
        assert said in done.err
        assert "hint: " in done.err


def test_doctor_names_settings_of_servers_that_are_no_yaml(cli: CommandLine) -> None:
    cli.engine()
    (cli.directory / "config/kratos/kratos.yml").write_text("a: b: c\n")
    points = json.loads(cli.arcctl("doctor", "--json").out)["diagnoses"]
    assert [point["fix"] for point in points if "config/kratos/kratos.yml, line 1, column 5" in point["evidence"]] == [
        "edit config/kratos/kratos.yml"
    ]
