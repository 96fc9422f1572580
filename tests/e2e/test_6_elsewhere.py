"""A Docker engine that shares no file, no socket and no loopback address with arcctl, reached over TCP with TLS."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from arcctl import services
from arcctl.model.names import PROJECT, PROJECT_NAME
from tests.ci_examples import Job, jobs
from tests.e2e.driver import PROGRAM, Platform, eventually
from tests.testbed import second
from tests.testbed.elsewhere import THERE, elsewhere
from tests.testbed.places import docker_host

NAMES = ("postgres", "redis", "nats", "traefik")
FOLDER = "prometheus"
"""A server that mounts a whole folder of `config/`, whose files name each other."""
ANYWHERE = "0.0.0.0"
UNTRUSTED = "no TLS with the Docker engine: "
FROM_THE_INTERNET = {"pip install arcctl"}
"""The lines of the examples that are not run: the program is installed already."""
OF_THE_SERVICE = {"actions/checkout@v5", "actions/setup-python@v6"}
"""The actions of the examples, which are not run either: they bring the files of a repository, and Python."""


@pytest.fixture(scope="module")
def away(engine: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment of a client of that engine, which has the images of the first."""
    if not second.possible():
        pytest.skip("only root can make an engine with a network of its own")
    catalogue = services.load()
    images = sorted({c.container.image for c in catalogue.components((*NAMES, FOLDER)).values()})
    with elsewhere(images, engine.get("DOCKER_HOST", docker_host())) as client:
        yield {**engine, **client}


@pytest.fixture(scope="module")
def project(away: dict[str, str]) -> Iterator[Platform]:
    with tempfile.TemporaryDirectory(prefix="arc-away-") as folder:
        data = {"XDG_DATA_HOME": f"{folder}/data"}  # the other platform of this run has the same name
        directory = Path(folder) / "project"
        directory.mkdir()
        found = Platform(directory, {**away, **data, PROJECT_NAME: PROJECT})
        found.arcctl("init").ok()
        yield found
        found.arcctl("clean", "--yes").ok()


@pytest.fixture(scope="module")
def remote(project: Platform) -> Platform:
    """The light services, running, after an `up` that named the address."""
    project.arcctl("--bind-address", ANYWHERE, "up", *NAMES).ok()
    return project


def _nothing_there(platform: Platform, label: str = "com.docker.compose.project=arc") -> bool:
    """Of the project; an image may have left a volume without a name."""
    volumes = platform.docker("volume", "ls", "--quiet", "--filter", f"label={label}")
    return not platform.docker("ps", "--all", "--quiet") and not volumes


def test_an_address_that_cannot_be_reached_is_refused_before_anything_starts(project: Platform) -> None:
    done = project.arcctl("up", "redis")
    assert (done.code, _nothing_there(project)) == (5, True)
    assert f"the Docker engine is on {THERE}, whose ports on 127.0.0.1 cannot be reached from here" in done.err
    assert "arcctl --bind-address 0.0.0.0 up" in done.err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"DOCKER_HOST": f"ssh://root@{THERE}"}, f"the Docker endpoint ssh://root@{THERE} is an ssh login"),
        ({"DOCKER_CERT_PATH": "stranger"}, UNTRUSTED),
        ({"DOCKER_TLS_VERIFY": "", "DOCKER_TLS": ""}, UNTRUSTED),
        ({"DOCKER_CERT_PATH": "/nowhere"}, "docker has no certificates: open /nowhere/ca.pem"),
        ({"DOCKER_HOST": f"tcp://{THERE}:1"}, f"cannot reach the Docker engine at tcp://{THERE}:1"),
    ],
    ids=["ssh", "stranger", "no TLS", "no certificates", "nobody there"],
)
def test_an_engine_that_cannot_be_used_is_refused_by_name(
    project: Platform, change: dict[str, str], message: str
) -> None:
    if change.get("DOCKER_CERT_PATH") == "stranger":
        change = {"DOCKER_CERT_PATH": str(Path(project.environment["DOCKER_CERT_PATH"]).with_name("stranger"))}
    changed = Platform(project.directory, {**project.environment, **change})
    done = changed.arcctl("--bind-address", ANYWHERE, "up", "redis")
    assert (done.code, _nothing_there(project)) == (3, True)
    assert message in done.err


def test_all_is_healthy_and_works_for_commands_that_name_no_address(remote: Platform) -> None:
    assert remote.health(*NAMES)["status"] == "healthy"
    remote.arcctl("verify", *NAMES).ok()
    assert remote.arcctl("up", *NAMES).ok().err.count("recreat") == 0


def test_people_and_programs_are_told_the_machine_of_the_engine(remote: Platform) -> None:
    found = remote.variables()
    assert (found["PGHOST"], f"@{THERE}:6379/" in found["REDIS_URL"]) == (THERE, True)
    info = json.loads(remote.arcctl("info", "--json").ok().out)["services"]
    urls = [endpoint["url"] for service in info for endpoint in service["endpoints"]]
    assert [url for url in urls if "127.0.0.1" in url or "localhost" in url] == []
    assert remote.arcctl("run", "--", "sh", "-c", 'echo "$PGHOST"').ok().out.strip() == THERE


def test_a_prompt_a_database_and_a_stream_are_reached(remote: Platform) -> None:
    assert remote.arcctl("shell", "redis", "--", "ping").ok().out.strip() == "PONG"
    assert remote.arcctl("shell", "nats", given="publish away.test hello\n").ok()
    assert f"{THERE}:5432/" in remote.arcctl("db", "list").ok().out
    remote.arcctl("topics", "list", "--in", "nats").ok()


def test_containers_have_the_config_files_as_they_are_now(remote: Platform) -> None:
    folder = remote.directory / "config" / "traefik" / "dynamic"
    listed = ("exec", "arc_traefik", "ls", "/etc/traefik/dynamic")
    before = remote.docker(*listed).split()
    (folder / "more.txt").write_text("more\n")
    remote.arcctl("up", *NAMES).ok()
    assert remote.docker(*listed).split() == sorted([*before, "more.txt"])
    (folder / "more.txt").unlink()
    remote.arcctl("up", *NAMES).ok()
    assert remote.docker(*listed).split() == before
    assert remote.health(*NAMES)["status"] == "healthy"


def test_containers_cannot_write_to_their_config_files(remote: Platform) -> None:
    words = ("docker", "exec", "--user", "0", "arc_redis", "sh", "-c", "echo >>/etc/redis/redis.conf")
    done = subprocess.run(words, env=dict(remote.environment), capture_output=True, text=True, check=False)
    assert "Read-only file system" in done.stderr


def test_a_backup_of_it_is_restored_into_an_empty_platform(remote: Platform) -> None:
    remote.arcctl("shell", "redis", "--", "set", "away", "kept").ok()
    remote.arcctl("shell", "postgres", "--", "-c", "create table away as select 7 as n").ok()
    backup = remote.arcctl("backup", "create").ok().out.strip()
    remote.arcctl("backup", "verify", backup).ok()
    remote.arcctl("clean", "--yes").ok()
    assert _nothing_there(remote)
    remote.arcctl("backup", "restore", backup).ok()
    remote.arcctl("up", *NAMES).ok()
    assert remote.arcctl("shell", "redis", "--", "get", "away").ok().out.strip() == "kept"
    assert "7" in remote.arcctl("shell", "postgres", "--", "-c", "table away").ok().out


def _prometheus(path: str) -> Any:
    """What it says of itself."""
    answer = httpx.get(f"http://{THERE}:9090/api/v1/{path}", trust_env=False, timeout=20)
    return answer.raise_for_status().json()["data"]


def test_a_server_has_the_files_of_a_folder_that_name_each_other(remote: Platform) -> None:
    folder = remote.directory / "config" / FOLDER
    settings, rules = folder / "prometheus.yml", folder / "rules.yml"
    settings.write_text(settings.read_text().replace("evaluation_interval: 15s", "evaluation_interval: 17s"))
    remote.arcctl("up", FOLDER).ok()
    assert remote.service(FOLDER)["status"] == "healthy"
    assert yaml.safe_load(_prometheus("status/config")["yaml"])["global"]["evaluation_interval"] == "17s"
    files = [yaml.safe_load(path.read_text()) or {} for path in folder.glob("*.yml")]
    expected = {job["job_name"] for file in files for job in file.get("scrape_configs", ())}
    assert eventually(lambda: {*_prometheus("scrape_pools")["scrapePools"]} == expected)
    groups = {group["name"]: len(group["rules"]) for group in yaml.safe_load(rules.read_text())["groups"]}
    assert {group["name"]: len(group["rules"]) for group in _prometheus("rules")["groups"]} == groups


def test_a_port_of_another_container_there_is_taken_and_one_that_is_used_here_is_not(remote: Platform) -> None:
    remote.arcctl("down").ok()
    image = services.load().services["redis"].container.image
    remote.docker("run", "--detach", "--name", "squatter", "--publish", "6379:6379", image, "redis-server")
    done = remote.arcctl("up", "redis")
    assert (done.code, "port 6379 (redis) is already in use by container squatter" in done.err) == (5, True)
    remote.docker("rm", "--force", "--volumes", "squatter")
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # the other platform of this run listens there
            stack.enter_context(socket.create_server(("127.0.0.1", 6379)))
        remote.arcctl("up", "redis").ok()


def test_doctor_finds_no_problem(remote: Platform) -> None:
    found = json.loads(remote.arcctl("doctor", "--json").out)
    assert [d for d in found["diagnoses"] if d["state"] == "problem"] == []


def test_nothing_is_left_after_clean(remote: Platform) -> None:
    remote.arcctl("clean", "--yes").ok()
    assert _nothing_there(remote)


def _jobs(away: dict[str, str], folder: Path) -> dict[str, Job]:
    """Those of the examples, with the engine and the certificates that there are here."""
    client = Path(away["DOCKER_CERT_PATH"])
    secrets = {"CA": "ca", "CERTIFICATE": "cert", "KEY": "key"}
    found = jobs(
        {
            "vars.DOCKER_HOST": away["DOCKER_HOST"],
            "vars.ARCCTL_BIND_ADDRESS": THERE,
            **{f"secrets.DOCKER_{name}": (client / f"{file}.pem").read_text() for name, file in secrets.items()},
        }
    )
    here = {
        "gitlab, integration": {"DOCKER_HOST": away["DOCKER_HOST"], "DOCKER_CERT_PATH": str(client)},
        "github, elsewhere": {"DOCKER_CERT_PATH": str(folder / "certificates")},
    }
    return {name: replace(job, variables={**job.variables, **here.get(name, {})}) for name, job in found.items()}


@pytest.mark.parametrize("name", jobs())
def test_each_line_of_an_example_does_what_it_says(
    name: str, engine: dict[str, str], away: dict[str, str], tmp_path: Path
) -> None:
    """Each in the engine that it is for: that of the runner, or the one elsewhere."""
    directory = tmp_path / "checkout"
    directory.mkdir()
    job, host = _jobs(away, tmp_path)[name], "127.0.0.1" if name == "github, on-the-runner" else THERE
    path = f"{Path(PROGRAM).parent}:{engine['PATH']}"
    environment = {**engine, "PATH": path, "XDG_DATA_HOME": str(tmp_path / "data")}
    runs = job.without(FROM_THE_INTERNET)
    assert {*job.lines} - {*runs.lines} <= FROM_THE_INTERNET
    assert {*job.actions} <= OF_THE_SERVICE
    try:
        printed = runs.run(directory, environment)
    finally:
        Platform(directory, {**environment, **job.variables}).arcctl("clean", "--yes")
    assert f"tests reach {host} and redis://" in printed
    reports = {report for line in job.lines for report in re.findall(r"--junit (\S+)", line)}
    assert reports
    assert reports <= {path.name for path in directory.iterdir()}


def test_the_jobs_left_nothing_there(away: dict[str, str], tmp_path: Path) -> None:
    assert _nothing_there(Platform(tmp_path, away), label="com.docker.compose.project")
