"""What every declaration keeps to, of built-in and of custom services and of their components."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from arcctl import services
from arcctl.custom import declare as custom_services
from arcctl.model.backup_method import Folder
from arcctl.model.data_store import Databases, Flags, Identities, Streams, Topics
from arcctl.model.env import ServiceEnv, symbolic, variables
from arcctl.model.graph import closure
from arcctl.model.names import PROJECT
from arcctl.model.service import BindMount, Component, ConfigFile, HostPath, Layer, Role, Service, Volume
from arcctl.model.telemetry import Signal
from arcctl.settings.built_images import of_project
from arcctl.settings.resolve import Source, missing_secrets, owned, resolve
from tests.fakes.custom_examples import EXAMPLES

CHECKOUT = Path(__file__).parents[2]
CATALOGUE = custom_services.catalogue(EXAMPLES)
SERVICES = tuple(CATALOGUE.services)
CONTAINERS = CATALOGUE.components()
OWNERS = {key: i for i in SERVICES for key in CATALOGUE.components((i,))}
# 32 characters, because some secrets must have exactly that many.
SENTINELS = {name: f"s3ntinel-{name.lower()}".ljust(32, "_")[:32] for name in missing_secrets(CATALOGUE, {})}
ENVS = resolve(CATALOGUE, [Source("test", SENTINELS)]).envs
PINNED = re.compile(r"[a-z0-9][\w./-]*:v?\d[\w.-]*")

each_service = pytest.mark.parametrize("name", SERVICES)
each_container = pytest.mark.parametrize("key", CONTAINERS)


def _service(name: str) -> Service[ServiceEnv]:
    return CATALOGUE.services[name]


def _env(key: str) -> ServiceEnv:
    """Real settings of a container, with a sentinel in place of each secret."""
    return ENVS[OWNERS[key]]


def _host_ports(key: str) -> list[int]:
    return [port.host for port in CONTAINERS[key].network.ports(_env(key))]


def _visible(key: str) -> str:
    """All that `docker inspect` shows of a container."""
    component, env = CONTAINERS[key], _env(key)
    words = (
        *component.container.entrypoint,
        *component.container.command,
        *(component.checks.healthcheck.test if component.checks.healthcheck else ()),
    )
    return repr((words, dict(component.container.environment(env)), dict(component.network.labels(env))))


def _declared(component: Component[ServiceEnv]) -> str:
    """Everything that a declaration makes of its settings, each written as its own variable."""
    env = symbolic(component.env)
    made = [
        component.container.environment(env),
        component.network.labels(env),
        *map(asdict, component.network.ports(env)),
        *map(asdict, component.process.ports(env) if component.process else ()),
    ]
    made += map(asdict, component.storage.mounts(env))
    if isinstance(component, Service):
        made += [asdict(component.checks.probe(env)), *map(asdict, component.network.endpoints(env))]
    return repr(made)


def _set_up(service: Service[ServiceEnv]) -> str:
    """The resources as data, secrets and all."""
    return repr([asdict(resource) for resource in service.setup.resources(symbolic(service.env))])


def test_each_module_declares_a_service_and_no_key_is_used_twice() -> None:
    assert set(SERVICES) == {*services.names(), *EXAMPLES}
    keys = [*SERVICES, *(h.id for s in CATALOGUE.services.values() for h in s.components)]
    assert [key for key, times in Counter(keys).items() if times > 1] == []


@each_service
def test_its_id_is_its_file_name(name: str) -> None:
    assert _service(name).id == name


@pytest.mark.parametrize("name", services.names())
def test_its_module_has_a_summary(name: str) -> None:
    assert services.summary(name).endswith(".")


@each_service
def test_each_of_its_settings_says_what_it_is_for(name: str) -> None:
    assert [v.name for v in variables(_service(name).env) if not v.description.endswith(".")] == []


@each_service
def test_its_settings_start_with_its_name(name: str) -> None:
    prefix = name.upper().replace("-", "_") + "_"
    assert _service(name).env.env_prefix == prefix
    assert [v.name for v in variables(_service(name).env) if not v.shared and not v.name.startswith(prefix)] == []


@each_service
def test_each_of_its_own_settings_changes_something(name: str) -> None:
    said = "".join(map(_declared, CATALOGUE.components((name,)).values())) + _set_up(_service(name))
    own = [v for v in variables(_service(name).env) if not v.server_issued]
    assert [v.name for v in own if f"${{{v.name}" not in said] == []


@each_container
def test_an_address_for_the_host_has_the_port_of_a_setting(key: str) -> None:
    """What a server gives to browsers and clients, such as the beginning of its links."""
    component, env = CONTAINERS[key], symbolic(CONTAINERS[key].env)
    texts = [f"{name}={text}" for name, text in component.container.environment(env).items()]
    texts += [mount.text for mount in component.storage.mounts(env) if isinstance(mount, ConfigFile)]
    address = re.compile(r"//[\w.${}:-]*?\blocalhost(?!\}?:\$\{\w+PORT)[^\s,\"']*")
    assert [found for text in texts for found in address.findall(text)] == []


@each_service
def test_a_shared_secret_belongs_to_a_service_that_it_needs(name: str) -> None:
    owners = {v.name: owned(CATALOGUE)[v.name][0] for v in variables(_service(name).env) if v.shared and v.secret}
    assert set(owners.values()) <= set(closure((name,), CATALOGUE)) - {name}


@each_service
def test_each_of_its_secrets_can_be_generated_and_has_no_default(name: str) -> None:
    secrets = [v for v in variables(_service(name).env) if v.secret and not (v.shared or v.server_issued)]
    assert [v.name for v in secrets if v.generate is None or v.default is not None] == []


@each_service
def test_its_probe_asks_a_port_that_is_published(name: str) -> None:
    service = _service(name)
    assert service.checks.probe(ENVS[name]).port in {p.container for p in service.network.ports(ENVS[name])}


@each_service
def test_it_has_an_endpoint_and_each_leads_to_a_port_of_its_own(name: str) -> None:
    endpoints = _service(name).network.endpoints(ENVS[name])
    published = {port for key in CATALOGUE.components((name,)) for port in _host_ports(key)}
    assert endpoints
    assert [endpoint.url for endpoint in endpoints if (urlsplit(endpoint.url).port or 80) not in published] == []


@each_service
def test_neither_its_probe_nor_its_endpoints_print_a_secret(name: str) -> None:
    shown = repr((_service(name).checks.probe(ENVS[name]), _service(name).network.endpoints(ENVS[name])))
    assert "s3ntinel" not in shown


@each_service
def test_neither_its_smoke_tests_nor_its_resources_print_a_secret(name: str) -> None:
    service = _service(name)
    assert "s3ntinel" not in repr((service.checks.smoke_tests(ENVS[name]), service.setup.resources(ENVS[name])))


@each_service
def test_its_data_stores_are_at_its_own_ports_and_print_no_secret(name: str) -> None:
    held = _service(name).storage.data_stores(ENVS[name])
    published = {port.container for port in _service(name).network.ports(ENVS[name])}
    calls = [c for h in held if isinstance(h, Flags | Identities) for c in vars(h).values()]
    ports = [value for h in (*held, *calls) for field, value in vars(h).items() if field.endswith("port")]
    assert [port for port in ports if port not in published] == []
    assert "s3ntinel" not in repr(held)


@pytest.mark.parametrize("kind", [Databases, Topics, Streams, Flags, Identities])
def test_one_service_has_each_kind_of_data_store(kind: type[object]) -> None:
    assert (
        len([s for i, s in CATALOGUE.services.items() for h in s.storage.data_stores(ENVS[i]) if isinstance(h, kind)])
        == 1
    )


def test_a_migration_is_an_init_container_of_its_service() -> None:
    services = [service for service in CATALOGUE.services.values() if service.setup.migration]
    own = {service.id: {c.id for c in service.components if c.role is Role.INIT} for service in services}
    assert [service.id for service in services if service.setup.migration not in own[service.id]] == []
    assert services


@each_service
def test_a_server_issued_secret_is_taken_by_one_of_its_resources(name: str) -> None:
    service = _service(name)
    taken = repr(service.setup.resources(ENVS[name]))
    assert [v.name for v in variables(service.env) if v.server_issued and f"'{v.field}': " not in taken] == []


@each_service
def test_its_components_use_the_settings_of_their_service(name: str) -> None:
    assert [h.id for h in _service(name).components if h.env is not _service(name).env] == []


@each_container
def test_its_image_is_pinned(key: str) -> None:
    assert PINNED.fullmatch(of_project(CATALOGUE, PROJECT).components()[key].container.image)


def test_no_two_containers_publish_the_same_port_of_the_host() -> None:
    ports = Counter(port for key in CONTAINERS for port in _host_ports(key))
    assert [port for port, times in ports.items() if times > 1] == []


@each_container
def test_the_names_of_its_ports_are_different(key: str) -> None:
    names = [port.name for port in CONTAINERS[key].network.ports(_env(key))]
    assert sorted(set(names)) == sorted(names)


@each_container
def test_what_it_mounts_is_in_its_own_folder_of_the_configuration(key: str) -> None:
    sources = [m.source for m in CONTAINERS[key].storage.mounts(_env(key)) if isinstance(m, BindMount)]
    assert [s for s in sources if not (CHECKOUT / "config" / s).exists()] == []
    assert {s.partition("/")[0] for s in sources} <= {OWNERS[key]}


def test_what_servers_read_of_the_configuration_is_a_file_where_it_has_a_suffix() -> None:
    paths = {path: CHECKOUT / "config" / path for path in services.load().config_paths()}
    assert {"nats/arc.conf", "kratos/kratos.yml", "prometheus/prometheus.yml", "kratos"} <= set(paths)
    assert {path for path, found in paths.items() if found.is_file() != bool(found.suffix)} == set()


@each_container
def test_inspect_shows_no_secret(key: str) -> None:
    assert "s3ntinel" not in _visible(key)


@each_container
def test_its_files_with_secrets_do_not_print_them_and_only_their_owner_reads_them(key: str) -> None:
    files = [m for m in CONTAINERS[key].storage.mounts(_env(key)) if isinstance(m, ConfigFile)]
    assert "s3ntinel" not in repr(files)
    assert {file.mode for file in files if "s3ntinel" in file.text} <= {0o400}


@each_container
def test_a_file_made_by_compose_needs_a_root_that_can_be_written(key: str) -> None:
    """Compose refuses to write `configs` with content into a read-only container."""
    inline = any(isinstance(m, ConfigFile) for m in CONTAINERS[key].storage.mounts(_env(key)))
    assert not (inline and CONTAINERS[key].container.read_only)


def test_only_the_socket_proxy_sees_the_engine_and_it_is_not_on_the_common_network() -> None:
    near = {k: c for k, c in CONTAINERS.items() if any(isinstance(m, HostPath) for m in c.storage.mounts(_env(k)))}
    assert list(near) == ["socket-proxy"]
    assert "docker.sock" in repr(near["socket-proxy"].storage.mounts(_env("socket-proxy")))
    assert near["socket-proxy"].network.networks == ("socket",)
    assert near["socket-proxy"].network.ports(_env("socket-proxy")) == ()


def test_nothing_else_names_the_socket_of_the_engine() -> None:
    texts = {k: repr(c.storage.mounts(_env(k))) + _visible(k) for k, c in CONTAINERS.items()}
    assert [key for key, text in texts.items() if "docker.sock" in text] == ["socket-proxy"]


@each_container
def test_an_init_container_publishes_nothing_and_has_no_check(key: str) -> None:
    component = CONTAINERS[key]
    if component.role is Role.INIT:
        assert (component.network.ports(_env(key)), component.checks.healthcheck) == ((), None)


@each_container
def test_each_volume_is_in_a_backup(key: str) -> None:
    """Folders are copied; databases are dumped."""
    volumes = {m.name for m in CONTAINERS[key].storage.mounts(_env(key)) if isinstance(m, Volume)}
    method = _service(OWNERS[key]).backup(_env(key)) if key == OWNERS[key] else None
    taken = set(method.volumes) if isinstance(method, Folder) else volumes if method else set()
    assert taken == volumes


def test_there_is_an_image_to_copy_volumes_with_in_each_layer() -> None:
    layers = {
        _service(key).layer for key, component in CONTAINERS.items() if component.container.has_tar and key in SERVICES
    }
    assert layers == set(Layer) - {Layer.CUSTOM}


@pytest.mark.parametrize(
    ("signal", "name"),
    [
        (Signal.WORK, "swiss-army"),
        (Signal.INTAKE, "otel-collector"),
        (Signal.TRACE, "jaeger"),
        (Signal.LOGS, "loki"),
        (Signal.METRICS, "prometheus"),
    ],
)
def test_one_service_knows_each_part_of_a_request(signal: Signal, name: str) -> None:
    assert CATALOGUE.with_signal(signal).id == name
    assert [i for i in SERVICES if signal in _service(i).telemetry.signals] == [name]


@each_container
def test_a_server_that_a_shell_starts_has_an_init_process(key: str) -> None:
    container = CONTAINERS[key].container
    words = (*container.entrypoint, *container.command)
    assert container.init or CONTAINERS[key].role is not Role.SERVER or words[:2] != ("sh", "-c")
