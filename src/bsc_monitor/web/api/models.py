"""What the API answers. Values are in the KPI's own unit, times are UTC, ``null`` is unknown and never zero."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bsc_monitor.model.period import PeriodKind
from bsc_monitor.model.status import Completeness, Freshness, ReadingState, Status

Level = float | tuple[float, float]


class Answer(BaseModel):
    """The base of all answers."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Counts(Answer):
    """KPIs below a node by status."""

    green: int
    amber: int
    red: int
    missing: int


class Node(Answer):
    """An objective, perspective or scorecard, rolled up."""

    kind: Literal["objective", "perspective", "scorecard"]
    name: str = Field(description="Full name, `scorecard/id`.")
    title: str
    score: float | None = Field(description="0–100; null when there is none.")
    status: Status
    coverage: float = Field(description="Share of the weight below that has a score, 0–1.")
    counts: Counts
    reason: str = Field(description="Why the status is not what the score alone would say, or why there is no score.")
    since: datetime | None


class Objective(Node):
    """An objective with its place in the strategy."""

    perspective: str
    owner: str
    drives: list[str] = Field(description="Full names of the objectives that it drives.")
    supports: str | None = Field(description="The parent scorecard's objective that it supports.")
    kpis: list[str] = Field(description="Full names of its KPIs.")


class Perspective(Node):
    """A perspective with its objectives."""

    objectives: list[Objective]


class Scorecard(Node):
    """A scorecard with its perspectives' scores."""

    vision: str
    owner: str
    parent: str | None
    children: list[str]
    perspectives: list[Node]


class ScorecardDetail(Node):
    """A scorecard down to its objectives."""

    vision: str
    owner: str
    parent: str | None
    children: list[str]
    perspectives: list[Perspective]


class Scorecards(Answer):
    """All scorecards, parents before children."""

    items: list[Scorecard]


class Nodes(Answer):
    """Perspectives."""

    items: list[Node]


class Objectives(Answer):
    """Objectives."""

    items: list[Objective]


class Kpi(Answer):
    """A KPI as it is judged."""

    name: str = Field(description="Full name, `scorecard/id`.")
    id: str
    scorecard: str
    perspective: str
    objective: str
    title: str
    unit: str
    better: Literal["higher", "lower", "target"]
    value: float | None
    target: Level | None
    red: Level | None
    score: float | None = Field(description="0–100; null when there is none.")
    status: Status
    freshness: Freshness
    state: ReadingState
    period: str | None = Field(description="Label of the period judged; null for a trailing window.")
    previous_period: bool
    observed_at: datetime | None
    since: datetime | None = Field(description="When it entered this status.")
    samples: int | None
    progress: float | None
    trend: float | None = Field(description="Relative change on the previous period; positive is better.")
    owner: str
    leading: bool
    key: bool
    source: str | None
    measure: str | None
    formula: str | None
    description: str
    evidence: str | None
    note: str | None
    runbook_url: str


class Kpis(Answer):
    """One page of KPIs, by name."""

    items: list[Kpi]
    total: int
    next: str | None = Field(description="Pass it as `after` for the next page; null: this is the last.")


class PeriodPoint(Answer):
    """A KPI's value in one period."""

    period: str
    kind: PeriodKind | None
    start: datetime
    end: datetime
    value: float | None
    target: Level | None
    red: Level | None
    score: float | None
    status: Status
    state: ReadingState
    completeness: Completeness
    samples: int | None
    closed_at: datetime | None = Field(description="When it was frozen; null while the period is open.")
    revision: int
    evidence: str | None
    note: str | None


class Periods(Answer):
    """A KPI's values by period, oldest first."""

    kpi: str
    unit: str
    items: list[PeriodPoint]


class Segment(Answer):
    """One part of a breakdown."""

    labels: dict[str, str]
    period: str
    value: float | None
    score: float | None
    status: Status
    samples: int | None


class Segments(Answer):
    """A KPI's breakdowns in the period judged."""

    kpi: str
    unit: str
    items: list[Segment]


class Reading(Answer):
    """One observed value."""

    at: datetime
    value: float | None
    labels: dict[str, str]
    samples: int | None
    period: str | None
    state: ReadingState
    completeness: Completeness
    evidence: str | None
    note: str | None
    author: str | None = Field(description="Who entered it by hand; null: a source delivered it.")


class Readings(Answer):
    """A KPI's readings, newest first."""

    kpi: str
    unit: str
    items: list[Reading]


class Event(Answer):
    """Something that happened."""

    id: int
    at: datetime
    kind: str
    subject: str
    data: dict[str, Any]


class Events(Answer):
    """Events, newest first; the last one's id as `before` gives those before."""

    items: list[Event]


class Comment(Answer):
    """What a person wrote."""

    id: int
    at: datetime
    subject: str
    author: str
    text: str


class Comments(Answer):
    """Comments on one subject, newest first."""

    items: list[Comment]


class CollectorState(Answer):
    """How the runs of one measure went."""

    measure: str
    last_success: datetime | None
    last_failure: datetime | None
    error: str | None = Field(description="Of the last run, in words; null: it succeeded.")
    next_run: datetime | None
    runs: int
    failures: int
    duration: float | None = Field(description="Of the last run, seconds.")


class Source(Answer):
    """A configured source."""

    id: str
    plugin: str
    webhook: bool = Field(description="Whether it takes webhooks.")
    kpis: int
    collectors: list[CollectorState]


class Sources(Answer):
    """All sources."""

    items: list[Source]


class Asked(Answer):
    """How many collections were asked for."""

    jobs: int


class Standing(Answer):
    """Everything at one moment: scorecards, and every KPI in short."""

    at: str | None = Field(description="The past period shown; null: now.")
    scorecards: list[ScorecardDetail]
    kpis: list[Kpi]


class Explained(Answer):
    """Why a thing is worth what it is."""

    subject: str
    explanation: dict[str, Any]


class Finding(Answer):
    """Something of the strategy that probably is not meant."""

    kind: Literal["supports_nothing", "unsupported", "no_leading_kpi", "odd_driver"]
    scorecard: str
    subject: str = Field(description="Full name of the objective or perspective.")
    message: str


class Findings(Answer):
    """Where the strategy hangs together badly."""

    items: list[Finding]
