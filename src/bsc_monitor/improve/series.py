"""A KPI's closed periods as numbers with their places in time."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import ReadingState

_DUST = 1e-11  #: a relative difference as small as this is of the sums and quotients that made a value, and no change


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
    """The total's closed periods with a finite value; open periods, segments and trailing windows (they overlap) are left out."""
    kept: list[PeriodValue] = []
    values: list[float] = []
    for record in records:
        value, state = record.value, record.state
        if (
            value is not None
            and record.closed_at is not None
            and (state is ReadingState.OK or state is ReadingState.PARTIAL)
            and not record.labels
            and record.period.kind is not None
            and math.isfinite(value)
        ):
            kept.append(record)
            if values and math.isclose(value, values[-1], rel_tol=_DUST):
                value = values[-1]
            values.append(float(value))
    return Series(tuple(kept), tuple(values), tuple([time_of(record.period) for record in kept]))


def time_of(period: Period) -> int:
    """The number of a period among those of its kind: the next one's is one more.

    Told by its UTC start, which is a local midnight: from ten o'clock on it is that of the day after (UTC+12 to +14; of
    the zones that change their clocks only the Aleutian islands' would cross that hour).
    """
    start, kind = period.start, period.kind
    if kind is PeriodKind.DAY or kind is PeriodKind.WEEK or kind is None:
        day = start.toordinal() + (start.hour >= 10)
        return (day - 1) // 7 if kind is PeriodKind.WEEK else day
    months = start.year * 12 + start.month - 1 + (start.day > 15)
    return months if kind is PeriodKind.MONTH else months // (3 if kind is PeriodKind.QUARTER else 12)


SEASONS = {PeriodKind.DAY: 7, PeriodKind.WEEK: 52, PeriodKind.MONTH: 12, PeriodKind.QUARTER: 4}
"""Periods in a season, by kind; a year has none."""
