"""What "now" shows of a KPI, and how good it is (design/scoring.md, "What 'now' shows")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from bsc_monitor.model import unit as units
from bsc_monitor.model.judgement import Judgement
from bsc_monitor.model.organisation import Kpi, TargetPath, Thresholds
from bsc_monitor.model.period import Calendar, Period
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.reading import KpiReading, Reading
from bsc_monitor.model.status import Freshness, ReadingState, Status
from bsc_monitor.model.unit import canonical, is_currency
from bsc_monitor.score.curve import Curve, curve_of
from bsc_monitor.score.periods import current_period, last_day, local_day, midnight, previous
from bsc_monitor.score.targets import (
    final_target,
    next_step,
    progress,
    prorated,
    share_passed,
    thresholds_on,
)

_OK: Final = ReadingState.OK
_PARTIAL: Final = ReadingState.PARTIAL
_UNKNOWN: Final = Status.UNKNOWN
_JUDGEABLE: Final = (_OK, _PARTIAL)
_FRESH: Final = Freshness.FRESH
_STALE: Final = Freshness.STALE


@dataclass(frozen=True, slots=True)
class Rules:
    """What a KPI (or one of its segments) is judged by."""

    thresholds: Thresholds
    curve: Curve | None
    until: datetime | None  #: when others come into force, for the KPI or one of its segments; None: never


@lru_cache(maxsize=65536)
def _rules(thresholds: Thresholds, curve: Curve | None, until: datetime | None) -> Rules:
    """The rules of all KPIs that are judged alike, once."""
    return Rules(thresholds, curve, until)


def rules_at(kpi: Kpi, instant: datetime, calendar: Calendar, path: TargetPath | None = None) -> Rules:
    """The rules in force at an instant."""
    return _rules_on(local_day(instant, calendar), kpi, calendar, path)


def rules_of(kpi: Kpi, period: Period, calendar: Calendar, path: TargetPath | None = None) -> Rules:
    """The rules that a closed period is judged by: those in force at its last instant."""
    return _rules_on(last_day(period, calendar), kpi, calendar, path)


def _rules_on(day: date, kpi: Kpi, calendar: Calendar, path: TargetPath | None) -> Rules:
    path = kpi.path if path is None else path
    thresholds = thresholds_on(path, day)
    paths = [each for each in (path, *kpi.segments.values()) if len(each.steps) > 1]
    step = min((later for each in paths if (later := next_step(each, day)) is not None), default=None)
    until = None if step is None else midnight(step, ZoneInfo(calendar.timezone))
    return _rules(thresholds, curve_of(kpi, thresholds), until)


def prorate(rules: Rules, kpi: Kpi, period: Period, now: datetime, calendar: Calendar) -> Rules | None:
    """The rules for an open period's share that has passed; None before any of its working time has."""
    share = share_passed(period, now, calendar)
    if share <= 0:
        return None
    scaled = prorated(rules.thresholds, share)
    return Rules(scaled, curve_of(kpi, scaled) if scaled.target is not None else rules.curve, rules.until)


def settled(
    min_samples: int, period: Period, reading: KpiReading, rules: Rules | None, definition: str = "",
    closed_at: datetime | None = None, revision: int = 0,
) -> PeriodValue:  # fmt: skip
    """A period's value, judged. ``rules`` None: it is too early to judge it.

    A value needs ``min_samples`` behind it; one that does not say counts as one. So does one that
    counted nothing: no major incident in a month is a value of 0, and not an unknown one.
    """
    value, state = reading.value, reading.state
    score: float | None = None
    status = _UNKNOWN
    if value is None and state in _JUDGEABLE:
        state = ReadingState.NO_DATA
    elif state in _JUDGEABLE and (reading.samples or 1) < min_samples:
        state = ReadingState.INSUFFICIENT
    elif value is not None and state in _JUDGEABLE and rules is not None and rules.curve is not None:
        score, status = rules.curve.judge(value)
    thresholds = Thresholds() if rules is None else rules.thresholds
    return PeriodValue(
        reading.kpi, period, reading.labels, value, reading.samples, reading.numerator, reading.denominator, state,
        reading.completeness, reading.at, reading.evidence, reading.note, thresholds, score, status, definition,
        closed_at, revision,
    )  # fmt: skip


def is_shown(value: PeriodValue | None) -> bool:
    """Whether a period's value can be shown as the KPI's."""
    return value is not None and value.value is not None and value.state in _JUDGEABLE


def reading_of(value: PeriodValue, min_samples: int) -> KpiReading:
    """A stored period value as the reading that would make it.

    Where it has too few samples for its KPI, that is why it was found insufficient: the reading itself was not.
    """
    few = value.state is ReadingState.INSUFFICIENT and value.value is not None and (value.samples or 1) < min_samples
    return KpiReading(
        value.kpi, value.observed_at or value.period.start, value.value, value.labels, value.samples, value.numerator,
        value.denominator, None, _OK if few else value.state, value.completeness, value.evidence, value.note,
    )  # fmt: skip


def judgement_of(
    kpi: Kpi, shown: PeriodValue, now: datetime, before: Judgement | None, *, fresh_at: datetime | None,
    limit: timedelta | None, earlier: PeriodValue | None, final: float | None, previous_period: bool = False,
    stale: bool = False,
) -> Judgement:  # fmt: skip
    """The judgement of what is shown. ``fresh_at``: the last sign of life, which counts for as long as ``limit``;
    ``stale``: it is so for another reason."""
    status = shown.status
    if limit is not None and fresh_at is not None and now - fresh_at >= limit:
        stale = True
    since = now if before is None or before.status is not status else before.since
    value = shown.value
    return Judgement(
        shown.kpi, value, shown.thresholds, shown.score, status, _STALE if stale else _FRESH,
        shown.period, previous_period, shown.observed_at, since, shown.samples, shown.state,
        None if final is None else progress(kpi, value, final),
        None if earlier is None or _half_done(kpi, shown, now) else trend(kpi, value, earlier.value), shown.evidence, shown.note,
    )  # fmt: skip


def missing_judgement(
    kpi: Kpi,
    thresholds: Thresholds,
    now: datetime,
    before: Judgement | None,
    open_value: PeriodValue | None,
) -> Judgement:
    """The judgement of a KPI that has nothing to show; what the open period says of itself is passed on."""
    since = now if before is None or before.status is not Status.UNKNOWN else before.since
    if open_value is None:
        return Judgement(kpi.name, thresholds=thresholds, since=since)
    return Judgement(
        kpi.name, thresholds=thresholds, period=open_value.period, since=since, observed_at=open_value.observed_at,
        samples=open_value.samples, state=open_value.state, evidence=open_value.evidence, note=open_value.note,
    )  # fmt: skip


def _half_done(kpi: Kpi, shown: PeriodValue, now: datetime) -> bool:
    """Whether a count or a sum still grows: half a month's tickets are no fall on a whole month's."""
    grows = kpi.aggregate in ("sum", "count") or canonical(kpi.unit) == "count" or is_currency(canonical(kpi.unit))
    return grows and kpi.window is None and shown.period.end > now


def trend(kpi: Kpi, value: float | None, earlier: float | None) -> float | None:
    """The relative change on the value before, positive = better; where a target is to be kept, of the distance to it."""
    if value is None or earlier is None:
        return None
    if kpi.better == "target":
        middle = final_target(kpi)
        if middle is None:
            return None
        value, earlier = abs(value - middle), abs(earlier - middle)
    if earlier == 0:
        return None
    change = (value - earlier) / abs(earlier)
    if abs(change) == float("inf"):
        return None
    return change if kpi.better == "higher" else -change


def judge(
    kpi: Kpi, open_value: PeriodValue | None, closed_value: PeriodValue | None, now: datetime, calendar: Calendar,
    before: Judgement | None = None, *, earlier: PeriodValue | None = None, heard: datetime | None = None,
) -> Judgement:  # fmt: skip
    """Judge a KPI from scratch: on its open period as soon as that has a value with enough samples, until then on the
    previous period's, for at most one period; else it is missing.

    ``earlier`` is the value of the period before the closed one, for the trend; ``heard`` the newest observation of any
    kind, which keeps a previous period's value fresh. ``before`` is the last judgement: ``since`` is kept while the
    status is.
    """
    rules: Rules | None = rules_at(kpi, now, calendar)
    thresholds = rules.thresholds if rules else Thresholds()
    current = current_period(now, kpi, calendar)
    final = final_target(kpi)
    if open_value is not None:
        if kpi.prorate and rules is not None:
            rules = prorate(rules, kpi, open_value.period, now, calendar)
        open_value = settled(kpi.min_samples, open_value.period, reading_of(open_value, kpi.min_samples), rules)
    if open_value is not None and is_shown(open_value) and rules is not None:
        return judgement_of(
            kpi, open_value, now, before, fresh_at=open_value.observed_at, limit=kpi.stale_after, earlier=closed_value,
            final=final,
        )  # fmt: skip
    if (
        closed_value is not None
        and is_shown(closed_value)
        and kpi.window is None
        and closed_value.period == previous(current, calendar)
    ):
        if closed_value.closed_at is None:
            last = rules_of(kpi, closed_value.period, calendar)
            closed_value = settled(
                kpi.min_samples, closed_value.period, reading_of(closed_value, kpi.min_samples), last
            )
        signs = [at for at in (heard, closed_value.observed_at, open_value and open_value.observed_at) if at]
        return judgement_of(
            kpi, closed_value, now, before, fresh_at=max(signs, default=None), limit=kpi.stale_after, earlier=earlier,
            final=final, previous_period=True,
        )  # fmt: skip
    return missing_judgement(kpi, thresholds, now, before, open_value)


def score_reading(kpi: Kpi, reading: Reading, unit: str, period: Period) -> float | None:
    """The score that a reading in ``unit`` would make as the KPI's value of a period; None: none.

    Thresholds are those at the period's end, in UTC days: what a dry run shows. Raises ValueError where the unit
    cannot become the KPI's.
    """
    if reading.value is None:
        return None
    value = reading.value * units.factor(reading.unit or unit, kpi.unit)
    rules = rules_of(kpi, period, Calendar())
    taken = KpiReading(
        kpi.name, period.end - timedelta(microseconds=1), value, samples=reading.samples, state=reading.state
    )
    return settled(kpi.min_samples, period, taken, rules).score
