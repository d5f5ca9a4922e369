"""Which pieces an event changes."""

from collections.abc import Iterator
from functools import singledispatch

from bsc_monitor.model.event import Event, KpiJudged, ScoreChanged
from bsc_monitor.model.status import Status
from bsc_monitor.web.live.pieces import Key


@singledispatch
def changed_by(event: Event) -> Iterator[Key]:  # noqa: ARG001 - an event that no page shows
    """The pieces that show something that the event changed."""
    return iter(())


@changed_by.register
def _(event: KpiJudged) -> Iterator[Key]:
    name = event.judgement.kpi
    yield Key("row", name)
    before = event.before
    if before is None or (before.status, before.freshness) != (event.judgement.status, event.judgement.freshness):
        yield Key("glance")
    if Status.RED in (event.judgement.status, before.status if before else Status.RED):
        yield Key("concerns")
        yield Key("concerns", name.partition("/")[0])


@changed_by.register
def _(event: ScoreChanged) -> Iterator[Key]:
    kind, name = event.node.kind, event.node.name
    card = name.partition("/")[0]
    if kind == "objective":
        yield Key("objective", name)
    elif kind == "perspective":
        yield Key("perspective", name)
        yield Key("tile", card)
        yield Key("head", card)
    elif kind == "scorecard":
        yield Key("tile", card)
        yield Key("head", card)
