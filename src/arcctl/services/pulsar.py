"""Apache Pulsar, standalone: the durable event log with subscriptions, retries and replay."""

from __future__ import annotations

from collections.abc import Mapping

from arcctl.model.backup_method import Folder
from arcctl.model.binaries import Maven
from arcctl.model.connection import Endpoint, Side, Where
from arcctl.model.data_store import Topics
from arcctl.model.env import HostPort, ServiceEnv, published_host
from arcctl.model.probe import Http
from arcctl.model.resource import Resource
from arcctl.model.service import (
    Checks,
    ConfigFile,
    Container,
    Healthcheck,
    Layer,
    Limit,
    Network,
    Port,
    Process,
    Service,
    SetUp,
    Storage,
    Volume,
    service_id,
)
from arcctl.model.smoke_test import Call, Calls, EventLog, SmokeTest
from arcctl.model.symptom import Cause, Symptom
from arcctl.model.telemetry import Alert, Panel, Scrape, Telemetry, Unit

ID = service_id(__name__)
PORT, HTTP_PORT = 6650, 8080
LISTENER = "external"
"""What a client on the host passes as `listener_name`; clients in containers pass none."""
_DATA = "/pulsar/data"
_CONFIG = "/pulsar/conf/standalone.conf"
_LOGGING = "/pulsar/conf/log4j2.properties"
_LOG_SETTINGS = {
    "appender.out.type": "Console",
    "appender.out.name": "out",
    "appender.out.layout.type": "PatternLayout",
    "appender.out.layout.pattern": "%d{ISO8601} %-5level %logger{36} - %msg%n",
    "rootLogger.level": "warn",
    "rootLogger.appenderRef.out.ref": "out",
}
_MEMORY = ("-Xms256m", "-Xmx512m", "-XX:MaxDirectMemorySize=256m")
_QUICK_START = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""For a small heap on few cores. Measured: ready after 16 s of CPU instead of 39 s, with 320 MB instead of 450 MB."""
# What the image's own start script opens to Netty and to the metrics of the Java machine.
_OPENED = (
    "java.base/sun.nio.ch",
    "java.base/java.nio",
    "java.base/java.lang",
    "java.base/java.util.zip",
    "java.base/jdk.internal.misc",
    "java.base/jdk.internal.platform",
    "java.management/sun.management",
    "jdk.management/com.sun.management.internal",
)
_OPENS = ("-Dio.netty.tryReflectionSetAccessible=true", *(f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED))
_HEALTH = "/admin/v2/brokers/health"

# `standalone` reads its file only, so settings come in by the image's own script. The file itself stays the image's.
_START = "bin/apply-config-from-env.py conf/standalone.conf && exec bin/pulsar standalone -nfw -nss"


SOURCE = Maven(name="pulsar", pom="pulsar.xml")


class Env(ServiceEnv, env_prefix="PULSAR_"):
    host_port: HostPort = PORT
    """Port for clients on the host's loopback address, which give the listener name `external`."""
    http_port: HostPort = 8082
    """Port of the admin interface on the host's loopback address."""
    advertised_host: str = published_host()
    """Where clients with this listener are sent to: the engine's machine, as they call it."""


_MINUTES, _MEGABYTES = 10080, 1024
_KEPT = {
    # The broker's own default is to delete a topic that nobody uses, and each message that no subscription waits for.
    "brokerDeleteInactiveTopicsEnabled": "false",
    "defaultRetentionTimeInMinutes": str(_MINUTES),
    "defaultRetentionSizeInMB": str(_MEGABYTES),
}


def _settings(env: Env) -> dict[str, str]:
    listeners = f"internal:pulsar://{ID}:{PORT},{LISTENER}:pulsar://{env.advertised_host}:{env.host_port}"
    settings = {
        "advertisedListeners": listeners,
        "internalListenerName": "internal",
        # Ledgers remember their store by its address, which changes with a new container. By its host
        # name, which stays, they are found again.
        "useHostNameAsBookieID": "true",
        **_KEPT,
    }
    return {f"PULSAR_PREFIX_{name}": value for name, value in settings.items()}


def _standalone(env: Env) -> dict[str, str | int]:
    """What differs from the broker's and the bookie's defaults, which are made for a cluster."""
    return {
        "clusterName": "standalone",
        "brokerServicePort": env.host_port,
        "webServicePort": env.http_port,
        "bindAddress": "127.0.0.1",
        "advertisedAddress": "127.0.0.1",
        "advertisedListeners": f"{LISTENER}:pulsar://127.0.0.1:{PORT}",
        "internalListenerName": LISTENER,
        "listeningInterface": "{loopback}",
        "allowLoopback": "true",
        "managedLedgerDefaultEnsembleSize": 1,
        "managedLedgerDefaultWriteQuorum": 1,
        "managedLedgerDefaultAckQuorum": 1,
        "loadBalancerEnabled": "false",
        "webSocketServiceEnabled": "true",
        "journalSyncData": "false",
        "ledgerStorageClass": "org.apache.bookkeeper.bookie.storage.ldb.DbLedgerStorage",
        "dbStorage_writeCacheMaxSizeMb": 32,
        "dbStorage_readAheadCacheMaxSizeMb": 32,
        "diskUsageThreshold": "0.99",
        "diskUsageWarnThreshold": "0.99",
        **_KEPT,
    }


def _properties(settings: Mapping[str, str | int]) -> str:
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _smoke_tests(env: Env) -> tuple[SmokeTest, ...]:
    return (EventLog(port=PORT, http_port=HTTP_PORT, listener=LISTENER),)


_TENANT, _NAMESPACE = "arc", "arc/agents"
_RETENTION = {"retentionTimeInMinutes": _MINUTES, "retentionSizeInMB": _MEGABYTES}


def _resources(env: Env) -> tuple[Resource, ...]:
    """A namespace for agents, whose messages stay a week (or a gigabyte) after they were acknowledged."""
    tenant = {"adminRoles": [], "allowedClusters": ["standalone"]}
    return (
        _resource(f"tenant {_TENANT}", f"tenants/{_TENANT}", "standalone", "PUT", tenant),
        _resource(f"namespace {_NAMESPACE}", f"namespaces/{_NAMESPACE}", "", "PUT", None),
        _resource(
            f"retention of {_NAMESPACE}",
            f"namespaces/{_NAMESPACE}/retention",
            f'"retentionTimeInMinutes":{_MINUTES}',
            "POST",
            _RETENTION,
        ),
    )


def _resource(name: str, path: str, expect: str, method: str, body: Mapping[str, object] | None) -> Resource:
    where = f"/admin/v2/{path}"
    look = Call(f"find {name}", HTTP_PORT, where, expect=expect)
    make = Call(f"make {name}", HTTP_PORT, where, method=method, json=body, status=(204,))
    return Resource(name, Calls((look,)), create=(Calls((make,)),), hint=f"arcctl logs {ID}")


def _connect(env: Env, where: Where) -> dict[str, str]:
    """A client on the host has to give the listener's name too: without it the server sends it to the container."""
    addresses = {
        "PULSAR_SERVICE_URL": f"pulsar://{where.at(PORT)}",
        "PULSAR_ADMIN_URL": f"http://{where.at(HTTP_PORT)}",
    }
    return addresses | ({"PULSAR_LISTENER_NAME": LISTENER} if where.side is Side.HOST else {})


_TELEMETRY = Telemetry(
    scrape=Scrape(HTTP_PORT, "/metrics/"),
    rate="sum(pulsar_broker_rate_in)",
    panels=(
        Panel("Messages", {"in": "sum(pulsar_broker_rate_in)", "out": "sum(pulsar_broker_rate_out)"}, Unit.OPERATIONS),
        Panel(
            "Network",
            {"in": "sum(pulsar_broker_throughput_in)", "out": "sum(pulsar_broker_throughput_out)"},
            Unit.BYTES_PER_SECOND,
        ),
        Panel("Backlog", {"not acknowledged": "sum(pulsar_broker_msg_backlog)"}),
        Panel("Storage", {"used": "sum(pulsar_broker_storage_size)"}, Unit.BYTES),
        Panel(
            "Clients",
            {
                "producers": "sum(pulsar_broker_producers_count)",
                "consumers": "sum(pulsar_broker_consumers_count)",
                "subscriptions": "sum(pulsar_broker_subscriptions_count)",
                "topics": "sum(pulsar_broker_topics_count)",
            },
        ),
        Panel(
            "Memory of the Java machine",
            {
                "{{area}}": f'sum by (area) (jvm_memory_bytes_used{{job="{ID}"}})',
                "direct": f'sum(jvm_memory_direct_bytes_used{{job="{ID}"}})',
            },
            Unit.BYTES,
        ),
    ),
    alerts=(
        Alert(
            name="PulsarBacklogGrows",
            query="sum(pulsar_broker_msg_backlog) > 1000",
            summary="more than 1000 messages wait for a consumer to acknowledge them",
            hint=f"arcctl logs {ID}",
        ),
        Alert(
            name="PulsarBacklogQuotaTight",
            query="max by (topic) (pulsar_storage_backlog_size / (pulsar_storage_backlog_quota_limit > 0)) > 0.8",
            summary="the backlog of {{ $labels.topic }} has four fifths of its quota; when it is full, producers block",
            hint=f"arcctl topics list --in {ID}",
        ),
    ),
)


SERVICE: Service[Env] = Service(
    id=ID,
    title="Apache Pulsar",
    layer=Layer.PLATFORM,
    env=Env,
    container=Container(
        image="apachepulsar/pulsar:4.2.4",
        has_nc=True,
        command=("sh", "-c", _START),
        init=True,
        environment=lambda env: {
            # The default would be 2 GB of heap and 4 GB more.
            "PULSAR_MEM": " ".join(_MEMORY),
            "PULSAR_GC": " ".join(_QUICK_START),
            "PULSAR_LOG_LEVEL": "warn",
            **_settings(env),
        },
        stop_grace=90,
        memory_mb=1400,
        pids=1024,
    ),
    network=Network(
        hostname=ID,
        ports=lambda env: (
            Port(PORT, env.host_port, "client"),
            Port(HTTP_PORT, env.http_port, "admin"),
        ),
        endpoints=lambda env: (
            Endpoint("client", f"pulsar://localhost:{env.host_port}"),
            Endpoint("admin", f"http://127.0.0.1:{env.http_port}"),
        ),
        connect=_connect,
        overrides=("PULSAR_CLIENT_CONF",),
    ),
    storage=Storage(
        mounts=lambda env: (Volume("data", _DATA),),
        data_stores=lambda env: (Topics(port=PORT, admin_port=HTTP_PORT, listener=LISTENER, system_tenant=ID),),
    ),
    checks=Checks(
        symptoms=(
            Symptom(cause=Cause.PORT, pattern=r"[Ff]ailed to bind [^\n]*?:(?P<port>\d{2,5})\b"),
            Symptom(cause=Cause.LOCK, pattern=r"While lock file: /[^\s:]+/LOCK: Resource temporarily unavailable"),
        ),
        # With curl, because the image's own tools each start a second Java machine.
        healthcheck=Healthcheck(
            test=("CMD-SHELL", f"curl -fsS -m 8 http://127.0.0.1:{HTTP_PORT}{_HEALTH} | grep -qx ok"),
            timeout=10,
            start_period=180,
        ),
        probe=lambda env: Http(HTTP_PORT, _HEALTH, body="ok"),
        smoke_tests=_smoke_tests,
    ),
    setup=SetUp(resources=_resources),
    backup=lambda env: Folder("data"),
    limits=(
        Limit(
            "a message",
            "5 MiB",
            "sending fails with `MessageTooBig`",
        ),
        Limit(
            "what a topic keeps after all subscriptions have acknowledged it, and where there is none",
            "a week, 1 GiB",
            "nothing; the oldest are deleted. `arcctl topics create --retention 30d` keeps one longer",
        ),
    ),
    telemetry=_TELEMETRY,
    process=Process(
        sources=(SOURCE,),
        # Ledgers remember their store by its address: a free port that it takes when its data is new, and keeps.
        single_instance=True,
        command=lambda env: (
            "java",
            *_MEMORY,
            *_QUICK_START,
            *_OPENS,
            f"-Dlog4j2.configurationFile={_LOGGING}",
            "-cp",
            "{program}/*",
            "org.apache.pulsar.PulsarStandaloneStarter",
            "--config",
            _CONFIG,
            "-nfw",
            "-nss",
            "--metadata-dir",
            f"{_DATA}/metadata",
            "--bookkeeper-dir",
            f"{_DATA}/standalone/bookkeeper",
        ),
        mounts=lambda env: (
            ConfigFile(_CONFIG, _properties(_standalone(env))),
            ConfigFile(_LOGGING, _properties(_LOG_SETTINGS)),
        ),
    ),
)
