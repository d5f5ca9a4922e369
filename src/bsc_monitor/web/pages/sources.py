"""Sources: how their collections go, in words, and run now."""

from aiohttp import web

from bsc_monitor.web import forms
from bsc_monitor.web.board import BOARD
from bsc_monitor.web.live.hub import HUB
from bsc_monitor.web.operations import Unknown
from bsc_monitor.web.routes import Policy, Routes
from bsc_monitor.web.templating import page

ROUTES: Routes = Routes()


@ROUTES.get("/sources", Policy.VIEWER)
async def sources(request: web.Request) -> web.Response:
    """All sources."""
    hub = request.app[HUB]
    since = hub.stamp()
    return page(request, "sources.html", scene=hub.pieces.scene(), piece=hub.pieces.get, channel="sources", since=since)


@ROUTES.post("/sources/{source}/run", Policy.ADMIN)
async def run(request: web.Request) -> web.Response:
    """Ask for a run of every collection of a source."""
    board, name = request.app[BOARD], request.match_info["source"]
    if name not in board.sources():
        raise Unknown(f"There is no source {name!r}.")
    await board.operations.run_now(name)
    return forms.back("/sources", "run")
