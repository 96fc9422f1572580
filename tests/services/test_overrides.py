"""Variables with which a client would connect elsewhere than `env` says."""

from __future__ import annotations

from psycopg import pq

from arcctl import services
from arcctl.model.connection import Side, Where
from arcctl.model.env import symbolic, variables

CATALOGUE = services.load()
OVERRIDES = [name for service in CATALOGUE.services.values() for name in service.network.overrides]
CONNECT = {
    name
    for service in CATALOGUE.services.values()
    for name in service.network.connect(symbolic(service.env), Where(side=Side.HOST, host="127.0.0.1"))
}


def test_everything_that_libpq_reads_is_set_or_taken_away() -> None:
    """By the library that is installed, so that a new one is noticed."""
    read = {option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar}
    assert read - {*OVERRIDES, *CONNECT} == set()


def test_what_an_sdk_reads_for_one_signal_alone_is_taken_away() -> None:
    read = {
        f"OTEL_EXPORTER_OTLP_{signal}_{option}" for signal in ("TRACES", "LOGS") for option in ("ENDPOINT", "HEADERS")
    }
    assert {*read, "OTEL_EXPORTER_OTLP_HEADERS"} <= set(OVERRIDES)


def test_nothing_is_both_set_and_taken_away_and_no_setting_is_taken_away() -> None:
    settings = {v.name for component in CATALOGUE.components().values() for v in variables(component.env)}
    assert (CONNECT & set(OVERRIDES), settings & set(OVERRIDES), len(OVERRIDES)) == (set(), set(), len(set(OVERRIDES)))
