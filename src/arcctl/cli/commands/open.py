"""`open`: a service's web page."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from arcctl.cli.options import Json, complete_pages


def register(app: typer.Typer) -> None:
    app.command("open")(open_)


def open_(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A service.", autocompletion=complete_pages)],
    json_: Json = False,
) -> None:
    """Open a service's web page in the browser. Without a browser or a terminal, print its address.

    Examples: `arcctl open grafana`, `arcctl open jaeger`, `arcctl open unleash --json`
    """
    from arcctl.cli.project import load_project
    from arcctl.connect import view
    from arcctl.connect.clients import foreground
    from arcctl.connect.open import web_page

    page = web_page(name, load_project(ctx.obj))
    view.web_page(name, page, as_json=json_)
    if not json_ and sys.stdout.isatty():
        foreground.browse(page.url)
