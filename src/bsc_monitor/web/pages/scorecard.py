"""A scorecard: its perspectives, objectives and KPIs."""

from aiohttp import web

from bsc_monitor.web.live.hub import HUB
from bsc_monitor.web.routes import Policy, Routes
from bsc_monitor.web.templating import page
from bsc_monitor.web.view.rows import lanes

ROUTES: Routes = Routes()


@ROUTES.get("/scorecards/{scorecard}", Policy.VIEWER)
async def scorecard(request: web.Request) -> web.Response:
    """One scorecard."""
    hub, name = request.app[HUB], request.match_info["scorecard"]
    stamp, pieces = hub.stamp(), hub.pieces
    scene = pieces.scene()
    card = scene.organisation.scorecards.get(name)
    if card is None:
        raise web.HTTPNotFound(text=f"There is no scorecard {name!r}.")
    found = lanes(scene, card)
    kpis = [kpi.name for lane in found for goal in lane.goals for kpi in goal.kpis]
    await pieces.load(kpis, [("scorecard", name)])
    return page(
        request, "scorecard.html", scene=scene, card=card, lanes=found, piece=pieces.get,
        channel=f"scorecard/{name}", since=stamp,
    )  # fmt: skip
