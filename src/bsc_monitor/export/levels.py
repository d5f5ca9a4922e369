"""Thresholds as single numbers, which is all that a series can hold."""

from bsc_monitor.model.organisation import Level


def nearest(level: Level | None, value: float | None) -> float | None:
    """A threshold as one number: of a band the edge nearer the value (its lower one without a value)."""
    if not isinstance(level, tuple):
        return level
    return level[0] if value is None else min(level, key=lambda edge: abs(edge - value))
