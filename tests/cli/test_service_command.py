"""`service`: what is written, what is said, what is refused."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.cli.command_line import MISSING, CommandLine, Done, container
from tests.fakes.docker import inspected

NAMING = "small letters, digits and single dashes, such as my-agent"
TAKEN = "choose another name"
HELP = "arcctl service add --help"
WEB = ("service", "add", "web", "--image", "nginx:1.29-alpine", "--port", "80")


def _ports(cli: CommandLine, name: str) -> list[int]:
    """The ports of the host that were chosen."""
    said = yaml.safe_load((cli.directory / f"services/{name}.yaml").read_text())
    return [port["host"] for port in said["ports"]]


def _added(cli: CommandLine, *options: str) -> Done:
    cli.engine()
    done = cli.arcctl(*WEB, *options)
    assert done.code == 0, done.err
    return done


def _rendered(directory: Path) -> dict[Path, str]:
    folders = (directory / "compose", directory / "config")
    return {p: p.read_text() for folder in folders for p in folder.rglob("*") if p.is_file() and p.name != ".env"}


def test_add_writes_one_file_says_what_it_is_and_what_comes_next(cli: CommandLine) -> None:
    done = _added(cli, "--probe", "/", "--needs", "redis", "--web", "--env", "COLOUR=blue", "--volume", "data:/data")
    (port,) = _ports(cli, "web")
    assert done.out == ""
    assert done.err.splitlines() == [
        f"services/web.yaml: nginx:1.29-alpine; http://127.0.0.1:{port}; depends on redis; web",
        "next: arcctl up web",
    ]
    assert (cli.directory / "services/web.yaml").read_text() == (
        "# A service of your own. Edit it, then: arcctl up web\n"
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


def test_what_was_added_is_in_every_list_and_in_the_files_that_are_rendered(cli: CommandLine) -> None:
    _added(cli, "--metrics", "/stub", "--database")
    assert "web" in cli.arcctl("info", "web").out
    assert "WEB_HOST_PORT" in cli.arcctl("config", "show").out
    assert cli.arcctl("render", "--check").code == 0
    overlay = yaml.safe_load((cli.directory / "compose/custom.yaml").read_text())
    assert set(overlay["services"]) == {"web", "web-db"}
    assert "job_name: web" in (cli.directory / "config/prometheus/custom.yml").read_text()
    assert '"title": "web: up"' in (cli.directory / "config/grafana/dashboards/overview.json").read_text()
    assert re.search(r"^WEB_DB_PASSWORD=\S{43}$", (cli.directory / ".arcctl/secrets.env").read_text(), re.MULTILINE)


def test_the_same_files_are_rendered_on_an_engine_without_exporters(cli: CommandLine) -> None:
    """The embedded engine leaves components out, and a project may go to Docker later."""
    cli.environment["ARCCTL_ENGINE"] = "embedded"
    _added(cli)
    assert cli.arcctl("render", "--check").code == 0
    assert cli.arcctl("service", "remove", "web", "--yes").code == 0
    assert cli.arcctl("render", "--check").code == 0


def test_compose_gets_the_third_file_only_where_there_is_one(cli: CommandLine) -> None:
    cli.engine()
    cli.docker.says("compose*ps*")
    cli.arcctl("compose", "ps")
    _added(cli)
    cli.docker.says("compose*ps*")
    cli.arcctl("compose", "ps")
    files = [re.findall(r"/compose/(\w+)\.yaml", call) for call in cli.docker.calls if call.endswith(" ps")]
    assert files == [["base", "stack"], ["base", "stack", "custom"]]


@pytest.mark.usefixtures("compose_cli")
def test_compose_without_arcctl_takes_the_three_files(cli: CommandLine) -> None:
    _added(cli, "--database", "--web", "--metrics", "/stub", "--needs", "redis", "--volume", "data:/data")
    words = [word for name in ("base", "stack", "custom") for word in ("-f", f"compose/{name}.yaml")]
    done = subprocess.run(
        ("docker", "compose", *words, "config", "--format", "json"),
        cwd=cli.directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    web = json.loads(done.stdout)["services"]["web"]
    assert set(web["depends_on"]) == {"prometheus", "redis", "traefik", "postgres", "web-db"}
    assert [port["host_ip"] for port in web["ports"]] == ["127.0.0.1"]


def test_two_services_get_different_ports(cli: CommandLine) -> None:
    _added(cli, "--port", "9000")
    assert cli.arcctl("service", "add", "other", "--image", "me/other:1", "--port", "80").code == 0
    assert len({*_ports(cli, "web"), *_ports(cli, "other")}) == 3


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (("redis",), "'redis' is already in use", TAKEN),
        (("socket-proxy",), "'socket-proxy' is already in use", TAKEN),
        (("custom",), "'custom' is already in use", TAKEN),
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
    cli: CommandLine, words: tuple[str, ...], error: str, hint: str
) -> None:
    cli.engine()
    before = _rendered(cli.directory)
    name, *options = words
    done = cli.arcctl("service", "add", name, "--image", "nginx:1.29-alpine", *options)
    assert (done.code, done.out, done.err.splitlines()) == (2, "", [f"error: {error}", f"hint: {hint}"])
    assert _rendered(cli.directory) == before
    assert not (cli.directory / "services").exists()


def test_an_image_without_a_version_is_refused(cli: CommandLine) -> None:
    cli.engine()
    done = cli.arcctl("service", "add", "web", "--image", "nginx")
    assert (done.code, done.err.splitlines()[0]) == (
        2,
        "error: web: image: name a version, such as nginx:1.29-alpine; latest is not a version",
    )


def test_a_service_is_added_once(cli: CommandLine) -> None:
    _added(cli)
    done = cli.arcctl(*WEB)
    assert (done.code, done.err.splitlines()[0]) == (2, "error: 'web' is already in use")


def test_list_shows_what_is_there_and_how_to_begin_where_nothing_is(cli: CommandLine) -> None:
    cli.engine()
    done = cli.arcctl("service", "list")
    assert (done.out, done.err) == (
        "",
        "no services of your own yet; to add one: arcctl service add --help, arcctl service new --help\n",
    )
    _added(cli, "--needs", "nats")
    assert [line.split() for line in cli.arcctl("service", "list").out.splitlines()] == [
        ["SERVICE", "MADE", "FROM", "DEPENDS", "ON", "FILE"],
        ["web", "nginx:1.29-alpine", "nats", "services/web.yaml"],
    ]
    assert json.loads(cli.arcctl("service", "list", "--json").out) == {
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


def test_remove_lists_what_would_go_and_refuses_without_a_person(cli: CommandLine) -> None:
    _added(cli, "--database", "--volume", "data:/data")
    # The kept volume is the service's own; that of Postgres holds the database.
    cli.engine(inspected("web"), container("postgres"), volumes="arc_postgres_data\narc_web_data\n")
    done = cli.arcctl("service", "remove", "web", "--data")
    assert (done.code, done.out, done.err.splitlines()) == (
        2,
        "",
        [
            "containers: web",
            "files: services/web.yaml",
            "data that is destroyed: volume arc_web_data, role own_web, database own_web, secret WEB_DB_PASSWORD",
            "error: refusing to remove a service without confirmation",
            "hint: arcctl service remove web --data --yes",
        ],
    )
    assert (cli.directory / "services/web.yaml").is_file()


def test_data_that_a_stopped_server_holds_is_not_forgotten(cli: CommandLine) -> None:
    _added(cli, "--database")
    cli.engine(volumes="arc_postgres_data\n")
    done = cli.arcctl("service", "remove", "web", "--data", "--yes")
    assert (done.code, done.err.splitlines()) == (
        1,
        ["error: postgres has data of web and does not run", "hint: arcctl up postgres"],
    )
    assert (cli.directory / "services/web.yaml").is_file()


def test_remove_leaves_the_project_as_it_was_and_keeps_the_secret_with_the_data(cli: CommandLine) -> None:
    before = _rendered(cli.directory)
    _added(cli, "--database", "--metrics", "/stub")
    cli.engine(inspected("web"), volumes="arc_web_data\n")
    cli.docker.says("compose*stop*")
    cli.docker.says("container rm*")
    left = cli.arcctl("service", "remove", "web", "--yes")
    assert (left.code, left.err.splitlines()[-2:]) == (3, ["error: not removed: web", "hint: arcctl doctor"])
    cli.docker.says("container inspect*", [], err=MISSING, code=1, after="container rm")
    done = cli.arcctl("service", "remove", "web", "--yes")
    assert (done.code, done.err.splitlines()[-1]) == (0, "removed web; its data is kept")
    assert "container rm --force arc_web" in cli.docker.calls
    assert [call for call in cli.docker.calls if call.startswith("volume rm")] == []
    assert (_rendered(cli.directory), (cli.directory / "services").exists()) == (before, False)
    assert "WEB_DB_PASSWORD=" in (cli.directory / ".arcctl/secrets.env").read_text()


def test_what_another_one_needs_is_not_removed(cli: CommandLine) -> None:
    _added(cli)
    assert cli.arcctl("service", "add", "other", "--image", "me/other:1", "--needs", "web").code == 0
    cli.engine()
    done = cli.arcctl("service", "remove", "web", "--yes")
    assert (done.code, done.err.splitlines()) == (
        2,
        ["error: other depends on web", "hint: arcctl service remove other"],
    )


@pytest.mark.parametrize(
    ("name", "error", "hint"),
    [
        ("redis", "redis belongs to the platform and cannot be removed", "arcctl down redis"),
        ("nobody", "no service of your own is called 'nobody'", "your own: none"),
    ],
)
def test_only_a_service_of_ones_own_is_removed(cli: CommandLine, name: str, error: str, hint: str) -> None:
    cli.engine()
    done = cli.arcctl("service", "remove", name, "--yes")
    assert (done.code, done.err.splitlines()) == (2, [f"error: {error}", f"hint: {hint}"])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "image: [",
            "services/shop.yaml, line 1, column 9: not YAML: expected the node content, but found '<stream end>'",
        ),
        ("", "services/shop.yaml: fields and values are expected here"),
        ("image: me/shop:1\nprots: []\n", "services/shop.yaml: prots: unknown field, did you mean ports?"),
        ("image: me/shop:1\nneeds: [nast]\n", "services/shop.yaml: needs: unknown service nast, did you mean nats?"),
    ],
)
@pytest.mark.parametrize("command", ["info", "up", "health", "ps", "render"])
def test_a_bad_file_is_named_by_every_command_with_what_is_wrong(
    cli: CommandLine, text: str, error: str, command: str
) -> None:
    cli.engine()
    (cli.directory / "services").mkdir()
    (cli.directory / "services/shop.yaml").write_text(text)
    done = cli.arcctl(command)
    assert (done.code, done.out, done.err.splitlines()) == (2, "", [f"error: {error}", "hint: edit services/shop.yaml"])


def test_new_makes_a_project_and_goes_on_with_code_that_is_there(cli: CommandLine) -> None:
    cli.engine()
    done = cli.arcctl("service", "new", "my-agent", "--database")
    (port,) = _ports(cli, "my-agent")
    assert (done.code, done.out, done.err.splitlines()) == (
        0,
        "",
        [
            "services/my-agent.yaml: built from apps/my-agent; "
            f"http://127.0.0.1:{port}; depends on otel-collector; database",
            "apps/my-agent: 12 files, begin with README.md",
            "next: arcctl up my-agent",
        ],
    )
    code = cli.directory / "apps/my-agent/src/my_agent_service/app.py"
    code.write_text("# mine\n")
    assert cli.arcctl("service", "remove", "my-agent", "--yes").code == 0
    again = cli.arcctl("service", "new", "my-agent", "--database")
    assert (again.code, code.read_text()) == (0, "# mine\n")


def test_health_json_marks_what_is_the_users_own_and_nothing_else(cli: CommandLine) -> None:
    _added(cli)
    cli.engine()
    report = json.loads(cli.arcctl("health", "web", "redis", "--json").out)
    assert {s["name"]: (s["layer"], s.get("custom")) for s in report["services"]} == {
        "web": ("platform", True),
        "redis": ("platform", None),
    }


@pytest.mark.parametrize("command", ["add", "new", "list", "remove"])
def test_the_help_of_each_has_an_example(cli: CommandLine, command: str) -> None:
    done = cli.arcctl("service", command, "--help")
    assert f"`arcctl service {command}" in " ".join(done.out.split())
