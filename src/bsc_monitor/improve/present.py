"""Where the process that runs today begins: what lies before it must tilt neither trend nor forecast.

A drift sets off shifts too, so the phases of the chart alone do not say. Of the newest 24 values the longest stretch of
whole phases is taken that a line explains better than their levels do, at least the newest phase; a change on purpose is
a border in any case. A stretch that moves, or whose newest value is a signal, is cut once more where one step explains it
better than the line: the chart needs eight points behind a shift to see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import inf, log

from bsc_monitor.improve.assurance import newest_signal
from bsc_monitor.improve.phases import Phase
from bsc_monitor.improve.significance import median
from bsc_monitor.improve.trend import Trend, slope_rows, trend
from bsc_monitor.model.insight import NotEnoughData

WINDOW = 24  #: newest values that a trend and a forecast rest on at most
_MOVING = 0.05  # level of the test whether a stretch moves at all
_STEP = 3  # values on either side of a step

Rows = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Present:
    """The newest values that are one process: one level, or one line."""

    start: int  #: index of the first
    trend: Trend | NotEnoughData
    rows: Rows  #: their ``slope_rows``


def present(values: Sequence[float], times: Sequence[int], found: Sequence[Phase]) -> Present:
    """What of a series is the process as it is now; ``found`` are its phases."""
    first = max([0, len(values) - WINDOW, *(phase.start for phase in found if phase.cause == "declared")])
    rows: Rows = slope_rows(values[first:], times[first:])
    start = first
    rest = [phase for phase in found if phase.end > start]
    while len(rest) > 1 and not _is_line(values, times, start, rest, rows):
        start, rows = rest[1].start, _since(rows, rest[1].start - start)
        del rest[0]
    moving = trend(values[start:], times[start:], rows=rows)
    if isinstance(moving, Trend) and (moving.p < _MOVING or newest_signal(found[-1])):
        step = _step(values[start:], times[start:], moving)
        if step:
            start, rows = start + step, _since(rows, step)
            moving = trend(values[start:], times[start:], rows=rows)
    return Present(start, moving, rows)


def is_level(values: Sequence[float], times: Sequence[int], moving: Trend) -> bool:
    """Whether one level explains values no worse than the line of their trend."""
    return _cost(_spread(values), 1, len(values)) <= _line_cost(values, times, moving.line.slope)


def _is_line(values: Sequence[float], times: Sequence[int], start: int, phases: Sequence[Phase], rows: Rows) -> bool:
    """Whether a line explains the values from ``start`` on better than the levels of their phases."""
    levels = [values[max(start, phase.start) : phase.end] for phase in phases]
    stepped = _cost(sum(map(_spread, levels)), 2 * len(levels) - 1, len(values) - start)
    return _line_cost(values[start:], times[start:], median(sorted(chain.from_iterable(rows)))) < stepped


def _step(values: Sequence[float], times: Sequence[int], moving: Trend) -> int:
    """Where the values step from one level to another; 0: the line of their trend explains them as well."""
    errors = {
        place: _spread(values[:place]) + _spread(values[place:]) for place in range(_STEP, len(values) - _STEP + 1)
    }
    place = min(errors, key=errors.__getitem__)
    stepped = _cost(errors[place], 3, len(values))
    return place if stepped <= _line_cost(values, times, moving.line.slope) else 0


def _line_cost(values: Sequence[float], times: Sequence[int], slope: float) -> float:
    left = [value - slope * (time - times[0]) for value, time in zip(values, times, strict=True)]
    return _cost(_spread(left), 2, len(values))


def _cost(error: float, numbers: int, size: int) -> float:
    """The Bayesian information criterion under Laplace errors: a line is two numbers, a level one, a border one."""
    return -inf if error <= 0 else size * log(error / size) + numbers / 2 * log(size)


def _spread(values: Sequence[float]) -> float:
    level = median(sorted(values))
    return sum(abs(value - level) for value in values)


def _since(rows: Rows, first: int) -> Rows:
    return [row[first:] for row in rows[first:]]
