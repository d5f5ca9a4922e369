"""Sums without rounding error, so that no order of arrival can change a bit."""

from __future__ import annotations

from math import fsum


def exact(values: list[float]) -> list[float]:
    """The exact sum of ``values`` as a short list of floats, largest first; empty when it is zero.

    The first is the sum correctly rounded (``math.fsum`` of the values); the others are what rounding left, so that
    adding to them later stays exact. ``values`` is used up. Raises OverflowError where the sum is beyond a float.
    """
    parts: list[float] = []
    while rest := fsum(values):
        parts.append(rest)
        values.append(-rest)
    return parts
