"""`env`, `run`, `shell`, `open` and `top`, from their words to what is shown, without an engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from arcctl.connect.view import Format, variables
from tests.cli.command_line import CommandLine, container

PROGRAM = str(Path(sys.executable).parent / "arcctl")
HOSTILE = "a b'c\"d$(touch never)`x`\\ #;\n*"


def _secret(cli: CommandLine, name: str) -> str:
    lines = (cli.directory / ".arcctl" / "secrets.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)[name]


def test_env_has_the_services_named_in_each_format(cli: CommandLine) -> None:
    password = _secret(cli, "REDIS_PASSWORD")
    url = f"redis://:{password}@127.0.0.1:6379/0"
    assert cli.arcctl("env", "redis").out == f"unset REDISCLI_AUTH VALKEYCLI_AUTH\nexport REDIS_URL={url}\n"
    assert cli.arcctl("env", "redis", "--format", "dotenv").out == f"REDIS_URL={url}\n"
    assert json.loads(cli.arcctl("env", "redis", "--format", "json", "--for", "container").out) == {
        "schema": "arcctl.env/v1",
        "for": "container",
        "variables": {"REDIS_URL": f"redis://:{password}@redis:6379/0"},
        "unset": ["REDISCLI_AUTH", "VALKEYCLI_AUTH"],
    }
    assert cli.docker.calls == []


def test_env_of_a_service_that_has_no_variable_is_empty_and_fine(cli: CommandLine) -> None:
    done = cli.arcctl("env", "traefik")
    assert (done.code, done.out, done.err) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("env", "redsi"), "error: unknown service 'redsi'\nhint: did you mean redis?\n"),
        (("env", "--for", "moon"), "'moon' is not one of 'host', 'container'"),
        (("env", "--format", "yaml"), "'yaml' is not one of 'sh', 'dotenv', 'json'"),
        (("run",), "Missing argument '[--] CMD...'"),
        (("run", "no-such-program"), "error: no program 'no-such-program' on the PATH\n"),
    ],
)
def test_bad_words_are_refused(cli: CommandLine, words: tuple[str, ...], said: str) -> None:
    done = cli.arcctl(*words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_value_cannot_inject_shell_code() -> None:
    script = variables({"ODD": HOSTILE, "NEXT": "1"}, "host", Format.SH) + '\nprintf %s "$ODD$NEXT"'
    assert subprocess.run(("sh", "-c", script), capture_output=True, text=True, check=True).stdout == HOSTILE + "1"


def test_what_would_win_over_the_variables_is_unset_in_the_shell_that_evaluates_them(cli: CommandLine) -> None:
    shown = cli.arcctl("env", "postgres", "otel-collector").out
    script = f'{shown}\necho "${{PGSERVICE-none}} ${{OTEL_EXPORTER_OTLP_TRACES_ENDPOINT-none}} $PGUSER"'
    prod = {"PGSERVICE": "prod", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://prod", "PGUSER": "prod"}
    done = subprocess.run(("sh", "-euc", script), env=prod, capture_output=True, text=True, check=True)
    assert done.stdout == "none none arc\n"


def test_an_odd_value_survives_a_dotenv_file(tmp_path: Path) -> None:
    from dotenv import dotenv_values

    (tmp_path / ".env").write_text(variables({"ODD": HOSTILE, "NEXT": "1"}, "host", Format.DOTENV) + "\n")
    assert dotenv_values(tmp_path / ".env", interpolate=False) == {"ODD": HOSTILE, "NEXT": "1"}


def _run(cli: CommandLine, *words: str, given: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": cli.docker.path,
        "ARCCTL_PROJECT_DIRECTORY": str(cli.directory),
        "ARCCTL_ENGINE": "docker",
        **more,
    }
    return subprocess.run(
        (PROGRAM, "run", *words), env=environment, input=given, capture_output=True, text=True, check=False
    )


def test_run_passes_on_variables_streams_and_exit_code(cli: CommandLine) -> None:
    done = _run(
        cli, "--", "sh", "-c", 'cat; echo "$REDIS_URL"; echo "$ARCCTL_PROJECT_DIRECTORY" >&2; exit 7', given="in "
    )
    url = f"redis://:{_secret(cli, 'REDIS_PASSWORD')}@127.0.0.1:6379/0"
    assert (done.returncode, done.stdout, done.stderr) == (7, f"in {url}\n", f"{cli.directory}\n")


def test_run_keeps_from_a_program_what_would_lead_it_to_another_server_and_says_so(cli: CommandLine) -> None:
    show = 'echo "${PGSERVICE-none} ${PGHOSTADDR-none} ${REDISCLI_AUTH-none} $PGHOST $MINE"'
    shell = {"PGSERVICE": "prod", "PGHOSTADDR": "192.0.2.1", "REDISCLI_AUTH": "x", "PGHOST": "prod", "MINE": "kept"}
    done = _run(cli, "--", "sh", "-c", show, **shell)
    assert (done.returncode, done.stdout) == (0, "none none none 127.0.0.1 kept\n")
    assert done.stderr == "not passed on, because it would lead elsewhere: PGHOSTADDR, PGSERVICE, REDISCLI_AUTH\n"


def test_a_proxy_of_the_shell_does_not_get_what_a_program_in_run_sends_to_this_machine(cli: CommandLine) -> None:
    done = _run(
        cli, "--", "sh", "-c", 'echo "$http_proxy $no_proxy $NO_PROXY"', http_proxy="http://proxy:1", NO_PROXY="a"
    )
    assert done.stdout == "http://proxy:1 a,127.0.0.1 a,127.0.0.1\n"


def test_run_passes_on_the_options_of_the_program(cli: CommandLine) -> None:
    assert _run(cli, "printf", "%s", "--help", "--json").stdout == "--help--json"


def test_a_program_in_run_ends_at_a_broken_pipe_as_it_would_alone(cli: CommandLine) -> None:
    done = _run(cli, "sh", "-c", "yes | head -1; kill -TERM $$")
    assert (done.returncode, done.stdout, done.stderr) == (-15, "y\n", "")


def test_a_file_that_is_not_a_program_is_refused(cli: CommandLine) -> None:
    broken = cli.directory / "broken"
    broken.write_bytes(b"\x7fELF nothing")
    broken.chmod(0o755)
    done = _run(cli, str(broken))
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, f"error: {broken} does not start: exec format error")


def test_a_shell_runs_the_client_of_the_container_without_a_password_in_its_arguments(cli: CommandLine) -> None:
    cli.engine(container("postgres"))
    cli.docker.says("exec *", code=3)
    done = cli.arcctl("shell", "postgres", "--as", "postgres", "--", "-c", "select 1")
    assert (done.code, done.err) == (3, "")
    login = "--env PGUSER --env PGDATABASE --env PGPASSWORD"
    expected = f"exec --interactive {login} arc_postgres psql -c select 1"
    assert cli.docker.calls[-1] == expected


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("shell", "redis"), 1, "error: redis is not running\nhint: arcctl up redis\n"),
        (("shell", "loki"), 2, "error: loki has no shell\nhint: arcctl info loki\n"),
        (("shell", "redsi"), 2, "error: unknown service 'redsi'\nhint: did you mean redis?\n"),
        (("open", "grafana"), 1, "error: grafana is not running\nhint: arcctl up grafana\n"),
        (("open", "redis"), 2, "error: redis has no web page\nhint: arcctl info redis\n"),
        (("top", "loki"), 1, "error: loki is not running\nhint: arcctl up loki\n"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_next_command(
    cli: CommandLine, words: tuple[str, ...], code: int, error: str
) -> None:
    cli.engine()
    cli.docker.says("system df*", [])
    done = cli.arcctl(*words)
    assert (done.code, done.out, done.err) == (code, "", error)


def test_open_prints_the_address_and_the_user(cli: CommandLine) -> None:
    cli.engine(container("grafana"))
    done = cli.arcctl("open", "grafana")
    assert (done.code, done.out) == (0, "http://127.0.0.1:3000\n")
    assert done.err == "log in as admin; the password: arcctl info grafana --reveal\n"
    assert json.loads(cli.arcctl("open", "grafana", "--json").out) == {
        "schema": "arcctl.open/v1",
        "name": "grafana",
        "url": "http://127.0.0.1:3000",
        "user": "admin",
    }


def _two_that_run(cli: CommandLine) -> None:
    cli.engine(container("loki"), container("redis"), container("redis-exporter"))
    cli.docker.says("system df*", [{"Name": "arc_loki_data", "Size": "3.5MB"}])
    lines = (("arc_loki", "100MiB / 384MiB", "1.25%"), ("arc_redis", "8MiB / 384MiB", "0.50%"))
    stats = [{"Name": name, "MemUsage": memory, "CPUPerc": cpu} for name, memory, cpu in lines]
    cli.docker.says("stats *", "\n".join(map(json.dumps, stats)))


def test_top_shows_running_containers_the_largest_first(cli: CommandLine) -> None:
    _two_that_run(cli)
    done = cli.arcctl("top")
    assert (done.code, done.err) == (0, "")
    assert [line.split() for line in done.out.splitlines()] == [
        ["CONTAINER", "MEMORY", "LIMIT", "CPU", "DISK"],
        ["loki", "100.0", "MiB", "384.0", "MiB", "1.2", "%", "3.3", "MiB"],
        ["redis", "8.0", "MiB", "384.0", "MiB", "0.5", "%"],
        ["total", "108.0", "MiB", "1.8", "%", "3.3", "MiB"],
    ]
    asked = next(call for call in cli.docker.calls if call.startswith("stats"))
    assert asked == "stats --no-stream --format json arc_loki arc_redis_exporter arc_redis"


def test_top_as_json_is_one_document(cli: CommandLine) -> None:
    _two_that_run(cli)
    found = json.loads(cli.arcctl("top", "redis", "--json").out)
    assert found == {
        "schema": "arcctl.top/v1",
        "engine": "docker",
        "containers": [
            {
                "name": "redis",
                "service": "redis",
                "memory_bytes": 8 << 20,
                "memory_limit_bytes": 384 << 20,
                "cpu_percent": 0.5,
                "disk_bytes": None,
            }
        ],
        "total": {"memory_bytes": 8 << 20, "cpu_percent": 0.5, "disk_bytes": 0},
    }


def test_top_of_nothing_names_the_command_that_starts_services(cli: CommandLine) -> None:
    cli.engine()
    cli.docker.says("system df*", [])
    done = cli.arcctl("top", "--json")
    assert (done.code, json.loads(done.out)["containers"]) == (0, [])
    assert done.err == "nothing is running; to start: arcctl up\n"
