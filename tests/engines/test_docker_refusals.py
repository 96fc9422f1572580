"""Each way in which an engine can fail becomes one sentence and a next step; the program `docker` is a script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arcctl.engines.docker import engine as adapter
from arcctl.engines.docker.engine import DockerEngine
from arcctl.errors import EngineError
from tests.fakes.catalogue import TOY
from tests.fakes.docker import FakeDocker, inspected

SOCKET = "unix:///var/run/docker.sock"
NO_ENGINE = ("cannot reach the Docker engine", "start Docker and try again; `docker version` shows whether it runs")
SECRET = "s3ntinel-value"


@pytest.fixture
def engine(docker: FakeDocker, tmp_path: Path) -> DockerEngine:
    env_file = tmp_path / "compose.env"
    env_file.write_text(f"STORE_PASSWORD={SECRET}\n")
    return DockerEngine(TOY, [tmp_path / "base.yaml"], env_file)


def _refusal(work: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(EngineError) as caught:
        work()
    assert (caught.value.exit_code, caught.value.__cause__) == (3, None)
    assert SECRET not in f"{caught.value.message} {caught.value.hint}"
    return caught.value.message, caught.value.hint


CERTIFICATES = (
    "export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=FOLDER, where FOLDER has ca.pem, cert.pem and key.pem for that engine"
    " (without TLS: unset both); `docker version` shows whether it answers"
)
ELSEWHERE = "start that engine, or correct DOCKER_HOST or the context; `docker version` shows whether it answers"
KINDS = (
    *("no engine", "permission", "compose", "old compose"),
    *("certificate", "TLS asked for", "no certificates", "no host", "nothing there"),
    *("other", "silence"),
)
REFUSALS = [
    (f"Cannot connect to the Docker daemon at {SOCKET}. Is the docker daemon running?", *NO_ENGINE),
    (
        f"permission denied while trying to connect to the Docker daemon socket at {SOCKET}: Get ...",
        "permission denied on the socket of the Docker engine: are you in the group docker?",
        "sudo usermod -aG docker $USER, then log in again",
    ),
    (
        "docker: unknown command: docker compose\n\nRun 'docker --help' for more information",
        "Docker has no Compose plugin",
        "install the Compose plugin 2.29.1 or newer",
    ),
    (
        "docker: 'compose' is not a docker command.\nSee 'docker --help'",
        "Docker has no Compose plugin",
        "install the Compose plugin 2.29.1 or newer",
    ),
    (
        'error during connect: Get "https://docker:2376/v1.50/info": tls: failed to verify certificate: x509: no',
        "no TLS with the Docker engine: tls: failed to verify certificate: x509: no",
        CERTIFICATES,
    ),
    (
        "Error response from daemon: Client sent an HTTP request to an HTTPS server.",
        "no TLS with the Docker engine: Client sent an HTTP request to an HTTPS server",
        CERTIFICATES,
    ),
    (
        "Failed to initialize: unable to resolve docker endpoint: open /certs/ca.pem: no such file or directory",
        "docker has no certificates: open /certs/ca.pem: no such file or directory",
        CERTIFICATES,
    ),
    (
        'error during connect: Get "http://docker:2375/info": dial tcp: lookup docker on 10.0.0.1:53: no such host',
        "cannot reach the Docker engine: dial tcp: lookup docker on 10.0.0.1:53: no such host",
        ELSEWHERE,
    ),
    (
        "Cannot connect to the Docker daemon at tcp://docker:2375. Is the docker daemon running?",
        "cannot reach the Docker engine at tcp://docker:2375",
        ELSEWHERE,
    ),
    ("warning: x\nError response from daemon: it rains", "docker: it rains", "arcctl doctor"),
    ("", "docker: docker failed and printed no reason", "arcctl doctor"),
]


@pytest.mark.parametrize(
    ("stderr", "message", "hint"),
    REFUSALS,
    ids=KINDS,
)
def test_an_error_while_reading_is_one_sentence_and_a_next_step(
    docker: FakeDocker, engine: DockerEngine, stderr: str, message: str, hint: str
) -> None:
    docker.says("*", err=stderr, code=1)
    for work in (engine.observe, engine.volumes, engine.hashes, engine.facts, lambda: engine.images(["a:1"])):
        assert _refusal(work) == (message, hint)


@pytest.mark.parametrize(
    ("stderr", "message", "hint"),
    REFUSALS,
    ids=KINDS,
)
def test_an_error_while_changing_is_the_same(
    docker: FakeDocker, engine: DockerEngine, stderr: str, message: str, hint: str
) -> None:
    docker.says("container ls*")
    docker.says("compose*", err=stderr, code=1)
    for work in (engine.create, engine.start, engine.unpause, engine.stop, engine.restart):
        assert _refusal(lambda work=work: work(["store"])) == (message, hint)  # type: ignore[misc]
    assert _refusal(engine.down) == (message, hint)


def test_errors_in_docker_info_mean_that_there_is_no_engine(docker: FakeDocker, engine: DockerEngine) -> None:
    docker.says("info*", {"ServerErrors": ["it rains"]})
    assert _refusal(engine.facts) == ("cannot reach the Docker engine: it rains", NO_ENGINE[1])
    docker.says("info*", {"ServerErrors": ["Cannot connect to the Docker daemon"]})
    assert _refusal(engine.facts) == NO_ENGINE


def test_a_file_that_docker_may_not_read_is_not_taken_for_its_socket(docker: FakeDocker, engine: DockerEngine) -> None:
    text = "open /home/ada/.docker/config.json: permission denied"
    docker.says("*", err=f"Error: {text}", code=1)
    assert _refusal(engine.observe) == (f"docker: Error: {text}", "arcctl doctor")


def test_a_machine_without_docker_gets_a_hint_to_install_it(
    engine: DockerEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _refusal(engine.observe) == ("the program `docker` is not on the PATH", "install Docker 28.0 or newer")


def test_an_engine_that_hangs_is_given_up_after_a_time_limit(
    docker: FakeDocker, engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "SECONDS", 0.3)
    docker.says("container inspect*", hang=True)
    assert _refusal(engine.observe)[0].startswith("the Docker engine did not answer in ")


def test_an_image_that_cannot_be_built_is_named_with_a_next_step(docker: FakeDocker, engine: DockerEngine) -> None:
    docker.says("compose*build*", err="failed to solve: no Dockerfile", code=1)
    assert _refusal(lambda: list(engine.fetch("big-shop"))) == (
        "cannot build toy/shop:3.1: failed to solve: no Dockerfile",
        "arcctl doctor",
    )


PROJECT = "--project-name arc "
"""All calls of Compose have it."""


def _words(docker: FakeDocker) -> list[str]:
    """The calls without their files; the words behind the verb in the order of the alphabet."""
    calls = [
        call.replace(PROJECT, "").partition("compose.env ")[2].split() for call in docker.calls if "compose.env" in call
    ]
    return [" ".join([verb, *sorted(rest)]) for verb, *rest in calls]


def test_changes_touch_only_named_containers_and_put_no_secret_on_a_command_line(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    docker.says("container ls*")
    docker.says("compose*")
    engine.start(["front", "store"])
    engine.create(["front", "store"])
    engine.create(["store"], recreate=True)
    engine.unpause(["store"])
    engine.stop(["store"])
    engine.restart(["store"])
    list(engine.fetch("big-shop"))
    engine.down()
    engine.down(volumes=True)
    assert _words(docker) == [
        "up --detach --no-build --no-deps --no-recreate front store",
        "up --no-build --no-deps --no-start front store",
        "up --force-recreate --no-build --no-deps --no-start store",
        "unpause store",
        "stop store",
        "restart store",
        "build big-shop",
        "down --remove-orphans",
        "down --remove-orphans --timeout --volumes 0",
    ]
    assert SECRET not in " ".join(docker.calls)


def test_remove_touches_only_containers_of_its_own_project(docker: FakeDocker, tmp_path: Path) -> None:
    docker.says("container rm*")
    docker.says("volume rm*")
    other = DockerEngine(TOY, [tmp_path / "base.yaml"], tmp_path / "compose.env", project="other")
    other.remove(["store"], [other.volume_name("store", "data")])
    assert docker.calls == ["container rm --force other_store", "volume rm --force other_store_data"]


@pytest.mark.parametrize(("project", "removed"), [("arc", "4f1 5a2"), ("other", "6b3")])
def test_down_first_removes_the_ephemeral_containers_of_its_own_project_and_the_first_project_those_with_the_old_label(
    docker: FakeDocker, tmp_path: Path, project: str, removed: str
) -> None:
    docker.says("compose*")
    docker.says("container rm*")
    docker.says("container ls*", "4f1\tarc\t\n6b3\tother\t\n5a2\t\tredis\n7c4\t\t\n")
    DockerEngine(TOY, [tmp_path / "base.yaml"], tmp_path / "compose.env", project=project).down()
    assert docker.calls[0].startswith("container ls --all --format {{.ID}}")
    assert set(docker.calls[1].split()) == {"container", "rm", "--force", *removed.split()}
    assert "down --remove-orphans" in docker.calls[2]


def test_recover_renames_or_removes_the_container_of_an_interrupted_replacement(
    docker: FakeDocker, engine: DockerEngine, tmp_path: Path
) -> None:
    docker.says("container rm*")
    docker.says("container rename*")
    names = {"arc_store": "store", "4f1_arc_store": "store", "5a2_arc_big_shop": "big-shop"}
    own = "".join(f"{name}\t{key}\t{tmp_path}/base.yaml\n" for name, key in names.items())
    docker.says("container ls*", f"{own}arc-store-1\tstore\t/home/other/docker-compose.yml\n")
    assert engine.recover() == ("big-shop", "store")
    assert docker.calls[1:] == ["container rm --force 4f1_arc_store", "container rename 5a2_arc_big_shop arc_big_shop"]


def test_containers_of_another_program_with_the_name_of_the_project_are_told_from_its_own(
    docker: FakeDocker, tmp_path: Path
) -> None:
    folder = tmp_path / "compose"
    folder.mkdir()
    files = {
        "arc_store": f"{folder}/base.yaml,{folder}/stack.yaml",
        "arc_big_shop": "/where/it/was/compose/base.yaml",
        "arc-web-1": f"{tmp_path}/docker-compose.yml",
        "arc-db-1": "",
    }
    docker.says("container ls*", "".join(f"{name}\tx\t{file}\n" for name, file in files.items()))
    engine = DockerEngine(TOY, [folder / "base.yaml"], tmp_path / "compose.env")
    assert engine.others() == {"arc-web-1": f"{tmp_path}/docker-compose.yml", "arc-db-1": ""}


def test_logs_come_line_by_line_with_the_given_filters(docker: FakeDocker, engine: DockerEngine) -> None:
    docker.says("compose*logs*", "store  | one\nstore  | two\n")
    assert list(engine.logs(["store"], follow=False, since="10m", tail="5")) == ["store  | one", "store  | two"]
    assert _words(docker) == ["logs --no-color --since --tail 10m 5 store"]


@pytest.mark.parametrize(
    ("changed", "since"),
    [
        ({"State": {"Status": "exited"}, "RestartCount": 0}, "2026-01-31T10:00:01Z"),
        ({"State": {"Status": "restarting"}, "RestartCount": 3}, "2026-01-31T10:00:01Z"),
        ({"RestartCount": 0}, "2026-01-31T10:00:01Z"),
        ({"State": {"FinishedAt": "2026-01-31T10:00:01.1Z"}, "RestartCount": 3}, "2026-01-31T09:59:51Z"),
    ],
    ids=["crashed", "crashed again", "runs", "runs again after a crash"],
)
def test_the_logs_of_the_last_run_have_what_was_printed_before_the_last_crash(
    docker: FakeDocker, engine: DockerEngine, changed: dict[str, Any], since: str
) -> None:
    docker.says("container inspect*", [inspected("store", **changed)])
    docker.says("compose*logs*", "store  | one\n")
    assert list(engine.logs_of_last_run("store", tail="5")) == ["store  | one"]
    assert _words(docker)[-1] == f"logs --no-color --since --tail {since} 5 store"


def test_a_container_that_is_gone_has_no_logs_of_its_last_run(docker: FakeDocker, engine: DockerEngine) -> None:
    docker.says("container inspect*", "[]\n", err="Error response from daemon: No such container: arc_store\n", code=1)
    docker.says("compose*logs*", "")
    assert list(engine.logs_of_last_run("store", tail="5")) == []
