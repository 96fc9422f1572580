"""`up`, `down`, `restart`, `clean`, `logs`, `ps` and `compose`: words, exit codes, what is called."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from arcctl import services
from arcctl.engines.base import Tell
from arcctl.engines.docker.engine import DockerEngine
from arcctl.settings.directory import ProjectDirectory
from tests.cli.command_line import CommandLine, Done, container, serving

PROGRAM = Path(sys.executable).with_name("arcctl")
LOG = "loki  | level=error msg=broken\n"


def _calls(cli: CommandLine, verb: str) -> list[list[str]]:
    """The words of each Compose call with this verb, behind the files."""
    calls = (call.replace("--project-name arc ", "") for call in cli.docker.calls)
    found = [call.partition("compose.env ")[2].split() for call in calls]
    return [words for words in found if words[:1] == [verb]]


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _progress(done: Done) -> list[str]:
    """Lines of stderr behind their times."""
    return [line.partition(" s  ")[2] or line for line in done.err.splitlines()]


def test_an_up_of_what_runs_asks_and_touches_nothing(cli: CommandLine) -> None:
    with serving() as port:
        cli.engine(container(port=port))
        done = cli.arcctl("up", "loki")
    assert (done.code, done.out, _calls(cli, "up")) == (0, "", [])
    *first, summary, following = _progress(done)
    assert first == ["services: loki", "✔ ready loki: HTTP 200 on /ready"]
    assert summary.startswith("already running, nothing to do: loki (")
    assert following == "next: arcctl info, arcctl health"


def test_a_service_that_does_not_get_ready_is_exit_4_with_reason_log_and_next_step(cli: CommandLine) -> None:
    with serving(503, "Ingester not ready") as port:
        cli.engine(container(port=port))
        cli.docker.says("compose*logs*", LOG)
        done = cli.arcctl("up", "loki", "--timeout", "1")
    assert (done.code, done.out) == (4, "")
    assert _progress(done)[1:] == [
        f"  {LOG.strip()}",
        "error: loki was not ready in 1 s: HTTP 503 on /ready: Ingester not ready",
        "hint: arcctl logs loki, then arcctl up",
    ]


def test_a_one_shot_that_fails_is_exit_1_and_names_what_stands_on_it(cli: CommandLine) -> None:
    healthy, broken = {"Health": {"Status": "healthy"}}, {"Status": "exited", "ExitCode": 1}
    running = [container(key, State=healthy) for key in ("postgres", "postgres-exporter", "mailpit", "kratos")]
    done_before = container("postgres-setup", State={"Status": "exited"})
    cli.engine(*running, done_before, *(container(key, State=broken) for key in ("kratos-db", "kratos-migrate")))
    cli.docker.says("compose*up*")
    cli.docker.says("compose*logs*", "kratos-db | no such role\n")
    done = cli.arcctl("up", "kratos", "--timeout", "20")
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines()[-3:] == [
        "  kratos-db | no such role",
        "error: kratos-db did not become ready: exited with code 1 (and 2 more: kratos-migrate, kratos)",
        "hint: arcctl logs kratos-db, then arcctl up",
    ]


def test_a_taken_port_is_exit_5_and_nothing_is_started(cli: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        cli.engine()
        cli.environment["LOKI_HOST_PORT"] = str(port)
        done = cli.arcctl("up", "loki")
    assert (done.code, _calls(cli, "up")) == (5, [])
    assert f"error: port {port} (loki) is already in use by " in done.err
    assert "(pid " in done.err


def test_an_old_engine_is_exit_3(cli: CommandLine) -> None:
    cli.engine()
    cli.docker.says("compose version*", "2.20.1\n")
    done = cli.arcctl("up", "loki")
    assert (done.code, done.err.splitlines()[-2:]) == (
        3,
        ["error: Compose 2.20.1 is too old", "hint: install Compose 2.29.1 or newer"],
    )


def test_what_compose_refuses_is_exit_3_in_its_own_words(cli: CommandLine) -> None:
    cli.engine()
    cli.environment["LOKI_HOST_PORT"] = str(_free())
    cli.docker.says("compose * up *", err="Error response from daemon: no space left on device\n", code=1)
    done = cli.arcctl("up", "loki")
    assert (done.code, done.err.splitlines()[-2:]) == (
        3,
        ["error: docker: no space left on device", "hint: arcctl doctor"],
    )


def test_dry_run_prints_the_plan_as_data_and_changes_nothing(cli: CommandLine) -> None:
    cli.engine(container(State={"Status": "paused"}), container("prometheus"))
    done = cli.arcctl("up", "loki", "prometheus", "jaeger", "--dry-run")
    assert (done.code, done.err) == (0, "services: loki, prometheus, jaeger\n")
    assert sorted(done.out.splitlines()) == [
        "create jaeger: not there yet",
        "keep prometheus: running",
        "unpause loki: paused",
    ]
    assert [c for c in cli.docker.calls if " up " in c or " unpause " in c] == []


LOST = "this project has no secrets, but the engine has data that was written with them: arc_redis_data"


@pytest.mark.parametrize("text", [None, "", "# Keep it safe.\n"])
@pytest.mark.parametrize(
    "command", ["up redis", "up redis --dry-run", "init", "info", "env", "config validate", "secrets export"]
)
def test_lost_secrets_are_one_error_and_stay_lost(cli: CommandLine, command: str, text: str | None) -> None:
    path = cli.directory / ".arcctl" / "secrets.env"
    path.unlink() if text is None else path.write_text(text)
    cli.engine(volumes="arc_redis_data\n")
    done = cli.arcctl(*command.split())
    assert (done.code, done.out, done.err.count(f"error: {LOST}\nhint: ")) == (2, "", 1)
    assert (path.read_text() if path.exists() else None) == text


def test_the_hint_brings_lost_secrets_back_as_long_as_compose_has_them(cli: CommandLine) -> None:
    path = cli.directory / ".arcctl" / "secrets.env"
    before = {line for line in path.read_text().splitlines() if "=" in line}
    path.unlink()
    cli.engine(volumes="arc_redis_data\n")
    hint = cli.arcctl("up", "redis").err.partition("hint: ")[2]
    subprocess.run(("sh", "-c", hint.partition("take them from there: ")[2]), check=True)
    assert (set(path.read_text().splitlines()), path.stat().st_mode & 0o777) == (before, 0o600)
    assert cli.arcctl("up", "redis", "--dry-run").code == 0
    path.unlink()
    (cli.directory / ".arcctl" / "compose.env").write_text("")
    assert cli.arcctl("up", "redis").err.endswith("put a copy of .arcctl/secrets.env back\n")


def test_where_the_engine_does_not_answer_missing_secrets_are_missing_settings(cli: CommandLine) -> None:
    (cli.directory / ".arcctl" / "secrets.env").unlink()
    cli.docker.says("*", err="Cannot connect to the Docker daemon", code=1)
    assert "arcctl init, which generates the secrets" in cli.arcctl("info").err


@pytest.mark.parametrize(
    ("words", "stopped", "call"),
    [
        ((), "loki, prometheus", ["down", "--remove-orphans"]),
        (("loki",), "loki", ["stop", "loki"]),
    ],
    ids=["all", "one"],
)
def test_down_says_what_it_stopped_and_that_data_is_kept(
    cli: CommandLine, words: tuple[str, ...], stopped: str, call: list[str]
) -> None:
    cli.engine(container(), container("prometheus"))
    cli.stops(call[0])
    done = cli.arcctl("down", *words)
    kept = "data is kept; to start again: arcctl up; to delete it: arcctl clean\n"
    assert done == Done(0, "", f"stopped: {stopped}\n{kept}")
    assert _calls(cli, call[0]) == [call]


def test_restart_waits_for_the_answer(cli: CommandLine) -> None:
    with serving() as port:
        cli.engine(container(port=port))
        cli.docker.says("compose * restart *")
        done = cli.arcctl("restart")
    assert (done.code, _calls(cli, "restart")) == (0, [["restart", "loki"]])
    assert _progress(done)[-2:] == ["✔ ready loki: HTTP 200 on /ready", "restarted: loki"]


def test_restart_of_nothing_says_how_to_start(cli: CommandLine) -> None:
    cli.engine()
    assert cli.arcctl("restart") == Done(0, "", "nothing to restart: none of these exists; to start: arcctl up\n")


@pytest.mark.parametrize(
    "words",
    [
        ("up", "loki"),
        ("down",),
        ("down", "loki"),
        ("restart",),
        ("clean", "--yes"),
        ("backup", "create"),
        ("db", "list"),
        ("topics", "list"),
        ("flags", "list"),
        ("identities", "list"),
        ("shell", "redis"),
        ("logs", "loki"),
        ("logs", "my-program"),
    ],
    ids=" ".join,
)
def test_the_platform_of_another_project_is_left_alone(
    cli: CommandLine, tmp_path: Path, words: tuple[str, ...]
) -> None:
    other = tmp_path / "other project"
    (other / "compose").mkdir(parents=True)
    found = container()
    found["Config"]["Labels"]["com.docker.compose.project.config_files"] = f"{other}/compose/base.yaml"
    cli.engine(found)
    done = cli.arcctl(*words)
    assert (done.code, done.out, done.err.splitlines()[-2:]) == (
        5,
        "",
        [
            f"error: another project ({other}) already uses these container names",
            "hint: to see which projects there are: arcctl projects",
        ],
    )
    assert [_calls(cli, verb) for verb in ("up", "down", "stop", "restart")] == [[]] * 4


def test_what_a_removed_project_left_is_no_obstacle(cli: CommandLine) -> None:
    found = container()
    found["Config"]["Labels"]["com.docker.compose.project.config_files"] = "/gone/project/compose/base.yaml"
    cli.engine(found)
    cli.stops("down")
    assert cli.arcctl("down").code == 0
    assert _calls(cli, "down") != []


def test_data_of_which_nothing_is_noted_is_another_projects(cli: CommandLine) -> None:
    ProjectDirectory(cli.directory).begin_notes()
    cli.engine(volumes="arc_loki_data\n")
    assert cli.arcctl("clean", "--yes") == Done(
        5,
        "",
        "error: the docker engine has arc_loki_data of another project with the name arc\n"
        "hint: give this one another name: arcctl -p arc-2 init --new-identity\n",
    )
    assert _calls(cli, "down") == []


def test_what_plain_docker_compose_started_here_is_ones_own(cli: CommandLine) -> None:
    ProjectDirectory(cli.directory).begin_notes()
    found = container()
    found["Config"]["Labels"]["com.docker.compose.project.config_files"] = f"{cli.directory}/compose/base.yaml"
    cli.engine(found, volumes="arc_loki_data\n")
    cli.stops("down")
    assert cli.arcctl("clean", "--yes").code == 0
    assert _calls(cli, "down") != []


LISTED = "containers: loki\ndata volumes: arc_loki_data\n"


@pytest.mark.parametrize(
    ("words", "code", "said", "calls"),
    [
        (
            (),
            2,
            "error: refusing to destroy data without confirmation\nhint: arcctl clean --yes\n",
            [],
        ),
        (
            ("--yes",),
            0,
            "destroyed; settings and secrets are kept\n",
            [["down", "--remove-orphans", "--volumes", "--timeout", "0"]],
        ),
    ],
    ids=["a script that does not say so", "a script that says so"],
)
def test_clean_lists_what_it_would_destroy_and_does_it_only_when_told(
    cli: CommandLine, words: tuple[str, ...], code: int, said: str, calls: list[list[str]]
) -> None:
    cli.engine(container(), volumes="arc_loki_data\n")
    cli.stops("down")
    assert cli.arcctl("clean", *words) == Done(code, "", LISTED + said)
    assert _calls(cli, "down") == calls
    assert (cli.directory / ".arcctl" / "secrets.env").is_file()


@pytest.mark.parametrize("words", [("down",), ("down", "loki"), ("clean", "--yes")])
def test_what_runs_afterwards_was_not_stopped(cli: CommandLine, words: tuple[str, ...]) -> None:
    cli.engine(container(), volumes="arc_loki_data\n")
    cli.docker.says(f"compose * {'stop' if 'loki' in words else 'down'} *")
    done = cli.arcctl(*words)
    assert done.code == 3
    assert done.err.endswith("error: still running: loki\nhint: arcctl ps, then arcctl down\n")


@pytest.mark.parametrize("words", [("down",), ("clean", "--yes")])
def test_what_is_waited_for_is_said(cli: CommandLine, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    def end(engine: DockerEngine, tell: Tell, *, volumes: bool = False) -> None:
        tell("waiting for the supervisor")
        cli.engine()

    monkeypatch.setattr(DockerEngine, "down", end)
    cli.engine(container())
    done = cli.arcctl(*words)
    assert (done.code, "waiting for the supervisor\n" in done.err) == (0, True)


def test_data_that_is_there_afterwards_was_not_destroyed(cli: CommandLine) -> None:
    cli.engine(volumes="arc_loki_data\n")
    cli.docker.says("compose * down *")
    done = cli.arcctl("clean", "--yes")
    assert done.code == 3
    assert done.err.endswith("error: not deleted: arc_loki_data\nhint: arcctl doctor, then arcctl clean\n")


def test_clean_of_nothing_destroys_nothing(cli: CommandLine) -> None:
    cli.engine()
    assert cli.arcctl("clean", "--yes") == Done(0, "", "nothing to destroy\n")


def test_logs_are_data_of_those_that_exist(cli: CommandLine) -> None:
    cli.engine(container(), container("redis-exporter"))
    cli.docker.says("compose * logs *", LOG)
    assert cli.arcctl("logs", "loki", "redis", "redis-exporter", "--tail", "5") == Done(0, LOG, "")
    ((_, *words),) = _calls(cli, "logs")
    assert {"5", "loki", "redis-exporter"} <= set(words)
    assert "redis" not in words


@pytest.mark.parametrize("tail", ["-1", "+3", "1.5", "ten", "", "\u0663", "9" * 5000])
def test_logs_take_a_number_of_lines_or_all(cli: CommandLine, tail: str) -> None:
    cli.engine(container())
    cli.docker.says("compose * logs *", LOG)
    assert cli.arcctl("logs", "loki", "--tail", "all") == Done(0, LOG, "")
    said = f"error: --tail {tail}: neither a number of lines nor all\nhint: arcctl logs --tail 100\n"
    assert cli.arcctl("logs", "loki", "--tail", tail) == Done(2, "", said)


def test_logs_of_what_is_not_there_say_so(cli: CommandLine) -> None:
    cli.engine()
    assert cli.arcctl("logs", "loki") == Done(0, "", "none of these containers exists; to see which do: arcctl ps\n")


def test_ps_lists_the_containers_and_their_helpers_as_the_engine_sees_them(cli: CommandLine) -> None:
    cli.engine(container("redis", State={"Status": "paused"}), container(port=3101))
    items = json.loads(cli.arcctl("ps", "redis", "loki", "--json").out)["containers"]
    loki, redis = (services.load().components()[key].container.image for key in ("loki", "redis"))
    assert items == [
        {"name": "redis-exporter", "state": "absent", "health": "", "image": "", "ports": {}},
        {"name": "redis", "state": "paused", "health": "", "image": redis, "ports": {}},
        {"name": "loki", "state": "running", "health": "", "image": loki, "ports": {"3100": 3101}},
    ]
    shown = cli.arcctl("status", "loki").out.splitlines()
    assert [line.split() for line in shown] == [
        ["CONTAINER", "STATE", "HEALTHCHECK", "PORTS", "IMAGE"],
        ["loki", "running", "3101->3100", loki],
    ]


@pytest.mark.parametrize("code", [0, 17])
def test_compose_hands_on_arguments_output_and_exit_code(cli: CommandLine, code: int) -> None:
    cli.docker.says("compose * top --help", "PID 1\n", err="a warning\n", code=code)
    done = subprocess.run(
        (PROGRAM, "--project-directory", cli.directory, "compose", "top", "--help"),
        env={**os.environ, "PATH": cli.docker.path, "ARCCTL_ENGINE": "docker"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "PID 1\n", "a warning\n")
