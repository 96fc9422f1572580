"""Loki: the log store; takes OTLP natively."""

from __future__ import annotations

from urllib.parse import quote

from arcctl.model.backup_method import Folder
from arcctl.model.binaries import GoModule
from arcctl.model.connection import Endpoint
from arcctl.model.env import HostPort, ServiceEnv
from arcctl.model.probe import Http
from arcctl.model.service import (
    BindMount,
    Checks,
    Container,
    Healthcheck,
    Layer,
    Limit,
    Network,
    Port,
    Process,
    Service,
    Storage,
    Volume,
    service_id,
)
from arcctl.model.smoke_test import Call
from arcctl.model.symptom import Cause, Symptom
from arcctl.model.telemetry import Alert, LogStore, Loss, Scrape, Signal, Telemetry, rate

ID = service_id(__name__)
PORT, GRPC_PORT = 3100, 9095
_CONFIG = "/etc/loki/config.yaml"

_BUILD = "github.com/grafana/loki/v3/pkg/util/build"
SOURCE = GoModule(
    name="loki",
    module="github.com/grafana/loki/v3",
    version="v3.7.8",
    program="loki",
    minutes=5,
    packages=("./cmd/loki",),
    versions=((f"{_BUILD}.Version", "3.7.8"), (f"{_BUILD}.Branch", "arcctl")),
    drop_replace=("github.com/grafana/loki/pkg/push",),
)


_OVERRIDES = (
    "LOKI_USERNAME", "LOKI_PASSWORD", "LOKI_BEARER_TOKEN", "LOKI_BEARER_TOKEN_FILE", "LOKI_ORG_ID",
    "LOKI_HTTP_PROXY_URL", "LOKI_AUTH_HEADER",
)  # fmt: skip
"""As its command line calls them."""


class Env(ServiceEnv, env_prefix="LOKI_"):
    host_port: HostPort = PORT
    """Port on the host's loopback address."""
    grpc_port: HostPort = GRPC_PORT
    """Port over which its parts talk to each other, without Docker."""


def _loopback(env: Env) -> dict[str, str | int]:
    addresses = {"http_listen_address": "127.0.0.1", "grpc_listen_address": "127.0.0.1"}
    return {**addresses, "http_listen_port": env.host_port, "grpc_listen_port": env.grpc_port}


def find_trace(service: str, what: str = "the log", expect: str = "{trace_id}", options: str = "limit=10") -> Call:
    """The log lines of the run's trace; `service` is a regular expression."""
    query = quote(f'{{service_name=~"{service}"}} | trace_id="') + "{trace_id}" + quote('"')
    path = f"/loki/api/v1/query_range?{options}&query={query}"
    return Call(f"find {what} in the log store", PORT, path, at=ID, expect=expect, patience=15)


_DISCARDED = 'loki_discarded_samples_total{reason!~"rate_limited|per_stream_rate_limit"}'
"""The collector sends again what is too much at once."""
_MOST = 5000
"""Lines that one answer may have: Loki's own limit."""
_OF_ONE_TRACE = f"limit={_MOST}&direction=forward&start={{start_ns}}&end={{end_ns}}"
_LINES = quote('{service_name=~"') + "{services}" + quote('"}')
_LOGS = LogStore(
    # Without a start, Loki looks back six hours here and one hour there; it refuses more than 721.
    names=Call("find who sends logs", PORT, "/loki/api/v1/label/service_name/values?since=720h"),
    lines=Call(
        "read log lines",
        PORT,
        f"/loki/api/v1/query_range?limit={{limit}}&direction={{direction}}&start={{start_ns}}&query={_LINES}",
    ),
)


SERVICE: Service[Env] = Service(
    id=ID,
    title="Loki",
    layer=Layer.OBSERVABILITY,
    env=Env,
    container=Container(
        image="grafana/loki:3.7.8",
        command=(f"-config.file={_CONFIG}",),
        environment=lambda env: {"GOMEMLIMIT": "800MiB"},
        read_only=True,
        tmpfs=("/tmp",),
        stop_grace=30,
        memory_mb=1024,
    ),
    network=Network(
        ports=lambda env: (Port(PORT, env.host_port),),
        endpoints=lambda env: (Endpoint("api", f"http://127.0.0.1:{env.host_port}"),),
        # LOKI_ADDR is what its own client, logcli, reads.
        connect=lambda env, where: dict.fromkeys(("LOKI_URL", "LOKI_ADDR"), f"http://{where.at(PORT)}"),
        overrides=_OVERRIDES,
    ),
    storage=Storage(mounts=lambda env: (Volume("data", "/loki"), BindMount("loki/config.yaml", _CONFIG))),
    checks=Checks(
        symptoms=(
            Symptom(
                cause=Cause.CONFIGURATION,
                pattern=r"parsing config: (?P<words>(?P<path>/[^\s:]+): yaml: (?:.*:\n +)?line (?P<line>\d+): [^\n]*?)"
                r"(?:\. Use `|$)",
            ),
            Symptom(cause=Cause.CONFIGURATION, pattern=r"parsing config: (?P<words>.*)|CONFIG ERROR.*"),
        ),
        healthcheck=Healthcheck(test=("CMD", "/usr/bin/loki", "-health")),
        probe=lambda env: Http(PORT, "/ready", body="ready"),
    ),
    limits=(
        Limit(
            "an attribute of a log record",
            "16 KiB",
            "nothing: the attribute is cut, the line has it whole",
        ),
        Limit(
            "log lines in a second",
            "64 MB",
            "nothing: the collector sends them later",
        ),
        Limit(
            "a log line that is ahead of the clock",
            "10 minutes",
            "nothing: it gets the time at which it came, and its attribute `sender_time` has its own",
        ),
        Limit(
            "age of a log line",
            "a week",
            "nothing; it is dropped, the alert `DataLost` fires and `health` is degraded",
        ),
    ),
    backup=lambda env: Folder("data"),
    telemetry=Telemetry(
        scrape=Scrape(PORT),
        signals={Signal.LOGS: find_trace(".+", options=_OF_ONE_TRACE)},
        log_store=_LOGS,
        rate=rate("loki_distributor_lines_received_total"),
        losses=(Loss("log lines discarded (too long or too old)", (_DISCARDED,)),),
        alerts=(
            Alert(
                name="LokiRetentionFails",
                query="time() - loki_compactor_apply_retention_last_successful_run_timestamp_seconds > 86400"
                " and on (job, instance) time() - process_start_time_seconds > 86400",
                summary="nothing has deleted old logs for a day, and the disk fills up",
                hint=f"arcctl logs {ID}",
            ),
        ),
    ),
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("{program}", f"-config.file={_CONFIG}"),
        patches=lambda env: {_CONFIG: {"server": _loopback(env)}},
        ports=lambda env: (Port(GRPC_PORT, env.grpc_port, "grpc"),),
    ),
)
