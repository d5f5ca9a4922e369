"""Scorecards, perspectives, objectives, and everything at one moment."""

from aiohttp import web

from bsc_monitor.web.api import models, shapes
from bsc_monitor.web.api.endpoint import Api, Call
from bsc_monitor.web.api.kpis import At, Id, Query
from bsc_monitor.web.operations import Unknown
from bsc_monitor.web.view.past import NoSuchPeriod, asked_period, past_scene

API = Api("Scorecards")
ROUTES = API.table


class PerspectiveQuery(Query):
    """Of which scorecard."""

    scorecard: Id | None = None


class ObjectiveQuery(Query):
    """Of which scorecard and perspective."""

    scorecard: Id | None = None
    perspective: Id | None = None


class StatusQuery(Query):
    """When, and of which scorecard."""

    at: At = ""
    scorecard: Id | None = None


@API.get("/scorecards")
async def scorecards(call: Call) -> models.Scorecards:
    """List all scorecards, parents before children."""
    scene = call.hub.pieces.scene()
    return models.Scorecards(items=[shapes.scorecard(scene, each) for each in scene.organisation.scorecards.values()])


@API.get("/scorecards/{scorecard}")
async def scorecard(call: Call) -> models.ScorecardDetail:
    """Show a scorecard down to its objectives."""
    scene = call.hub.pieces.scene()
    card = scene.organisation.scorecards.get(call.path("scorecard"))
    if card is None:
        raise web.HTTPNotFound(text=f"There is no scorecard {call.path('scorecard')!r}.")
    return shapes.scorecard_detail(scene, card)


@API.get("/perspectives")
async def perspectives(call: Call, query: PerspectiveQuery) -> models.Nodes:
    """List perspectives."""
    scene = call.hub.pieces.scene()
    return models.Nodes(
        items=[
            shapes.perspective(scene, each)
            for card in scene.organisation.scorecards.values()
            if query.scorecard in (None, card.id)
            for each in card.perspectives
        ]
    )


@API.get("/objectives")
async def objectives(call: Call, query: ObjectiveQuery) -> models.Objectives:
    """List objectives."""
    scene = call.hub.pieces.scene()
    return models.Objectives(
        items=[
            shapes.objective(scene, each)
            for each in scene.organisation.objectives.values()
            if query.scorecard in (None, each.scorecard) and query.perspective in (None, each.perspective)
        ]
    )


@API.get("/status")
async def status(call: Call, query: StatusQuery) -> models.Standing:
    """Show everything now, or as it was frozen at the end of a past period (`2026-06`, `2026-Q2`, `2026-06-14`)."""
    try:
        period = asked_period(query.at, call.board)
    except NoSuchPeriod as error:
        raise Unknown(str(error)) from None
    scene = await past_scene(call.board, period) if period else call.hub.pieces.scene()
    organisation = scene.organisation
    wanted = query.scorecard
    return models.Standing(
        at=scene.past or None,
        scorecards=[
            shapes.scorecard_detail(scene, each)
            for each in organisation.scorecards.values()
            if wanted in (None, each.id)
        ],
        kpis=[shapes.kpi(scene, each) for each in organisation.kpis.values() if wanted in (None, each.scorecard)],
    )
