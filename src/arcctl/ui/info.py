"""How to reach everything, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Protocol

from arcctl.core.model import Link
from arcctl.ui import terminal

HIDDEN = "********"


class Entry(Protocol):
    """What `info` tells of one service."""

    @property
    def service(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def layer(self) -> str: ...
    @property
    def image(self) -> str: ...
    @property
    def links(self) -> tuple[Link, ...]: ...


def show(entries: Iterable[Entry], *, reveal: bool) -> None:
    rows = [
        (e.service, link.name, link.url, link.user, _secret(link, reveal=reveal)) for e in entries for link in e.links
    ]
    terminal.table(("SERVICE", "WHAT", "ADDRESS", "USER", "PASSWORD OR TOKEN"), rows)
    if not reveal:
        terminal.say("passwords are hidden: arcctl info --reveal")


def show_json(entries: Iterable[Entry], *, reveal: bool) -> None:
    items = [
        {
            "name": e.service,
            "title": e.title,
            "layer": e.layer,
            "image": e.image,
            "links": [_link(link, reveal=reveal) for link in e.links],
        }
        for e in entries
    ]
    terminal.line(json.dumps({"schema": "arcctl.info/v1", "services": items}, indent=2))


def _link(link: Link, *, reveal: bool) -> Mapping[str, str]:
    return {"name": link.name, "url": link.url, "user": link.user, "secret": _secret(link, reveal=reveal)}


def _secret(link: Link, *, reveal: bool) -> str:
    return link.secret if reveal or not link.secret else HIDDEN
