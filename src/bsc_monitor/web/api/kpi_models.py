"""What the API answers about KPIs, their periods and readings."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from bsc_monitor.model.period import PeriodKind
from bsc_monitor.model.status import Completeness, Freshness, ReadingState, Status
from bsc_monitor.web.api.models import Answer, Level


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
