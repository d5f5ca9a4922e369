"""A KPI's process-behaviour chart as data: points, phases with natural limits, forecast, what happened."""

from datetime import datetime

from sqlalchemy import Connection

from bsc_monitor.improve.chart import ProcessBehaviour, process_behaviour
from bsc_monitor.improve.initiatives import process_changes
from bsc_monitor.model.organisation import Initiative, Kpi
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.store import history
from bsc_monitor.store.events import StoredEvent
from bsc_monitor.web.api import chart_models, shapes
from bsc_monitor.web.api.endpoint import Api, Call
from bsc_monitor.web.api.kpis import At, Query
from bsc_monitor.web.operations import Unknown
from bsc_monitor.web.view.past import NoSuchPeriod, asked_period

API = Api("KPIs")
ROUTES = API.table
_PERIODS, _EVENTS = 60, 60


class ChartQuery(Query):
    """As of when."""

    at: At = ""


@API.get("/kpis/{scorecard}/{kpi}/chart")
async def chart(call: Call, query: ChartQuery) -> chart_models.Chart:
    """Show a KPI's process-behaviour chart: what is normal, what is a signal, what is to be expected."""
    name = call.kpi_name()
    kpi = call.board.organisation.kpis[name]
    card = call.board.organisation.scorecards.get(kpi.scorecard)
    try:
        period = asked_period(query.at, call.board)
    except NoSuchPeriod as error:
        raise Unknown(str(error)) from None
    until = period.end if period else None
    values, happened = await call.board.store.read(lambda connection: _read(connection, name, until))
    closed = [each for each in values if each.closed_at is not None]
    initiatives = call.board.organisation.initiatives.values()
    changes = process_changes(kpi, initiatives, call.board.current.initiatives)
    zone = card.calendar.timezone if card else "UTC"
    made = process_behaviour(kpi, closed, changes=changes, timezone=zone) if closed else None
    return _chart(kpi, values, made, happened, [each for each in initiatives if name in each.targets])


def _read(connection: Connection, name: str, until: datetime | None) -> tuple[list[PeriodValue], list[StoredEvent]]:
    values = history.period_values(connection, name, until=until, limit=_PERIODS)
    return values, history.events(connection, subject=name, kinds=("status",), limit=_EVENTS)


def _chart(
    kpi: Kpi, values: list[PeriodValue], made: ProcessBehaviour | None, happened: list[StoredEvent],
    initiatives: list[Initiative],
) -> chart_models.Chart:  # fmt: skip
    signals = {each.period.start: list(each.signals) for each in made.points} if made else {}
    shown = [each for each in values if each.value is not None]
    return chart_models.Chart(
        kpi=kpi.name, title=kpi.title, unit=kpi.unit, better=kpi.better,
        points=[
            chart_models.ChartPoint(
                period=each.period.label, end=each.period.end, value=each.value, status=each.status,
                target=shapes.level(each.thresholds.target), red=shapes.level(each.thresholds.red),
                signals=signals.get(each.period.start, []), open=each.closed_at is None,
            )
            for each in shown
        ],
        phases=_phases(made, shown) if made else [],
        forecast=[
            chart_models.ChartForecast(label=each.label, value=each.value, low=each.low, high=each.high)
            for each in made.forecast
        ] if made else [],
        annotations=_annotations(happened, initiatives),
        variation=made.variation.text if made else None,
        assurance=made.assurance.text if made and made.assurance else None,
        note=_note(made) if made else "",
    )  # fmt: skip


def _note(made: ProcessBehaviour) -> str:
    missing = made.missing
    limits = f"Natural limits need {missing.need} closed periods; there are {missing.have}." if missing else ""
    return f"{limits} {made.no_forecast}".strip()


def _phases(made: ProcessBehaviour, shown: list[PeriodValue]) -> list[chart_models.ChartPhase]:
    """Phases count the closed points; the page draws all points, among which the closed ones come first."""
    places = {each.period.start: place for place, each in enumerate(shown)}
    found = []
    for phase in made.phases:
        points = made.points[phase.start : phase.end]
        if not points:
            continue
        first, last = places.get(points[0].period.start), places.get(points[-1].period.start)
        if first is None or last is None:
            continue
        limits = phase.limits
        found.append(
            chart_models.ChartPhase(
                start=first, end=last + 1, cause=phase.cause, firm=phase.firm, centre=limits.centre if limits else None,
                lower=limits.lower if limits else None, upper=limits.upper if limits else None,
            )
        )  # fmt: skip
    return found


def _annotations(happened: list[StoredEvent], initiatives: list[Initiative]) -> list[chart_models.Annotation]:
    told = [
        chart_models.Annotation(day=each.at.date(), text=f"{each.data.get('from', '')} → {each.data.get('to', '')}")
        for each in happened
        if each.data.get("to") == "red"
    ]
    told += [chart_models.Annotation(day=each.start, text=each.title) for each in initiatives if each.start]
    return sorted(told, key=lambda each: each.day)
