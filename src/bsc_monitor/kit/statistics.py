"""One number for many durations."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

Statistic = Annotated[
    Literal["mean", "median", "p50", "p75", "p80", "p85", "p90", "p95"],
    Field(description="what many values become one number by; p85: 85 of 100 are at most that"),
]


def summarise(values: Sequence[float], statistic: Statistic) -> float:
    """Mean, median or a percentile (linear between the two nearest values) of at least one value."""
    if statistic == "mean":
        return statistics.fmean(values)
    share = 0.5 if statistic == "median" else int(statistic[1:]) / 100
    place = share * (len(values) - 1)
    low, ordered = int(place), sorted(values)
    high = min(low + 1, len(values) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
