"""From ``[kpis.*]`` to KPIs: thresholds, sources, schedules, periods, units."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

from bsc_monitor.config.build_sources import Sources
from bsc_monitor.config.build_thresholds import Fault, build_path, build_weight
from bsc_monitor.config.durations import format_duration
from bsc_monitor.config.form_scorecard import KpiForm
from bsc_monitor.config.notes import Notes
from bsc_monitor.config.positions import Path
from bsc_monitor.config.problems import near
from bsc_monitor.config.things import Thing
from bsc_monitor.config.values import PeriodWord
from bsc_monitor.model import unit as units
from bsc_monitor.model.cron import next_fire
from bsc_monitor.model.organisation import Better, Kpi, Objective, Schedule, TargetPath
from bsc_monitor.model.period import PeriodKind
from bsc_monitor.plugin import Measure

AGGREGATES = ("last", "mean", "median", "sum", "min", "max", "count")
MANUAL = "manual"  #: the source of values that people enter (``bsc-monitor set``, the board); needs no table of its own
_PERCENTILE = re.compile(r"p[1-9][0-9]?")
_LENGTHS = {"day": 1, "week": 7, "month": 28, "quarter": 90, "year": 365}
DEFAULT_EVERY = timedelta(hours=1)  #: where neither KPI nor source says how often
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def build_kpi(thing: Thing[KpiForm], objective: Objective, sources: Sources, notes: Notes) -> Kpi:
    """One KPI of an objective. What is wrong with it is noted."""
    form, path = thing.form, thing.path
    better = form.better or "higher"
    measure = (
        None if thing.spoilt & {"source", "measure", "params", "formula"} else _measure(form, path, sources, notes)
    )
    thresholds = TargetPath()
    if not thing.spoilt & {"target", "red", "worst", "best", "ideal", "better", "curve"}:
        thresholds = build_path(form, better, form.interpolate, path, notes)
        _check_curve(form, path, notes)
    segments = {
        label: build_path(segment, better, form.interpolate, (*path, "segments", label), notes)
        for label, segment in form.segments.items()
    }
    scored = form.scored and bool(thresholds.steps or form.curve or form.unit == "yes/no")
    if not thing.spoilt & {"every", "cron", "period", "window", "aggregate", "source"}:
        _check_time(form, path, sources, notes)
    _suspect(form, measure, scored, path, notes)
    _suspect_share(units.canonical(form.unit or (measure.unit if measure else "")), thresholds, better, path, notes)
    optional: dict[str, Any] = {"grace": form.grace} if form.grace is not None else {}
    if form.missing is not None:  # of a derived KPI it says what an operand without a value does
        optional["missing" if form.formula is None else "missing_operand"] = form.missing
    return Kpi(
        id=thing.id, scorecard=objective.scorecard, perspective=objective.perspective, objective=objective.name,
        title=form.title or thing.id.replace("-", " ").replace("_", " ").capitalize(),
        unit=_unit(form, measure, path, notes), better=better, path=thresholds,
        curve=tuple((float(value), float(score)) for value, score in form.curve or ()), scored=scored,
        baseline=form.baseline, weight=build_weight(form.weight, path, notes), key=form.key, leading=form.leading,
        period=PeriodKind(form.period), aggregate=form.aggregate, window=form.window, min_samples=form.min_samples,
        prorate=form.prorate, stale_after=form.stale_after or _stale_after(form, sources), source=form.source,
        measure=form.measure, params=form.params, by=tuple(form.by), combine=form.combine, segments=segments,
        schedule=Schedule(form.every, form.cron) if form.every or form.cron else None,
        formula=str(form.formula) if form.formula is not None else None, owner=form.owner or objective.owner,
        severity=form.severity, runbook_url=form.runbook_url or "", description=form.description,
        place=notes.place(path), **optional,
    )  # fmt: skip


def _suspect_share(unit: str, thresholds: TargetPath, better: Better, path: Path, notes: Notes) -> None:
    """A share with the target of the other unit of shares would always be green, and nobody would look."""
    target = thresholds.steps[-1].thresholds.target if thresholds.steps else None
    if not isinstance(target, float):
        return
    if unit == "%" and better == "higher" and 0 < target <= 1:
        message, hint = f"a target of {target:g} % is met by next to anything", f"did you mean {target * 100:g}?"
        notes.warn((*path, "target"), message, hint)
    elif unit == "ratio" and better == "lower" and target >= 2:
        message = f"a ratio of {target:g} is {target * 100:g} %: a target met by next to anything"
        notes.warn((*path, "target"), message, f"did you mean {target / 100:g}?")


def _stale_after(form: KpiForm, sources: Sources) -> timedelta | None:
    """Three intervals of its schedule; of a cron expression the longest interval counts, for nights and weekends."""
    source = sources.built.get(form.source or "")
    if source is None or form.formula is not None:
        return None
    every, cron = (form.every, form.cron) if form.every or form.cron else (source.schedule.every, source.schedule.cron)
    return 3 * (_longest(cron) or every or DEFAULT_EVERY)


def _measure(form: KpiForm, path: Path, sources: Sources, notes: Notes) -> Measure | None:
    """The measure asked for; where the value comes from must be said once."""
    if form.formula is not None:
        for key in ("source", "measure", "by"):
            if getattr(form, key):
                notes.error((*path, key), "a KPI with a formula is not asked of a source", "keep one of them")
                break
        return None
    if form.source is None:
        if form.measure is not None:
            notes.error((*path, "measure"), "source is missing: of whom is it asked?", 'source = "…"')
        elif form.params:
            notes.error((*path, "params"), "parameters without a source and a measure")
        else:
            hint = 'set source and measure, or source = "manual" where people enter its values'
            notes.warn(path, "it has neither source nor formula: no value will ever come", hint)
        return None
    if form.source == MANUAL:
        _check_manual(form, path, notes)
        return None
    if form.measure is None:
        notes.error((*path, "source"), "measure is missing: what is asked of it?", 'measure = "…"')
        return None
    return sources.ask(form.source, form.measure, form.params, path)


def _check_manual(form: KpiForm, path: Path, notes: Notes) -> None:
    for key in ("measure", "params", "by", "every", "cron"):
        if getattr(form, key):
            notes.error((*path, key), "values entered by hand are not asked of anybody", "leave it out")
            return


def _unit(form: KpiForm, measure: Measure | None, path: Path, notes: Notes) -> str:
    if form.unit is None:
        return measure.unit if measure else ""
    if measure is not None:
        try:
            units.factor(measure.unit, form.unit)
        except ValueError:
            message = f"{form.measure} is measured in {measure.unit!r}, which cannot become {form.unit!r}"
            notes.error((*path, "unit"), message, f'unit = "{measure.unit}"')
    return units.canonical(form.unit)


def _check_curve(form: KpiForm, path: Path, notes: Notes) -> None:
    if form.curve is None:
        return
    if len(form.curve) < 2:
        notes.error((*path, "curve"), "a curve needs two points at least", "curve = [[0, 0], [10, 100]]")
        return
    for place, (value, score) in enumerate(form.curve):
        if not 0 <= score <= 100:
            notes.error((*path, "curve", place), f"the score {score:g} is not between 0 and 100")
            return
        if place and value <= form.curve[place - 1][0]:
            notes.error(
                (*path, "curve", place), f"the value {value:g} does not come after {form.curve[place - 1][0]:g}"
            )
            return
    if form.target is not None or form.red is not None:
        key = "target" if form.target is not None else "red"
        notes.error((*path, key), "a curve stands in place of red and target", "keep one of them")


def _check_time(form: KpiForm, path: Path, sources: Sources, notes: Notes) -> None:
    """A period must be able to hold what is asked of it."""
    if form.every and form.cron:
        notes.error((*path, "cron"), "every is given too", "keep one of them")
        return
    source = sources.built.get(form.source or "")
    own, inherited = Schedule(form.every, form.cron), source.schedule if source else Schedule()
    if form.formula is not None:  # computed when its operands are
        own = inherited = Schedule()
    fault = _time_fault(own, inherited, form.window, form.period, form.aggregate)
    if fault is not None:
        key, message, hint = fault
        notes.error((*path, key), message, hint)


@lru_cache(maxsize=4096)
def _time_fault(
    own: Schedule, inherited: Schedule, window: timedelta | None, period: PeriodWord, aggregate: str
) -> Fault | None:
    """What is wrong with a KPI's times. Many KPIs have the same."""
    if aggregate not in AGGREGATES and not _PERCENTILE.fullmatch(aggregate):
        return "aggregate", f"{aggregate[:40]!r} is no aggregate", near(aggregate, [*AGGREGATES, "p1 to p99"])
    interval = _interval(own.every, own.cron) or _interval(inherited.every, inherited.cron)
    if interval is None:
        return None
    more = "ask more often, or choose a longer period"
    if window is not None:
        if window < interval:
            message = f"the window of {format_duration(window)} is shorter than the {_often(interval)} between readings"
            return "window", message, "ask more often, or widen the window"
        return None
    length = timedelta(days=_LENGTHS[period])
    if interval > length * 1.2:
        key = "every" if own.every else "cron" if own.cron else "period"
        return key, f"a {period} is shorter than the {_often(interval)} between readings", more
    if aggregate not in ("last", "sum", "min", "max", "count", "mean") and interval * 2 > length:
        return "aggregate", f"a {period} holds too few readings, {_often(interval)} apart, for {aggregate}", more
    return None


def _often(interval: timedelta) -> str:
    return format_duration(interval)


def _interval(every: timedelta | None, cron: str | None) -> timedelta | None:
    """The usual time between readings: of a cron expression the shortest of some."""
    return every if cron is None else min(_gaps(cron), default=None)


def _longest(cron: str | None) -> timedelta | None:
    return None if cron is None else max(_gaps(cron), default=None)


@lru_cache(maxsize=4096)
def _gaps(cron: str) -> list[timedelta]:
    """The first few times between runs."""
    moments = [_SOME_DAY]
    for _ in range(8):
        following = next_fire(cron, "UTC", moments[-1])
        if following is None:
            break
        moments.append(following)
    return [later - sooner for sooner, later in pairwise(moments[1:])]


def _suspect(form: KpiForm, measure: Measure | None, scored: bool, path: Path, notes: Notes) -> None:
    if form.scored and not scored:
        notes.warn(path, "it has no thresholds and will not be scored", "set red and target, or scored = false")
    if measure is not None and form.better is None and scored and measure.better == "lower":
        hint = 'set better = "lower", or better = "higher" to say that it is meant'
        notes.warn(path, f"{measure.name} is usually better when lower, and this KPI does not say", hint)
