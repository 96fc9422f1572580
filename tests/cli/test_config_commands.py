"""`config set`, `diff` and `validate`: checked first, written whole, and no secret is ever shown."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from arcctl.settings import known_projects
from arcctl.settings.known_projects import KnownProject
from tests.cli.command_line import CommandLine, Done

PROGRAM = Path(sys.executable).with_name("arcctl")
CUSTOM = "an-own-secret-0123456789"


def _file(cli: CommandLine, service: str = "redis") -> Path:
    return cli.directory / "config" / service / ".env"


@pytest.fixture
def idle(cli: CommandLine) -> CommandLine:
    """A project in which nothing was started."""
    cli.engine()
    return cli


@pytest.mark.parametrize("key", ["REDIS_HOST_PORT", "HOST_PORT", "host_port", "host-port"])
def test_a_setting_is_written_whatever_way_its_name_is_written(idle: CommandLine, key: str) -> None:
    assert idle.arcctl("config", "set", "redis", key, "6400") == Done(
        0,
        "REDIS_HOST_PORT: 6379 (default) -> 6400 (config/redis/.env)\n",
        "no running container is affected\n",
    )
    assert _file(idle).read_text() == "REDIS_HOST_PORT=6400\n"
    assert stat.S_IMODE(_file(idle).stat().st_mode) == 0o600
    assert "\nREDIS_HOST_PORT=6400\n" in (idle.directory / ".arcctl" / "compose.env").read_text()


def test_unset_takes_the_line_out_and_leaves_all_others(idle: CommandLine) -> None:
    _file(idle).write_text("# mine\nREDIS_HOST_PORT=6400\nREDIS_IMAGE_TAG=8.12.0-alpine\n")
    assert idle.arcctl("config", "set", "redis", "host_port", "--unset") == Done(
        0,
        "REDIS_HOST_PORT: 6400 (config/redis/.env) -> 6379 (default)\n",
        "no running container is affected\n",
    )
    assert _file(idle).read_text() == "# mine\nREDIS_IMAGE_TAG=8.12.0-alpine\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("redis", "host_prot", "1"), "error: redis has no setting HOST_PROT\nhint: did you mean REDIS_HOST_PORT?\n"),
        (("redsi", "host_port", "1"), "error: unknown service 'redsi'\nhint: did you mean redis?\n"),
        (("all", "host_port", "1"), "error: all stands for several services\nhint: name one of them\n"),
        (
            ("redis", "loki_host_port", "1"),
            "error: LOKI_HOST_PORT belongs to loki\nhint: arcctl config set loki LOKI_HOST_PORT\n",
        ),
        (("redis", "host_port", "s3ntinel"), "error: REDIS_HOST_PORT: input should be a valid integer"),
        (("redis", "host_port", "70000"), "error: REDIS_HOST_PORT: input should be less than or equal to 65535"),
        (("redis", "image_tag", "a b"), "error: REDIS_IMAGE_TAG: is no tag of an image"),
        (
            ("redis", "password", "s3ntinel-in-the-command-line"),
            "error: REDIS_PASSWORD is a secret, and others see a command line\n"
            "hint: to read it from stdin: arcctl config set redis REDIS_PASSWORD -\n",
        ),
        (
            ("redis", "password"),
            "error: no value for REDIS_PASSWORD\nhint: arcctl config set redis REDIS_PASSWORD -\n",
        ),
        (
            ("redis", "host_port"),
            "error: no value for REDIS_HOST_PORT\nhint: arcctl config set redis REDIS_HOST_PORT VALUE\n",
        ),
        (
            ("redis", "host_port", "1", "--unset"),
            "error: --unset takes no value\nhint: arcctl config set redis host_port --unset\n",
        ),
        (("infisical", "identity_id", "x"), "error: infisical has no setting IDENTITY_ID"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    idle: CommandLine, words: tuple[str, ...], error: str
) -> None:
    done = idle.arcctl("config", "set", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(error)
    assert "s3ntinel" not in done.err
    assert not _file(idle).exists()


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (CUSTOM, 0, ""),
        ("changeme", 2, "an example value that everybody knows"),
        ("", 2, "is empty"),
        ("s3n$x", 2, "is empty"),
    ],
)
def test_a_secret_comes_from_stdin_and_is_checked_and_never_shown(
    idle: CommandLine, given: str, code: int, said: str
) -> None:
    done = subprocess.run(
        (PROGRAM, "--project-directory", idle.directory, "config", "set", "redis", "PASSWORD", "-"),
        env={**os.environ, "PATH": idle.docker.path, "ARCCTL_ENGINE": "docker"},
        input=f"{given}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, _file(idle).exists()) == (code, code == 0)
    assert said in done.stderr
    if code == 0:
        assert done.stdout == "REDIS_PASSWORD: ******** (.arcctl/secrets.env) -> ******** (config/redis/.env)\n"
        assert given not in done.stderr


def test_dry_run_shows_the_change_and_writes_nothing(idle: CommandLine) -> None:
    done = idle.arcctl("config", "set", "redis", "host_port", "6400", "--dry-run")
    assert done == Done(0, "REDIS_HOST_PORT: 6379 (default) -> 6400 (config/redis/.env)\n", "nothing was written\n")
    assert not _file(idle).exists()


def test_a_value_that_does_not_fit_now_can_be_put_right(idle: CommandLine) -> None:
    _file(idle).write_text("REDIS_HOST_PORT=many\n")
    _file(idle, "loki").write_text("LOKI_HOST_PORT=more\n")
    first = idle.arcctl("config", "set", "redis", "host_port", "6400")
    assert (first.code, _file(idle).read_text()) == (0, "REDIS_HOST_PORT=6400\n")
    assert "another setting is invalid: LOKI_HOST_PORT: input should be a valid integer" in first.err
    assert idle.arcctl("config", "set", "loki", "host_port", "--unset").code == 0
    assert idle.arcctl("config", "validate").code == 0


def test_the_environment_is_stronger_and_the_change_says_so(idle: CommandLine) -> None:
    idle.environment["REDIS_HOST_PORT"] = "6500"
    done = idle.arcctl("config", "set", "redis", "host_port", "6400")
    assert done.out == "REDIS_HOST_PORT: 6500 (environment) -> 6500 (environment)\n"
    assert "warning: the process environment sets REDIS_HOST_PORT too, and overrides the file" in done.err


def test_without_an_engine_the_setting_is_written_all_the_same(cli: CommandLine) -> None:
    cli.docker.says("*", err="Cannot connect to the Docker daemon", code=1)
    (cli.directory / ".arcctl" / "started.json").write_text('["redis"]\n')
    done = cli.arcctl("config", "set", "redis", "host_port", "6400", "--json")
    document = json.loads(done.out)
    assert (done.code, document["written"], document["recreated"]) == (0, True, None)


def test_diff_lists_what_is_not_the_default_and_not_what_was_generated(idle: CommandLine) -> None:
    assert idle.arcctl("config", "diff") == Done(0, "", "every setting has its default\n")
    _file(idle).write_text(f"REDIS_PASSWORD={CUSTOM}\nREDIS_HOST_PORT=6379\nREDIS_IMAGE_TAG=8.12.0-alpine\n")
    document = json.loads(idle.arcctl("config", "diff", "--json").out)
    assert document["schema"] == "arcctl.config-diff/v1"
    assert [(s["name"], s["value"], s["default"], s["origin"]) for s in document["settings"]] == [
        ("REDIS_PASSWORD", "********", None, "config/redis/.env"),
        ("REDIS_IMAGE_TAG", "8.12.0-alpine", "8.10.1-alpine", "config/redis/.env"),
    ]
    shown = [line.split() for line in idle.arcctl("config", "diff").out.splitlines()]
    assert shown[0] == ["SETTING", "VALUE", "DEFAULT", "ORIGIN", "MEANING"]
    assert shown[1][:4] == ["REDIS_PASSWORD", "********", "(generated)", "config/redis/.env"]


def test_validate_says_what_is_wrong_as_one_document(idle: CommandLine) -> None:
    good = idle.arcctl("config", "validate", "--json")
    assert (good.code, json.loads(good.out)["status"], json.loads(good.out)["warnings"]) == (0, "ok", [])
    _file(idle).write_text("REDIS_HOST_PROT=1\n")
    bad = idle.arcctl("config", "validate", "--json")
    document = json.loads(bad.out)
    assert (bad.code, bad.err, document["error"]["code"]) == (2, "", "invalid-settings")
    assert "did you mean REDIS_HOST_PORT?" in document["error"]["message"]


def test_a_tag_is_of_no_use_on_an_engine_without_images_and_that_is_said(idle: CommandLine) -> None:
    said = "warning: the embedded engine runs no images: REDIS_IMAGE_TAG changes nothing there"
    for engine, told in (("docker", False), ("embedded", True)):
        idle.environment["ARCCTL_ENGINE"] = engine
        done = idle.arcctl("config", "set", "redis", "image_tag", "8.12.0-alpine", "--dry-run")
        assert (done.code, said in done.err) == (0, told)
    assert said not in idle.arcctl("config", "set", "redis", "image_tag", "--unset").err


def test_the_registry_mirror_belongs_to_no_service(idle: CommandLine) -> None:
    name, mirror = "ARCCTL_IMAGES_REGISTRY", "mirror.example.com/hub"
    assert idle.arcctl("config", "set", "images", "registry", mirror) == Done(
        0, f"{name}: (not set) (default) -> {mirror} (config/images/.env)\n", "no running container is affected\n"
    )
    assert _file(idle, "images").read_text() == f"{name}={mirror}\n"
    assert f"\n{name}={mirror}\n" in f"\n{(idle.directory / '.arcctl' / 'compose.env').read_text()}"
    assert f"warning: the embedded engine runs no images: {name}" in _embedded(idle, "registry", mirror).err
    listed = json.loads(idle.arcctl("config", "diff", "--json").out)["settings"]
    assert [(s["name"], s["service"], s["value"], s["default"]) for s in listed] == [(name, "images", mirror, "")]
    assert idle.arcctl("config", "set", "images", "registry", "--unset").code == 0
    assert _file(idle, "images").read_text() == ""


def _embedded(idle: CommandLine, *words: str) -> Done:
    idle.environment["ARCCTL_ENGINE"] = "embedded"
    done = idle.arcctl("config", "set", "images", *words, "--dry-run")
    del idle.environment["ARCCTL_ENGINE"]
    return done


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("registry", "https://a.b"), "error: ARCCTL_IMAGES_REGISTRY is written without https://\nhint: arcctl config"),
        (("tag", "1"), "error: images has no setting TAG\n"),
    ],
)
def test_a_wrong_setting_of_images_is_refused(idle: CommandLine, words: tuple[str, ...], error: str) -> None:
    done = idle.arcctl("config", "set", "images", *words)
    assert (done.code, done.err.startswith(error), _file(idle, "images").exists()) == (2, True, False)


def test_a_mirror_is_used_by_every_image_also_that_of_an_own_service(idle: CommandLine) -> None:
    made = ("service", "add", "web", "--image", "quay.io/a/web:1", "--port", "80")
    assert idle.arcctl(*made).code == 0
    idle.arcctl("config", "set", "images", "registry", "mirror.example.com")
    images = json.loads(idle.arcctl("images", "list", "--json").out)["images"]
    assert {i["registry"] for i in images} == {"mirror.example.com", None}
    assert "mirror.example.com/a/web:1" in {i["reference"] for i in images}
    assert "image: ${ARCCTL_IMAGES_REGISTRY:-quay.io}/a/web:" in (idle.directory / "compose/custom.yaml").read_text()


LOKI_GRPC = "port 9095 is used twice: by loki (GRPC_PORT) and by redis (HOST_PORT)"


def test_a_port_of_another_service_is_refused_with_a_free_one(idle: CommandLine) -> None:
    said = "error: port 5432 is used twice: by postgres (HOST_PORT) and by redis (HOST_PORT)\n"
    done = idle.arcctl("config", "set", "redis", "host_port", "5432")
    assert (done.code, done.out, done.err.startswith(f"{said}hint: arcctl config set redis HOST_PORT 54")) == (
        2,
        "",
        True,
    )
    assert not _file(idle).exists()
    assert idle.arcctl("config", "set", "redis", "host_port", "9095").code == 0  # containers have theirs for themselves


def test_a_port_of_a_local_process_is_refused(idle: CommandLine) -> None:
    said = f"error: {LOKI_GRPC}\nhint: arcctl config set redis HOST_PORT 90"
    idle.environment["ARCCTL_ENGINE"] = "embedded"
    assert idle.arcctl("config", "set", "redis", "host_port", "9095").err.startswith(said)
    _file(idle).write_text("REDIS_HOST_PORT=9095\n")
    assert idle.arcctl("config", "validate").err.startswith(said)
    idle.environment["ARCCTL_ENGINE"] = "docker"
    assert idle.arcctl("config", "validate").code == 0


def test_a_port_that_only_processes_need_changes_nothing_on_docker_and_that_is_said(idle: CommandLine) -> None:
    done = idle.arcctl("config", "set", "LOKI_GRPC_PORT=9096")
    assert "on the docker engine containers have this port for themselves" in done.err
    idle.environment["ARCCTL_ENGINE"] = "embedded"
    assert "containers" not in idle.arcctl("config", "set", "LOKI_GRPC_PORT=9097", "--dry-run").err


def test_several_settings_are_written_at_once(idle: CommandLine) -> None:
    assert idle.arcctl("config", "set", "REDIS_HOST_PORT=6400", "NATS_HOST_PORT=4300", "REDIS_IMAGE_TAG=8.12") == Done(
        0,
        "REDIS_HOST_PORT: 6379 (default) -> 6400 (config/redis/.env)\n"
        "NATS_HOST_PORT: 4222 (default) -> 4300 (config/nats/.env)\n"
        "REDIS_IMAGE_TAG: 8.10.1-alpine (default) -> 8.12 (config/redis/.env)\n",
        "no running container is affected\n",
    )
    assert _file(idle).read_text() == "REDIS_HOST_PORT=6400\nREDIS_IMAGE_TAG=8.12\n"
    assert _file(idle, "nats").read_text() == "NATS_HOST_PORT=4300\n"
    assert "\nNATS_HOST_PORT=4300\n" in (idle.directory / ".arcctl" / "compose.env").read_text()


def test_several_settings_are_one_document(idle: CommandLine) -> None:
    done = idle.arcctl("config", "set", "REDIS_HOST_PORT=6400", "NATS_HOST_PORT=4300", "--dry-run", "--json")
    document = json.loads(done.out)
    assert (document["schema"], document["written"]) == ("arcctl.config-set-several/v1", False)
    assert [(c["name"], c["after"]["value"]) for c in document["changes"]] == [
        ("REDIS_HOST_PORT", "6400"),
        ("NATS_HOST_PORT", "4300"),
    ]
    assert not _file(idle).exists()


def test_two_ports_can_be_swapped(idle: CommandLine) -> None:
    assert idle.arcctl("config", "set", "KRATOS_PUBLIC_PORT=4434", "KRATOS_ADMIN_PORT=4433").code == 0
    assert idle.arcctl("config", "set", "KRATOS_PUBLIC_PORT", "KRATOS_ADMIN_PORT", "--unset").code == 0
    assert _file(idle, "kratos").read_text() == ""


def test_some_are_set_and_others_unset_in_one_call(idle: CommandLine) -> None:
    _file(idle).write_text("REDIS_HOST_PORT=6400\n")
    done = idle.arcctl("config", "set", "NATS_HOST_PORT=6400", "REDIS_HOST_PORT", "--unset")
    assert (done.code, _file(idle).read_text(), _file(idle, "nats").read_text()) == (0, "", "NATS_HOST_PORT=6400\n")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("NATS_HOST_PORT=4300", "REDIS_HOST_PORT=x"), "error: REDIS_HOST_PORT: input should be a valid integer"),
        (
            ("NATS_HOST_PORT=4300", "REDIS_HOST_PROT=1"),
            "error: there is no setting REDIS_HOST_PROT\nhint: did you mean",
        ),
        (("NATS_HOST_PORT=6390", "REDIS_HOST_PORT=6390"), "error: port 6390 is used twice"),
        (("NATS_HOST_PORT=4300", "NATS_HOST_PORT=4301"), "error: NATS_HOST_PORT is given twice"),
        (("NATS_HOST_PORT=4300", "REDIS_HOST_PORT"), "error: no value for REDIS_HOST_PORT\nhint: arcctl config set"),
        (
            ("NATS_HOST_PORT=4300", "REDIS_PASSWORD=s3ntinel"),
            "error: REDIS_PASSWORD is a secret, and others see a command line\n"
            "hint: to read it from stdin: arcctl config set REDIS_PASSWORD=-\n",
        ),
        (("REDIS_PASSWORD=-", "NATS_PASSWORD=-"), "error: stdin has one value, and two are to be read from it"),
        (("NATS_HOST_PORT=4300", "redis"), "error: there is no setting redis"),
        (("redis",), "error: a service, a key and a value are expected"),
    ],
)
def test_where_one_of_several_does_not_fit_none_is_written(
    idle: CommandLine, words: tuple[str, ...], error: str
) -> None:
    done = idle.arcctl("config", "set", *words)
    assert (done.code, done.out, done.err[: len(error)]) == (2, "", error)
    assert "s3ntinel" not in done.err
    assert not _file(idle, "nats").exists()
    assert not _file(idle).exists()


def test_a_port_of_another_project_is_set_with_a_warning_that_names_it(idle: CommandLine) -> None:
    other = KnownProject(id="b", name="shop", directory=str(idle.directory), ports={"REDIS_HOST_PORT": 6500})
    known_projects.remember(other)
    done = idle.arcctl("config", "set", "redis", "host_port", "6500")
    said = f"warning: port 6500 is also one of the project shop ({idle.directory}): only one of the two can be up\n"
    assert (done.code, said in done.err) == (0, True)


def test_other_projects_know_a_port_that_was_set(idle: CommandLine) -> None:
    assert idle.arcctl("init").code == 0
    assert idle.arcctl("config", "set", "REDIS_HOST_PORT=6400").code == 0
    (entry,) = known_projects.known()
    assert entry.ports["REDIS_HOST_PORT"] == 6400


def test_a_port_can_be_chosen_while_another_setting_is_invalid(idle: CommandLine) -> None:
    _file(idle, "loki").write_text("LOKI_HOST_PORT=x\n")
    assert idle.arcctl("config", "set", "redis", "host_port", "5432").code == 0
