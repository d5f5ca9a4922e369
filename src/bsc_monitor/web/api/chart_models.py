"""A process-behaviour chart as the API answers it."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from bsc_monitor.model.status import Status
from bsc_monitor.web.api.models import Answer, Level


class ChartPoint(Answer):
    """One closed period on a process-behaviour chart."""

    period: str
    end: datetime
    value: float | None
    status: Status
    target: Level | None
    red: Level | None
    signals: list[str]
    open: bool


class ChartPhase(Answer):
    """A stretch `[start, end)` of points with its natural limits."""

    start: int
    end: int
    cause: str
    centre: float | None
    lower: float | None
    upper: float | None
    firm: bool


class ChartForecast(Answer):
    """A future period with its 80 % interval."""

    label: str
    value: float
    low: float
    high: float


class Annotation(Answer):
    """Something that happened, to be marked on a chart."""

    day: date
    text: str


class Chart(Answer):
    """A KPI's process-behaviour chart."""

    kpi: str
    title: str
    unit: str
    better: Literal["higher", "lower", "target"]
    points: list[ChartPoint]
    phases: list[ChartPhase]
    forecast: list[ChartForecast]
    annotations: list[Annotation]
    variation: str | None
    assurance: str | None
    note: str = Field(description="What the limits still need, in words.")
