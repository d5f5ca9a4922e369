"""Which pieces an event changes."""

from collections.abc import Iterator
from functools import singledispatch

from bsc_monitor.model.event import (
    CollectorFailed,
    CollectorRan,
    Event,
    InitiativeChanged,
    InsightEnded,
    InsightFound,
    KpiJudged,
    ScoreChanged,
    TicketOpened,
)
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.status import Status
from bsc_monitor.web.live.pieces import Key
from bsc_monitor.web.view.controls import Controls


def touched(before: Controls, after: Controls) -> Iterator[Key]:
    """The pieces that show alerts which differ, or what people said of them."""
    if before == after:
        return
    yield Key("alerts")
    yield Key("concerns")
    for subject in before.by_subject.keys() | after.by_subject.keys():
        kind, _, name = subject.partition(":")
        if kind == "kpi":
            yield Key("concerns", name.partition("/")[0])
            yield Key("doing", name)


def concerned(organisation: Organisation, initiative: str) -> Iterator[Key]:
    """The pieces that say what is being done, where an initiative is part of it."""
    found = organisation.initiatives.get(initiative)
    if found is None:
        return
    yield Key("concerns")
    targets = {*found.targets, *((found.expect.kpi,) if found.expect else ())}
    for kpi in organisation.kpis.values():
        if kpi.name in targets or kpi.objective in targets:
            yield Key("concerns", kpi.scorecard)
            yield Key("doing", kpi.name)


@singledispatch
def changed_by(event: Event) -> Iterator[Key]:  # noqa: ARG001 - an event that no page shows
    """The pieces that show something that the event changed."""
    return iter(())


@changed_by.register
def _(event: KpiJudged) -> Iterator[Key]:
    name = event.judgement.kpi
    yield Key("row", name)
    yield Key("kpi", name)
    yield Key("why", name)
    before = event.before
    if before is None or (before.status, before.freshness) != (event.judgement.status, event.judgement.freshness):
        yield Key("glance")
    known = {event.judgement.status, before.status if before else Status.RED}
    if Status.RED in known or (Status.UNKNOWN in known and len(known) > 1):
        yield Key("concerns")
        yield Key("concerns", name.partition("/")[0])
        yield Key("improvement")


@changed_by.register
def _(event: ScoreChanged) -> Iterator[Key]:
    kind, name = event.node.kind, event.node.name
    card = name.partition("/")[0]
    if kind == "objective":
        yield Key("objective", name)
        yield Key("map", card)
    elif kind == "perspective":
        yield Key("perspective", name)
        yield Key("tile", card)
        yield Key("head", card)
    elif kind == "scorecard":
        yield Key("tile", card)
        yield Key("head", card)


@changed_by.register(CollectorRan)
@changed_by.register(CollectorFailed)
def _(event: CollectorRan | CollectorFailed) -> Iterator[Key]:
    yield Key("sources")
    for name in event.kpis:  # whose values it brings, or not
        yield Key("why", name)


@changed_by.register(InsightFound)
@changed_by.register(InsightEnded)
@changed_by.register(InitiativeChanged)
@changed_by.register(TicketOpened)
def _(event: Event) -> Iterator[Key]:
    yield Key("improvement")
    if isinstance(event, InsightFound | InsightEnded) and event.insight.subject_kind == "link":
        yield Key("map", event.insight.subject.partition("/")[0])
