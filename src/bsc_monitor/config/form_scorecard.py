"""The forms of scorecards, objectives, KPIs, initiatives and templates."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from bsc_monitor.config.values import (
    Cron,
    Duration,
    Form,
    Identifier,
    Interval,
    Level,
    Line,
    MissingWord,
    Number,
    PeriodWord,
    Reference,
    Share,
    Text,
    Url,
    Weighting,
    Zone,
    one_of,
)  # fmt: skip


class PerspectiveForm(Form):
    """One point of view of a scorecard."""

    title: Line | None = None
    weight: Weighting = 1.0
    missing: MissingWord = "ignore"
    min_coverage: Share = 0.5


class ScorecardForm(Form):
    """One unit's balanced scorecard."""

    title: Line | None = None
    vision: Text = ""
    description: Text = ""
    owner: Line = ""
    parent: Identifier | None = Field(None, description="the scorecard it cascades from")
    perspectives: dict[Identifier, PerspectiveForm] | None = None
    timezone: Zone | None = None
    min_coverage: Share = 0.5
    template: Identifier | None = None
    arguments: dict[str, str | int | float | bool] = Field(
        default_factory=dict, alias="with", description="the template's parameters"
    )


class ObjectiveForm(Form):
    """A strategic objective."""

    scorecard: Identifier | None = Field(None, description="needed outside a template")
    perspective: Identifier
    title: Line | None = None
    weight: Weighting = 1.0
    drives: list[Reference] = Field(default_factory=list, description="cause → effect, inside the scorecard")
    supports: Reference | None = Field(None, description="objective of the parent scorecard")
    missing: MissingWord = "ignore"
    min_coverage: Share = 0.5
    owner: Line = ""
    description: Text = ""


class SegmentForm(Form):
    """Thresholds of one value of a breakdown, in place of the KPI's."""

    target: Level | None = None
    red: Level | None = None
    worst: Number | None = None
    best: Number | None = None
    ideal: Number | None = None


class KpiForm(Form):
    """A key performance indicator."""

    objective: Reference
    title: Line | None = None
    description: Text = ""
    source: Identifier | None = None
    measure: str | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    formula: (
        Annotated[
            Annotated[str, Tag("text")] | Annotated[Number, Tag("number")], one_of("a formula in quotes, or a number")
        ]
        | None
    ) = None
    unit: Line | None = Field(None, description="s min h d, %, ratio, count, points, yes/no, a currency, or any text")
    better: Literal["higher", "lower", "target"] | None = None
    target: Level | None = None
    red: Level | None = None
    worst: Number | None = None
    best: Number | None = None
    ideal: Number | None = Field(None, description="of a band; default its middle")
    curve: list[Annotated[list[Number], Field(min_length=2, max_length=2)]] | None = Field(
        None, description="[[value, score], …] instead of thresholds"
    )
    interpolate: Literal["step", "linear"] = "step"
    scored: bool = True
    baseline: Number | None = None
    weight: Weighting = 1.0
    key: bool = False
    leading: bool = False
    period: PeriodWord = "month"
    aggregate: str = "last"
    window: Interval | None = Field(None, description="trailing window instead of the calendar period")
    min_samples: int = Field(1, ge=0)
    prorate: bool = False
    grace: Duration | None = None
    every: Interval | None = None
    cron: Cron | None = None
    stale_after: Interval | None = None
    missing: MissingWord | None = None
    by: list[Line] = Field(default_factory=list)
    combine: Literal["sum", "mean", "weighted", "worst"] | None = None
    segments: dict[Line, SegmentForm] = Field(default_factory=dict)
    owner: Line = ""
    severity: Line | None = None
    runbook_url: Url | None = None


class ExpectForm(Form):
    """The effect an initiative is expected to have."""

    kpi: Reference
    change: Number
    by: date | None = None


class ProgressForm(Form):
    """Where an initiative's progress is asked."""

    source: Identifier
    measure: str
    params: dict[str, Any] = Field(default_factory=dict)


class InitiativeForm(Form):
    """A corrective or improvement action."""

    title: Line | None = None
    targets: list[Reference] = Field(default_factory=list, alias="for", description="KPIs or objectives")
    owner: Line = ""
    start: date | None = None
    due: date | None = None
    expect: ExpectForm | None = None
    progress: (
        Annotated[
            Annotated[Share, Tag("number")] | Annotated[ProgressForm, Tag("table")],
            one_of("a number from 0 to 1, or { source = …, measure = … }"),
        ]
        | None
    ) = None
    state: Literal["planned", "doing", "checking", "standardised", "abandoned"] | None = None


class TemplateForm(Form):
    """One definition for many scorecards; ``{parameter}`` in any text stands for what a scorecard gives."""

    parameters: list[Identifier] = Field(default_factory=list)
    vision: Text = ""
    description: Text = ""
    owner: Line = ""
    perspectives: dict[Identifier, PerspectiveForm] | None = None
    objectives: dict[str, Any] = Field(default_factory=dict)
    kpis: dict[str, Any] = Field(default_factory=dict)
    initiatives: dict[str, Any] = Field(default_factory=dict)
