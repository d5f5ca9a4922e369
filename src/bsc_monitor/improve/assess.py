"""Everything that statistics say of one KPI's closed periods: what insights are told from, and pages and metrics show."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bsc_monitor.improve.assurance import (
    Assurance,
    Icon,
    assurance,
    direction_of,
    good_side,
    newest_signal,
    variation_icon,
)  # fmt: skip
from bsc_monitor.improve.forecast import Forecast, forecast
from bsc_monitor.improve.phases import Phase, phases
from bsc_monitor.improve.present import present
from bsc_monitor.improve.series import SEASONS, Series, closed_series
from bsc_monitor.improve.trend import Trend
from bsc_monitor.improve.volatility import Volatility, volatility
from bsc_monitor.improve.xmr import FIRM, Limits, Rules, Signal
from bsc_monitor.model.insight import NotEnoughData
from bsc_monitor.model.organisation import Kpi, Thresholds
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.unit import canonical


@dataclass(frozen=True, slots=True)
class Assessment:
    """One KPI as of its newest closed period."""

    kpi: Kpi
    series: Series
    thresholds: Thresholds  #: in force in the newest closed period
    phases: tuple[Phase, ...]
    assurance: Assurance | None  #: None: no target, or no limits yet
    variation: Icon
    since: int  #: index of the first value of the process as it is now: trend and forecast rest on those from there
    trend: Trend | NotEnoughData
    forecast: Forecast | NotEnoughData
    volatility: Volatility | NotEnoughData
    bounds: tuple[float | None, float | None] = (None, None)  #: what its values cannot pass

    @property
    def limits(self) -> Limits | None:
        """The natural limits in force, if there are enough points."""
        found = self.phases[-1].limits if self.phases else None
        return found if isinstance(found, Limits) else None

    def possible(self, usual: Limits) -> tuple[float, float]:
        """Natural limits as far as values can go: nobody expects a rate below zero."""
        floor, ceiling = self.bounds
        lower = usual.lower if floor is None else max(floor, usual.lower)
        return lower, usual.upper if ceiling is None else min(ceiling, usual.upper)

    @property
    def newest(self) -> PeriodValue:
        """The newest closed period with a value; raises IndexError when there is none."""
        return self.series.records[-1]


def assess(
    kpi: Kpi, records: Iterable[PeriodValue], *, changes: Sequence[datetime | date] = (), rules: Rules = "wheeler",
    timezone: str = "UTC", ahead: int = 6,
) -> Assessment:  # fmt: skip
    """Assess a KPI's closed periods, oldest first; ``changes`` are when its process was changed on purpose."""
    series = closed_series(records)
    declared = {place for change in changes if (place := place_of(series, change, timezone)) is not None}
    found = phases(series.values, rules=rules, declared=declared)
    thresholds = series.records[-1].thresholds if series.records else Thresholds()
    usual = found[-1].limits if found else None
    signal, side = _variation(found)
    good = good_side(kpi.better, thresholds.target, usual.centre if isinstance(usual, Limits) else 0.0)
    now, bounds = present(series.values, series.times, found), _bounds(kpi, series.values)
    return Assessment(
        kpi=kpi, series=series, thresholds=thresholds, phases=found, assurance=_assurance(usual, thresholds, kpi),
        variation=variation_icon(signal, direction_of(side, good)),
        since=now.start, trend=now.trend,
        forecast=forecast(
            series.values, series.times, ahead=ahead, season=SEASONS.get(kpi.period), start=now.start,
            bounds=bounds, rows=now.rows,
        ),
        volatility=volatility(series.values, found), bounds=bounds,
    )  # fmt: skip


def place_of(series: Series, change: datetime | date, timezone: str = "UTC") -> int | None:
    """Index of the first point whose period starts at the change or after it; None when there is none yet."""
    day = change.astimezone(ZoneInfo(timezone)).date() if isinstance(change, datetime) else change
    return next((place for place, record in enumerate(series.records) if first_day(record, timezone) >= day), None)


def first_day(record: PeriodValue, timezone: str) -> date:
    """The local day on which a period starts."""
    return record.period.start.astimezone(ZoneInfo(timezone)).date()


def young_shift(found: Sequence[Phase]) -> tuple[Phase, Limits] | None:
    """The newest phase while it is news: begun by a shift, its limits not firm yet; with the limits before it."""
    if len(found) < 2 or found[-1].cause != "shift" or len(found[-1]) >= FIRM:
        return None
    before = found[-2].limits
    return (found[-1], before) if isinstance(before, Limits) else None


def _assurance(usual: Limits | NotEnoughData | None, thresholds: Thresholds, kpi: Kpi) -> Assurance | None:
    if not isinstance(usual, Limits) or thresholds.target is None:
        return None
    return assurance(usual.lower, usual.upper, thresholds.target, kpi.better)


def _variation(found: Sequence[Phase]) -> tuple[Signal | None, int]:
    if not found:
        return None, 0
    signal = newest_signal(found[-1])
    if signal is None and (young := young_shift(found)) is not None:
        phase, before = young
        now = phase.limits.centre if isinstance(phase.limits, Limits) else before.centre
        signal = Signal("run", 1 if now > before.centre else -1, tuple(range(phase.start, phase.end)))
    return signal, signal.side if signal else 0


def _bounds(kpi: Kpi, values: Sequence[float]) -> tuple[float | None, float | None]:
    """What a forecast cannot pass: nothing measured was negative, a percentage was never above 100."""
    unit = canonical(kpi.unit)
    whole = {"%": 100.0, "ratio": 1.0}.get(unit)
    low, high = min(values, default=0.0), max(values, default=0.0)
    return 0.0 if low >= 0 else None, whole if whole is not None and high <= whole else None
