"""Targets over time: the thresholds in force on a day, the final target, progress, pro-rating."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from bsc_monitor.model.organisation import Kpi, Level, TargetPath, Thresholds
from bsc_monitor.model.period import Calendar, Period
from bsc_monitor.model.working_time import working_time


def thresholds_on(path: TargetPath, day: date) -> Thresholds:
    """The thresholds in force on a local day; before the first step, the first step's.

    A linear path moves once a day, from each step's date to the next one's.
    """
    steps = path.steps
    if not steps:
        return Thresholds()
    place = 0
    while place + 1 < len(steps) and steps[place + 1].start <= day:
        place += 1
    here = steps[place]
    if path.interpolate != "linear" or place + 1 == len(steps) or here.start in (date.min, day) or day < here.start:
        return here.thresholds
    there = steps[place + 1]
    share = (day - here.start).days / (there.start - here.start).days
    a, b = here.thresholds, there.thresholds
    return Thresholds(
        target=_between(a.target, b.target, share), red=_between(a.red, b.red, share),
        worst=_between_numbers(a.worst, b.worst, share), best=_between_numbers(a.best, b.best, share),
        ideal=_between_numbers(a.ideal, b.ideal, share),
    )  # fmt: skip


def next_step(path: TargetPath, day: date) -> date | None:
    """The next day after ``day`` on which other thresholds are in force; None: never."""
    later = next((step.start for step in path.steps[1:] if step.start > day), None)
    if later is None or path.interpolate != "linear":
        return later
    first = path.steps[0].start
    if first == date.min and later == path.steps[1].start:  # there is no way from "always" to the first date
        return later
    return max(day, first) + timedelta(days=1)


def final_target(kpi: Kpi) -> float | None:
    """The target at the end of a KPI's path; of a band its ideal."""
    if not kpi.path.steps:
        return None
    last = kpi.path.steps[-1].thresholds
    if not isinstance(last.target, tuple):
        return last.target
    return last.ideal if last.ideal is not None else last.target[0] / 2 + last.target[1] / 2


def progress(kpi: Kpi, value: float | None, final: float | None) -> float | None:
    """(value − baseline) / (final target − baseline): 0 at the start, 1 at the goal, beyond either where it is."""
    if value is None or final is None or kpi.baseline is None or final == kpi.baseline:
        return None
    share = (value - kpi.baseline) / (final - kpi.baseline)
    return share if abs(share) < float("inf") else None


def share_passed(period: Period, now: datetime, calendar: Calendar) -> float:
    """The share of a period's working time that has passed; of a period without any, the share of its time."""
    if now >= period.end:
        return 1.0
    whole = working_time(period.start, period.end, calendar)
    if whole:
        return working_time(period.start, now, calendar) / whole
    return max((now - period.start) / (period.end - period.start), 0.0)


def prorated(thresholds: Thresholds, share: float) -> Thresholds:
    """Thresholds of a summing KPI after a share of its period."""
    if share == 1:
        return thresholds
    return Thresholds(
        target=_times(thresholds.target, share), red=_times(thresholds.red, share),
        worst=None if thresholds.worst is None else thresholds.worst * share,
        best=None if thresholds.best is None else thresholds.best * share,
        ideal=None if thresholds.ideal is None else thresholds.ideal * share,
    )  # fmt: skip


def _times(level: Level | None, share: float) -> Level | None:
    if isinstance(level, tuple):
        return level[0] * share, level[1] * share
    return None if level is None else level * share


def _between(a: Level | None, b: Level | None, share: float) -> Level | None:
    if isinstance(a, tuple) and isinstance(b, tuple):
        return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
    if isinstance(a, tuple) or isinstance(b, tuple):
        return a
    return _between_numbers(a, b, share)


def _between_numbers(a: float | None, b: float | None, share: float) -> float | None:
    """Between two numbers; where only one step says it, as that step says for its own time."""
    return a if a is None or b is None else a + (b - a) * share
