"""Is a link of the strategy map real? Lagged rank correlation of the changes of two series.

Spearman's rho of first differences for lags of 0 to 6 periods, the effect following the cause; p-values from Student's
t. The verdict rests on the best lag's p-value multiplied by the number of lags tried (Bonferroni), with the pairs counted
as so many fewer as the changes are correlated with their own neighbours (M. S. Bartlett, 1935): differences of noise
are, and would pass for a driver more than twice as often as they should. At most "supported", never "proved".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Literal

from bsc_monitor.improve.significance import ranks, student_two_sided
from bsc_monitor.model.insight import NotEnoughData

ENOUGH = 12  #: pairs of changes
LAGS = 6
ALPHA = 0.01  #: every arrow of a map is looked at, at every close: stricter than a single test


@dataclass(frozen=True, slots=True)
class Lag:
    """The correlation at one lag."""

    lag: int
    pairs: int
    rho: float
    p: float  #: two-sided, not corrected


@dataclass(frozen=True, slots=True)
class Driver:
    """What the data say of a link."""

    verdict: Literal["supported", "contradicted", "no_evidence"]
    best: Lag  #: the lag with the least chance
    p: float  #: of the best lag, corrected for the lags tried and for the changes' correlation with themselves
    lags: tuple[Lag, ...]


def driver(cause: Sequence[float], effect: Sequence[float]) -> Driver | NotEnoughData:
    """Test two series of equal periods without gaps, both so oriented that higher is better."""
    return driver_of_changes(dict(enumerate(_differences(cause))), dict(enumerate(_differences(effect))))


def driver_of_changes(cause: Mapping[int, float], effect: Mapping[int, float]) -> Driver | NotEnoughData:
    """Test changes by the number of their period; pairs with a gap are left out."""
    tried: list[Lag] = []
    most = 0
    for lag in range(LAGS + 1):
        pairs = [(change, effect[time + lag]) for time, change in cause.items() if time + lag in effect]
        most = max(most, len(pairs))
        if len(pairs) >= ENOUGH:
            tried.append(_lag(lag, [first for first, _ in pairs], [second for _, second in pairs]))
    if not tried:
        return NotEnoughData(most, ENOUGH)
    best = min(tried, key=lambda each: (each.p, each.lag))
    own = _echo(list(cause.values())) * _echo(list(effect.values()))
    p = min(1.0, _p_value(best.rho, best.pairs / max(1.0, 1 + 2 * own)) * len(tried))
    if p > ALPHA:
        return Driver("no_evidence", best, p, tuple(tried))
    return Driver("supported" if best.rho > 0 else "contradicted", best, p, tuple(tried))


def spearman(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Spearman's rho (0 where a side never varies) and its two-sided p-value."""
    one, two = ranks(first), ranks(second)
    count, middle = len(one), (len(one) + 1) / 2
    together = sum((a - middle) * (b - middle) for a, b in zip(one, two, strict=True))
    apart = sqrt(sum((a - middle) ** 2 for a in one) * sum((b - middle) ** 2 for b in two))
    if not apart:
        return 0.0, 1.0
    rho = max(-1.0, min(1.0, together / apart))
    return rho, _p_value(rho, count)


def _p_value(rho: float, pairs: float) -> float:
    freedom = max(1.0, pairs - 2)
    rest = 1 - rho * rho
    return 0.0 if rest <= 0 else student_two_sided(rho * sqrt(freedom / rest), int(freedom))


def _echo(changes: Sequence[float]) -> float:
    """The rank correlation of changes with those one period before."""
    return spearman(changes[1:], changes[:-1])[0] if len(changes) > 3 else 0.0


def _lag(lag: int, cause: Sequence[float], effect: Sequence[float]) -> Lag:
    rho, p = spearman(cause, effect)
    return Lag(lag, len(cause), rho, p)


def _differences(values: Sequence[float]) -> list[float]:
    return [later - sooner for sooner, later in pairwise(values)]
