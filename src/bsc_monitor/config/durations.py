"""Durations as people write them: ``90s``, ``15m``, ``2h``, ``30d``, ``3y``, ``1h30m``."""

import re
from datetime import timedelta

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800, "y": 365 * 86400}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min|m|h|d|w|y)")
_LONGEST = timedelta(days=365 * 100)

PATTERN = r"^(\d+(\.\d+)?(ms|s|min|m|h|d|w|y))+$"  #: for the schema


def parse_duration(text: str) -> timedelta:
    """The duration that ``text`` says; a year is 365 days.

    Raises ValueError in words for anything that is no duration, and for one of over a hundred years.
    """
    parts = _PART.findall(text) if len(text) <= 40 else []
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f'{text[:40]!r} is no duration; write it as "15m", "2h", "1d", "2w" or "1h30m"')
    total = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if total > _LONGEST.total_seconds():
        raise ValueError(f"{text!r} is longer than a hundred years")
    return timedelta(seconds=total)


def format_duration(duration: timedelta) -> str:
    """The shortest way to write a duration (``90m``, ``2d``)."""
    seconds = duration.total_seconds()
    for unit in ("w", "d", "h", "m"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:g}{unit}"
    return f"{seconds:g}s"
