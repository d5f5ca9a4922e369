"""Why a KPI has its score: value, readings, thresholds and path in force, curve segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from bsc_monitor.model.judgement import Judgement
from bsc_monitor.model.organisation import Better, Kpi, Organisation, Thresholds
from bsc_monitor.model.period import PeriodKind
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.model.status import Completeness, Freshness, ReadingState, Status
from bsc_monitor.score.curve import curve_of
from bsc_monitor.score.definition import definition_hash

Point = tuple[float, float]  #: (value, score)


@dataclass(frozen=True, slots=True)
class PathStep:
    """Thresholds in force from a date on; None: always."""

    start: date | None
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class Operand:
    """What a formula's name stood for."""

    name: str  #: in the formula
    kpi: str  #: full name
    value: float | None
    status: Status
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class ReadingBehind:
    """One reading behind the value."""

    at: datetime
    value: float | None
    labels: Mapping[str, str]
    samples: int | None
    state: ReadingState
    completeness: Completeness
    evidence: str | None
    note: str | None
    author: str | None


@dataclass(frozen=True, slots=True)
class KpiExplanation:
    """The derivation of a KPI's score."""

    value: float | None
    unit: str
    better: Better
    period: str  #: label, or the bounds of a trailing window
    period_start: datetime | None
    period_end: datetime | None
    period_kind: PeriodKind | None
    previous_period: bool
    aggregate: str
    window: timedelta | None
    samples: int | None
    min_samples: int
    state: ReadingState
    freshness: Freshness
    observed_at: datetime | None
    stale_after: timedelta | None
    thresholds: Thresholds  #: in force (pro-rated where the KPI is)
    prorated: bool
    path: tuple[PathStep, ...]
    interpolate: str
    curve: tuple[Point, ...]  #: all points, by rising value
    segment: tuple[Point, Point] | None  #: the two around the value; None: it lies outside, or there is no value
    score: float | None
    status: Status
    since: datetime | None
    baseline: float | None
    progress: float | None
    trend: float | None
    formula: str | None
    operands: tuple[Operand, ...]
    source: str | None
    measure: str | None
    evidence: str | None
    note: str | None
    definition: str  #: hash of the definition that judged it
    closed_at: datetime | None
    revision: int
    readings: tuple[ReadingBehind, ...]
    reason: str  #: why it has no score, or does not count; empty: it has one


def explain_kpi(
    organisation: Organisation, judgement: Judgement, readings: Sequence[KpiReading], judgements: Mapping[str, Judgement],
    frozen: PeriodValue | None = None,
) -> KpiExplanation:  # fmt: skip
    """The derivation of a judgement. ``frozen`` is the closed value that a past one comes from."""
    kpi = organisation.kpis[judgement.kpi]
    curve = curve_of(kpi, judgement.thresholds)
    points = curve.points() if curve is not None else ()
    period = judgement.period
    label = "" if period is None else period.label or f"{period.start.isoformat()}/{period.end.isoformat()}"
    steps = tuple(PathStep(None if each.start == date.min else each.start, each.thresholds) for each in kpi.path.steps)
    return KpiExplanation(
        value=judgement.value, unit=kpi.unit, better=kpi.better, period=label,
        period_start=period.start if period else None, period_end=period.end if period else None,
        period_kind=period.kind if period else None, previous_period=judgement.previous_period, aggregate=kpi.aggregate,
        window=kpi.window, samples=judgement.samples, min_samples=kpi.min_samples, state=judgement.state,
        freshness=judgement.freshness, observed_at=judgement.observed_at, stale_after=kpi.stale_after,
        thresholds=judgement.thresholds, prorated=kpi.prorate and frozen is None and not judgement.previous_period,
        path=steps, interpolate=kpi.path.interpolate, curve=points, segment=_segment(points, judgement.value),
        score=judgement.score, status=judgement.status, since=judgement.since, baseline=kpi.baseline,
        progress=judgement.progress, trend=judgement.trend, formula=kpi.formula, operands=_operands(kpi, judgements),
        source=kpi.source, measure=kpi.measure, evidence=judgement.evidence, note=judgement.note,
        definition=frozen.definition if frozen is not None else definition_hash(kpi),
        closed_at=frozen.closed_at if frozen is not None else None, revision=frozen.revision if frozen is not None else 0,
        readings=tuple(_behind(each) for each in readings), reason=_reason(kpi, judgement),
    )  # fmt: skip


def _segment(points: Sequence[Point], value: float | None) -> tuple[Point, Point] | None:
    if value is None:
        return None
    return next(((left, right) for left, right in pairwise(points) if left[0] <= value <= right[0]), None)


def _operands(kpi: Kpi, judgements: Mapping[str, Judgement]) -> tuple[Operand, ...]:
    found: list[Operand] = []
    for name, full in kpi.operands.items():
        judgement = judgements.get(full, Judgement(full))
        found.append(Operand(name, full, judgement.value, judgement.status, judgement.freshness))
    return tuple(found)


def _behind(reading: KpiReading) -> ReadingBehind:
    return ReadingBehind(
        reading.at, reading.value, dict(reading.labels), reading.samples, reading.state, reading.completeness,
        reading.evidence, reading.note, reading.author,
    )  # fmt: skip


def _reason(kpi: Kpi, judgement: Judgement) -> str:
    if not kpi.scored:
        return "it is shown without a score"
    if judgement.freshness is Freshness.STALE:
        return "its value is stale and counts as missing"
    if judgement.value is not None and judgement.score is None:
        return "there are no thresholds to judge it by"
    if judgement.value is not None:
        return ""
    if judgement.state is ReadingState.INSUFFICIENT:
        return f"{judgement.samples or 0} observations are fewer than the {kpi.min_samples} that it asks for"
    return judgement.note or "no value has come"
