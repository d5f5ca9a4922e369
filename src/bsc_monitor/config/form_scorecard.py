"""The forms of scorecards, objectives, KPIs, initiatives and templates."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from bsc_monitor.config.values import (
    Cron,
    Duration,
    Every,
    Form,
    Identifier,
    Interval,
    Level,
    Line,
    MissingWord,
    Number,
    PeriodWord,
    Point,
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

    title: Line | None = Field(None, description="as people see it")
    weight: Weighting = Field(1.0, description="in the scorecard; relative, may be a path over time")
    missing: MissingWord = Field("ignore", description="what an objective without a score does to it")
    min_coverage: Share = Field(0.5, description="share of weight that needs a score, or there is none")


class ScorecardForm(Form):
    """One unit's balanced scorecard."""

    title: Line | None = Field(None, description="as people see it")
    vision: Text = Field("", description="shown at the head of board and reports")
    description: Text = Field("", description="for readers of the board")
    owner: Line = Field("", description="who answers for it")
    parent: Identifier | None = Field(None, description="the scorecard it cascades from")
    perspectives: dict[Identifier, PerspectiveForm] | None = Field(
        None, description="in this order, instead of the classic four"
    )
    timezone: Zone | None = Field(None, description="of its periods and hours; the service's by default")
    min_coverage: Share = Field(0.5, description="share of weight that needs a score, or there is none")
    template: Identifier | None = Field(None, description="writes out its objectives, KPIs and initiatives")
    arguments: dict[str, str | int | float | bool] = Field(
        default_factory=dict, alias="with", description="the template's parameters"
    )


class ObjectiveForm(Form):
    """A strategic objective."""

    scorecard: Identifier | None = Field(None, description="needed outside a template")
    perspective: Identifier = Field(description="where it stands")
    title: Line | None = Field(None, description="as people see it")
    weight: Weighting = Field(1.0, description="in its perspective; relative, may be a path over time")
    drives: list[Reference] = Field(default_factory=list, description="cause → effect, inside the scorecard")
    supports: Reference | None = Field(None, description="objective of the parent scorecard")
    missing: MissingWord = Field("ignore", description="what a KPI without a score does to it")
    min_coverage: Share = Field(0.5, description="share of weight that needs a score, or there is none")
    owner: Line = Field("", description="who answers for it")
    description: Text = Field("", description="for readers of the board")


class SegmentForm(Form):
    """Thresholds of one value of a breakdown, in place of the KPI's."""

    target: Level | None = Field(None, description="in place of the KPI's")
    red: Level | None = Field(None, description="in place of the KPI's")
    worst: Number | None = Field(None, description="in place of the KPI's")
    best: Number | None = Field(None, description="in place of the KPI's")
    ideal: Number | None = Field(None, description="in place of the KPI's")


class KpiForm(Form):
    """A key performance indicator."""

    objective: Reference = Field(description="what it tells about")
    title: Line | None = Field(None, description="as people see it")
    description: Text = Field("", description="for readers of the board")
    source: Identifier | None = Field(None, description='that is asked, or "manual" where people enter values')
    measure: str | None = Field(None, description="of the source")
    params: dict[str, Any] = Field(default_factory=dict, description="the measure's parameters")
    formula: (
        Annotated[
            Annotated[str, Tag("text")] | Annotated[Number, Tag("number")], one_of("a formula in quotes, or a number")
        ]
        | None
    ) = Field(None, description="over other KPIs, in place of source and measure; - in their ids is written _")
    unit: Line | None = Field(None, description="s min h d, %, ratio, count, points, yes/no, a currency, or any text")
    better: Literal["higher", "lower", "target"] | None = Field(
        None, description="which way is good; target: inside a band"
    )
    target: Level | None = Field(None, description="at or better than this is green; a band, or a path over time")
    red: Level | None = Field(None, description="at or worse than this is red; a band, or a path over time")
    worst: Number | None = Field(None, description="scores 0; one red–target distance beyond red by default")
    best: Number | None = Field(None, description="scores 100; one red–target distance beyond target by default")
    ideal: Number | None = Field(None, description="of a band; default its middle")
    curve: list[Point] | None = Field(None, description="[[value, score], …] instead of thresholds")
    interpolate: Literal["step", "linear"] = Field("step", description="between the steps of a path")
    scored: bool = Field(True, description="false: shown, and never scored")
    baseline: Number | None = Field(None, description="where progress began")
    weight: Weighting = Field(1.0, description="in its objective; relative, may be a path over time")
    key: bool = Field(False, description="its objective cannot look better than this KPI")
    leading: bool = Field(False, description="tells of the future rather than of the past")
    period: PeriodWord = Field("month", description="in which it is judged")
    aggregate: str = Field(
        "last", description="of a period's readings: last, mean, median, sum, min, max, count, p85 …"
    )
    window: Interval | None = Field(None, description="trailing window instead of the calendar period")
    min_samples: int = Field(1, ge=0, description="fewer observations behind the value: not judged")
    prorate: bool = Field(False, description="an open period is compared with its share of the target")
    grace: Duration | None = Field(None, description="how long after its end a period takes late readings")
    every: Every | None = Field(None, description="how often the source is asked, 1s at least; the source's by default")
    cron: Cron | None = Field(None, description="or when, in the scorecard's time zone")
    stale_after: Interval | None = Field(
        None, description="age from which a value is stale; three intervals by default"
    )
    missing: MissingWord | None = Field(None, description="what a formula makes of an operand without a value")
    by: list[Line] = Field(default_factory=list, description="breakdowns: fields of the measure")
    combine: Literal["sum", "mean", "weighted", "worst"] | None = Field(
        None, description="how the total comes from a breakdown, where the source gives none"
    )
    segments: dict[Line, SegmentForm] = Field(
        default_factory=dict, description="thresholds of single values of a breakdown"
    )
    owner: Line = Field("", description="who answers for it")
    severity: Line | None = Field(None, description="of its alerts, in place of the rule's")
    runbook_url: Url | None = Field(None, description="what to do when it alerts")


class ExpectForm(Form):
    """The effect an initiative is expected to have."""

    kpi: Reference = Field(description="that will change")
    change: Number = Field(description="by this, in the KPI's unit")
    by: date | None = Field(None, description="when the effect should show")


class ProgressForm(Form):
    """Where an initiative's progress is asked."""

    source: Identifier = Field(description="that is asked")
    measure: str = Field(description="that delivers a share from 0 to 1")
    params: dict[str, Any] = Field(default_factory=dict, description="the measure's parameters")


class InitiativeForm(Form):
    """A corrective or improvement action."""

    title: Line | None = Field(None, description="as people see it")
    targets: list[Reference] = Field(default_factory=list, alias="for", description="KPIs or objectives")
    owner: Line = Field("", description="who answers for it")
    start: date | None = Field(None, description="first day")
    due: date | None = Field(None, description="last day")
    expect: ExpectForm | None = Field(None, description="the effect that it is judged by")
    progress: (
        Annotated[
            Annotated[Share, Tag("number")] | Annotated[ProgressForm, Tag("table")],
            one_of("a number from 0 to 1, or { source = …, measure = … }"),
        ]
        | None
    ) = Field(None, description="share done, or where to ask for it")
    state: Literal["planned", "doing", "checking", "standardised", "abandoned"] | None = Field(
        None, description="where it stands in plan–do–check–act, where the dates do not say"
    )


class TemplateForm(Form):
    """One definition for many scorecards; ``{parameter}`` in any text stands for what a scorecard gives."""

    parameters: list[Identifier] = Field(default_factory=list, description="that a scorecard gives in with")
    vision: Text = Field("", description="the scorecard's")
    description: Text = Field("", description="the scorecard's")
    owner: Line = Field("", description="the scorecard's")
    perspectives: dict[Identifier, PerspectiveForm] | None = Field(None, description="the scorecard's")
    objectives: dict[str, Any] = Field(
        default_factory=dict, description="tables as of [objectives.ID], without scorecard"
    )
    kpis: dict[str, Any] = Field(default_factory=dict, description="tables as of [kpis.ID]")
    initiatives: dict[str, Any] = Field(default_factory=dict, description="tables as of [initiatives.ID]")
