"""What a user's own file becomes: the same value as a built-in declaration, or a sentence that says why not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml

from arcctl import services
from arcctl.custom import declare as custom_services
from arcctl.engines.embedded import translation as local
from arcctl.errors import SettingsError
from arcctl.model.env import symbolic
from arcctl.model.graph import closure, resolve
from arcctl.model.probe import Http, Runs, Tcp
from arcctl.model.service import ConfigFile, Layer, Service
from arcctl.render import compose
from arcctl.render import files as render
from arcctl.render.compose import dump
from arcctl.settings.resolve import Source, missing_secrets
from arcctl.settings.resolve import resolve as settle
from tests.fakes.custom_examples import AGENT, EXAMPLES, PAGE, WORKER, examples

SECRET = "0123456789abcdef" * 2
CATALOGUE = custom_services.catalogue(EXAMPLES)
SECRETS = dict.fromkeys(missing_secrets(CATALOGUE, {}), SECRET)
ENVS = settle(CATALOGUE, [Source("test", SECRETS)]).envs


def _service(name: str, **said: Any) -> tuple[Service[Any], Any]:
    """A declaration and its settings, made from a file that says this."""
    catalogue = custom_services.catalogue(examples(**{name: said}))
    secrets = dict.fromkeys(missing_secrets(catalogue, {}), SECRET)
    return catalogue.services[name], settle(catalogue, [Source("test", secrets)]).envs[name]


def _refusal(**files: Mapping[str, Any]) -> str:
    with pytest.raises(SettingsError) as caught:
        custom_services.catalogue(examples(**files))
    return caught.value.message


def test_it_is_a_layer_of_its_own_and_part_of_all() -> None:
    assert CATALOGUE.layer(Layer.CUSTOM) == ("front-page", "my-agent", "worker")
    assert resolve(["custom"], CATALOGUE) == ("front-page", "my-agent", "worker")
    assert set(resolve(["all"], CATALOGUE)) == {*services.names(), *EXAMPLES}


def test_it_needs_what_it_says_and_what_its_wishes_take() -> None:
    needs = {name: [need.id for need in CATALOGUE.services[name].needs] for name in EXAMPLES}
    assert needs == {
        "front-page": ["traefik", "prometheus"],
        "my-agent": ["redis", "otel-collector", "front-page", "postgres"],
        "worker": ["my-agent"],
    }
    assert closure(["worker"], CATALOGUE)[-1] == "worker"


@pytest.mark.parametrize(
    ("said", "probe"),
    [
        ({"probe": "/up"}, Http(80, "/up")),
        ({"probe": "tcp"}, Tcp(port=80)),
        ({"probe": "none"}, Runs()),
        ({}, Tcp(port=80)),
        ({"ports": []}, Runs()),
    ],
)
def test_it_is_asked_as_it_says_or_by_its_port_or_not_at_all(said: dict[str, Any], probe: object) -> None:
    service, env = _service("shop", image="me/shop:1", **{"ports": [{"container": 80, "host": 8100}], **said})
    assert service.checks.probe(env) == probe


def test_a_secret_reaches_a_container_in_files_and_never_in_what_the_engine_shows() -> None:
    service, env = CATALOGUE.services["my-agent"], ENVS["my-agent"]
    variables = dict(service.container.environment(env))
    assert variables["DATABASE_URL"] == "postgres://own_my_agent@postgres:5432/own_my_agent?sslmode=disable"
    assert (variables["CACHE_PORT"], variables["PAGE"]) == ("6379", "http://front-page:80")
    assert "CACHE_URL" not in variables
    files = {m.path: m.text for m in service.storage.mounts(env) if isinstance(m, ConfigFile)}
    assert files == {
        "/run/arc/pgpass": f"*:*:*:own_my_agent:{SECRET}\n",
        "/run/arc/env": f"CACHE_URL=redis://:{SECRET}@redis:6379/0\n"
        f"FULL_URL='postgres://own_my_agent:{SECRET}@postgres:5432/own_my_agent?sslmode=disable'\n",
    }
    assert {(m.uid, m.gid, m.mode) for m in service.storage.mounts(env) if isinstance(m, ConfigFile)} == {
        (10001, 10001, 0o400)
    }
    assert service.container.entrypoint[-2:] == ('set -a && . /run/arc/env && set +a && exec "$$@"', "--")


def test_without_a_container_it_gets_every_variable_and_its_own_port() -> None:
    service, env = CATALOGUE.services["my-agent"], ENVS["my-agent"]
    process = local.process_of(service)
    assert process.command(env) == ("{program}", "-m", "agent", "--port", "8102", "--price", "$5")
    variables = process.environment(env)
    assert (variables["CACHE_URL"], variables["PRICE"]) == (f"redis://:{SECRET}@redis:6379/0", "5 $")
    assert variables["PYTHONPATH"] == "{directory}/apps/my-agent/src"
    assert service.container.command == ("python", "-m", "agent", "--port", "8000")


def test_it_tells_what_it_does_where_it_needs_the_collector() -> None:
    variables = CATALOGUE.services["my-agent"].container.environment(ENVS["my-agent"])
    assert variables["OTEL_SERVICE_NAME"] == "my-agent"
    assert "OTEL_SERVICE_NAME" not in CATALOGUE.services["front-page"].container.environment(ENVS["front-page"])


def test_without_a_launch_it_runs_in_containers_only() -> None:
    assert CATALOGUE.services["front-page"].process is None


def test_its_port_is_a_setting_of_its_own() -> None:
    (port,) = CATALOGUE.services["worker"].network.ports(symbolic(CATALOGUE.services["worker"].env))
    assert str(port.host) == "${WORKER_HOST_PORT:-8103}"


def test_what_is_rendered_of_a_catalogue_without_own_services_is_as_it_was() -> None:
    plain, whole = render.run(services.load(), dump), render.run(CATALOGUE, dump)
    changed = {str(path) for path in render.difference(plain, whole)}
    examples_of_settings = {f"config/{name}/.env.example" for name in EXAMPLES}
    overlays = {"compose/custom.yaml", "compose/custom-prod.yaml"}
    derived = overlays | {"config/prometheus/custom.yml", "config/grafana/dashboards/overview.json"}
    assert changed == derived | examples_of_settings
    assert render.difference(whole, plain).keys() == render.difference(plain, whole).keys()


def test_its_metrics_are_read_and_it_has_a_row_of_the_overview() -> None:
    rendered = {str(path): text for path, text in render.run(CATALOGUE, dump).items()}
    (job,) = yaml.safe_load(rendered["config/prometheus/custom.yml"])["scrape_configs"]
    assert job == {
        "job_name": "front-page",
        "metrics_path": "/stub",
        "static_configs": [{"targets": ["front-page:9113"]}],
    }
    overview = rendered["config/grafana/dashboards/overview.json"]
    assert all(f'"title": "{name}: up"' in overview for name in EXAMPLES)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (
            {"shop": {**WORKER, "needs": ["redsi"]}},
            "services/shop.yaml: needs: unknown service redsi, did you mean redis?",
        ),
        (
            {"shop": {**WORKER, "needs": ["desk"]}, "desk": {**WORKER, "needs": ["shop"]}},
            "services/shop.yaml: needs: services depend on each other in a circle: shop -> desk -> shop",
        ),
        (
            {"shop": {**PAGE, "environment": {"A": "${NATS_URL}"}}},
            "services/shop.yaml: environment.A: NATS_URL belongs to nats: add it to needs",
        ),
        ({"redis": PAGE}, "services/redis.yaml: 'redis' is already in use"),
        ({"socket_proxy": PAGE}, "services/socket-proxy.yaml: 'socket-proxy' is already in use"),
        ({"all": PAGE}, "services/all.yaml: 'all' is already in use"),
        ({"custom": PAGE}, "services/custom.yaml: 'custom' is already in use"),
        ({"Shop": PAGE}, "services/Shop.yaml: 'Shop' cannot be the name of a service"),
        (
            {"shop": {**WORKER, "needs": [], "database": True}, "shop_db": PAGE},
            "services/shop.yaml: database: it needs the name shop-db, which another service has",
        ),
        (
            {"shop": {**PAGE, "environment": {"A": "${REDIS_HOST_PORT}"}}},
            "services/shop.yaml: environment.A: REDIS_HOST_PORT belongs to redis: add it to needs",
        ),
        (
            {"shop": {**PAGE, "environment": {"A": "${REDIS_PASWORD}"}}},
            "services/shop.yaml: environment.A: unknown variable REDIS_PASWORD, did you mean REDIS_PASSWORD?",
        ),
        (
            {"shop": {**PAGE, "needs": ["redis"], "environment": {"A": "${REDIS_PASSWORD}"}}},
            "services/shop.yaml: environment.A: names a secret, which reaches the program through a file: "
            "say its command, for a shell to start",
        ),
    ],
)
def test_what_does_not_fit_to_the_others_is_said_with_its_file_and_field(
    files: dict[str, dict[str, Any]], found: str
) -> None:
    assert _refusal(**files) == found


def test_a_service_of_ones_own_may_be_needed_by_another() -> None:
    assert [
        need.id for need in custom_services.catalogue(examples(a=WORKER | {"needs": ["b"]}, b=PAGE)).services["a"].needs
    ] == ["b"]


def test_the_order_of_files_does_not_matter() -> None:
    one, other = examples(front_page=PAGE, my_agent=AGENT), examples(my_agent=AGENT, front_page=PAGE)
    assert tuple(custom_services.catalogue(one).services) == tuple(custom_services.catalogue(other).services)


def test_in_production_its_ports_are_closed_like_all_others_in_a_file_of_its_own() -> None:
    plain, whole = render.run(services.load(), dump), render.run(CATALOGUE, dump)
    built_in, own = PurePosixPath("compose/prod.yaml"), PurePosixPath("compose/custom-prod.yaml")
    assert (whole[built_in], plain[own]) == (plain[built_in], "")
    published = {k for k, s in compose.overlay(Layer.CUSTOM, CATALOGUE)["services"].items() if "ports" in s}
    hardened = compose.production([Layer.CUSTOM], CATALOGUE)["services"]
    closed = {key: fields["ports"].tag for key, fields in hardened.items() if "ports" in fields}
    assert closed == dict.fromkeys(published, "reset") != {}
