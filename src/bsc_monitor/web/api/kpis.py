"""KPIs: lists with filters, values by period, breakdowns, readings, values by hand."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from bsc_monitor.model.organisation import Kpi
from bsc_monitor.model.status import Freshness, Status
from bsc_monitor.store import history
from bsc_monitor.web.api import kpi_models, shapes
from bsc_monitor.web.api.alert_models import Done, NewReading, sane
from bsc_monitor.web.api.endpoint import Api, Call
from bsc_monitor.web.operations import Unknown
from bsc_monitor.web.routes import Policy
from bsc_monitor.web.view.past import NoSuchPeriod, asked_period, past_scene
from bsc_monitor.web.view.scene import Scene

API = Api("KPIs")
ROUTES = API.table
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*/[a-z0-9][a-z0-9_-]*$", max_length=201)]
_KPI = "/kpis/{scorecard}/{kpi}"


#: A period as people write it; empty: now.
At = Annotated[
    str, StringConstraints(pattern=r"^([0-9]{4}(-([0-9]{2}(-[0-9]{2})?|[Qq][1-4]|[Ww][0-9]{2}))?)?$", max_length=10)
]


class Query(BaseModel):
    """The base of all query parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class AtQuery(Query):
    """As of when."""

    at: Annotated[
        At, Field(description="A past period (2026-06, 2026-Q2, 2026-W23, 2026-06-14, 2026); empty: now.")
    ] = ""


async def scene_at(call: Call, at: str) -> Scene:
    """Everything now, or as it was frozen at the end of a past period. Raises ``Unknown`` for one that cannot be shown."""
    try:
        period = asked_period(at, call.board)
    except NoSuchPeriod as error:
        raise Unknown(str(error)) from None
    return await past_scene(call.board, period) if period else call.hub.pieces.scene()


class KpiQuery(AtQuery):
    """Which KPIs, and as of when."""

    scorecard: Id | None = None
    perspective: Id | None = None
    objective: Name | None = None
    status: Status | None = None
    freshness: Freshness | None = None
    source: Id | None = None
    q: Annotated[str, StringConstraints(max_length=200), Field(description="Part of the title or name.")] = ""
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    after: Annotated[str, StringConstraints(max_length=201), Field(description="`next` of the page before.")] = ""


class PeriodQuery(Query):
    """How many periods."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 60


def _written(text: str) -> str:
    """A bare number would be taken for seconds since 1970; the description promises a date and time."""
    if "-" not in text[1:]:
        raise ValueError("write a date and time, as 2026-06-14T09:30:00Z")
    return text


class ReadingQuery(Query):
    """Which readings."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    before: Annotated[AwareDatetime, BeforeValidator(_written)] | None = None


@API.get("/kpis")
async def kpis(call: Call, query: KpiQuery) -> kpi_models.Kpis:
    """List KPIs by name, filtered and in pages."""
    scene = await scene_at(call, query.at)
    found = sorted(_matching(scene, query), key=lambda each: each.name)
    rest = [each for each in found if each.name > query.after]
    page = rest[: query.limit]
    more = len(rest) > len(page)
    return kpi_models.Kpis(
        items=[shapes.kpi(scene, each) for each in page], total=len(found), next=page[-1].name if more else None
    )


def _matching(scene: Scene, query: KpiQuery) -> Iterator[Kpi]:
    wanted = {
        name: value
        for name in ("scorecard", "perspective", "objective", "source")
        if (value := getattr(query, name)) is not None
    }
    text = query.q.casefold()
    for kpi in scene.organisation.kpis.values():
        if any(getattr(kpi, name) != value for name, value in wanted.items()):
            continue
        if text and text not in kpi.title.casefold() and text not in kpi.name:
            continue
        judgement = scene.judgement(kpi.name)
        if query.status not in (None, judgement.status) or query.freshness not in (None, judgement.freshness):
            continue
        yield kpi


@API.get(_KPI)
async def kpi(call: Call, query: AtQuery) -> kpi_models.Kpi:
    """Show a KPI as it is judged now, or as it was frozen in a past period."""
    scene = await scene_at(call, query.at)
    return shapes.kpi(scene, scene.organisation.kpis[call.kpi_name()])


@API.get(_KPI + "/periods")
async def periods(call: Call, query: PeriodQuery) -> kpi_models.Periods:
    """Show a KPI's values by period, oldest first; the open period comes last."""
    name = call.kpi_name()
    values = await call.board.store.read(lambda connection: history.period_values(connection, name, limit=query.limit))
    unit = call.board.organisation.kpis[name].unit
    return kpi_models.Periods(kpi=name, unit=unit, items=[shapes.period_point(each) for each in values])


@API.get(_KPI + "/segments")
async def segments(call: Call) -> kpi_models.Segments:
    """Show a KPI's breakdowns in the period that is judged now."""
    name = call.kpi_name()
    kpi, period = call.board.organisation.kpis[name], call.hub.pieces.scene().judgement(name).period
    values = (
        await call.board.store.read(lambda connection: history.segment_values(connection, name, period))
        if period
        else []
    )
    return kpi_models.Segments(kpi=name, unit=kpi.unit, items=[shapes.segment(each) for each in values])


@API.get(_KPI + "/readings")
async def readings(call: Call, query: ReadingQuery) -> kpi_models.Readings:
    """List a KPI's readings, newest first; `before` pages on. Those of one instant are on one page, beyond `limit`
    too: a run may give many segments."""
    name = call.kpi_name()
    found = await call.board.store.read(
        lambda connection: history.readings(connection, name, before=query.before, limit=query.limit, whole=True)
    )
    unit = call.board.organisation.kpis[name].unit
    return kpi_models.Readings(kpi=name, unit=unit, items=[shapes.reading(each) for each in found])


@API.post(_KPI + "/readings", Policy.OPERATOR)
async def add_reading(call: Call, body: NewReading) -> Done:
    """Enter a value by hand, in the KPI's unit."""
    at = sane(body.at) or call.board.clock()
    await call.board.operations.set_value(call.kpi_name(), body.value, at, body.note, call.identity.name)
    return Done()
