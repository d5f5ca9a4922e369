"""Since when something has the status that it has, from the periods that were closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bsc_monitor.model.period_value import NodePeriod, PeriodValue
from bsc_monitor.model.status import Status


def began(since: datetime, status: Status, closed: Sequence[PeriodValue | NodePeriod]) -> datetime:
    """The start of the first of the closed periods (oldest first) that had the status, one after another up to ``since``."""
    for each in reversed(closed):
        if each.status is not status:
            break
        since = min(since, each.period.start)
    return since


def finest(frozen: Iterable[NodePeriod], until: datetime) -> list[NodePeriod]:
    """Of what was frozen of a node up to a moment, the periods of the shortest kind: months rather than quarters."""
    past = [each for each in frozen if each.period.end <= until]
    if not past:
        return []
    kind = min(past, key=lambda each: each.period.end - each.period.start).period.kind
    return [each for each in past if each.period.kind is kind]
