"""How unlikely chance is: the few distributions that the tests need, exact for small samples, in plain Python."""

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from statistics import NormalDist

_NORMAL = NormalDist()


def normal_two_sided(z: float) -> float:
    """Probability of a standard normal value at least as far from 0 as ``z``."""
    return math.erfc(abs(z) / math.sqrt(2))


@lru_cache(maxsize=64)
def normal_quantile(share: float) -> float:
    """The value that a standard normal one stays below with probability ``share``."""
    return _NORMAL.inv_cdf(share)


def student_two_sided(t: float, freedom: int) -> float:
    """Probability of a Student t value at least as far from 0, for whole degrees of freedom; accurate to 1e-14.

    The finite series of Abramowitz & Stegun, 26.7.3 and 26.7.4.
    """
    if math.isinf(t):
        return 0.0
    angle = math.atan(abs(t) / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = term if freedom > 1 else 0.0
    for step in range(2 + odd, freedom - 1, 2):
        term *= cosine * cosine * (step - 1) / step
        total += term
    inside = 2 / math.pi * (angle + sine * total) if odd else sine * total
    return min(1.0, max(0.0, 1 - inside))


@lru_cache(maxsize=256)
def rank_sum_tail(first: int, second: int) -> tuple[float, ...]:
    """``P(U <= u)`` of the Mann–Whitney statistic of two samples without ties, for u from 0 to first × second."""
    counts = [1] + [0] * (first * second)
    for size in range(1, first + 1):  # the Gaussian binomial coefficient, factor by factor
        for place in range(len(counts) - 1, second + size - 1, -1):
            counts[place] -= counts[place - second - size]
        for place in range(size, len(counts)):
            counts[place] += counts[place - size]
    total = math.comb(first + second, first)
    return tuple(count / total for count in accumulate(counts))


def tie_groups(values: Sequence[float]) -> list[int]:
    """The sizes of the groups of equal values, only those of two and more."""
    if len(set(values)) == len(values):
        return []
    return [count for count in Counter(values).values() if count > 1]


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    if len(set(values)) == len(values):
        for rank, place in enumerate(order, 1):
            found[place] = rank
        return found
    first = 0
    while first < len(order):
        last = first
        while last + 1 < len(order) and values[order[last + 1]] == values[order[first]]:
            last += 1
        for place in range(first, last + 1):
            found[order[place]] = (first + last) / 2 + 1
        first = last + 1
    return found


def median(ordered: Sequence[float]) -> float:
    """The median of values that are sorted already."""
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
