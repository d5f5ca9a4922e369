"""The XmR process-behaviour chart: natural limits of a process, and the rules that tell a signal from noise.

Constants and rules as in D. J. Wheeler, *Understanding Variation* and *Making Sense of Data*, and as in NHS England,
*Making Data Count*.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import fsum
from typing import Literal

from bsc_monitor.improve.significance import median
from bsc_monitor.model.insight import NotEnoughData

Rules = Literal["wheeler", "nhs"]
Form = Literal["mean", "median"]
Rule = Literal["beyond_limit", "run", "near_limit", "trend"]

PROVISIONAL, FIRM = 6, 12  #: points that limits need

_MEAN_SCALES, _MEDIAN_SCALES = (2.66, 3.268), (3.145, 3.865)
_RUN = {"wheeler": 8, "nhs": 7}
_NEAR = {"wheeler": (3, 4, 1 / 2), "nhs": (2, 3, 2 / 3)}  # so many of so many, beyond this share of the way
_TREND = 7


@dataclass(frozen=True, slots=True)
class Limits:
    """The natural limits of a process, in the unit of its values."""

    centre: float
    lower: float
    upper: float
    range_centre: float  #: mean (or median) moving range
    range_upper: float  #: limit of the moving range
    points: int  #: values that they rest on

    @property
    def firm(self) -> bool:
        """Whether they rest on enough points; else they are provisional."""
        return self.points >= FIRM

    @property
    def dust(self) -> float:
        """Differences as small as this are the arithmetic's, not the process's."""
        return 1e-9 * (self.upper - self.lower) + 1e-12 * abs(self.centre)


@dataclass(frozen=True, slots=True)
class Signal:
    """A stretch of points that a rule points at; ``points`` are indices of the flagged ones."""

    rule: Rule
    side: Literal[1, -1]  #: above or below the centre; for ``trend``: rising or falling
    points: tuple[int, ...]

    @property
    def first(self) -> int:
        """Index of its first point."""
        return self.points[0]

    @property
    def last(self) -> int:
        """Index of its last point."""
        return self.points[-1]


def moving_ranges(values: Sequence[float]) -> list[float]:
    """The distances between neighbours, one fewer than values."""
    return [abs(later - sooner) for sooner, later in pairwise(values)]


def limits(values: Sequence[float], form: Form = "mean") -> Limits | NotEnoughData:
    """Natural limits of values that are taken to be one process: centre ± 2.66 mean moving ranges (3.145 median ones)."""
    if len(values) < PROVISIONAL:
        return NotEnoughData(len(values), PROVISIONAL)
    ranges = moving_ranges(values)
    if form == "mean":
        centre, usual, scales = fsum(values) / len(values), fsum(ranges) / len(ranges), _MEAN_SCALES
    else:
        centre, usual, scales = median(sorted(values)), median(sorted(ranges)), _MEDIAN_SCALES
    if not any(ranges):
        centre = values[0]  # a mean of equal values may differ from them in the last digit
    reach = scales[0] * usual
    return Limits(centre, centre - reach, centre + reach, usual, scales[1] * usual, len(values))


def signals(values: Sequence[float], given: Limits, rules: Rules = "wheeler", start: int = 0) -> list[Signal]:
    """What the rules point at; ``start`` is added to the indices. A point on a limit is inside, one on the centre breaks runs."""
    dust = given.dust
    found: list[Signal] = []
    for side, first, last in stretches(sides(values, given.centre - dust, given.centre + dust)):
        if last - first + 1 >= _RUN[rules]:
            found.append(Signal("run", side, tuple(range(start + first, start + last + 1))))
    if max(values) > given.upper + dust or min(values) < given.lower - dust:
        found += _beyond(values, given, start)
    found += _near_limit(values, given, rules, start)
    if rules == "nhs":
        found += _trends(values, start, dust)
    return found


def range_signals(values: Sequence[float], given: Limits, start: int = 0) -> list[int]:
    """Indices of the values that came after a jump beyond the moving range's limit."""
    most = given.range_upper + given.dust
    return [start + place for place, size in enumerate(moving_ranges(values), 1) if size > most]


def run_length(rules: Rules) -> int:
    """How many points in a row on one side make a run."""
    return _RUN[rules]


def sides(values: Sequence[float], low: float, high: float) -> list[int]:
    """1 above ``high``, -1 below ``low``, 0 between."""
    return [1 if value > high else -1 if value < low else 0 for value in values]


def stretches(found: Sequence[int]) -> list[tuple[Literal[1, -1], int, int]]:
    """Stretches of equal sides (first and last index); zeros are in none."""
    listed: list[tuple[Literal[1, -1], int, int]] = []
    first = 0
    for side, group in groupby(found):
        after = first + len(list(group))
        if side:
            listed.append((1 if side > 0 else -1, first, after - 1))
        first = after
    return listed


def _beyond(values: Sequence[float], given: Limits, start: int) -> list[Signal]:
    outside = sides(values, given.lower - given.dust, given.upper + given.dust)
    return [
        Signal("beyond_limit", side, tuple(range(start + first, start + last + 1)))
        for side, first, last in stretches(outside)
    ]


def _near_limit(values: Sequence[float], given: Limits, rules: Rules, start: int) -> list[Signal]:
    many, of, share = _NEAR[rules]
    high = given.centre + share * (given.upper - given.centre) + given.dust
    low = given.centre - share * (given.centre - given.lower) - given.dust
    above = [place for place, value in enumerate(values) if value > high]
    below = [place for place, value in enumerate(values) if value < low]
    return _crowded(above, many, of, 1, start) + _crowded(below, many, of, -1, start)


def _crowded(near: Sequence[int], many: int, of: int, side: Literal[1, -1], start: int) -> list[Signal]:
    found: list[list[int]] = []
    for place in range(len(near) - many + 1):
        group = near[place : place + many]
        if group[-1] - group[0] < of:
            if found and group[0] <= found[-1][-1]:
                found[-1] = sorted({*found[-1], *group})
            else:
                found.append(list(group))
    return [Signal("near_limit", side, tuple(start + place for place in group)) for group in found]


def _trends(values: Sequence[float], start: int, dust: float) -> list[Signal]:
    steps = [_sign(later - sooner, dust) for sooner, later in pairwise(values)]
    return [
        Signal("trend", side, tuple(range(start + first, start + last + 2)))
        for side, first, last in stretches(steps)
        if last - first + 2 >= _TREND
    ]


def _sign(step: float, dust: float) -> int:
    return 1 if step > dust else -1 if step < -dust else 0
