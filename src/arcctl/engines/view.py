"""Shows the servers of local processes."""

from __future__ import annotations

from arcctl.engines.base import Availability
from arcctl.engines.build import ServerList
from arcctl.terminal import console as terminal
from arcctl.terminal import document

SCHEMA = "arcctl.engine-list/v1"


def servers(report: ServerList, *, as_json: bool) -> None:
    if as_json:
        terminal.line(document.text(SCHEMA, report))
    else:
        terminal.table(("SERVICE", "PROCESS", "STATE", "SERVER"), [_row(server) for server in report.servers])


def _row(server: Availability) -> tuple[str | tuple[str, str], ...]:
    return server.service, server.process, _state(server), f"{server.source or '-'} {server.version}".rstrip()


def _state(server: Availability) -> tuple[str, str]:
    if server.startable:
        return ("✔ built", "green") if not server.buildable else ("✔ built by `arcctl up` in seconds", "green")
    glyph, style = ("○", "yellow") if server.buildable else ("✘", "red")
    return f"{glyph} {server.reason} ({server.command})", style
