"""Insights about where a KPI goes: trend and forecast."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any, Literal

from bsc_monitor.improve.assess import Assessment
from bsc_monitor.improve.assurance import direction_of, good_side
from bsc_monitor.improve.forecast import Crossing, Forecast, crossing
from bsc_monitor.improve.present import is_level
from bsc_monitor.improve.series import time_of
from bsc_monitor.improve.significance import median
from bsc_monitor.improve.trend import Trend
from bsc_monitor.improve.words import amount, between, change, change_within, future_name, span, unit_of
from bsc_monitor.model.insight import Direction, Insight, InsightKind
from bsc_monitor.model.organisation import Level
from bsc_monitor.model.period import Period
from bsc_monitor.model.status import Status

ALPHA = 0.01  # a trend is looked for at every close: stricter than a single test
_LIKELY = 0.05  # of the trend behind a forecast
_FIRM = 12  #: values
_STEP = 3  #: values on either side of a step


def steady_trend(seen: Assessment) -> Trend | None:
    """The trend of the process as it is now, where it is beyond chance and a line explains the values better than a level."""
    found = seen.trend
    if not isinstance(found, Trend) or found.p >= ALPHA or not found.line.slope:
        return None
    values, times = seen.series.values[seen.since :], seen.series.times[seen.since :]
    return None if is_level(values, times, found) else found


def trend_insight(seen: Assessment, found: Trend | None) -> Insight | None:
    """A steady movement of the process as it is now, over 24 values at most."""
    if found is None:
        return None
    line, unit = found.line, seen.kpi.unit
    first = seen.since
    good = good_side(seen.kpi.better, seen.thresholds.target, median(sorted(seen.series.values[first:])))
    side = 1 if line.slope > 0 else -1
    direction = direction_of(side, good)
    slow, fast = sorted((abs(line.low), abs(line.high))) if line.low * line.high > 0 else (0.0, abs(line.slope))
    pace = "" if change(slow, unit) == change(fast, unit) else f" ({change_within(slow, fast, unit)})"
    count = seen.series.times[-1] - seen.series.times[first] + 1
    news = {Direction.IMPROVING: ", which is better", Direction.WORSENING: ", which is worse"}.get(direction, "")
    return _insight(
        seen, InsightKind.TREND, direction if direction is not Direction.NONE else _word(side), direction,
        first=first, strength=abs(found.tau), firm=len(seen.series) - first >= _FIRM,
        sentence=f"{seen.kpi.title} has been {'rising' if side > 0 else 'falling'} steadily over the last "
        f"{span(count, seen.kpi.period)}, by about {change(line.slope, unit)} a {unit_of(seen.kpi.period)}"
        f"{pace}{news}.",
        next_step=_trend_step(seen, direction),
        evidence={
            "slope": line.slope, "slope_low": line.low, "slope_high": line.high, "tau": found.tau, "p": found.p,
            "periods": len(seen.series) - first,
        },
    )  # fmt: skip


def _trend_step(seen: Assessment, direction: Direction) -> str:
    if direction is Direction.NONE:
        return "Decide whether this movement is wanted."
    status = seen.newest.status
    if direction is Direction.IMPROVING:
        reach = (
            "make it the standard" if status is Status.GREEN else "check whether the pace reaches the target in time"
        )
        return f"Keep doing what causes it, and {reach}."
    if seen.thresholds.red is None:
        return "Find the cause of the drift, and start an initiative."
    when = "it is past the red flag already" if status is Status.RED else "before it reaches the red flag"
    return f"Find the cause of the drift and start an initiative{':' if status is Status.RED else ''} {when}."


def forecast_insights(seen: Assessment) -> list[Insight]:
    """A breach ahead, or the target within reach. Only where there is reason to trust the course."""
    made = seen.forecast
    if not isinstance(made, Forecast) or not seen.series:
        return []
    status, value = seen.newest.status, seen.series.values[-1]
    red, target = seen.thresholds.red, seen.thresholds.target
    found: list[Insight] = []
    if red is not None and status in (Status.GREEN, Status.AMBER):
        level, rising = _breach_level(red, value, seen.kpi.better)
        if _trusted(seen, made, level, "breach", rising=rising):
            found += _told(seen, made, level, "breach", rising=rising)
    if target is not None and status in (Status.AMBER, Status.RED):
        level = _nearer(target, value)
        rising = value < level
        if _trusted(seen, made, level, "target", rising=rising):
            found += _told(seen, made, level, "target", rising=rising)
    return found


def _trusted(
    seen: Assessment, made: Forecast, level: float, aspect: Literal["breach", "target"], *, rising: bool
) -> bool:
    """A line is trusted where a trend in its direction is significant, a season where its whole interval is in breach.

    A season that reaches the target leaves it again: no news.
    """
    if made.method == "seasonal":
        if aspect == "target":
            return False
        edges = [point.low if rising else point.high for point in made.points]
        return any(edge >= level if rising else edge <= level for edge in edges)
    likely = isinstance(seen.trend, Trend) and seen.trend.p < _LIKELY
    return likely and (made.slope > 0) == rising and bool(made.slope)


def _told(
    seen: Assessment, made: Forecast, level: float, aspect: Literal["breach", "target"], *, rising: bool
) -> list[Insight]:
    when = crossing(made, level, rising)
    if when.expected is None:
        return []
    point = made.points[when.expected - 1]
    unit, title = seen.kpi.unit, seen.kpi.title
    moment = future_name(seen.newest.period, when.expected)
    interval = f"(80 % of outcomes: {between(point.low, point.high, unit)})"
    course = "if this season goes like the last one" if made.method == "seasonal" else "at its present pace"
    if aspect == "breach":
        sentence = f"{title} is heading for red: {course} it passes {amount(level, unit)} {moment} {interval}."
        step, direction = "Act now: the forecast leaves time before the breach.", Direction.WORSENING
    else:
        sentence = (
            f"{title} is on its way to its target: {course} it reaches {amount(level, unit)} {moment} {interval}."
        )
        step, direction = "Keep the pace; no further action is needed for this target.", Direction.IMPROVING
    evidence: dict[str, Any] = {
        "level": level, "method": made.method, "periods": when.expected, **_edges(when), "value": point.value,
        "low": point.low, "high": point.high, "backtest_error": made.error, "backtests": made.tests,
    }  # fmt: skip
    told = _insight(
        seen, InsightKind.FORECAST, aspect, direction, first=seen.since, firm=len(seen.series) - seen.since >= _FIRM,
        strength=1 - (when.expected - 1) / len(made.points), sentence=sentence, next_step=step, evidence=evidence,
    )  # fmt: skip
    return [told]


def _edges(when: Crossing) -> dict[str, int | None]:
    return {"earliest": when.earliest, "latest": when.latest}


def goal_insight(seen: Assessment) -> Insight | None:
    """The last target of the path, missed on its date by the whole interval of the forecast."""
    made, steps = seen.forecast, seen.kpi.path.steps
    if not isinstance(made, Forecast) or not seen.series or not steps or steps[-1].thresholds.target is None:
        return None
    newest, goal = seen.newest.period, steps[-1].thresholds.target
    ahead = _periods_until(newest, steps[-1].start)
    if not 1 <= ahead <= len(made.points):
        return None
    point = made.points[ahead - 1]
    low, high = goal if isinstance(goal, tuple) else (goal, goal)
    short = point.high < low if seen.kpi.better != "lower" else False
    long = point.low > high if seen.kpi.better != "higher" else False
    if not (short or long):
        return None
    unit, edge = seen.kpi.unit, low if short else high
    return _insight(
        seen, InsightKind.FORECAST, "goal", Direction.WORSENING, first=seen.since,
        strength=min(1.0, abs(point.value - edge) / (abs(edge) or 1.0)), firm=len(seen.series) - seen.since >= _FIRM,
        sentence=f"{seen.kpi.title} will not make its target of {amount(edge, unit)} {future_name(newest, ahead)}: "
        f"{amount(point.value, unit)} is to be expected then (80 % of outcomes: {between(point.low, point.high, unit)}).",
        next_step="Do more for it, or move the target's date.",
        evidence={
            "level": edge, "method": made.method, "periods": ahead, "value": point.value, "low": point.low,
            "high": point.high, "backtest_error": made.error, "backtests": made.tests,
        },
    )  # fmt: skip


def _periods_until(newest: Period, day: date) -> int:
    """How many periods after the newest one the day lies in."""
    start = datetime.combine(day, time(), tzinfo=UTC)
    return time_of(replace(newest, start=start)) - time_of(newest)


def _breach_level(red: Level, value: float, better: str) -> tuple[float, bool]:
    if isinstance(red, tuple):
        low, high = red
        return (high, True) if abs(high - value) < abs(value - low) else (low, False)
    return red, better == "lower"


def _nearer(target: Level, value: float) -> float:
    edges: Sequence[float] = target if isinstance(target, tuple) else (target,)
    return min(edges, key=lambda edge: abs(edge - value))


def _word(side: int) -> str:
    return "higher" if side > 0 else "lower"


def _insight(
    seen: Assessment, kind: InsightKind, aspect: str, direction: Direction, *, first: int, strength: float,
    sentence: str, next_step: str, evidence: dict[str, Any], firm: bool,
) -> Insight:  # fmt: skip
    return Insight(
        kind=kind, subject_kind="kpi", subject=seen.kpi.name, since=seen.series.records[first].period.start,
        direction=direction, strength=strength, sentence=sentence, next_step=next_step, aspect=str(aspect),
        evidence=evidence, data="firm" if firm else "provisional", period=seen.newest.period.label,
    )  # fmt: skip
