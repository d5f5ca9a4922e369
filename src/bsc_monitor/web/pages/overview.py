"""The overview: what is red first, then every scorecard in the cascade."""

from aiohttp import web

from bsc_monitor.web.live.hub import HUB
from bsc_monitor.web.routes import Policy, Routes
from bsc_monitor.web.templating import page
from bsc_monitor.web.view.tree import cascade

ROUTES: Routes = Routes()


@ROUTES.get("/", Policy.VIEWER)
async def overview(request: web.Request) -> web.Response:
    """All scorecards at a glance."""
    hub = request.app[HUB]
    stamp = hub.stamp()
    pieces = hub.pieces
    scene = pieces.scene()
    await pieces.load(nodes=[("scorecard", name) for name in scene.organisation.scorecards])
    return page(
        request, "overview.html", scene=scene, piece=pieces.get, branches=cascade(scene), channel="overview",
        since=stamp,
    )  # fmt: skip
