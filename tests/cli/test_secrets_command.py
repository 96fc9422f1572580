"""`secrets` on the command line: no value unless it is asked for, and no file that others could read."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.stage import Stage, container


def secrets(stage: Stage) -> dict[str, str]:
    lines = (stage.home / ".arcctl" / "secrets.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_the_list_names_every_secret_with_its_origin_and_shows_none(stage: Stage) -> None:
    (stage.home / "config" / "redis" / ".env").write_text("REDIS_PASSWORD=a-secret-of-my-own\n")
    stage.environment["NATS_PASSWORD"] = "another-secret-of-my-own"
    done = stage.arcctl("secrets", "list")
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in done.out.splitlines()[1:]}
    assert rows["REDIS_PASSWORD"].startswith(
        "redis redis, infisical config/redis/.env - ✘ no: it was set by hand, in config/redis/.env"
    )
    assert rows["NATS_PASSWORD"].startswith("nats nats environment - ✘ no: it was set by hand, in environment")
    assert rows["KRATOS_DB_PASSWORD"].endswith("✔ yes, restarts kratos")
    assert rows["POSTGRES_PASSWORD"].endswith("✔ yes, restarts nothing")
    assert rows["INFISICAL_SETUP_TOKEN"].startswith("infisical infisical not set yet - ✘ no:")
    values = (*secrets(stage).values(), "a-secret-of-my-own", "another-secret-of-my-own")
    assert [value for value in values if value in done.out + done.err] == []


def test_the_list_for_machines_says_who_holds_a_secret(stage: Stage) -> None:
    document = json.loads(stage.arcctl("secrets", "list", "--json").out)
    (found,) = [item for item in document["secrets"] if item["name"] == "REDIS_PASSWORD"]
    assert document["schema"] == "arcctl.secrets/v1"
    assert found.pop("changed")
    assert found == {
        "name": "REDIS_PASSWORD",
        "service": "redis",
        "users": ["redis", "infisical"],
        "containers": ["redis-exporter", "redis", "infisical"],
        "restarts": ["redis-exporter", "redis", "infisical"],
        "origin": "generated",
        "rotation": True,
        "reason": "",
        "hint": "",
    }


def test_a_dry_run_prints_the_steps_and_changes_nothing(stage: Stage) -> None:
    stage.engine(container("redis"), container("infisical"))
    before = secrets(stage)
    done = stage.arcctl("secrets", "rotate", "redis", "--dry-run")
    assert done.out.splitlines() == [
        "REDIS_PASSWORD:",
        "  admit redis: takes the old one and the new one",
        "  write: REDIS_PASSWORD in the files of the home",
        "  recreate infisical: holds REDIS_PASSWORD",
        "  recreate redis: holds REDIS_PASSWORD",
        "  prove redis: takes the new one, refuses the old one",
    ]
    document = json.loads(stage.arcctl("secrets", "rotate", "redis", "--dry-run", "--json").out)
    assert [step["action"] for step in document["secrets"][0]["steps"]] == [
        "admit",
        "write",
        "recreate",
        "recreate",
        "prove",
    ]
    assert secrets(stage) == before


def test_without_a_person_to_ask_it_says_what_it_would_do_and_refuses(stage: Stage) -> None:
    stage.engine(container("redis"))
    done = stage.arcctl("secrets", "rotate", "REDIS_PASSWORD")
    assert done.code == 2
    assert "  recreate redis: holds REDIS_PASSWORD" in done.err
    assert done.err.rstrip().endswith("hint: arcctl secrets rotate REDIS_PASSWORD --yes")


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ((), 2, "which secrets? name them"),
        (("REDIS_PASWORD",), 2, "did you mean REDIS_PASSWORD?"),
        (("INFISICAL_ENCRYPTION_KEY",), 2, "with another one the vault is lost"),
        (("REDIS_PASSWORD",), 2, "redis does not run"),
    ],
)
def test_what_cannot_be_changed_is_refused_with_the_reason(
    stage: Stage, words: tuple[str, ...], code: int, text: str
) -> None:
    stage.engine()
    done = stage.arcctl("secrets", "rotate", *words, "--yes")
    assert (done.code, text in done.err) == (code, True)


def test_other_commands_say_that_a_change_was_interrupted(stage: Stage) -> None:
    journal = [{"name": "REDIS_PASSWORD", "old": "old-secret-value", "new": "new-secret-value", "done": False}]
    (stage.home / ".arcctl" / "rotation.json").write_text(json.dumps(journal))
    stage.engine()
    done = stage.arcctl("ps")
    assert "a change of secrets was interrupted; this finishes it: arcctl secrets rotate" in done.err
    assert "secret-value" not in done.out + done.err


def _written(folder: Path) -> dict[str, str]:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_an_environment_file_is_for_its_owner_alone_and_replaces_none(stage: Stage, tmp_path: Path) -> None:
    done = stage.arcctl("secrets", "export", "--to", str(tmp_path / "out"))
    (text,) = _written(tmp_path / "out").values()
    assert dict(line.split("=", 1) for line in text.splitlines()) == secrets(stage)
    assert [value for value in secrets(stage).values() if value in done.out + done.err] == []
    again = stage.arcctl("secrets", "export", "--to", str(tmp_path / "out"))
    assert again.code == 2
    assert "arc.env is there already" in again.err
    assert _written(tmp_path / "out") == {"arc.env": text}


def test_docker_gets_a_file_for_each_and_the_lines_that_make_secrets_of_them(stage: Stage, tmp_path: Path) -> None:
    stage.arcctl("secrets", "export", "--format", "docker", "--to", str(tmp_path / "out"))
    files, kept = _written(tmp_path / "out"), secrets(stage)
    script, block = files.pop("create-secrets.sh"), files.pop("secrets.yaml")
    assert files == {name.lower(): value for name, value in kept.items()}
    assert "docker secret create arc_redis_password redis_password\n" in script
    assert "  arc_redis_password:\n    file: ./redis_password\n" in block
    assert [value for value in kept.values() if value in script + block] == []


def test_a_pipe_gets_one_document_and_docker_wants_a_folder(stage: Stage) -> None:
    assert json.loads(stage.arcctl("secrets", "export", "--format", "json").out) == secrets(stage)
    refused = stage.arcctl("secrets", "export", "--format", "docker")
    assert refused.code == 2
    assert "Docker wants a file for each secret" in refused.err


def _on_a_terminal(home: Path, *words: str) -> tuple[int, str]:
    """The exit code and all that a person sees."""
    person, program = pty.openpty()
    arcctl = Path(sys.executable).with_name("arcctl")
    environment = {**os.environ, "ARCCTL_ENGINE": "embedded", "ARCCTL_HOME": str(home)}
    with subprocess.Popen((arcctl, *words), env=environment, stdin=program, stdout=program, stderr=program) as child:
        os.close(program)
        seen = b""
        while chunk := _read(person):
            seen += chunk
    os.close(person)
    return child.returncode, seen.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how a terminal says that nobody writes any more
        return b""


def test_a_terminal_shows_values_only_when_they_are_asked_for(stage: Stage) -> None:
    code, seen = _on_a_terminal(stage.home, "secrets", "export")
    assert code == 2
    assert "secrets are not shown on a terminal unless you ask for it" in seen
    password = secrets(stage)["REDIS_PASSWORD"]
    assert password not in seen
    code, seen = _on_a_terminal(stage.home, "secrets", "export", "--reveal")
    assert (code, f"REDIS_PASSWORD={password}" in seen) == (0, True)
