"""The addresses that operators and Prometheus know: health, readiness, reload, metrics."""

from aiohttp import web

from bsc_monitor.export.exposition import Exposition
from bsc_monitor.web.board import BOARD
from bsc_monitor.web.live.hub import HUB
from bsc_monitor.web.routes import Policy, Routes

ROUTES: Routes = Routes()


@ROUTES.get("/-/healthy", Policy.PUBLIC)
async def healthy(_: web.Request) -> web.Response:
    """The process answers."""
    return web.Response(text="bsc-monitor is healthy.\n")


@ROUTES.get("/-/ready", Policy.PUBLIC)
async def ready(request: web.Request) -> web.Response:
    """Whether the state of the last run is loaded, collection has begun, and pages come fast."""
    if request.app[BOARD].ready() and request.app[HUB].warm:
        return web.Response(text="bsc-monitor is ready.\n")
    return web.Response(text="bsc-monitor is starting.\n", status=503, headers={"Retry-After": "1"})


@ROUTES.post("/-/reload", Policy.ADMIN)
async def reload(request: web.Request) -> web.Response:
    """Load the configuration anew. A refused one changes nothing, and the answer says why (500, as Prometheus does)."""
    good, messages = await request.app[BOARD].operations.reload()
    first = "The configuration is in force." if good else "The configuration was refused; the old one stays in force."
    return web.Response(text="\n".join([first, *messages]) + "\n", status=200 if good else 500)


@ROUTES.get("/metrics", Policy.VIEWER)
async def metrics(request: web.Request) -> web.Response:
    """What Prometheus scrapes."""
    return await _exposition(request, request.app[BOARD].metrics.main)


@ROUTES.get("/metrics/segments", Policy.VIEWER)
async def segments(request: web.Request) -> web.Response:
    """The breakdowns, apart: most of the series, and the least asked for."""
    return await _exposition(request, request.app[BOARD].metrics.segments)


async def _exposition(request: web.Request, exposition: Exposition) -> web.Response:
    accept, encoding = request.headers.get("Accept", ""), request.headers.get("Accept-Encoding", "")
    body, kind, packed = await exposition.answer(accept, encoding)
    headers = {"Content-Type": kind, "Vary": "Accept, Accept-Encoding"}
    if packed:
        headers["Content-Encoding"] = packed
    return web.Response(body=body, headers=headers)
