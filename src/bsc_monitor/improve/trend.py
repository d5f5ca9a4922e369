"""Is it moving steadily? Mann–Kendall test with tie correction, Theil–Sen slope with its interval.

H. B. Mann (1945), M. G. Kendall (1975), P. K. Sen (1968). Cost: the test takes O(n log n) by sorted insertion, the slope
all n(n−1)/2 pairs; callers cap the window (24 periods: 276 pairs).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import sqrt
from typing import Literal

from bsc_monitor.improve.significance import median, normal_quantile, normal_two_sided, tie_groups
from bsc_monitor.model.insight import NotEnoughData

ENOUGH = 8  #: values


@dataclass(frozen=True, slots=True)
class Line:
    """A robust line through points: ``intercept + slope × time``."""

    slope: float
    intercept: float
    low: float  #: of the slope's interval
    high: float


@dataclass(frozen=True, slots=True)
class Trend:
    """The test's result and the slope per period."""

    direction: Literal["increasing", "decreasing", "no trend"]
    s: int
    variance: float
    z: float
    p: float  #: two-sided
    tau: float  #: −1 to 1
    line: Line


def trend(
    values: Sequence[float],
    times: Sequence[int] | None = None,
    *,
    alpha: float = 0.05,
    confidence: float = 0.95,
    rows: Sequence[Sequence[float]] | None = None,
) -> Trend | NotEnoughData:
    """Test a series for a monotonic trend; ``times`` (ascending) default to 0, 1, 2 …; ``rows`` are its ``slope_rows``."""
    if len(values) < ENOUGH:
        return NotEnoughData(len(values), ENOUGH)
    s, variance, z, p = mann_kendall(values)
    pairs = len(values) * (len(values) - 1) / 2
    line = theil_sen(values, range(len(values)) if times is None else times, confidence, rows)
    direction: Literal["increasing", "decreasing", "no trend"] = "no trend"
    if p < alpha and s:
        direction = "increasing" if s > 0 else "decreasing"
    return Trend(direction, s, variance, z, p, s / pairs, line)


def mann_kendall(values: Sequence[float]) -> tuple[int, float, float, float]:
    """S, its variance corrected for ties, z with continuity correction, and the two-sided p-value."""
    s = 0
    seen: list[float] = []
    for value in values:
        below, upto = bisect_left(seen, value), bisect_right(seen, value)
        s += below - (len(seen) - upto)
        seen.insert(upto, value)
    variance = _kendall_variance(len(values), tie_groups(values))
    if not s or not variance:
        return s, variance, 0.0, 1.0
    z = (s - (1 if s > 0 else -1)) / sqrt(variance)
    return s, variance, z, normal_two_sided(z)


def slope_rows(values: Sequence[float], times: Sequence[int]) -> list[list[float]]:
    """The slopes of all pairs, one row per later point."""
    rows: list[list[float]] = [[]]
    for place in range(1, len(values)):
        value, time = values[place], times[place]
        rows.append([(value - before) / (time - then) for before, then in zip(values[:place], times, strict=False)])
    return rows


def theil_sen(
    values: Sequence[float],
    times: Sequence[int],
    confidence: float = 0.95,
    rows: Sequence[Sequence[float]] | None = None,
) -> Line:
    """The median of all pairs' slopes, and its distribution-free interval."""
    slopes = sorted(chain.from_iterable(slope_rows(values, times) if rows is None else rows))
    return line_through(slopes, values, times, confidence)


def line_through(slopes: Sequence[float], values: Sequence[float], times: Sequence[int], confidence: float) -> Line:
    """The line of points whose pairs' slopes are sorted already."""
    slope = median(slopes)
    intercept = median(sorted(values)) - slope * median(times)
    reach = -normal_quantile((1 - confidence) / 2) * sqrt(_kendall_variance(len(values), tie_groups(values)))
    low = slopes[max(round((len(slopes) - reach) / 2) - 1, 0)]
    high = slopes[min(round((len(slopes) + reach) / 2), len(slopes) - 1)]
    return Line(slope, intercept, low, high)


def _kendall_variance(count: int, ties: Sequence[int]) -> float:
    total = count * (count - 1) * (2 * count + 5)
    return (total - sum(tie * (tie - 1) * (2 * tie + 5) for tie in ties)) / 18
