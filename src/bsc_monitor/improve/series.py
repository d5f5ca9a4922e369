"""A KPI's closed periods as numbers with their places in time."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import ReadingState

_JUDGED = frozenset({ReadingState.OK, ReadingState.PARTIAL})


@dataclass(frozen=True, slots=True)
class Series:
    """The closed periods of a KPI that have a value, oldest first.

    A period without a value has no point: rules and ranges go on to the next one, while ``times`` keep the gap, so
    that slopes and seasons stay true.
    """

    records: tuple[PeriodValue, ...] = ()
    values: tuple[float, ...] = ()
    times: tuple[int, ...] = ()  #: number of the period: that of the following period is one more

    def __len__(self) -> int:
        return len(self.values)


def closed_series(records: Iterable[PeriodValue]) -> Series:
    """The total's closed periods with a finite value; open periods and segments are left out."""
    kept = [
        record
        for record in records
        if record.value is not None
        and record.closed_at is not None
        and record.state in _JUDGED
        and not record.labels
        and math.isfinite(record.value)
    ]
    values = tuple(float(record.value) for record in kept if record.value is not None)
    return Series(tuple(kept), values, tuple(time_of(record.period) for record in kept))


def time_of(period: Period) -> int:
    """The number of a period among those of its kind, told by its middle: time zones cannot shift it."""
    middle = period.start + (period.end - period.start) / 2
    if period.kind is PeriodKind.DAY or period.kind is None:
        return middle.toordinal()
    if period.kind is PeriodKind.WEEK:
        return (middle.toordinal() - 1) // 7
    if period.kind is PeriodKind.YEAR:
        return middle.year
    months = middle.year * 12 + middle.month - 1
    return months if period.kind is PeriodKind.MONTH else months // 3


SEASONS = {PeriodKind.DAY: 7, PeriodKind.WEEK: 52, PeriodKind.MONTH: 12, PeriodKind.QUARTER: 4}
"""Periods in a season, by kind; a year has none."""
