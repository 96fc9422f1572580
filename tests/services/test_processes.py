"""The built-in services as local processes: the ports they listen on, and where their secrets are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from arcctl import services
from arcctl.engines.embedded.layout import Layout
from arcctl.engines.embedded.translation import local_catalogue, process_of
from arcctl.model.env import ServiceEnv
from arcctl.settings.resolve import Source, missing_secrets, owned, resolve

CHECKOUT = Path(__file__).parents[2]
CATALOGUE = local_catalogue(services.load())
PROCESSES = {key: c for key, c in CATALOGUE.components().items() if c.process}
# 32 characters, because some secrets must have exactly that many.
SECRETS = {name: f"s3ntinel-{name.lower()}".ljust(32, "_")[:32] for name in missing_secrets(CATALOGUE, {})}
PORTS = {name: str(20001 + n) for n, name in enumerate(n for n in owned(CATALOGUE) if n.endswith("_PORT"))}
TOLD = {"JAEGER_HOST_PORT": "30001", "LOKI_HOST_PORT": "30002", "KRATOS_PUBLIC_PORT": "30003"}
TOLD |= {"KRATOS_ADMIN_PORT": "30004", "KRATOS_MAIL_PORT": "30005", "PULSAR_HOST_PORT": "30006"}
TOLD |= {"PULSAR_HTTP_PORT": "30007", "TRAEFIK_HTTP_PORT": "30008", "TRAEFIK_HTTPS_PORT": "30009"}
TOLD |= {"TRAEFIK_DASHBOARD_PORT": "30010", "JAEGER_GRPC_PORT": "30011", "LOKI_GRPC_PORT": "30012"}
_OF_SERVICES = resolve(CATALOGUE, [Source("test", SECRETS | PORTS | TOLD)]).envs
ENVS: dict[str, ServiceEnv] = {k: _OF_SERVICES[i] for i in CATALOGUE.services for k in CATALOGUE.components((i,))}
ANY_ADDRESS = re.compile(r"(?<!:-)0\.0\.0\.0|\[::\]|address: ['\"]?:\d")

each_process = pytest.mark.parametrize("key", PROCESSES)


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """All processes, with their files written below a folder of their own."""
    base, program = tmp_path_factory.mktemp("processes"), Path("/bin/sh")
    envs = {key: ENVS[key] for key in PROCESSES}
    found = Layout(base, CHECKOUT, PROCESSES, envs, dict.fromkeys(PROCESSES, (program, program.parent)))
    for key in PROCESSES:
        found.write(key)
    return found


@pytest.fixture
def files(layout: Layout, key: str) -> Mapping[str, str]:
    """The text of each file of a process, by its path in the container; the start script is `start`."""
    run = Path(layout.environment(key)["HOME"])
    return {path.relative_to(run).as_posix(): path.read_text() for path in run.rglob("*") if path.is_file()}


def test_it_reads_no_copy_of_a_file_that_is_gone(layout: Layout) -> None:
    copies = Path(layout.environment("kratos")["HOME"]) / "etc/kratos"
    before = sorted(copies.iterdir())
    (copies / "old.yml").touch()
    layout.write("kratos")
    assert sorted(copies.iterdir()) == before


def _properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def _document(files: Mapping[str, str], path: str) -> Any:
    return _properties(files[path]) if path.startswith("pulsar/") else yaml.safe_load(files[path])


@each_process
def test_its_arguments_have_no_secret(layout: Layout, key: str) -> None:
    process = process_of(PROCESSES[key])
    words = (*layout.words(key, process.command(ENVS[key])), *layout.words(key, process.first_run or ("true",)))
    assert [word for word in words if "s3ntinel" in word] == []


@each_process
def test_it_is_told_the_port_of_each_setting(key: str, files: Mapping[str, str]) -> None:
    listening = {int(number) for text in files.values() for number in re.findall(r"(?<!\d)\d{5}(?!\d)", text)}
    component = PROCESSES[key]
    wanted = {port.host for port in (*component.network.ports(ENVS[key]), *process_of(component).ports(ENVS[key]))}
    assert wanted <= listening


@each_process
def test_with_other_ports_nothing_that_it_reads_has_a_usual_one(key: str, files: Mapping[str, str]) -> None:
    usual = {str(variable.default) for name, (_, variable) in owned(CATALOGUE).items() if name.endswith("_PORT")}
    usual -= UNUSED.get(key, set())
    found = {path: [line for line in text.splitlines() if _numbers(line) & usual] for path, text in files.items()}
    assert {path: lines for path, lines in found.items() if lines and not path.endswith(".env.example")} == {}


UNUSED = {"redis": {"6379"}, "kratos-migrate": {"4433", "4434"}}
"""What is in a file, while an argument says another one, or while nothing listens."""


def _numbers(line: str) -> set[str]:
    return set(re.findall(r"(?<![\w.$-])\d{2,5}(?![\w.-])", line.partition(" #")[0]))


@each_process
def test_with_ports_that_are_those_of_other_containers_each_still_gets_its_own(
    key: str, layout: Layout, files: Mapping[str, str], tmp_path: Path
) -> None:
    """As where two ports of a service are swapped: a translated port is not translated again."""
    component, env = PROCESSES[key], ENVS[key]
    known = (*component.network.ports(env), *process_of(component).ports(env))
    swapped = dict(zip((str(p.host) for p in known), (str(p.container) for p in reversed(known)), strict=True))
    variables = {str(v): name for name, v in (SECRETS | PORTS | TOLD).items() if str(v) in swapped}
    values = SECRETS | PORTS | TOLD | {variables[old]: new for old, new in swapped.items()}
    of_services = resolve(CATALOGUE, [Source("test", values)]).envs
    envs = {k: of_services[i] for i in CATALOGUE.services for k in CATALOGUE.components((i,))}
    program = Path("/bin/sh")
    other = Layout(tmp_path, CHECKOUT, PROCESSES, envs, dict.fromkeys(PROCESSES, (program, program.parent)))
    other.write(key)
    run = Path(other.environment(key)["HOME"])
    before = str(Path(layout.environment(key)["HOME"]).parents[1])
    pattern = re.compile(rf"(?<!\d)({'|'.join(swapped)})(?!\d)") if swapped else re.compile("(?!)")
    for path, text in files.items():
        expected = pattern.sub(lambda m: swapped[m[1]], text).replace(before, str(tmp_path))
        assert _read((run / path).read_text()) == _read(expected), path


def _read(text: str) -> list[str]:
    """The lines that a process reads: only the start script of Pulsar's container reads its listeners from there."""
    return [line for line in text.splitlines() if "PULSAR_PREFIX_" not in line]


@each_process
def test_no_file_makes_it_listen_on_every_address(files: Mapping[str, str]) -> None:
    assert {path: ANY_ADDRESS.findall(text) for path, text in files.items() if ANY_ADDRESS.search(text)} == {}


@each_process
def test_each_of_its_files_is_what_its_name_says(files: Mapping[str, str]) -> None:
    for path, text in files.items():
        if path.endswith(".json"):
            assert json.loads(text), path
        if path.endswith((".yml", ".yaml")):
            assert list(yaml.safe_load_all(text)), path


@pytest.mark.parametrize(
    ("key", "path", "place", "expected"),
    [
        (
            "jaeger",
            "etc/jaeger/config.yaml",
            "extensions.jaeger_query",
            {"http": {"endpoint": "127.0.0.1:30001"}, "grpc": {"endpoint": "127.0.0.1:30011"}},
        ),
        (
            "loki",
            "etc/loki/config.yaml",
            "server",
            {
                "http_listen_address": "127.0.0.1",
                "http_listen_port": 30002,
                "grpc_listen_address": "127.0.0.1",
                "grpc_listen_port": 30012,
            },
        ),
        ("kratos", "etc/kratos/kratos.yml", "serve.public", {"host": "127.0.0.1", "port": 30003}),
        ("kratos", "etc/kratos/kratos.yml", "serve.admin", {"host": "127.0.0.1", "port": 30004}),
        (
            "pulsar",
            "pulsar/conf/standalone.conf",
            "",
            {
                "brokerServicePort": "30006",
                "webServicePort": "30007",
                "bindAddress": "127.0.0.1",
                "advertisedListeners": "external:pulsar://127.0.0.1:30006",
            },
        ),
        ("pulsar", "pulsar/conf/log4j2.properties", "", {"rootLogger.level": "warn"}),
        ("traefik", "etc/traefik/traefik.yml", "entryPoints.web", {"address": "127.0.0.1:30008"}),
        ("traefik", "etc/traefik/traefik.yml", "entryPoints.websecure", {"address": "127.0.0.1:30009"}),
        ("traefik", "etc/traefik/traefik.yml", "entryPoints.traefik", {"address": "127.0.0.1:30010"}),
    ],
)
def test_its_configuration_has_the_ports_of_its_settings(
    files: Mapping[str, str], path: str, place: str, expected: Mapping[str, object]
) -> None:
    found = _document(files, path)
    for name in filter(None, place.split(".")):
        found = found[name]
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("key", ["traefik"])
def test_the_gateway_reads_routes_from_a_file_and_accepts_one_user(files: Mapping[str, str]) -> None:
    assert list(yaml.safe_load(files["etc/traefik/traefik.yml"])["providers"]) == ["file"]
    assert "jaeger" in yaml.safe_load(files["etc/traefik/dynamic/routes.yml"])["http"]["routers"]
    assert SECRETS["TRAEFIK_PASSWORD"] == "s3ntinel-traefik_password_______"
    assert files["tmp/users"] == "arc:{SHA}/GsWKQ0B5l/dNUfQ4cMn/QPHeW0=\n"
