"""The result of judging: what a KPI and each node above it are worth at one moment."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from bsc_monitor.model.organisation import Thresholds
from bsc_monitor.model.period import Period
from bsc_monitor.model.status import Freshness, ReadingState, Status

NodeKind = Literal["kpi", "objective", "perspective", "scorecard"]


class Judgement(Struct, frozen=True, gc=False):
    """A KPI judged: value against the thresholds in force. ``score`` is None when there is nothing to judge."""

    kpi: str
    value: float | None = None
    thresholds: Thresholds = Thresholds()
    score: float | None = None  #: 0–100; kept for display while stale, though a stale KPI counts as missing
    status: Status = Status.UNKNOWN
    freshness: Freshness = Freshness.MISSING
    period: Period | None = None  #: the period (or trailing window) that the value belongs to
    previous_period: bool = False  #: judged on the last closed period, the open one having no value yet
    observed_at: datetime | None = None
    since: datetime | None = None  #: when it entered this status
    samples: int | None = None
    state: ReadingState = ReadingState.NO_DATA
    progress: float | None = None  #: (value − baseline) / (final target − baseline)
    trend: float | None = None  #: relative change on the previous period, positive = better
    evidence: str | None = None
    note: str | None = None


class Counts(Struct, frozen=True, gc=False):
    """KPIs below a node by status, so that an average never hides a red."""

    green: int = 0
    amber: int = 0
    red: int = 0
    missing: int = 0


class NodeScore(Struct, frozen=True, gc=False):
    """An objective, perspective or scorecard, rolled up from its children."""

    kind: NodeKind
    name: str
    score: float | None = None
    status: Status = Status.UNKNOWN
    coverage: float = 0.0  #: Σ weights with a score / Σ all weights
    counts: Counts = Counts()
    reason: str = ""  #: why the status is not what the score alone would say, or why there is no score
    since: datetime | None = None
