"""The in-memory state of scoring: takes readings and time, tells what changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.period import Period
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.score.changes import Changes

Labels = tuple[tuple[str, str], ...]
Observations = Callable[[str, Labels, Period], Sequence[KpiReading]]
#: the stored readings of a KPI with exactly these labels whose ``at`` lies in the period or that were made for it;
#: whether the readings being taken are among them already does not matter
ClosedValue = Callable[[str, Labels, Period], PeriodValue | None]
#: the frozen value of a past period, if there is one


class Scoring:
    """Everything that is judged, incrementally. Not for use by two threads at a time."""

    def __init__(self, organisation: Organisation, now: datetime) -> None:
        raise NotImplementedError

    def restore(self, value: PeriodValue) -> None:
        """Take a stored value at start: of the open period, of those in grace, or one of the last two closed."""
        raise NotImplementedError

    def restore_judgement(self, judgement: Judgement) -> None:
        """Take a stored judgement at start: ``since`` and a trailing window's value outlive a restart."""
        raise NotImplementedError

    def restore_node(self, node: NodeScore) -> None:
        """Take a node's stored state at start, so that its ``since`` outlives a restart."""
        raise NotImplementedError

    def take(
        self,
        readings: Sequence[KpiReading],
        now: datetime,
        observations: Observations,
        closed: ClosedValue | None = None,
    ) -> Changes:
        """Take readings in their order of arrival. ``closed`` is asked only about periods older than the last two closed.

        Readings of KPIs that the organisation does not have are left out.
        """
        raise NotImplementedError

    def tick(self, now: datetime) -> Changes:
        """Whatever time alone changes: values turning stale, periods turning over and closing, thresholds and weights
        stepping. The first tick after the start also judges what was restored."""
        raise NotImplementedError

    def next_due(self) -> datetime | None:
        """When ``tick`` has something to do next; None: never."""
        raise NotImplementedError

    def replace(self, organisation: Organisation, now: datetime) -> Changes:
        """Take another organisation. KPIs whose definition is the same keep their state; the others are judged anew."""
        raise NotImplementedError

    @property
    def judgements(self) -> dict[str, Judgement]:
        """The newest judgement of each KPI by full name."""
        raise NotImplementedError

    @property
    def nodes(self) -> dict[tuple[str, str], NodeScore]:
        """The newest score of each node by (kind, name)."""
        raise NotImplementedError
