"""Addresses as a table or JSON; variables as text for a shell, a `.env` file or JSON; a web page."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from arcctl.terminal import console as terminal
from arcctl.terminal import document

if TYPE_CHECKING:
    from arcctl.connect.info import InfoReport
    from arcctl.model.connection import Endpoint


def info(report: InfoReport, *, reveal: bool, explained: Collection[str] = ()) -> None:
    """Of the services that cannot run on this engine, those `explained` get a line each, the others share one."""
    endpoints = [(service.name, _shown(e, reveal=reveal)) for service in report.services for e in service.endpoints]
    rows = [(name, endpoint.name, endpoint.url, endpoint.user, endpoint.secret) for name, endpoint in endpoints]
    terminal.table(("SERVICE", "ENDPOINT", "ADDRESS", "USER", "PASSWORD OR TOKEN"), rows)
    left_out(report.left_out, explained)
    if not reveal:
        terminal.say("passwords are hidden: arcctl info --reveal")


def info_json(report: InfoReport, *, reveal: bool, explained: Collection[str] = ()) -> None:
    services = tuple(
        replace(s, endpoints=tuple(_shown(e, reveal=reveal) for e in s.endpoints)) for s in report.services
    )
    terminal.line(document.text("arcctl.info/v1", {"services": services}))
    left_out(report.left_out, explained)


def left_out(services: Mapping[str, object], explained: Collection[str] = ()) -> None:
    """Services that cannot run on this engine, on stderr: one line, and one with the reason for each `explained`."""
    for service in (i for i in services if i in explained):
        terminal.say(f"not available here: {service}: {services[service]}")
    if others := [i for i in services if i not in explained]:
        terminal.say(terminal.not_available(others))


def _shown(endpoint: Endpoint, *, reveal: bool) -> Endpoint:
    return endpoint if reveal or not endpoint.secret else replace(endpoint, secret=terminal.HIDDEN)


def web_page(service: str, page: Endpoint, *, as_json: bool) -> None:
    if as_json:
        terminal.line(document.text("arcctl.open/v1", {"name": service, "url": page.url, "user": page.user}))
        return
    terminal.line(page.url)
    if page.user:
        terminal.say(f"log in as {page.user}; the password: arcctl info {service} --reveal")


class Format(StrEnum):
    SH = "sh"
    DOTENV = "dotenv"
    JSON = "json"


def removed(names: Sequence[str]) -> None:
    """A line on stderr where variables are kept from a program."""
    if names:
        terminal.say(f"not passed on, because it would lead elsewhere: {', '.join(names)}")


def variables(values: Mapping[str, str], side: str, format_: Format, overrides: Sequence[str] = ()) -> str:
    """Lines without the last line break; empty where there is no variable. `overrides` would win over these values."""
    match format_:
        case Format.SH:
            unset = [f"unset {' '.join(overrides)}"] if overrides else []
            return "\n".join((*unset, *(f"export {name}={shlex.quote(value)}" for name, value in values.items())))
        case Format.DOTENV:
            return "\n".join(f"{name}={_dotenv(value)}" for name, value in values.items())
        case Format.JSON:
            return document.text("arcctl.env/v1", {"for": side, "variables": values, "unset": overrides})


def _dotenv(value: str) -> str:
    """Without quotes wherever possible: `docker run --env-file` takes them literally."""
    if re.fullmatch(r"[^\s'\"#$\\`]*", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
