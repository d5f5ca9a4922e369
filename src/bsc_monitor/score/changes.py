"""What a step of scoring changed: all that is to be stored and told."""

from __future__ import annotations

from dataclasses import dataclass, field

from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.reading import KpiReading

Turn = tuple[Judgement, Judgement | None]  #: (now, before)
NodeTurn = tuple[NodeScore, NodeScore | None]


@dataclass(slots=True)
class Changes:
    """The differences between two states of scoring. A KPI, node or period value appears once, in its newest form."""

    judgements: list[Turn] = field(default_factory=list)
    segments: list[PeriodValue] = field(default_factory=list)  #: judged breakdown values of what "now" shows
    nodes: list[NodeTurn] = field(default_factory=list)
    values: list[PeriodValue] = field(default_factory=list)  #: not closed (``closed_at`` None), segments included
    closed: list[PeriodValue] = field(default_factory=list)  #: frozen now; ``revision`` > 0: closed again
    reopened: list[PeriodValue] = field(default_factory=list)  #: as they were frozen before this step reopened them
    late: list[KpiReading] = field(
        default_factory=list
    )  #: of closed periods after grace, or of the future: not counted
