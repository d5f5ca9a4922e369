"""The flow of work: what a thing had been through at a moment, out of the history of its status. Pure functions."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from bsc_monitor.plugin import Calendar, Record, business_seconds


class Move(Record):
    """An entry into a status; into the one it is in already: the status came to mean something else on that day."""

    at: datetime
    status: str
    name: str
    names: tuple[str, ...] = ()  # all that the status is and was called
    category: str  # new, indeterminate, done; empty where the status no longer exists


class Past(NamedTuple):
    """What a thing had been through at a moment."""

    last: Move | None  # None: it did not exist yet
    started: datetime | None
    finished: datetime | None
    pauses: tuple[tuple[datetime, datetime], ...]  #: when it was done before, and came back
    reopened: tuple[datetime, ...] = ()  #: when somebody took it out of done

    @property
    def took_time(self) -> bool:
        """Whether it is finished and was in progress before: otherwise it has no cycle time."""
        return self.started is not None and self.finished is not None and self.started < self.finished


def past(
    history: Sequence[Move], end: datetime, *, done: Callable[[Move], bool], started: Callable[[Move], bool]
) -> Past:
    """A life up to ``end``. Finished is the last entry into done, of what is done at the end; started the first entry into work.

    A status that comes to mean something else is no event of work: from that day on, what is in it counts as what it means
    now since it was entered. So nothing is finished or reopened by an admin, and what was before that day stays as it was.
    """
    last, begun, finished, entered = None, None, None, end
    pauses: list[tuple[datetime, datetime]] = []
    reopened: list[datetime] = []
    for move in history:
        if move.at >= end:
            break
        if last is None or last.status != move.status:
            entered = move.at
        last, over = move, done(move)
        if over and finished is None:
            finished = entered
        elif not over and finished is not None:
            pauses.append((finished, move.at))
            if entered == move.at:
                reopened.append(move.at)
            finished = None
        if begun is None and not over and started(move):
            begun = entered
    return Past(last, begun, finished, tuple(pauses), tuple(reopened))


def running(
    start: datetime, end: datetime, pauses: Iterable[tuple[datetime, datetime]], calendar: Calendar, business: bool
) -> float:
    """Seconds between two instants without the pauses, elapsed or inside the calendar's working hours."""

    def length(begin: datetime, until: datetime) -> float:
        return business_seconds(begin, until, calendar) if business else max(0.0, (until - begin).total_seconds())

    return length(start, end) - sum(length(max(start, a), min(end, b)) for a, b in pauses)
