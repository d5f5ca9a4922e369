"""Scorecards, perspectives, objectives, and everything at one moment."""

from aiohttp import web

from bsc_monitor.web.api import scorecard_models, shapes
from bsc_monitor.web.api.endpoint import Api, Call
from bsc_monitor.web.api.kpis import AtQuery, Id, scene_at

API = Api("Scorecards")
ROUTES = API.table


class PerspectiveQuery(AtQuery):
    """When, and of which scorecard."""

    scorecard: Id | None = None


class ObjectiveQuery(AtQuery):
    """When, and of which scorecard and perspective."""

    scorecard: Id | None = None
    perspective: Id | None = None


class StatusQuery(AtQuery):
    """When, and of which scorecard."""

    scorecard: Id | None = None


@API.get("/scorecards")
async def scorecards(call: Call, query: AtQuery) -> scorecard_models.Scorecards:
    """List all scorecards, parents before children."""
    scene = await scene_at(call, query.at)
    return scorecard_models.Scorecards(
        items=[shapes.scorecard(scene, each) for each in scene.organisation.scorecards.values()]
    )


@API.get("/scorecards/{scorecard}")
async def scorecard(call: Call, query: AtQuery) -> scorecard_models.ScorecardDetail:
    """Show a scorecard down to its objectives."""
    scene = await scene_at(call, query.at)
    card = scene.organisation.scorecards.get(call.path("scorecard"))
    if card is None:
        raise web.HTTPNotFound(text=f"There is no scorecard {call.path('scorecard')!r}.")
    return shapes.scorecard_detail(scene, card)


@API.get("/perspectives")
async def perspectives(call: Call, query: PerspectiveQuery) -> scorecard_models.Nodes:
    """List perspectives."""
    scene = await scene_at(call, query.at)
    return scorecard_models.Nodes(
        items=[
            shapes.perspective(scene, each)
            for card in scene.organisation.scorecards.values()
            if query.scorecard in (None, card.id)
            for each in card.perspectives
        ]
    )


@API.get("/objectives")
async def objectives(call: Call, query: ObjectiveQuery) -> scorecard_models.Objectives:
    """List objectives."""
    scene = await scene_at(call, query.at)
    return scorecard_models.Objectives(
        items=[
            shapes.objective(scene, each)
            for each in scene.organisation.objectives.values()
            if query.scorecard in (None, each.scorecard) and query.perspective in (None, each.perspective)
        ]
    )


@API.get("/status")
async def status(call: Call, query: StatusQuery) -> scorecard_models.Standing:
    """Show everything now, or as it was frozen at the end of a past period (`2026-06`, `2026-Q2`, `2026-06-14`)."""
    scene = await scene_at(call, query.at)
    organisation = scene.organisation
    wanted = query.scorecard
    return scorecard_models.Standing(
        at=scene.past or None,
        scorecards=[
            shapes.scorecard_detail(scene, each)
            for each in organisation.scorecards.values()
            if wanted in (None, each.id)
        ],
        kpis=[shapes.kpi(scene, each) for each in organisation.kpis.values() if wanted in (None, each.scorecard)],
    )
