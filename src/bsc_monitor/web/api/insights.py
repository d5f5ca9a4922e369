"""Insights: what closed periods show beyond noise, and tickets opened from them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from bsc_monitor.model.insight import Insight, InsightKind
from bsc_monitor.store.insights import insights as stored_insights
from bsc_monitor.web.api.alert_models import Request
from bsc_monitor.web.api.endpoint import Api, Call
from bsc_monitor.web.api.kpis import Id, Query
from bsc_monitor.web.api.models import Answer
from bsc_monitor.web.improvement import Improvement
from bsc_monitor.web.operations import Unknown
from bsc_monitor.web.routes import Policy

API = Api("Improvement")
ROUTES = API.table


class InsightQuery(Query):
    """Which insights."""

    scorecard: Id | None = None
    subject: Annotated[str, StringConstraints(max_length=810)] | None = None
    kind: InsightKind | None = None
    ended: Annotated[bool, Field(description="Also those that ended.")] = False
    limit: Annotated[int, Field(ge=1, le=1000)] = 500


class InsightModel(Answer):
    """A finding with its evidence."""

    id: str
    kind: str
    subject_kind: str
    subject: Annotated[str, Field(description="Full name of a KPI, `cause → effect` of a link, id of an initiative.")]
    aspect: str
    direction: str
    strength: float
    sentence: str
    next_step: str
    evidence: Mapping[str, Any]
    data: Annotated[str, Field(description="`firm`, or `provisional`: too little data to be sure.")]
    period: str
    since: datetime
    found_at: datetime | None
    ended_at: datetime | None
    tickets: Annotated[Mapping[str, str], Field(description="Links, by the action that opened the ticket.")]


class Insights(Answer):
    """Insights."""

    items: list[InsightModel]


class NewTicket(Request):
    """A ticket to open."""

    insight: Annotated[str, StringConstraints(min_length=1, max_length=1300)]
    action: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Opened(Answer):
    """A ticket."""

    link: str


@API.get("/insights")
async def insights(call: Call, query: InsightQuery) -> Insights:
    """List insights: the open ones, newest first."""
    current = call.board.current
    found = list(current.insights.values())
    if query.ended:
        kinds = (query.kind,) if query.kind else ()
        found = await call.board.store.read(
            lambda connection: stored_insights(connection, subject=query.subject, kinds=kinds, limit=query.limit)
        )
    found = [each for each in found if _asked(each, query)]
    found.sort(key=lambda each: (each.since, each.id), reverse=True)
    return Insights(items=[_model(each, current.tickets.get(each.id, {})) for each in found[: query.limit]])


@API.post("/tickets", Policy.OPERATOR)
async def ticket(call: Call, body: NewTicket) -> Opened:
    """Open a ticket from an insight; where it has one already, its link."""
    return Opened(link=await desk(call).open_ticket(body.insight, body.action, call.identity.name))


def desk(call: Call) -> Improvement:
    """Whom to ask. Raises Unknown where nobody can act."""
    if call.board.improvement is None:
        raise Unknown("nobody can act on insights here")
    return call.board.improvement


def _asked(insight: Insight, query: InsightQuery) -> bool:
    about = str(insight.evidence.get("kpi", "")) if insight.subject_kind == "initiative" else insight.subject
    return (
        query.subject in (None, insight.subject)
        and query.kind in (None, insight.kind)
        and (query.scorecard is None or about.partition("/")[0] == query.scorecard)
    )


def _model(of: Insight, tickets: Mapping[str, str]) -> InsightModel:
    return InsightModel(
        id=of.id, kind=of.kind, subject_kind=of.subject_kind, subject=of.subject, aspect=of.aspect,
        direction=of.direction, strength=of.strength, sentence=of.sentence, next_step=of.next_step, evidence=of.evidence,
        data=of.data, period=of.period, since=of.since, found_at=of.found_at, ended_at=of.ended_at, tickets=tickets,
    )  # fmt: skip
