"""What is measured and how it hangs together: scorecards, perspectives, objectives, KPIs, initiatives.

All of it is frozen and built by ``config``; references are full names (``scorecard/id``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

from bsc_monitor.model.period import Calendar, PeriodKind

Better = Literal["higher", "lower", "target"]
Missing = Literal["ignore", "zero", "blank"]
Combine = Literal["sum", "mean", "weighted", "worst"]
Level = float | tuple[float, float]  #: one threshold, or the ``[lo, hi]`` of a band when better is "target"
Place = str | None  #: ``file:line`` of the definition, for messages

PERSPECTIVES = ("financial", "customer", "internal_process", "learning_growth")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a value is judged against at one moment. Bands (``[lo, hi]``) where better is "target"."""

    target: Level | None = None
    red: Level | None = None
    worst: float | None = None  #: None: one red–target distance beyond ``red``
    best: float | None = None
    ideal: float | None = None  #: of a band; None: its middle


@dataclass(frozen=True, slots=True)
class TargetStep:
    """Thresholds in force from local midnight of ``start`` on (``date.min``: always)."""

    start: date
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class TargetPath:
    """Thresholds over time, ordered by ``start``."""

    steps: tuple[TargetStep, ...] = ()
    interpolate: Literal["step", "linear"] = "step"


@dataclass(frozen=True, slots=True)
class Weight:
    """A relative weight that may change over time: ``steps`` of (in force from, weight), ordered."""

    steps: tuple[tuple[date, float], ...] = ((date.min, 1.0),)

    def on(self, day: date) -> float:
        """The weight in force on a local day; before the first step, the first step's."""
        current = self.steps[0][1]
        for start, weight in self.steps:
            if start > day:
                break
            current = weight
        return current


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a source is asked: an interval or a cron expression (in the scorecard's time zone)."""

    every: timedelta | None = None
    cron: str | None = None


@dataclass(frozen=True, slots=True)
class Kpi:
    """A key performance indicator of one objective."""

    id: str
    scorecard: str
    perspective: str
    objective: str  #: full name of its objective
    title: str
    unit: str = ""
    better: Better = "higher"
    path: TargetPath = TargetPath()
    curve: tuple[tuple[float, float], ...] = ()  #: (value, score) points instead of thresholds
    scored: bool = True
    baseline: float | None = None
    weight: Weight = Weight()
    key: bool = False
    leading: bool = False
    period: PeriodKind = PeriodKind.MONTH
    aggregate: str = "last"
    window: timedelta | None = None
    min_samples: int = 1
    prorate: bool = False
    grace: timedelta = timedelta(days=1)
    stale_after: timedelta | None = None
    missing: Missing = "ignore"  #: what it does to its objective when it has no score
    source: str | None = None
    measure: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    schedule: Schedule | None = None
    formula: str | None = None
    operands: Mapping[str, str] = field(default_factory=dict)  #: name in the formula → full name of the KPI meant
    missing_operand: Missing = "blank"  #: of a derived KPI: what an operand without a value does to it
    by: tuple[str, ...] = ()
    combine: Combine | None = None
    segments: Mapping[str, TargetPath] = field(default_factory=dict)  #: threshold overrides per label value
    owner: str = ""
    severity: str | None = None
    runbook_url: str = ""
    description: str = ""
    place: Place = None
    #: the full name, ``scorecard/id``; asked for with every reading
    name: str = field(init=False, repr=False, compare=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{self.scorecard}/{self.id}")


@dataclass(frozen=True, slots=True)
class Objective:
    """A strategic objective inside a perspective."""

    id: str
    scorecard: str
    perspective: str
    title: str
    weight: Weight = Weight()
    drives: tuple[str, ...] = ()  #: full names of objectives of the same scorecard: cause → effect
    supports: str | None = None  #: full name of the parent scorecard's objective it cascades from
    missing: Missing = "ignore"
    min_coverage: float = 0.5
    owner: str = ""
    description: str = ""
    place: Place = None
    #: the full name, ``scorecard/id``; asked for with every reading
    name: str = field(init=False, repr=False, compare=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{self.scorecard}/{self.id}")


@dataclass(frozen=True, slots=True)
class Perspective:
    """One of a scorecard's points of view, in the order in which the scorecard shows them."""

    id: str
    scorecard: str
    title: str
    weight: Weight = Weight()
    missing: Missing = "ignore"
    min_coverage: float = 0.5
    #: the full name, ``scorecard/id``; asked for with every reading
    name: str = field(init=False, repr=False, compare=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{self.scorecard}/{self.id}")


@dataclass(frozen=True, slots=True)
class Scorecard:
    """One unit's balanced scorecard."""

    id: str
    title: str
    vision: str = ""
    owner: str = ""
    parent: str | None = None  #: id of the scorecard it cascades from
    perspectives: tuple[Perspective, ...] = ()
    calendar: Calendar = Calendar()
    min_coverage: float = 0.5
    place: Place = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """The effect an initiative is expected to have: ``change`` of a KPI's value, by a date."""

    kpi: str
    change: float
    by: date | None = None


@dataclass(frozen=True, slots=True)
class LiveProgress:
    """Progress that is asked of a source (a Jira epic, a ServiceNow record)."""

    source: str
    measure: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Initiative:
    """A corrective or improvement action."""

    id: str
    title: str
    targets: tuple[str, ...]  #: full names of the KPIs or objectives it is for
    owner: str = ""
    start: date | None = None
    due: date | None = None
    expect: Expectation | None = None
    progress: float | LiveProgress | None = None  #: 0–1, or where to ask
    state: str | None = None  #: planned, doing, checking, standardised, abandoned; None: from dates and progress
    place: Place = None


@dataclass(frozen=True, slots=True)
class Organisation:
    """Everything that is judged. Built once per (re)load; never changed."""

    scorecards: Mapping[str, Scorecard] = field(default_factory=dict)  #: by id, parents before children
    objectives: Mapping[str, Objective] = field(default_factory=dict)  #: by full name
    kpis: Mapping[str, Kpi] = field(default_factory=dict)  #: by full name
    initiatives: Mapping[str, Initiative] = field(default_factory=dict)  #: by id
    loaded_at: datetime | None = None
