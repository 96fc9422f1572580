"""`service`: what is written, what is said, what is refused."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.cli.stage import Done, Stage, container
from tests.fake_docker import inspected

NAMING = "small letters, digits and single dashes, such as my-agent"
TAKEN = "arcctl service list, or choose another name"
HELP = "arcctl service add --help"
WEB = ("service", "add", "web", "--image", "nginx:1.29-alpine", "--port", "80")


def _ports(stage: Stage, name: str) -> list[int]:
    """The ports of the host that were chosen."""
    said = yaml.safe_load((stage.home / f"services/{name}.yaml").read_text())
    return [port["host"] for port in said["ports"]]


def _added(stage: Stage, *options: str) -> Done:
    stage.engine()
    done = stage.arcctl(*WEB, *options)
    assert done.code == 0, done.err
    return done


def _rendered(home: Path) -> dict[Path, str]:
    folders = (home / "compose", home / "config")
    return {p: p.read_text() for folder in folders for p in folder.rglob("*") if p.is_file() and p.name != ".env"}


def test_add_writes_one_file_says_what_it_is_and_what_comes_next(stage: Stage) -> None:
    done = _added(stage, "--probe", "/", "--needs", "redis", "--web", "--env", "COLOUR=blue", "--volume", "data:/data")
    (port,) = _ports(stage, "web")
    assert done.out == ""
    assert done.err.splitlines() == [
        f"services/web.yaml: nginx:1.29-alpine; http://127.0.0.1:{port}; needs redis; web",
        "next: arcctl up web",
    ]
    assert (stage.home / "services/web.yaml").read_text() == (
        "# A service of your own, made by `arcctl service`. Edit it, then: arcctl up web\n"
        "image: nginx:1.29-alpine\n"
        "ports:\n"
        "- container: 80\n"
        f"  host: {port}\n"
        "  name: http\n"
        "probe: /\n"
        "needs:\n"
        "- redis\n"
        "web: true\n"
        "environment:\n"
        "  COLOUR: blue\n"
        "volumes:\n"
        "  data: /data\n"
    )


def test_what_was_added_is_in_every_list_and_in_the_files_that_are_rendered(stage: Stage) -> None:
    _added(stage, "--metrics", "/stub", "--database")
    assert "web" in stage.arcctl("info", "web").out
    assert "WEB_HOST_PORT" in stage.arcctl("config", "show").out
    assert stage.arcctl("render", "--check").code == 0
    overlay = yaml.safe_load((stage.home / "compose/own.yaml").read_text())
    assert set(overlay["services"]) == {"web", "web-db"}
    assert "job_name: web" in (stage.home / "config/prometheus/own.yml").read_text()
    assert '"title": "web: up"' in (stage.home / "config/grafana/dashboards/overview.json").read_text()
    assert re.search(r"^WEB_DB_PASSWORD=\S{43}$", (stage.home / ".arcctl/secrets.env").read_text(), re.MULTILINE)


def test_compose_gets_the_third_file_only_where_there_is_one(stage: Stage) -> None:
    stage.engine()
    stage.docker.says("compose*ps*")
    stage.arcctl("compose", "ps")
    _added(stage)
    stage.docker.says("compose*ps*")
    stage.arcctl("compose", "ps")
    files = [re.findall(r"/compose/(\w+)\.yaml", call) for call in stage.docker.calls if call.endswith(" ps")]
    assert files == [["base", "stack"], ["base", "stack", "own"]]


@pytest.mark.usefixtures("compose_cli")
def test_compose_without_arcctl_takes_the_three_files(stage: Stage) -> None:
    _added(stage, "--database", "--web", "--metrics", "/stub", "--needs", "redis", "--volume", "data:/data")
    words = [word for name in ("base", "stack", "own") for word in ("-f", f"compose/{name}.yaml")]
    done = subprocess.run(
        ("docker", "compose", *words, "config", "--format", "json"),
        cwd=stage.home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    web = json.loads(done.stdout)["services"]["web"]
    assert set(web["depends_on"]) == {"prometheus", "redis", "traefik", "postgres", "web-db"}
    assert [port["host_ip"] for port in web["ports"]] == ["127.0.0.1"]


def test_two_services_get_different_ports(stage: Stage) -> None:
    _added(stage, "--port", "9000")
    assert stage.arcctl("service", "add", "other", "--image", "me/other:1", "--port", "80").code == 0
    assert len({*_ports(stage, "web"), *_ports(stage, "other")}) == 3


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (("redis",), "'redis' is taken already", TAKEN),
        (("socket-proxy",), "'socket-proxy' is taken already", TAKEN),
        (("own",), "'own' is taken already", TAKEN),
        (("../x",), "'../x' cannot be the name of a service", NAMING),
        (("web", "--needs", "redsi"), "web: needs: unknown service redsi, did you mean redis?", HELP),
        (("web", "--probe", "/up"), "web: web, metrics and probe need a port", HELP),
        (("web", "--env", "COLOUR"), "'COLOUR' is not of the form --env NAME=TEXT", HELP),
        (
            ("web", "--needs", "redis", "--env", "KEY=${REDIS_PASSWORD}"),
            "web: environment.KEY: names a secret, which reaches the program through a file: "
            "say its command, for a shell to start",
            HELP,
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    stage: Stage, words: tuple[str, ...], error: str, hint: str
) -> None:
    stage.engine()
    before = _rendered(stage.home)
    name, *options = words
    done = stage.arcctl("service", "add", name, "--image", "nginx:1.29-alpine", *options)
    assert (done.code, done.out, done.err.splitlines()) == (2, "", [f"error: {error}", f"hint: {hint}"])
    assert _rendered(stage.home) == before
    assert not (stage.home / "services").exists()


def test_an_image_without_a_version_is_refused(stage: Stage) -> None:
    stage.engine()
    done = stage.arcctl("service", "add", "web", "--image", "nginx")
    assert (done.code, done.err.splitlines()[0]) == (
        2,
        "error: web: image: a version is needed, such as nginx:1.29-alpine, and latest is none",
    )


def test_a_service_is_added_once(stage: Stage) -> None:
    _added(stage)
    done = stage.arcctl(*WEB)
    assert (done.code, done.err.splitlines()[0]) == (2, "error: 'web' is taken already")


def test_list_shows_what_is_there_and_how_to_begin_where_nothing_is(stage: Stage) -> None:
    stage.engine()
    done = stage.arcctl("service", "list")
    assert (done.out, done.err) == ("", "none yet; next: arcctl service add --help, arcctl service new --help\n")
    _added(stage, "--needs", "nats")
    assert [line.split() for line in stage.arcctl("service", "list").out.splitlines()] == [
        ["SERVICE", "MADE", "FROM", "NEEDS", "FILE"],
        ["web", "nginx:1.29-alpine", "nats", "services/web.yaml"],
    ]
    assert json.loads(stage.arcctl("service", "list", "--json").out) == {
        "schema": "arcctl.service-list/v1",
        "services": [
            {
                "name": "web",
                "title": "web",
                "image": "nginx:1.29-alpine",
                "build": None,
                "needs": ["nats"],
                "file": "services/web.yaml",
            }
        ],
    }


def test_remove_lists_what_would_go_and_refuses_without_a_person(stage: Stage) -> None:
    _added(stage, "--database", "--volume", "data:/data")
    # The kept volume is the service's own; that of Postgres holds the database.
    stage.engine(inspected("web"), container("postgres"), volumes="arc_postgres_data\narc_web_data\n")
    done = stage.arcctl("service", "remove", "web", "--data")
    assert (done.code, done.out, done.err.splitlines()) == (
        2,
        "",
        [
            "containers: web",
            "files: services/web.yaml",
            "data that is destroyed: volume arc_web_data, role own_web, database own_web, secret WEB_DB_PASSWORD",
            "error: refusing to remove a service without being asked by a person",
            "hint: arcctl service remove web --data --yes",
        ],
    )
    assert (stage.home / "services/web.yaml").is_file()


def test_data_that_a_stopped_server_holds_is_not_forgotten(stage: Stage) -> None:
    _added(stage, "--database")
    stage.engine(volumes="arc_postgres_data\n")
    done = stage.arcctl("service", "remove", "web", "--data", "--yes")
    assert (done.code, done.err.splitlines()) == (
        1,
        ["error: postgres holds data of web and does not run", "hint: arcctl up postgres"],
    )
    assert (stage.home / "services/web.yaml").is_file()


def test_remove_leaves_the_home_as_it_was_and_keeps_the_secret_with_the_data(stage: Stage) -> None:
    before = _rendered(stage.home)
    _added(stage, "--database", "--metrics", "/stub")
    stage.engine(inspected("web"), volumes="arc_web_data\n")
    stage.docker.says("compose*stop*")
    stage.docker.says("container rm*")
    done = stage.arcctl("service", "remove", "web", "--yes")
    assert (done.code, done.err.splitlines()[-1]) == (0, "removed web; its data is kept")
    assert "container rm --force arc_web" in stage.docker.calls
    assert [call for call in stage.docker.calls if call.startswith("volume rm")] == []
    assert (_rendered(stage.home), (stage.home / "services").exists()) == (before, False)
    assert "WEB_DB_PASSWORD=" in (stage.home / ".arcctl/secrets.env").read_text()


def test_what_another_one_needs_is_not_removed(stage: Stage) -> None:
    _added(stage)
    assert stage.arcctl("service", "add", "other", "--image", "me/other:1", "--needs", "web").code == 0
    stage.engine()
    done = stage.arcctl("service", "remove", "web", "--yes")
    assert (done.code, done.err.splitlines()) == (2, ["error: other needs web", "hint: arcctl service remove other"])


@pytest.mark.parametrize(
    ("name", "error", "hint"),
    [
        ("redis", "redis belongs to the platform and cannot be removed", "arcctl down redis"),
        ("nobody", "no service of your own is called 'nobody'", "your own: none"),
    ],
)
def test_only_a_service_of_ones_own_is_removed(stage: Stage, name: str, error: str, hint: str) -> None:
    stage.engine()
    done = stage.arcctl("service", "remove", name, "--yes")
    assert (done.code, done.err.splitlines()) == (2, [f"error: {error}", f"hint: {hint}"])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("image: [", "services/shop.yaml, line 1: not YAML"),
        ("", "services/shop.yaml: fields and values are expected here"),
        ("image: me/shop:1\nprots: []\n", "services/shop.yaml: prots: unknown field, did you mean ports?"),
        ("image: me/shop:1\nneeds: [nast]\n", "services/shop.yaml: needs: unknown service nast, did you mean nats?"),
    ],
)
@pytest.mark.parametrize("command", ["info", "up", "health", "ps", "render"])
def test_a_bad_file_is_named_by_every_command_with_what_is_wrong(
    stage: Stage, text: str, error: str, command: str
) -> None:
    stage.engine()
    (stage.home / "services").mkdir()
    (stage.home / "services/shop.yaml").write_text(text)
    done = stage.arcctl(command)
    assert (done.code, done.out, done.err.splitlines()) == (2, "", [f"error: {error}", "hint: edit services/shop.yaml"])


def test_new_makes_a_project_and_goes_on_with_code_that_is_there(stage: Stage) -> None:
    stage.engine()
    done = stage.arcctl("service", "new", "my-agent", "--database")
    (port,) = _ports(stage, "my-agent")
    assert (done.code, done.out, done.err.splitlines()) == (
        0,
        "",
        [
            "services/my-agent.yaml: built from apps/my-agent; "
            f"http://127.0.0.1:{port}; needs otel-collector; database",
            "apps/my-agent: 12 files, begin with README.md",
            "next: arcctl up my-agent",
        ],
    )
    code = stage.home / "apps/my-agent/src/my_agent_service/app.py"
    code.write_text("# mine\n")
    assert stage.arcctl("service", "remove", "my-agent", "--yes").code == 0
    again = stage.arcctl("service", "new", "my-agent", "--database")
    assert (again.code, code.read_text()) == (0, "# mine\n")


def test_health_json_marks_what_is_the_users_own_and_nothing_else(stage: Stage) -> None:
    _added(stage)
    stage.engine()
    report = json.loads(stage.arcctl("health", "web", "redis", "--json").out)
    assert {s["name"]: (s["layer"], s.get("own")) for s in report["services"]} == {
        "web": ("platform", True),
        "redis": ("platform", None),
    }


@pytest.mark.parametrize("command", ["add", "new", "list", "remove"])
def test_the_help_of_each_has_an_example(stage: Stage, command: str) -> None:
    done = stage.arcctl("service", command, "--help")
    assert f"`arcctl service {command}" in " ".join(done.out.split())
