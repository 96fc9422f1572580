"""What every declaration promises, service or helper, whoever writes the next one; a user's own as well."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from arcctl import services
from arcctl.core.backup import Folder
from arcctl.core.contents import Databases, Flags, Identities, Streams, Topics
from arcctl.core.env import ServiceEnv, symbolic, variables
from arcctl.core.graph import closure
from arcctl.core.model import Bind, Container, Helper, HostPath, Inline, Layer, Service, Volume
from arcctl.core.settings import Source, missing_secrets, owned, resolve
from tests.services.own_examples import EXAMPLES

CHECKOUT = Path(__file__).parents[2]
CATALOGUE = services.load(EXAMPLES)
SERVICES = tuple(CATALOGUE.services)
CONTAINERS = CATALOGUE.containers()
OWNERS = {key: i for i in SERVICES for key in CATALOGUE.containers((i,))}
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
    return [port.host for port in CONTAINERS[key].ports(_env(key))]


def _visible(key: str) -> str:
    """All that `docker inspect` shows of a container."""
    container, env = CONTAINERS[key], _env(key)
    words = (*container.entrypoint, *container.command, *(container.healthcheck.test if container.healthcheck else ()))
    return repr((words, dict(container.environment(env)), dict(container.labels(env))))


def _said(container: Container[ServiceEnv]) -> str:
    """Everything that a declaration makes of its settings, each written as its own variable."""
    env = symbolic(container.env)
    made = [container.environment(env), container.labels(env), *map(asdict, container.ports(env))]
    made += map(asdict, container.mounts(env))
    if isinstance(container, Service):
        made += [asdict(container.probe(env)), *map(asdict, container.links(env))]
    return repr(made)


def _set_up(service: Service[ServiceEnv]) -> str:
    """The resources as data, secrets and all."""
    return repr([asdict(resource) for resource in service.resources(symbolic(service.env))])


def test_there_are_fourteen_services_and_no_key_is_used_twice() -> None:
    assert len(SERVICES) == 14 + len(EXAMPLES)
    keys = [*SERVICES, *(h.id for s in CATALOGUE.services.values() for h in s.helpers)]
    assert [key for key, times in Counter(keys).items() if times > 1] == []


@each_service
def test_its_id_is_its_file_name(name: str) -> None:
    assert _service(name).id == name


@pytest.mark.parametrize("name", services.names())
def test_its_module_says_what_it_is_for(name: str) -> None:
    assert (import_module(_service(name).module).__doc__ or "").partition("\n")[0].endswith(".")


@each_service
def test_each_of_its_settings_says_what_it_is_for(name: str) -> None:
    assert [v.name for v in variables(_service(name).env) if not v.description.endswith(".")] == []


@each_service
def test_its_settings_start_with_its_name(name: str) -> None:
    prefix = name.upper().replace("-", "_") + "_"
    assert _service(name).env.model_config["env_prefix"] == prefix
    assert [v.name for v in variables(_service(name).env) if not v.shared and not v.name.startswith(prefix)] == []


@each_service
def test_each_of_its_own_settings_changes_something(name: str) -> None:
    said = "".join(map(_said, CATALOGUE.containers((name,)).values())) + _set_up(_service(name))
    own = [v for v in variables(_service(name).env) if not v.told]
    assert [v.name for v in own if f"${{{v.name}" not in said] == []


@each_service
def test_what_it_shares_belongs_to_a_service_that_it_needs(name: str) -> None:
    owners = {v.name: owned(CATALOGUE)[v.name][0] for v in variables(_service(name).env) if v.shared}
    assert set(owners.values()) <= set(closure((name,), CATALOGUE)) - {name}


@each_service
def test_each_of_its_secrets_can_be_generated_and_has_no_default(name: str) -> None:
    secrets = [v for v in variables(_service(name).env) if v.secret and not (v.shared or v.told)]
    assert [v.name for v in secrets if v.generate is None or v.default is not None] == []


@each_service
def test_its_probe_asks_a_port_that_is_published(name: str) -> None:
    service = _service(name)
    assert service.probe(ENVS[name]).port in {p.container for p in service.ports(ENVS[name])}


@each_service
def test_it_has_a_link_and_each_leads_to_a_port_of_its_own(name: str) -> None:
    links = _service(name).links(ENVS[name])
    published = {port for key in CATALOGUE.containers((name,)) for port in _host_ports(key)}
    assert links
    assert [link.url for link in links if (urlsplit(link.url).port or 80) not in published] == []


@each_service
def test_neither_its_probe_nor_its_links_print_a_secret(name: str) -> None:
    shown = repr((_service(name).probe(ENVS[name]), _service(name).links(ENVS[name])))
    assert "s3ntinel" not in shown


@each_service
def test_neither_its_proofs_nor_its_resources_print_a_secret(name: str) -> None:
    service = _service(name)
    assert "s3ntinel" not in repr((service.proofs(ENVS[name]), service.resources(ENVS[name])))


@each_service
def test_what_it_holds_is_reached_at_its_own_ports_and_prints_no_secret(name: str) -> None:
    held = _service(name).holds(ENVS[name])
    published = {port.container for port in _service(name).ports(ENVS[name])}
    calls = [c for h in held if isinstance(h, Flags | Identities) for c in vars(h).values()]
    ports = [value for h in (*held, *calls) for field, value in vars(h).items() if field.endswith("port")]
    assert [port for port in ports if port not in published] == []
    assert "s3ntinel" not in repr(held)


@pytest.mark.parametrize("kind", [Databases, Topics, Streams, Flags, Identities])
def test_one_service_holds_each_kind_of_contents(kind: type[object]) -> None:
    assert len([s for i, s in CATALOGUE.services.items() for h in s.holds(ENVS[i]) if isinstance(h, kind)]) == 1


def test_what_migrates_runs_to_its_end() -> None:
    helpers = [helper for service in CATALOGUE.services.values() for helper in service.helpers]
    assert [helper.id for helper in helpers if helper.migrates and not helper.one_shot] == []
    assert any(helper.migrates for helper in helpers)


@each_service
def test_what_its_server_tells_is_kept_by_one_of_its_resources(name: str) -> None:
    service = _service(name)
    taken = repr(service.resources(ENVS[name]))
    assert [v.name for v in variables(service.env) if v.told and f"'{v.field}': " not in taken] == []


@each_service
def test_its_helpers_read_the_settings_of_their_service(name: str) -> None:
    assert [h.id for h in _service(name).helpers if h.env is not _service(name).env] == []


@each_container
def test_its_image_is_pinned(key: str) -> None:
    assert PINNED.fullmatch(CONTAINERS[key].image)


def test_no_two_containers_want_the_same_port_of_the_host() -> None:
    ports = Counter(port for key in CONTAINERS for port in _host_ports(key))
    assert [port for port, times in ports.items() if times > 1] == []


@each_container
def test_the_names_of_its_ports_are_different(key: str) -> None:
    names = [port.name for port in CONTAINERS[key].ports(_env(key))]
    assert sorted(set(names)) == sorted(names)


@each_container
def test_what_it_binds_is_in_its_own_folder_of_the_configuration(key: str) -> None:
    sources = [m.source for m in CONTAINERS[key].mounts(_env(key)) if isinstance(m, Bind)]
    assert [s for s in sources if not (CHECKOUT / "config" / s).exists()] == []
    assert {s.partition("/")[0] for s in sources} <= {OWNERS[key]}


@each_container
def test_no_secret_is_visible_to_who_may_inspect_it(key: str) -> None:
    assert "s3ntinel" not in _visible(key)


@each_container
def test_its_files_with_secrets_do_not_print_them_and_only_their_owner_reads_them(key: str) -> None:
    files = [m for m in CONTAINERS[key].mounts(_env(key)) if isinstance(m, Inline)]
    assert "s3ntinel" not in repr(files)
    assert {file.mode for file in files if "s3ntinel" in file.text} <= {0o400}


@each_container
def test_a_file_made_by_compose_needs_a_root_that_can_be_written(key: str) -> None:
    """Compose refuses to write `configs` with content into a read-only container."""
    inline = any(isinstance(m, Inline) for m in CONTAINERS[key].mounts(_env(key)))
    assert not (inline and CONTAINERS[key].read_only)


def test_one_helper_alone_sees_the_engine_and_it_is_not_on_the_common_network() -> None:
    near = {k: c for k, c in CONTAINERS.items() if any(isinstance(m, HostPath) for m in c.mounts(_env(k)))}
    assert list(near) == ["socket-proxy"]
    assert "docker.sock" in repr(near["socket-proxy"].mounts(_env("socket-proxy")))
    assert near["socket-proxy"].networks == ("socket",)
    assert near["socket-proxy"].ports(_env("socket-proxy")) == ()


def test_nothing_else_names_the_socket_of_the_engine() -> None:
    texts = {k: repr(c.mounts(_env(k))) + _visible(k) for k, c in CONTAINERS.items()}
    assert [key for key, text in texts.items() if "docker.sock" in text] == ["socket-proxy"]


@each_container
def test_a_one_shot_publishes_nothing_and_has_no_check(key: str) -> None:
    container = CONTAINERS[key]
    if isinstance(container, Helper) and container.one_shot:
        assert (container.ports(_env(key)), container.healthcheck) == ((), None)


@each_container
def test_each_volume_is_in_a_backup(key: str) -> None:
    """What is worth a volume is worth a copy; databases are dumped instead of copied."""
    volumes = {m.name for m in CONTAINERS[key].mounts(_env(key)) if isinstance(m, Volume)}
    method = _service(OWNERS[key]).backup(_env(key)) if key == OWNERS[key] else None
    taken = set(method.volumes) if isinstance(method, Folder) else volumes if method else set()
    assert taken == volumes


def test_there_is_an_image_to_copy_volumes_with_in_each_layer() -> None:
    layers = {_service(key).layer for key, container in CONTAINERS.items() if container.has_tar and key in SERVICES}
    assert layers == set(Layer) - {Layer.OWN}
