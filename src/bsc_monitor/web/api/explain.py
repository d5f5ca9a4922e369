"""Why a score is what it is, and whether the strategy hangs together."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

from aiohttp import web
from sqlalchemy import Connection

from bsc_monitor.evaluate.awaiting import with_period
from bsc_monitor.model.health import CollectionHealth
from bsc_monitor.model.judgement import NodeKind
from bsc_monitor.model.words import node_reason
from bsc_monitor.score.alignment import alignment
from bsc_monitor.score.explain import Explanation, explain, explain_past, to_data
from bsc_monitor.store import history
from bsc_monitor.web.api import scorecard_models
from bsc_monitor.web.api.endpoint import Api, Call
from bsc_monitor.web.api.kpis import AtQuery
from bsc_monitor.web.board import Board
from bsc_monitor.web.operations import Unknown
from bsc_monitor.web.view.past import NoSuchPeriod, asked_period

API = Api("Explain")
ROUTES = API.table
_READINGS = 10
_INSTANT = timedelta(microseconds=1)


class ExplainQuery(AtQuery):
    """Of which kind of node, and as of when."""

    kind: Literal["kpi", "objective", "perspective"] = "kpi"


@API.get("/explain/{scorecard}/{node}")
async def node(call: Call, query: ExplainQuery) -> scorecard_models.Explained:
    """Explain the score of a KPI, an objective or a perspective: value, thresholds, weights, each child's share."""
    name = f"{call.path('scorecard')}/{call.path('node')}"
    return await _explained(call, query.kind, name, query.at)


@API.get("/explain/{scorecard}")
async def card(call: Call, query: AtQuery) -> scorecard_models.Explained:
    """Explain the score of a scorecard, and what would raise it most."""
    return await _explained(call, "scorecard", call.path("scorecard"), query.at)


@API.get("/alignment")
async def aligned(call: Call) -> scorecard_models.Findings:
    """List what does not hang together: objectives that support nothing, links that run against the usual order."""
    return scorecard_models.Findings(
        items=[
            scorecard_models.Finding(
                kind=each.kind, scorecard=each.scorecard, subject=each.subject, message=each.message
            )
            for each in alignment(call.board.organisation)
        ]
    )


async def _explained(call: Call, kind: NodeKind, name: str, at: str) -> scorecard_models.Explained:
    try:
        found = await explanation(call.board, kind, name, at)
    except KeyError:
        raise web.HTTPNotFound(text=f"There is no {kind} {name!r}.") from None
    data: dict[str, Any] = to_data(found) | {"reason": node_reason(found.reason)}
    if found.kpi is not None:
        data["failing"] = to_data(_failing(call.board, name)) if found.at is None else None
    return scorecard_models.Explained(subject=f"{kind}:{name}", explanation=data)


async def explanation(board: Board, kind: NodeKind, name: str, at: str) -> Explanation:
    """The derivation of a score, now or at a past period's end. Raises KeyError, ``Unknown``."""
    organisation, now = board.organisation, board.clock()
    if kind == "kpi" and name not in organisation.kpis:
        raise KeyError(name)
    try:
        period = asked_period(at, board)
    except NoSuchPeriod as error:
        raise Unknown(str(error)) from None

    def read(connection: Connection) -> tuple[Any, Any]:
        readings = history.readings(connection, name, before=period.end if period else None, limit=_READINGS)
        return (readings if kind == "kpi" else []), history.values_ended_by(connection, period.end) if period else []

    readings, values = await board.store.read(read)
    if period is None:
        found = explain(organisation, kind, name, board.current.judgements, now, readings)
    else:
        found = explain_past(organisation, kind, name, period, values, now, readings)
    if found.kpi is None:
        return found
    kpi = organisation.kpis[name]
    calendar = organisation.scorecards[kpi.scorecard].calendar
    return replace(found, kpi=with_period(found.kpi, kpi, calendar, period.end - _INSTANT if period else now))


def _failing(board: Board, name: str) -> CollectionHealth | None:
    """The collection that fails to feed a KPI now."""
    kpi = board.organisation.kpis[name]
    health = board.current.collectors.get((kpi.source or "", kpi.measure or ""))
    return health.failure_of(name) if health else None
