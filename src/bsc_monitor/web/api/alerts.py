"""Alerts, acknowledgements, silences, comments, events."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from bsc_monitor.model.alert import AlertState, Matcher, MatchOperator
from bsc_monitor.store import history
from bsc_monitor.store.controls import load_comments
from bsc_monitor.web.api import alert_models, models, shapes
from bsc_monitor.web.api.alert_models import sane
from bsc_monitor.web.api.endpoint import Api, Call
from bsc_monitor.web.api.kpis import Id, Query
from bsc_monitor.web.matching import matcher, unmet_now
from bsc_monitor.web.operations import Rejected
from bsc_monitor.web.routes import Policy

API = Api("Alerts")
ROUTES = API.table
_OPERATORS: dict[tuple[bool, bool], MatchOperator] = {
    (True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~",
}  # fmt: skip


class AlertQuery(Query):
    """Which alerts."""

    state: AlertState | None = None
    scorecard: Id | None = None
    kpi: Id | None = None


class EventQuery(Query):
    """Which events."""

    subject: Annotated[str, StringConstraints(max_length=300)] | None = None
    kind: Annotated[str, StringConstraints(max_length=50)] | None = None
    before: Annotated[int, Field(ge=1, le=2**62, description="An id.")] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class CommentQuery(Query):
    """On what."""

    subject: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


@API.get("/alerts")
async def alerts(call: Call, query: AlertQuery) -> alert_models.Alerts:
    """List open alerts, firing first."""
    controls, now = await call.hub.controls(), call.board.clock()
    labels = {name: value for name in ("scorecard", "kpi") if (value := getattr(query, name)) is not None}
    return alert_models.Alerts(
        items=[
            shapes.alert(each, controls, now, call.board.url or "")
            for each in controls.alerts
            if query.state in (None, each.state)
            and all(each.labels.get(name) == value for name, value in labels.items())
        ]
    )


@API.post("/acknowledgements", Policy.OPERATOR)
async def acknowledge(call: Call, body: alert_models.NewAcknowledgement) -> alert_models.Done:
    """Take a firing alert on, until it resolves or until an instant."""
    until = sane(body.until)
    if until is not None and until <= call.board.clock():
        raise Rejected("the time until which it is acknowledged has passed")
    await call.board.operations.acknowledge(body.fingerprint, body.note, until, call.identity.name)
    await call.hub.reread()
    return alert_models.Done()


@API.get("/silences")
async def silences(call: Call) -> alert_models.Silences:
    """List silences that have not ended."""
    controls, now = await call.hub.controls(), call.board.clock()
    return alert_models.Silences(items=[shapes.silence(each, now) for each in controls.silences if each.ends_at > now])


@API.post("/silences", Policy.OPERATOR)
async def silence(call: Call, body: alert_models.NewSilence) -> alert_models.SilenceId:
    """Tell nobody of matching alerts for a while."""
    starts, ends = sane(body.startsAt) or call.board.clock(), sane(body.endsAt) or body.endsAt
    matchers = [matcher_of(each) for each in body.matchers]
    check_silence(matchers, starts, ends, call.board.clock())
    name = await call.board.operations.silence(matchers, starts, ends, call.identity.name, body.comment)
    await call.hub.reread()
    warnings = await unmet_now(call.board, [matchers])
    return alert_models.SilenceId(silenceID=name, warnings=warnings[tuple(matchers)])


@API.delete("/silences/{silence}", Policy.OPERATOR)
async def expire(call: Call) -> None:
    """End a silence now."""
    await call.board.operations.expire_silence(call.path("silence"), call.identity.name)
    await call.hub.reread()


@API.get("/comments")
async def comments(call: Call, query: CommentQuery) -> models.Comments:
    """List the comments on a subject (`kpi:it/mttr`), newest first."""
    found = await call.board.store.read(lambda connection: load_comments(connection, query.subject, query.limit))
    return models.Comments(
        items=[
            models.Comment(id=each.id, at=each.at, subject=each.subject, author=each.author, text=each.text)
            for each in found
        ]
    )


@API.post("/comments", Policy.OPERATOR)
async def comment(call: Call, body: alert_models.NewComment) -> alert_models.Done:
    """Write a comment."""
    if not body.text:
        raise Rejected("the comment says nothing")
    await call.board.operations.comment(body.subject, body.text, call.identity.name)
    return alert_models.Done()


@API.get("/events")
async def events(call: Call, query: EventQuery) -> models.Events:
    """List what happened, newest first; `before` pages on."""
    kinds = (query.kind,) if query.kind else ()
    found = await call.board.store.read(
        lambda connection: history.events(
            connection, subject=query.subject, kinds=kinds, before=query.before, limit=query.limit
        )
    )
    return models.Events(
        items=[
            models.Event(id=each.id, at=each.at, kind=each.kind, subject=each.subject, data=dict(each.data))
            for each in found
        ]
    )


def matcher_of(given: alert_models.Matcher) -> Matcher:
    """A condition as the model has it. Raises ``Rejected`` as ``matching`` does."""
    return matcher(given.name, _OPERATORS[given.isEqual, given.isRegex], given.value)


def check_silence(matchers: list[Matcher], starts: datetime, ends: datetime, now: datetime) -> None:
    """Raise ``Rejected`` for a silence that makes no sense."""
    if ends <= starts:
        raise Rejected("a silence must end after it starts")
    if ends <= now:
        raise Rejected("a silence must end in the future")
    if all(each.matches({}) for each in matchers):
        raise Rejected("a silence must not match everything: name one label at least")
