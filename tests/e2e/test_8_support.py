"""`support bundle`: it has all diagnostics and no secret of the project, in no encoding."""

from __future__ import annotations

import base64
import contextlib
import json
import stat
import tarfile
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests.e2e.driver import Platform, eventually
from tests.fakes.contracts import shipped


def _bundle(platform: Platform, to: Path) -> dict[str, str]:
    """The text of each file of a new bundle, by its name."""
    done = platform.arcctl("support", "bundle", "--to", str(to)).ok()
    assert done.out == f"{to}\n"
    assert "without" not in done.err
    with tarfile.open(to) as archive:
        found = {m.name.removeprefix("arcctl-support/"): archive.extractfile(m) for m in archive.getmembers()}
        return {name: stream.read().decode() for name, stream in found.items() if stream}


def _make_postgres_print(platform: Platform, text: str) -> None:
    """Postgres logs the text of a failed statement."""
    login = {"host": "127.0.0.1", "port": platform.port(5432), "user": "arc", "dbname": "arc"}
    login["password"] = platform.secrets()["POSTGRES_APP_PASSWORD"]
    with psycopg.connect(**login) as connection, contextlib.suppress(psycopg.Error):  # type: ignore[arg-type]
        connection.execute(f"SELECT '{text}' FROM planted")
    assert eventually(lambda: text in platform.arcctl("logs", "postgres", "--tail", "20").out, 20)


def test_no_file_has_a_secret_of_the_project_even_if_a_server_logged_it(either: Platform, tmp_path: Path) -> None:
    secrets = {name: value for name, value in either.secrets().items() if value}
    assert len(secrets) > 15
    sentinel = secrets["POSTGRES_PASSWORD"]
    forms = {
        "plain": sentinel,
        "in a URL": f"postgres://postgres:{quote(sentinel, safe='')}@h/d",
        "base64": base64.b64encode(sentinel.encode()).decode(),
        "basic login": base64.b64encode(f"postgres:{sentinel}".encode()).decode(),
        "hexadecimal": sentinel.encode().hex(),
        "JSON in JSON": json.dumps(json.dumps({"password": sentinel})),
    }
    for text in forms.values():
        _make_postgres_print(either, text)
    files = _bundle(either, tmp_path / "b.tar.gz")
    log = files["logs/postgres.log"]
    assert log.count("FROM planted") >= len(forms)
    assert log.count("[removed]") >= len(forms)
    all_forms = {**forms, **secrets}
    leaks = [(file, name) for file, text in files.items() for name, value in all_forms.items() if value in text]
    assert leaks == []
    middle = sentinel[8:-8]
    assert [file for file, text in files.items() if middle in text] == []


def test_a_bundle_has_all_diagnostics_and_only_its_owner_can_read_it(either: Platform, tmp_path: Path) -> None:
    to = tmp_path / "b.tar.gz"
    files = _bundle(either, to)
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    assert {"doctor.json", "health.json", "ps.json", "plan.txt", "settings.json", "versions.json"} <= set(files)
    assert {"compose/base.yaml", "compose/stack.yaml"} <= set(files)
    doctor, health = json.loads(files["doctor.json"]), json.loads(files["health.json"])
    assert shipped(doctor["schema"])
    assert health["status"] == "healthy"
    assert "keep postgres: running" in files["plan.txt"]
    settings = json.loads(files["settings.json"])
    assert settings["POSTGRES_PASSWORD"] == {"value": "********", "origin": ".arcctl/secrets.env"}
    running = [name for name, state in json.loads(files["ps.json"]).items() if state["state"] == "running"]
    assert {f"logs/{name}.log" for name in running} <= set(files)
    assert json.loads(files["versions.json"])["engine"] == doctor["engine"]
    assert set(files) & {"engine/supervisor.json", "engine/info.json"}


def test_the_bundle_of_a_broken_project_names_the_problem(local: Platform, tmp_path: Path) -> None:
    with local.new_project() as project:
        secret = next(value for value in project.secrets().values() if len(value) > 20)
        path = project.directory / "config" / "redis" / ".env"
        path.write_text(f"REDIS_PASSWORD={secret}\nthis line is broken {secret}\n")
        to = tmp_path / "b.tar.gz"
        done = project.arcctl("support", "bundle", "--to", str(to)).ok()
        assert "without health.json" in done.err
        with tarfile.open(to) as archive:
            texts = {m.name: (archive.extractfile(m) or to.open("rb")).read().decode() for m in archive.getmembers()}
    assert "line 2: not of the form NAME=value" in texts["arcctl-support/doctor.json"]
    assert [name for name, text in texts.items() if secret in text] == []


def test_a_target_that_cannot_be_written_is_an_error_and_nothing_is_left(local: Platform, tmp_path: Path) -> None:
    done = local.arcctl("support", "bundle", "--to", str(tmp_path / "no" / "b.tar.gz"))
    assert (done.code, done.out) == (2, "")
    assert "no such file or directory" in done.err
    assert list(tmp_path.iterdir()) == []
