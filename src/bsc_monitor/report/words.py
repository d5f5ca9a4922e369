"""How a report writes values, changes and dates."""

from __future__ import annotations

from math import floor

from bsc_monitor.improve.words import amount, between, change, number
from bsc_monitor.model.organisation import Better, Level
from bsc_monitor.model.words import day, plural, score, status_word

__all__ = [
    "amount",
    "change",
    "day",
    "number",
    "plural",
    "points",
    "score",
    "share",
    "shown",
    "status_word",
    "target_words",
]

_SIGNS = {"higher": "≥", "lower": "≤", "target": "="}


def points(now: float | None, before: float | None) -> str:
    """The movement of a score, as the two rounded numbers differ: what is beside each other must add up."""
    if now is None or before is None:
        return ""
    change = floor(now + 0.5) - floor(before + 0.5)
    return "±0" if change == 0 else f"{'+' if change > 0 else '−'}{abs(change)}"


def shown(value: float | None, unit: str) -> str:
    """A value with its unit; a dash for none."""
    return "–" if value is None else amount(value, unit)


def target_words(level: Level | None, better: Better, unit: str) -> str:
    """A target as a condition: ``≤ 8 h``; empty without one."""
    if level is None:
        return ""
    if isinstance(level, tuple):
        return between(*level, unit)
    return f"{_SIGNS[better]} {amount(level, unit)}"


def share(ratio: float | None) -> str:
    """A ratio as a percentage."""
    return "–" if ratio is None else f"{ratio * 100:.0f} %"
