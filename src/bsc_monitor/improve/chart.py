"""The process-behaviour chart of a KPI as data: what pages and reports draw."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from bsc_monitor.improve.assess import Assessment, assess
from bsc_monitor.improve.assurance import Icon, assurance_icon
from bsc_monitor.improve.forecast import Forecast
from bsc_monitor.improve.phases import Cause, Phase
from bsc_monitor.improve.series import time_of
from bsc_monitor.improve.words import period_name, span
from bsc_monitor.improve.xmr import PROVISIONAL, Limits, Rules
from bsc_monitor.model.insight import NotEnoughData
from bsc_monitor.model.organisation import Kpi, Level
from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import Status


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """One closed period."""

    period: Period
    value: float
    moving_range: float | None  #: distance to the point before; None for the first of a phase
    signals: tuple[str, ...]  #: rules that flag it; ``moving_range`` where the range is beyond its limit
    status: Status
    target: Level | None  #: in force then


@dataclass(frozen=True, slots=True)
class ChartPhase:
    """One stretch of points (indices ``[start, end)``) with its limits; None: too few points for them."""

    start: int
    end: int
    cause: Cause
    limits: Limits | None
    firm: bool


@dataclass(frozen=True, slots=True)
class ChartForecast:
    """One future period, never without its interval."""

    label: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ProcessBehaviour:
    """A KPI's closed periods with what is normal, what is not, and what is to be expected."""

    points: tuple[ChartPoint, ...]
    phases: tuple[ChartPhase, ...]
    variation: Icon
    assurance: Icon | None  #: None: no target, or no limits yet
    forecast: tuple[ChartForecast, ...] = ()
    forecast_method: str = ""
    forecast_error: float | None = None  #: mean absolute error of the back-tests, in the KPI's unit
    missing: NotEnoughData | None = None  #: how many points limits still need
    no_forecast: str = ""  #: why there is none, in words


def process_behaviour(
    kpi: Kpi, records: Sequence[PeriodValue], *, changes: Sequence[datetime | date] = (), rules: Rules = "wheeler",
    timezone: str = "UTC",
) -> ProcessBehaviour:  # fmt: skip
    """The chart of closed periods, oldest first; parameters as ``assess`` takes them."""
    return chart_of(assess(kpi, records, changes=changes, rules=rules, timezone=timezone))


def chart_of(seen: Assessment) -> ProcessBehaviour:
    """The chart of an assessment."""
    made = seen.forecast if isinstance(seen.forecast, Forecast) else None
    newest = seen.series.records[-1].period if seen.series else None
    return ProcessBehaviour(
        points=_points(seen),
        phases=tuple(
            ChartPhase(phase.start, phase.end, phase.cause, shown, shown is not None and shown.firm)
            for phase in seen.phases
            for shown in (_limits(seen, phase),)
        ),
        variation=seen.variation,
        assurance=assurance_icon(seen.assurance) if seen.assurance else None,
        forecast=tuple(
            ChartForecast(future_label(newest, point.ahead), point.value, point.low, point.high) for point in made.points
        ) if made and newest else (),
        forecast_method=made.method if made else "",
        forecast_error=made.error if made else None,
        missing=None if seen.limits else NotEnoughData(len(seen.phases[-1]) if seen.phases else 0, PROVISIONAL),
        no_forecast=_no_forecast(seen),
    )  # fmt: skip


def _limits(seen: Assessment, phase: Phase) -> Limits | None:
    if not isinstance(phase.limits, Limits):
        return None
    lower, upper = seen.possible(phase.limits)
    return replace(phase.limits, lower=lower, upper=upper)


def _no_forecast(seen: Assessment) -> str:
    if isinstance(seen.forecast, Forecast):
        return ""
    need = f"a forecast needs {span(seen.forecast.need, seen.kpi.period)}"
    there = f"there {'is' if seen.forecast.have == 1 else 'are'} {seen.forecast.have}"
    if not seen.since:
        return f"{need[0].upper()}{need[1:]} that closed with a value; {there}."
    since = period_name(seen.series.records[seen.since].period)
    return f"The process changed around {since}: {need} of the new one; {there}."


def future_label(newest: Period, ahead: int) -> str:
    """What to write at a future period: its month as the closed ones are labelled, else how many periods ahead it is."""
    if newest.kind is not PeriodKind.MONTH:
        return f"+{ahead}"
    year, month = divmod(time_of(newest) + ahead, 12)
    return f"{year}-{month + 1:02}"


def _points(seen: Assessment) -> tuple[ChartPoint, ...]:
    flags: dict[int, list[str]] = {}
    starts = {phase.start for phase in seen.phases}
    for phase in seen.phases:
        for signal in phase.signals:
            for place in signal.points:
                flags.setdefault(place, []).append(signal.rule)
        for place in phase.jumps:
            flags.setdefault(place, []).append("moving_range")
    values = seen.series.values
    return tuple(
        ChartPoint(
            record.period, values[place], None if place in starts else abs(values[place] - values[place - 1]),
            tuple(dict.fromkeys(flags.get(place, ()))), record.status, record.thresholds.target,
        )
        for place, record in enumerate(seen.series.records)
    )  # fmt: skip
