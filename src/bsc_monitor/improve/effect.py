"""Did it work? Two samples, before and after: Mann–Whitney test, Hodges–Lehmann shift with its interval.

H. B. Mann, D. R. Whitney (1947); J. L. Hodges, E. L. Lehmann (1963). Exact without ties when one sample has at most
eight values, else the normal approximation with continuity and tie correction: as scipy chooses.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, floor, sqrt
from typing import Literal

from bsc_monitor.improve.significance import median, normal_quantile, rank_sum_tail, tie_groups
from bsc_monitor.improve.trend import mann_kendall, theil_sen
from bsc_monitor.improve.xmr import limits, signals
from bsc_monitor.model.insight import NotEnoughData, Verdict

BEFORE, AFTER = 6, 4  #: values needed on each side: with fewer no difference could be significant
WINDOW = 24  #: newest values before, oldest after, that are looked at
ALPHA = 0.01  # stricter than its interval: a verdict is looked at after every close
_MOVING = 0.05


@dataclass(frozen=True, slots=True)
class RankTest:
    """The Mann–Whitney test of ``after`` against ``before``."""

    u: float  #: of ``after``: pairs in which it is greater, ties as half
    p: float  #: two-sided
    method: Literal["exact", "asymptotic"]


@dataclass(frozen=True, slots=True)
class Effect:
    """Before and after, compared; differences are after − before, in the values' unit."""

    verdict: Verdict
    shift: float  #: Hodges–Lehmann: the median of all pairs' differences
    low: float  #: its interval, 95 %
    high: float
    before: float  #: medians
    after: float
    counts: tuple[int, int]
    test: RankTest
    new_phase: bool  #: the values after break the natural limits of those before, in the direction of the shift
    moved_before: bool  #: a trend was under way before, and the shift is no more than its continuation
    expected: float | None = None
    share: float | None = None  #: of the expected effect that was achieved


def effect(
    before: Sequence[float], after: Sequence[float], *, good: Literal[1, -1], expected: float | None = None
) -> Effect | NotEnoughData:
    """Compare the closed periods before an action with those after it; ``good`` is the better direction of change.

    Values are oldest first; of those before, the newest 24 count, of those after, the oldest 24. A significant shift
    that merely goes on with a trend from before is no evidence.
    """
    if len(before) < BEFORE:
        return NotEnoughData(len(before), BEFORE)
    if len(after) < AFTER:
        return NotEnoughData(len(after), AFTER)
    before, after = before[-WINDOW:], after[:WINDOW]
    test = rank_test(before, after)
    shift, low, high = hodges_lehmann(before, after)
    moved = test.p <= ALPHA and _goes_on(before, after, shift)
    verdict: Verdict = "no_evidence"
    if test.p <= ALPHA and shift and not moved:
        verdict = "worked" if shift * good > 0 else "got_worse"
    return Effect(
        verdict, shift, low, high, median(sorted(before)), median(sorted(after)), (len(before), len(after)), test,
        _breaks(before, after, shift), moved, expected, shift / expected if expected else None,
    )  # fmt: skip


def rank_test(before: Sequence[float], after: Sequence[float]) -> RankTest:
    """Whether values after tend to be greater or smaller than those before."""
    ordered = sorted(before)
    u = sum((bisect_left(ordered, value) + bisect_right(ordered, value)) / 2 for value in after)
    pairs, size = len(before) * len(after), len(before) + len(after)
    extreme = max(u, pairs - u)
    ties = tie_groups([*before, *after])
    if not ties and min(len(before), len(after)) <= 8:
        tail = rank_sum_tail(*sorted((len(before), len(after))))
        return RankTest(u, min(1.0, 2 * tail[round(pairs - extreme)]), "exact")
    tied = sum(count**3 - count for count in ties) / (size * (size - 1))
    variance = pairs / 12 * (size + 1 - tied)
    if variance <= 0:
        return RankTest(u, 1.0, "asymptotic")
    z = (extreme - pairs / 2 - 0.5) / sqrt(variance)
    return RankTest(u, min(1.0, erfc(z / sqrt(2))), "asymptotic")


def hodges_lehmann(
    before: Sequence[float], after: Sequence[float], confidence: float = 0.95
) -> tuple[float, float, float]:
    """The shift from before to after, and its interval from the same statistic's distribution."""
    differences = sorted(late - early for late in after for early in before)
    pairs, size = len(differences), len(before) + len(after)
    miss = (1 - confidence) / 2
    if min(len(before), len(after)) <= 8:
        tail = rank_sum_tail(*sorted((len(before), len(after))))
        outside = bisect_right(tail, miss)
    else:
        outside = floor(pairs / 2 + normal_quantile(miss) * sqrt(pairs * (size + 1) / 12))
    place = max(0, outside - 1)
    return median(differences), differences[place], differences[-1 - place]


def _goes_on(before: Sequence[float], after: Sequence[float], shift: float) -> bool:
    """Whether a trend before explains the values after: measured from its line, they are not shifted that way any more."""
    s, _, _, p = mann_kendall(before)
    if p > _MOVING or s * shift <= 0:
        return False
    line = theil_sen(before, range(len(before)))
    left_before = [value - line.slope * place for place, value in enumerate(before)]
    left_after = [value - line.slope * place for place, value in enumerate(after, len(before))]
    left = hodges_lehmann(left_before, left_after)[0]
    return left * shift <= 0 or rank_test(left_before, left_after).p > ALPHA


def _breaks(before: Sequence[float], after: Sequence[float], shift: float) -> bool:
    usual = limits(before)
    if isinstance(usual, NotEnoughData) or not shift:
        return False
    return any(signal.side * shift > 0 for signal in signals(after, usual) if signal.rule != "trend")
