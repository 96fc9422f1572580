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

from tests.cli.command_line import CommandLine, container


def secrets(cli: CommandLine) -> dict[str, str]:
    lines = (cli.directory / ".arcctl" / "secrets.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_the_list_names_every_secret_with_its_origin_and_shows_none(cli: CommandLine) -> None:
    (cli.directory / "config" / "redis" / ".env").write_text("REDIS_PASSWORD=a-secret-of-my-own\n")
    cli.environment["NATS_PASSWORD"] = "another-secret-of-my-own"
    done = cli.arcctl("secrets", "list")
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in done.out.splitlines()[1:]}
    assert rows["REDIS_PASSWORD"].startswith(
        "redis redis, infisical config/redis/.env - ✘ no: it was set by hand, in config/redis/.env"
    )
    assert rows["NATS_PASSWORD"].startswith("nats nats environment - ✘ no: it was set by hand, in environment")
    assert rows["KRATOS_DB_PASSWORD"].endswith("✔ yes, restarts kratos")
    assert rows["POSTGRES_PASSWORD"].endswith("✔ yes, restarts nothing")
    assert rows["INFISICAL_SETUP_TOKEN"].startswith("infisical infisical not set yet - ✘ no:")
    values = (*secrets(cli).values(), "a-secret-of-my-own", "another-secret-of-my-own")
    assert [value for value in values if value in done.out + done.err] == []


def test_the_list_for_machines_says_who_holds_a_secret(cli: CommandLine) -> None:
    document = json.loads(cli.arcctl("secrets", "list", "--json").out)
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


def test_a_dry_run_prints_the_steps_and_changes_nothing(cli: CommandLine) -> None:
    cli.engine(container("redis"), container("infisical"))
    before = secrets(cli)
    done = cli.arcctl("secrets", "rotate", "redis", "--dry-run")
    assert done.out.splitlines() == [
        "REDIS_PASSWORD:",
        "  set the new one on redis: it accepts the old one too",
        "  write REDIS_PASSWORD: to the files of the project",
        "  recreate infisical: uses REDIS_PASSWORD",
        "  recreate redis: uses REDIS_PASSWORD",
        "  verify redis: accepts the new one, refuses the old one",
    ]
    document = json.loads(cli.arcctl("secrets", "rotate", "redis", "--dry-run", "--json").out)
    assert [step["action"] for step in document["secrets"][0]["steps"]] == [
        "add-credential",
        "write",
        "recreate",
        "recreate",
        "verify",
    ]
    assert secrets(cli) == before


def test_without_a_person_to_ask_it_says_what_it_would_do_and_refuses(cli: CommandLine) -> None:
    cli.engine(container("redis"))
    done = cli.arcctl("secrets", "rotate", "REDIS_PASSWORD")
    assert done.code == 2
    assert "  recreate redis: uses REDIS_PASSWORD" in done.err
    assert done.err.rstrip().endswith("hint: arcctl secrets rotate REDIS_PASSWORD --yes")


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ((), 2, "name secrets or services, or use --all"),
        (("REDIS_PASWORD",), 2, "did you mean REDIS_PASSWORD?"),
        (("INFISICAL_ENCRYPTION_KEY",), 2, "with another one the vault is lost"),
        (("REDIS_PASSWORD",), 2, "redis is not running"),
    ],
)
def test_what_cannot_be_changed_is_refused_with_the_reason(
    cli: CommandLine, words: tuple[str, ...], code: int, text: str
) -> None:
    cli.engine()
    done = cli.arcctl("secrets", "rotate", *words, "--yes")
    assert (done.code, text in done.err) == (code, True)


def test_other_commands_say_that_a_change_was_interrupted(cli: CommandLine) -> None:
    journal = [{"name": "REDIS_PASSWORD", "old": "old-secret-value", "new": "new-secret-value", "done": False}]
    (cli.directory / ".arcctl" / "rotation.json").write_text(json.dumps(journal))
    cli.engine()
    done = cli.arcctl("ps")
    assert "a rotation of secrets was interrupted; to finish it: arcctl secrets rotate" in done.err
    assert "secret-value" not in done.out + done.err


def _written(folder: Path) -> dict[str, str]:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_an_environment_file_is_for_its_owner_alone_and_replaces_none(cli: CommandLine, tmp_path: Path) -> None:
    done = cli.arcctl("secrets", "export", "--to", str(tmp_path / "out"))
    (text,) = _written(tmp_path / "out").values()
    assert dict(line.split("=", 1) for line in text.splitlines()) == secrets(cli)
    assert [value for value in secrets(cli).values() if value in done.out + done.err] == []
    again = cli.arcctl("secrets", "export", "--to", str(tmp_path / "out"))
    assert again.code == 2
    assert "arc.env already exists" in again.err
    assert _written(tmp_path / "out") == {"arc.env": text}


def test_docker_gets_a_file_for_each_and_the_lines_that_make_secrets_of_them(cli: CommandLine, tmp_path: Path) -> None:
    cli.arcctl("secrets", "export", "--format", "docker", "--to", str(tmp_path / "out"))
    files, kept = _written(tmp_path / "out"), secrets(cli)
    script, block = files.pop("create-secrets.sh"), files.pop("secrets.yaml")
    assert files == {name.lower(): value for name, value in kept.items()}
    assert "docker secret create arc_redis_password redis_password\n" in script
    assert "  arc_redis_password:\n    file: ./redis_password\n" in block
    assert [value for value in kept.values() if value in script + block] == []


def test_a_pipe_gets_one_document_and_docker_wants_a_folder(cli: CommandLine) -> None:
    assert json.loads(cli.arcctl("secrets", "export", "--format", "json").out) == secrets(cli)
    refused = cli.arcctl("secrets", "export", "--format", "docker")
    assert refused.code == 2
    assert "a folder with a file for each secret" in refused.err


def _on_a_terminal(directory: Path, *words: str) -> tuple[int, str]:
    """The exit code and all that a person sees."""
    person, program = pty.openpty()
    arcctl = Path(sys.executable).with_name("arcctl")
    environment = {**os.environ, "ARCCTL_ENGINE": "embedded", "ARCCTL_PROJECT_DIRECTORY": str(directory)}
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


def test_a_terminal_shows_values_only_when_they_are_asked_for(cli: CommandLine) -> None:
    code, seen = _on_a_terminal(cli.directory, "secrets", "export")
    assert code == 2
    assert "secrets are not shown on a terminal unless you ask for it" in seen
    password = secrets(cli)["REDIS_PASSWORD"]
    assert password not in seen
    code, seen = _on_a_terminal(cli.directory, "secrets", "export", "--reveal")
    assert (code, f"REDIS_PASSWORD={password}" in seen) == (0, True)
