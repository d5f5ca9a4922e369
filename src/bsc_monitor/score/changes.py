"""What a step of scoring changed: all that is to be stored and told."""

from msgspec import Struct

from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.reading import KpiReading

Turn = tuple[Judgement, Judgement | None]  #: (now, before)
NodeTurn = tuple[NodeScore, NodeScore | None]


class Changes(Struct, gc=False):
    """The differences between two states of scoring. A KPI, node or period value appears once, in its newest form."""

    judgements: list[Turn] = []
    nodes: list[NodeTurn] = []
    values: list[PeriodValue] = []  #: not closed (``closed_at`` None), segments included
    closed: list[PeriodValue] = []  #: frozen now; ``revision`` > 0: closed again
    segments: list[PeriodValue] = []  #: judged breakdown values of what "now" shows
    reopened: list[PeriodValue] = []  #: as they were frozen before this step reopened them
    late: list[KpiReading] = []  #: of closed periods after grace, or of the future: not counted
