"""Variables for programs, on the host and in a container, and interactive clients."""

from __future__ import annotations

from collections import Counter

import pytest

from arcctl import services
from arcctl.connect.env import where
from arcctl.model.connection import Side
from arcctl.settings.resolve import Source, missing_secrets, owned, resolve

CATALOGUE = services.load()
SECRETS = {name: f"s3ntinel-{name.lower()}".ljust(32, "_")[:32] for name in missing_secrets(CATALOGUE, {})}
SERVER_ISSUED = {
    "INFISICAL_CLIENT_ID": "the-client",
    "INFISICAL_CLIENT_SECRET": "the-secret",
    "INFISICAL_PROJECT_ID": "the-project",
}
ENVS = resolve(CATALOGUE, [Source("test", {**SECRETS, **SERVER_ISSUED, "POSTGRES_HOST_PORT": "15432"})]).envs
each_service = pytest.mark.parametrize("name", CATALOGUE.services)

BACKEND = f"default:development.{SECRETS['UNLEASH_BACKEND_TOKEN']}"
FRONTEND = f"default:development.{SECRETS['UNLEASH_FRONTEND_TOKEN']}"
ARC = SECRETS["POSTGRES_APP_PASSWORD"]
POSTGRES = {"PGUSER": "arc", "PGPASSWORD": ARC, "PGDATABASE": "arc", "PGSSLMODE": "disable"}
OTLP = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"
TOKENS = {"UNLEASH_API_TOKEN": BACKEND, "UNLEASH_FRONTEND_API_TOKEN": FRONTEND}
MACHINE = {
    "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": "the-client",
    "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": "the-secret",
    "INFISICAL_WORKSPACE_ID": "the-project",
}
GRAFANA = {"GRAFANA_AUTH": f"admin:{SECRETS['GRAFANA_ADMIN_PASSWORD']}"}


def _variables(name: str, side: Side) -> dict[str, str]:
    service, env = CATALOGUE.services[name], ENVS[name]
    return dict(service.network.connect(env, where(service, env, side)))


@pytest.mark.parametrize(
    ("name", "host", "container", "both"),
    [
        ("grafana", {"GRAFANA_URL": "http://127.0.0.1:3000"}, {"GRAFANA_URL": "http://grafana:3000"}, GRAFANA),
        (
            "infisical",
            {"INFISICAL_API_URL": "http://127.0.0.1:3001/api"},
            {"INFISICAL_API_URL": "http://infisical:8080/api"},
            MACHINE,
        ),
        ("jaeger", {"JAEGER_URL": "http://127.0.0.1:16686"}, {"JAEGER_URL": "http://jaeger:16686"}, {}),
        (
            "kratos",
            {"KRATOS_PUBLIC_URL": "http://127.0.0.1:4433", "KRATOS_ADMIN_URL": "http://127.0.0.1:4434"},
            {"KRATOS_PUBLIC_URL": "http://kratos:4433", "KRATOS_ADMIN_URL": "http://kratos:4434"},
            {},
        ),
        (
            "loki",
            {"LOKI_URL": "http://127.0.0.1:3100", "LOKI_ADDR": "http://127.0.0.1:3100"},
            {"LOKI_URL": "http://loki:3100", "LOKI_ADDR": "http://loki:3100"},
            {},
        ),
        (
            "nats",
            {"NATS_URL": f"nats://arc:{SECRETS['NATS_PASSWORD']}@127.0.0.1:4222"},
            {"NATS_URL": f"nats://arc:{SECRETS['NATS_PASSWORD']}@nats:4222"},
            {},
        ),
        (
            "otel-collector",
            {OTLP[0]: "http://127.0.0.1:4318"},
            {OTLP[0]: "http://otel-collector:4318"},
            {OTLP[1]: "http/protobuf"},
        ),
        (
            "postgres",
            {"DATABASE_URL": f"postgresql://arc:{ARC}@127.0.0.1:15432/arc", "PGHOST": "127.0.0.1", "PGPORT": "15432"},
            {"DATABASE_URL": f"postgresql://arc:{ARC}@postgres:5432/arc", "PGHOST": "postgres", "PGPORT": "5432"},
            POSTGRES,
        ),
        ("prometheus", {"PROMETHEUS_URL": "http://127.0.0.1:9090"}, {"PROMETHEUS_URL": "http://prometheus:9090"}, {}),
        (
            "pulsar",
            {
                "PULSAR_SERVICE_URL": "pulsar://127.0.0.1:6650",
                "PULSAR_ADMIN_URL": "http://127.0.0.1:8082",
                "PULSAR_LISTENER_NAME": "external",
            },
            {"PULSAR_SERVICE_URL": "pulsar://pulsar:6650", "PULSAR_ADMIN_URL": "http://pulsar:8080"},
            {},
        ),
        (
            "redis",
            {"REDIS_URL": f"redis://:{SECRETS['REDIS_PASSWORD']}@127.0.0.1:6379/0"},
            {"REDIS_URL": f"redis://:{SECRETS['REDIS_PASSWORD']}@redis:6379/0"},
            {},
        ),
        ("swiss-army", {}, {}, {}),
        ("traefik", {}, {}, {}),
        (
            "unleash",
            {
                "UNLEASH_URL": "http://127.0.0.1:4242/api",
                "UNLEASH_FRONTEND_API_URL": "http://127.0.0.1:4242/api/frontend",
            },
            {"UNLEASH_URL": "http://unleash:4242/api", "UNLEASH_FRONTEND_API_URL": "http://unleash:4242/api/frontend"},
            TOKENS,
        ),
    ],
)
def test_variables_connect_a_program_on_the_host_and_one_in_a_container(
    name: str, host: dict[str, str], container: dict[str, str], both: dict[str, str]
) -> None:
    assert _variables(name, Side.HOST) == {**host, **both}
    assert _variables(name, Side.CONTAINER) == {**container, **both}


def test_no_two_services_have_the_same_variable() -> None:
    names = Counter(variable for name in CATALOGUE.services for variable in _variables(name, Side.HOST))
    assert [name for name, times in names.items() if times > 1] == []


@each_service
def test_no_variable_is_a_setting_of_arcctl(name: str) -> None:
    """A shell that keeps the variables would otherwise hold on to a password that was changed since."""
    assert _variables(name, Side.HOST).keys() & owned(CATALOGUE).keys() == set()


@each_service
def test_its_shells_show_no_secret_and_use_ports_of_its_own(name: str) -> None:
    service, env = CATALOGUE.services[name], ENVS[name]
    shells = service.network.shells(env)
    assert "s3ntinel" not in repr(shells)
    ports = {port.container for port in service.network.ports(env)}
    assert {shell.port for shell in shells if hasattr(shell, "port")} <= ports
