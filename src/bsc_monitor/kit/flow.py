"""The flow of work: what a thing had been through at a moment, out of the history of its status. Pure functions."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from bsc_monitor.plugin import Calendar, Record, business_seconds


class Move(Record):
    """An entry into a status."""

    at: datetime
    status: str
    name: str
    category: str  # new, indeterminate, done; empty where the status no longer exists


class Past(NamedTuple):
    """What a thing had been through at a moment."""

    last: Move | None  # None: it did not exist yet
    started: datetime | None
    finished: datetime | None
    pauses: tuple[tuple[datetime, datetime], ...]  #: when it was done before, and came back

    @property
    def reopened(self) -> tuple[datetime, ...]:
        """When it left done."""
        return tuple(back for _, back in self.pauses)

    @property
    def took_time(self) -> bool:
        """Whether it is finished and was in progress before: otherwise it has no cycle time."""
        return self.started is not None and self.finished is not None and self.started < self.finished


def past(
    history: Sequence[Move], end: datetime, *, done: Callable[[Move], bool], started: Callable[[Move], bool]
) -> Past:
    """A life up to ``end``. Finished is the last entry into done, of what is done at the end; started the first entry into work."""
    last, begun, finished = None, None, None
    pauses: list[tuple[datetime, datetime]] = []
    for move in history:
        if move.at >= end:
            break
        last, over = move, done(move)
        if over and finished is None:
            finished = move.at
        elif not over and finished is not None:
            pauses.append((finished, move.at))
            finished = None
        if begun is None and not over and started(move):
            begun = move.at
    return Past(last, begun, finished, tuple(pauses))


def running(
    start: datetime, end: datetime, pauses: Iterable[tuple[datetime, datetime]], calendar: Calendar, business: bool
) -> float:
    """Seconds between two instants without the pauses, elapsed or inside the calendar's working hours."""

    def length(begin: datetime, until: datetime) -> float:
        return business_seconds(begin, until, calendar) if business else max(0.0, (until - begin).total_seconds())

    return length(start, end) - sum(length(max(start, a), min(end, b)) for a, b in pauses)
