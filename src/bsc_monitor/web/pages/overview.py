"""The overview: what is red first, then every scorecard in the cascade."""

from aiohttp import web

from bsc_monitor.web.pages.showing import showing
from bsc_monitor.web.routes import Policy, Routes
from bsc_monitor.web.templating import page
from bsc_monitor.web.view.tree import cascade

ROUTES: Routes = Routes()


@ROUTES.get("/", Policy.VIEWER)
async def overview(request: web.Request) -> web.Response:
    """All scorecards at a glance."""
    shown = await showing(request)
    scene = shown.scene
    await shown.load(nodes=[("scorecard", name) for name in scene.organisation.scorecards])
    return page(
        request, "overview.html", scene=scene, piece=shown.piece, branches=cascade(scene),
        channel=shown.channel("overview"), since=shown.since,
        unscored=sum(not kpi.scored for kpi in scene.organisation.kpis.values()),
    )  # fmt: skip
