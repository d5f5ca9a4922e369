"""What a report says: one frozen object, made once, from which every format is rendered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from bsc_monitor.model.adapter import adapter
from bsc_monitor.model.status import Status

VERSION = 1  #: of this form, kept with every report


@dataclass(frozen=True, slots=True)
class Standing:
    """A scorecard, perspective or objective in the period, beside the one before."""

    name: str
    title: str
    score: float | None
    before: float | None  #: None: nothing was kept then
    status: Status
    coverage: float = 1.0
    reason: str = ""
    parts: tuple[Standing, ...] = ()  #: objectives of a perspective
    fed_by: tuple[Standing, ...] = ()  #: objectives of other scorecards that support it


@dataclass(frozen=True, slots=True)
class Stretch:
    """A phase of a process-behaviour chart: points ``[start, end)`` and their natural limits."""

    start: int
    end: int
    lower: float | None
    centre: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class Ahead:
    """A future period, never without its interval."""

    label: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Course:
    """A KPI's process-behaviour chart."""

    labels: tuple[str, ...]
    values: tuple[float, ...]
    flagged: tuple[bool, ...]
    targets: tuple[float | None, ...]
    stretches: tuple[Stretch, ...]
    ahead: tuple[Ahead, ...]
    error: float | None  #: mean absolute error of the forecast's back-tests
    variation: str
    assurance: str
    no_forecast: str = ""  #: why there is none


@dataclass(frozen=True, slots=True)
class KpiLine:
    """A KPI in the period."""

    name: str
    title: str
    scorecard: str  #: title
    perspective: str
    objective: str
    owner: str
    unit: str
    period: str  #: label of its own period, which may be a longer one
    value: float | None
    value_before: float | None
    target: str
    target_value: float | None
    score: float | None
    score_before: float | None
    status: Status
    status_before: Status
    movement: int  #: 1 better, -1 worse, 0 neither or unknown
    scored: bool
    key: bool
    samples: int | None
    trend: tuple[float | None, ...]
    evidence: str
    note: str
    course: Course | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A KPI that entered another status."""

    kpi: str
    title: str
    before: Status
    after: Status
    why: str


@dataclass(frozen=True, slots=True)
class Area:
    """Something to improve, or that went well: an insight as of the period's end."""

    kind: str
    kpi: str
    title: str
    sentence: str
    next_step: str
    direction: str
    since: date
    provisional: bool
    owner: str


@dataclass(frozen=True, slots=True)
class Doing:
    """An initiative as of the period's end."""

    id: str
    title: str
    owner: str
    aims: str
    phase: str
    start: date | None
    due: date | None
    progress: float | None
    standing: str  #: in words: late, on its way, worked, no evidence of an effect …
    mood: Status
    effect: str


@dataclass(frozen=True, slots=True)
class Quality:
    """How far the numbers can be trusted."""

    coverage: float
    without_data: tuple[str, ...]
    few_observations: tuple[str, ...]
    revised: tuple[str, ...]
    incomplete: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportData:
    """A report. ``owner`` empty: the executives' page; else the detail of that owner's KPIs."""

    version: int
    scorecard: str
    title: str
    vision: str
    responsible: str
    owner: str
    kind: str
    period: str
    period_words: str
    before_words: str
    start: datetime
    end: datetime
    timezone: str
    made_at: datetime
    final: bool  #: the period is closed and frozen: this report never changes
    headline: str
    standing: Standing
    history: tuple[tuple[str, float | None], ...]
    perspectives: tuple[Standing, ...]
    counts: tuple[int, int, int, int]  #: green, amber, red, without data
    kpis: tuple[KpiLine, ...]
    turned: tuple[Turn, ...]
    movers: tuple[str, ...]
    areas: tuple[Area, ...]
    initiatives: tuple[Doing, ...]
    idle: tuple[str, ...]  #: red, and nobody acts
    alignment: tuple[str, ...]
    supports: tuple[tuple[str, str], ...]  #: objective here, and the one it supports
    quality: Quality


def to_json(data: ReportData, *, indent: int | None = None) -> str:
    """A report as JSON, for the store and for programs."""
    return adapter(ReportData).dump_json(data, indent=indent).decode()


def from_json(text: str) -> ReportData:
    """A report as it was kept."""
    return adapter(ReportData).validate_json(text)
