"""What continuous improvement speaks of: insights, and where an initiative is in its plan–do–check–act cycle."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

SubjectKind = Literal["kpi", "objective", "link", "initiative"]
DataState = Literal["firm", "provisional"]
Verdict = Literal["worked", "no_evidence", "got_worse"]


class InsightKind(StrEnum):
    """The question that an insight answers."""

    SIGNAL = "signal"  # is this more than noise?
    ASSURANCE = "assurance"  # will it hit its target by itself?
    TREND = "trend"  # is it moving steadily?
    FORECAST = "forecast"  # when will it breach, when reach its target?
    STAGNATION = "stagnation"  # what is stuck without anyone acting?
    RATCHET = "ratchet"  # which target has stopped being a goal?
    EFFECT = "effect"  # did the corrective action work?
    DRIVER = "driver"  # is a cause-and-effect link of the strategy map real?
    VOLATILITY = "volatility"  # has the process become unstable?


class Direction(StrEnum):
    """Whether what was found is good news."""

    IMPROVING = "improving"
    WORSENING = "worsening"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class NotEnoughData:
    """The answer where a statistic has fewer values than it needs: never a guess."""

    have: int
    need: int


@dataclass(frozen=True, slots=True)
class Insight:
    """A finding with its evidence. The same finding (equal ``key``) is one insight that lives until it ends."""

    kind: InsightKind
    subject_kind: SubjectKind
    subject: str  #: full name of a KPI or objective, ``cause → effect`` of a link, id of an initiative
    since: datetime  #: start of the first period that it is about
    direction: Direction
    strength: float  #: 0–1, comparable within a kind
    sentence: str  #: one plain sentence for a manager
    next_step: str  #: what to do about it
    aspect: str = ""  #: tells findings of one kind about one subject apart (``improving``, ``breach``)
    evidence: Mapping[str, Any] = field(default_factory=dict)  #: the numbers behind it, as JSON can hold them
    data: DataState = "firm"  #: provisional: enough to say it, too little to be sure of the limits
    period: str = ""  #: label of the newest closed period behind it
    found_at: datetime | None = None  #: when it was opened
    ended_at: datetime | None = None  #: when it was no longer found

    @property
    def key(self) -> str:
        """Equal for the same finding at any time."""
        return f"{self.kind}:{self.subject}:{self.aspect}"

    @property
    def id(self) -> str:
        """Names this life of the finding: one that ended and came back has another."""
        return f"{self.key}@{self.since:%Y-%m-%d}"


class InitiativePhase(StrEnum):
    """Where an initiative is in its plan–do–check–act cycle."""

    PLANNED = "planned"
    DOING = "doing"
    CHECKING = "checking"
    STANDARDISED = "standardised"
    ABANDONED = "abandoned"

    @property
    def over(self) -> bool:
        """Whether nothing more is expected of it."""
        return self in (InitiativePhase.STANDARDISED, InitiativePhase.ABANDONED)


@dataclass(frozen=True, slots=True)
class InitiativeState:
    """An initiative at one moment."""

    initiative: str  #: id
    phase: InitiativePhase
    since: datetime  #: when it entered the phase
    progress: float | None = None  #: 0–1; None: nobody says
    elapsed: float | None = None  #: 0–1, the share of its time that has passed; None without start and due
    late: bool = False  #: due is past and it is not done
    behind: bool = False  #: not late yet, but its progress lags far behind its time
    verdict: Verdict | None = None  #: of the check; None: not checked yet, or not enough data to
    kpi: str | None = None  #: that the check looked at
    expected: float | None = None  #: change of that KPI's value
    achieved: float | None = None  #: shift of that KPI's value since the start, while checking or after

    @property
    def active(self) -> bool:
        """Whether something is being done: not over, and not checked without success."""
        return not self.phase.over and self.verdict in (None, "worked")
