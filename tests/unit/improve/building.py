"""Builders of KPIs and closed months for the tests of this folder."""

import random
from datetime import UTC, date, datetime

from bsc_monitor.model.organisation import (
    Expectation,
    Initiative,
    Kpi,
    Objective,
    Organisation,
    Scorecard,
    Thresholds,
)
from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import ReadingState, Status


def kpi(id="mttr", *, better="lower", unit="h", title="Mean time to resolve", objective="it/restore-fast", **more):
    return Kpi(
        id=id, scorecard="it", perspective="internal_process", objective=objective, title=title, unit=unit,
        better=better, **more,
    )  # fmt: skip


def month(number, kind=PeriodKind.MONTH):
    """The month so many after December 2024."""
    start, end = (
        datetime(2024 + (11 + place) // 12, (11 + place) % 12 + 1, 1, tzinfo=UTC) for place in (number, number + 1)
    )
    return Period(start, end, kind, f"{start:%Y-%m}")


def status_of(value, target, red, better):
    if value is None or target is None:
        return Status.UNKNOWN
    if isinstance(target, tuple):
        return Status.GREEN if target[0] <= value <= target[1] else Status.RED
    sign = -1 if better == "lower" else 1
    if value * sign >= target * sign:
        return Status.GREEN
    return Status.RED if red is not None and value * sign <= red * sign else Status.AMBER


def months(values, of=None, *, target=None, red=None, first=0):
    """Closed months of a KPI, oldest first; None: a month without a value."""
    of = of or kpi()
    return [
        PeriodValue(
            of.name, month(first + place), value=value, state=ReadingState.NO_DATA if value is None else ReadingState.OK,
            thresholds=Thresholds(target, red), status=status_of(value, target, red, of.better),
            closed_at=month(first + place).end,
        )
        for place, value in enumerate(values)
    ]  # fmt: skip


def flagged(found):
    """The points of signals by their rule, ascending."""
    points = {}
    for signal in found:
        points.setdefault(signal.rule, set()).update(signal.points)
    return {rule: sorted(each) for rule, each in points.items()}


def noise(seed, count, level=0.0, spread=1.0):
    rng = random.Random(seed)
    return [rng.gauss(level, spread) for _ in range(count)]


def initiative(id="swarming", *, start=date(2025, 12, 1), due=date(2026, 3, 31), by=date(2026, 5, 31), **more):
    change = more.pop("change", -8)
    more.setdefault("title", "Swarm on major incidents")
    more.setdefault("targets", ("it/mttr",))
    expect = Expectation(more.pop("kpi", "it/mttr"), change, by) if change is not None else None
    return Initiative(id=id, start=start, due=due, expect=expect, **more)


def organisation(kpis=(), initiatives=(), objectives=()):
    return Organisation(
        {"it": Scorecard("it", "IT")},
        {each.name: each for each in objectives},
        {each.name: each for each in kpis},
        {each.id: each for each in initiatives},
    )


def objective(id, title="", drives=()):
    return Objective(id, "it", "internal_process", title or id, drives=tuple(f"it/{name}" for name in drives))
