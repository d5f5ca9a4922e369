"""A scorecard: its perspectives, objectives and KPIs, and its strategy map."""

from aiohttp import web

from bsc_monitor.model.organisation import Scorecard
from bsc_monitor.score.alignment import alignment
from bsc_monitor.web.api.explain import explanation
from bsc_monitor.web.board import BOARD
from bsc_monitor.web.pages.showing import Showing, showing
from bsc_monitor.web.routes import Policy, Routes
from bsc_monitor.web.templating import page
from bsc_monitor.web.view.rows import lanes

ROUTES: Routes = Routes()


@ROUTES.get("/scorecards/{scorecard}", Policy.VIEWER)
async def scorecard(request: web.Request) -> web.Response:
    """One scorecard."""
    shown = await showing(request)
    card = _asked(shown, request)
    found = lanes(shown.scene, card)
    await shown.load([kpi.name for lane in found for goal in lane.goals for kpi in goal.kpis], [("scorecard", card.id)])
    return page(
        request, "scorecard.html", scene=shown.scene, card=card, lanes=found, piece=shown.piece,
        channel=shown.channel(f"scorecard/{card.id}"), since=shown.since,
    )  # fmt: skip


@ROUTES.get("/scorecards/{scorecard}/map", Policy.VIEWER)
async def strategy_map(request: web.Request) -> web.Response:
    """The strategy map of one scorecard."""
    shown = await showing(request)
    card = _asked(shown, request)
    return page(
        request, "map.html", scene=shown.scene, card=card, piece=shown.piece,
        channel=shown.channel(f"map/{card.id}"), since=shown.since,
    )  # fmt: skip


@ROUTES.get("/scorecards/{scorecard}/why", Policy.VIEWER)
async def why(request: web.Request) -> web.Response:
    """Why a scorecard has its score, and what would raise it most."""
    shown = await showing(request)
    card = _asked(shown, request)
    said = await explanation(request.app[BOARD], "scorecard", card.id, request.query.get("at", ""))
    return page(
        request, "why.html", scene=shown.scene, card=card, said=said,
        misaligned=[each for each in alignment(shown.scene.organisation) if each.scorecard == card.id],
    )  # fmt: skip


def _asked(shown: Showing, request: web.Request) -> Scorecard:
    name = request.match_info["scorecard"]
    card = shown.scene.organisation.scorecards.get(name)
    if card is None:
        raise web.HTTPNotFound(text=f"There is no scorecard {name!r}.")
    return card
