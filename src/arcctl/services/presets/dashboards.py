"""Draws dashboards in Grafana's format from what services declare."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from grafana_foundation_sdk.builders import dashboard, logs, loki, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import BigValueColorMode, BigValueGraphMode
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataSourceRef, VariableRefresh

from arcctl.model.telemetry import Document, Panel, Store

WIDTH = 24
"""Columns of Grafana's grid."""
CELL_HEIGHT, PANEL_HEIGHT = 3, 8

Drawn = TypeVar("Drawn", timeseries.Panel, logs.Panel, table.Panel, stat.Panel)


@dataclass(frozen=True)
class Sources:
    """The uids of the data sources; each is also the name of its kind."""

    metrics: str
    logs: str
    traces: str

    def ref(self, store: Store) -> DataSourceRef:
        uid = {Store.METRICS: self.metrics, Store.LOGS: self.logs, Store.TRACES: self.traces}[store]
        return DataSourceRef(type_val=uid, uid=uid)


class TraceSearch(Builder[Dataquery], Dataquery):
    """The newest traces of a service. The library has no query of this kind."""

    def __init__(self, service: str, source: DataSourceRef) -> None:
        self.service = service
        self.source = source

    def build(self) -> Dataquery:
        return self

    def to_json(self) -> dict[str, object]:
        return {"refId": "A", "datasource": self.source, "queryType": "search", "service": self.service, "limit": 20}


def overview(rows: Iterable[tuple[Panel, ...]], sources: Sources) -> Document:
    """A row of four cells for each service."""
    drawn = _dashboard("arc-overview", "Overview")
    for row in rows:
        for panel in row:
            drawn.with_panel(_cell(panel, sources, WIDTH // len(row)))
    return _document(drawn)


def detail(name: str, title: str, panels: tuple[Panel, ...], sources: Sources, *, choice: str = "") -> Document:
    """One service's own dashboard; `choice` is a query whose values the viewer picks `$service` from."""
    drawn = _dashboard(f"arc-{name}", title)
    if choice:
        pick = dashboard.QueryVariable("service").query(choice).datasource(sources.ref(Store.METRICS))
        drawn.with_variable(pick.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).label("Service"))
    for panel in panels:
        wide = panel.store is not Store.METRICS
        drawn.with_panel(_panel(panel, sources).height(PANEL_HEIGHT).span(WIDTH if wide else WIDTH // 2))
    return _document(drawn)


def _dashboard(uid: str, title: str) -> dashboard.Dashboard:
    made = dashboard.Dashboard(title).uid(uid).tags(["arc"]).time("now-30m", "now").refresh("10s")
    return made.timezone("browser").tooltip(DashboardCursorSync.CROSSHAIR).readonly()


def _cell(panel: Panel, sources: Sources, span: int) -> stat.Panel:
    drawn = stat.Panel().title(panel.title).unit(panel.unit).height(CELL_HEIGHT).span(span)
    drawn.graph_mode(BigValueGraphMode.AREA).color_mode(BigValueColorMode.NONE)
    return _asked(drawn, panel, sources)


def _panel(panel: Panel, sources: Sources) -> timeseries.Panel | logs.Panel | table.Panel:
    match panel.store:
        case Store.LOGS:
            drawn = logs.Panel().title(panel.title).show_time(True).wrap_log_message(True)
            return _asked(drawn.enable_log_details(True), panel, sources)
        case Store.TRACES:
            return _asked(table.Panel().title(panel.title), panel, sources)
        case _:
            return _asked(timeseries.Panel().title(panel.title).unit(panel.unit).min(0), panel, sources)


def _asked(drawn: Drawn, panel: Panel, sources: Sources) -> Drawn:
    """The panel with its queries."""
    source = sources.ref(panel.store)
    drawn.datasource(source)
    for number, (legend, text) in enumerate(panel.queries.items()):
        drawn.with_target(_query(panel, text, legend, chr(ord("A") + number), source))
    return drawn


def _query(panel: Panel, text: str, legend: str, ref: str, source: DataSourceRef) -> Builder[Dataquery]:
    match panel.store:
        case Store.LOGS:
            return loki.Dataquery().expr(text).ref_id(ref).datasource(source)
        case Store.TRACES:
            return TraceSearch(text, source)
        case _:
            query = prometheus.Dataquery().expr(text).ref_id(ref).datasource(source).legend_format(legend)
            return query.exemplar(panel.exemplars)


def _document(drawn: dashboard.Dashboard) -> Document:
    """Plain data, as the encoder writes it."""
    document: Document = json.loads(JSONEncoder(sort_keys=True).encode(drawn.build()))
    return document
