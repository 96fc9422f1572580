"""The ASGI application: two routes, and the background work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from swiss_army import __version__
from swiss_army.server_spans import ServerSpans
from swiss_army.work import do_on_demand_work, work_in_background

HEALTH = "/health"


def app() -> ASGIApp:
    routes = [
        Route(HEALTH, health),
        Route("/ondemand-work", on_demand_work, methods=["GET", "POST"]),
    ]
    # Health checks come every few seconds: they get no span.
    return ServerSpans(Starlette(routes=routes, lifespan=background_work), unobserved={HEALTH})


async def health(_: Request) -> JSONResponse:
    return JSONResponse({"status": "ok", "version": __version__})


async def on_demand_work(_: Request) -> JSONResponse:
    done = await do_on_demand_work()
    return JSONResponse({"trace_id": done.trace_id, "duration_ms": done.duration_ms})


@asynccontextmanager
async def background_work(_: Starlette) -> AsyncIterator[None]:
    task = asyncio.create_task(work_in_background())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
