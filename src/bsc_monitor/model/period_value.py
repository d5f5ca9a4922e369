"""The value of a KPI in one period: live while the period is open, frozen with its judgement when it closes."""

from datetime import datetime

from msgspec import Struct

from bsc_monitor.model.organisation import Thresholds
from bsc_monitor.model.period import Period
from bsc_monitor.model.status import Completeness, ReadingState, Status


class PeriodValue(Struct, frozen=True, gc=False):
    """What a KPI (and each of its segments) was worth in a period, in the KPI's unit."""

    kpi: str  #: full name
    period: Period
    labels: tuple[tuple[str, str], ...] = ()  #: of a segment, sorted; empty: the total
    value: float | None = None
    samples: int | None = None
    numerator: float | None = None
    denominator: float | None = None
    state: ReadingState = ReadingState.NO_DATA
    completeness: Completeness = Completeness.FINAL
    observed_at: datetime | None = None  #: of the newest reading behind it
    evidence: str | None = None
    note: str | None = None
    thresholds: Thresholds = Thresholds()  #: in force at the period's end (closed) or now (open)
    score: float | None = None
    status: Status = Status.UNKNOWN
    definition: str = ""  #: hash of the KPI's definition that judged it
    closed_at: datetime | None = None  #: None: the period is open
    revision: int = 0  #: times it was reopened by a late reading or rescored


class NodePeriod(Struct, frozen=True, gc=False):
    """What an objective, perspective or scorecard was worth in a closed period, frozen with it."""

    kind: str  #: objective, perspective, scorecard
    name: str
    period: Period
    score: float | None = None
    status: Status = Status.UNKNOWN
    coverage: float = 0.0
    green: int = 0
    amber: int = 0
    red: int = 0
    missing: int = 0
    reason: str = ""
    closed_at: datetime | None = None
