"""Builders of organisations and readings for the tests of scoring."""

from datetime import UTC, date, datetime, timedelta

from bsc_monitor.model.organisation import (
    Kpi,
    Objective,
    Organisation,
    Perspective,
    Scorecard,
    TargetPath,
    TargetStep,
    Thresholds,
    Weight,
)
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.score.scoring import Scoring

JUNE = datetime(2026, 6, 1, tzinfo=UTC)
JULY = datetime(2026, 7, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def path(red, target, **more):
    return TargetPath((TargetStep(date.min, Thresholds(target, red, **more)),))


def kpi(name="k", **more):
    """A KPI of ``it/goal``: 0 is red, 100 green, unless told otherwise."""
    card, _, short = name.rpartition("/")
    card = card or "it"
    settings = {
        "id": short, "scorecard": card, "perspective": "customer", "objective": f"{card}/goal", "title": short.upper(),
        "path": path(0, 100), **more,
    }  # fmt: skip
    if isinstance(settings.get("weight"), (int, float)):
        settings["weight"] = Weight(((date.min, float(settings["weight"])),))
    return Kpi(**settings)


def objective(name="it/goal", **more):
    card, _, short = name.rpartition("/")
    return Objective(short, card, more.pop("perspective", "customer"), short.capitalize(), **more)


def scorecard(name="it", calendar=None, **more):
    views = more.pop("views", ("customer",))
    return Scorecard(
        name, name.upper(), perspectives=tuple(Perspective(view, name, view.capitalize()) for view in views),
        calendar=calendar or Calendar(), **more,
    )  # fmt: skip


def organisation(*kpis, objectives=(), scorecards=(), calendar=None):
    """KPIs with the objectives and scorecards they name, made where they are not given."""
    found = {each.name: each for each in objectives}
    for each in kpis:
        found.setdefault(each.objective, objective(each.objective, perspective=each.perspective))
    cards = {each.id: each for each in scorecards}
    for each in found.values():
        cards.setdefault(each.scorecard, scorecard(each.scorecard, calendar))
    return Organisation(cards, found, {each.name: each for each in kpis})


def reading(value, at=NOW, name="it/k", **more):
    return KpiReading(name, at, value, **more)


def month(number, year=2026):
    """The UTC month as a period."""
    start = datetime(year, number, 1, tzinfo=UTC)
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return Period(start, end, PeriodKind.MONTH, f"{year}-{number:02d}")


class World:
    """Scoring with a store of readings, as the evaluator has it."""

    def __init__(self, *kpis, now=NOW, **more):
        self.organisation = organisation(*kpis, **more)
        self.now = now
        self.readings = []
        self.values = {}
        self.scoring = Scoring(self.organisation, now)
        self.changes = self.tick(now)

    def restart(self, now=None):
        self.now = now or self.now
        self.scoring = Scoring(self.organisation, self.now)
        for value in self.values.values():
            self.scoring.restore(value)
        return self.tick(self.now)

    def tick(self, now):
        self.now = now
        return self._keep(self.scoring.tick(now, self.closed))

    def run_to(self, now):
        """Tick whenever something is due, as the service does."""
        collected = []
        while (due := self.scoring.next_due()) is not None and due <= now:
            collected.append(self.tick(max(due, self.now)))
        collected.append(self.tick(now))
        return collected

    def take(self, *readings, now=None):
        self.now = now or max([self.now, *(each.at for each in readings)])
        self.readings += readings
        return self._keep(self.scoring.take(readings, self.now, self.stored, self.closed))

    def replace(self, *kpis, now=None, **more):
        self.organisation = organisation(*kpis, **more)
        self.now = now or self.now
        return self._keep(self.scoring.replace(self.organisation, self.now, self.closed))

    def stored(self, name, labels, period):
        return [each for each in self.readings if (each.kpi, each.labels) == (name, labels) and each.at in period]

    def closed(self, name, labels, period):
        value = self.values.get((name, labels, period.start))
        return value if value is not None and value.closed_at else None

    def value(self, period, name="it/k", labels=()):
        return self.values.get((name, labels, period.start))

    def judgement(self, name="it/k"):
        return self.scoring.judgements[name]

    def node(self, kind="objective", name="it/goal"):
        return self.scoring.nodes[kind, name]

    def _keep(self, changes):
        for each in [*changes.values, *changes.closed]:
            self.values[each.kpi, each.labels, each.period.start] = each
        return changes
