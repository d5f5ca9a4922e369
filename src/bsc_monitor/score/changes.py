"""What a step of scoring changed: all that is to be stored and told."""

from __future__ import annotations

from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.reading import KpiReading

Turn = tuple[Judgement, Judgement | None]  #: (now, before)
NodeTurn = tuple[NodeScore, NodeScore | None]


class Changes:
    """The differences between two states of scoring. A KPI, node or period value appears once, in its newest form."""

    __slots__ = ("closed", "judgements", "late", "nodes", "reopened", "segments", "values")

    def __init__(self) -> None:
        self.judgements: list[Turn] = []
        self.segments: list[PeriodValue] = []  #: judged breakdown values of what "now" shows
        self.nodes: list[NodeTurn] = []
        self.values: list[PeriodValue] = []  #: not closed (``closed_at`` None), segments included
        self.closed: list[PeriodValue] = []  #: frozen now; ``revision`` > 0: closed again
        self.reopened: list[PeriodValue] = []  #: as they were frozen before this step reopened them
        self.late: list[KpiReading] = []  #: of closed periods after grace, or of the future: not counted
