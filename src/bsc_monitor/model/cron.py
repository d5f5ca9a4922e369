"""Cron expressions as Vixie cron reads them, in a time zone, over changes of the clock.

The field arithmetic is APScheduler's. Three things are put right here: its weekdays count from Monday where cron's
count from Sunday; it demands day of month *and* weekday where cron takes either; and in autumn it runs a daily job
twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ALIASES = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip


def next_fire(expression: str, timezone: str, after: datetime) -> datetime | None:
    """The first instant strictly after ``after`` (UTC) at which ``expression`` fires; None when it never does.

    A job with fixed hours runs exactly once a day: at the first of two equal wall-clock times in autumn, and as much
    later as the clock jumps in spring. One that runs every hour follows real time through both.
    Raises ValueError for an expression that is none, in words.
    """
    triggers, hourly = _triggers(expression)
    zone = ZoneInfo(timezone)
    moments = [_next(trigger, zone, after, hourly=hourly) for trigger in triggers]
    return min((moment for moment in moments if moment is not None), default=None)


def _next(trigger: Any, zone: ZoneInfo, after: datetime, *, hourly: bool) -> datetime | None:
    if hourly:
        return _next_in_real_time(trigger, zone, after)
    wall = _wall(after, zone) - timedelta(hours=3)  # before any change of the clock that is near
    while (wall := trigger.get_next_fire_time(wall, wall)) is not None:
        moment: datetime = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if moment > after:
            return moment
    return None


def _next_in_real_time(trigger: Any, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Walk real time; where the offset changes before the candidate, go on from the change with the new offset."""
    for _ in range(8):
        offset = _wall(after, zone) - after
        following = trigger.get_next_fire_time(after + offset, after + offset)
        if following is None:
            return None
        candidate: datetime = following - offset
        if _wall(candidate, zone) == following:
            return candidate
        low, high = after, candidate
        while high - low > timedelta(microseconds=1):
            middle = low + (high - low) / 2
            low, high = (middle, high) if _wall(middle, zone) - middle == offset else (low, middle)
        wall = _wall(high, zone) - timedelta(microseconds=1)
        following = trigger.get_next_fire_time(wall, wall)
        if following is None:
            return None
        candidate = high + (following - _wall(high, zone))
        if _wall(candidate, zone) == following:
            return candidate
        after = high
    return None


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """The wall clock's reading as if it were UTC, so that it can be reckoned with."""
    return moment.astimezone(zone).replace(tzinfo=UTC, fold=0)


@lru_cache(maxsize=1024)
def _triggers(expression: str) -> tuple[Sequence[Any], bool]:
    from apscheduler.triggers.cron import CronTrigger

    fields = _ALIASES.get(expression.strip().lower(), expression).split()
    if len(fields) != 5:
        raise ValueError(f"cron expression {expression!r} has {len(fields)} fields instead of 5")
    minute, hour, day, month, weekday = fields
    try:
        week = _weekdays(weekday)
        either = day != "*" and week != "*"
        pairs = [(day, "*"), ("*", week)] if either else [(day, week)]
        triggers = [
            CronTrigger(minute=minute, hour=hour, day=d, month=month, day_of_week=w, second=0, timezone=UTC)
            for d, w in pairs
        ]
    except (ValueError, IndexError) as error:
        raise ValueError(f"cron expression {expression!r}: {error}") from None
    return triggers, hour.startswith("*")


def _weekdays(field: str) -> str:
    """cron's weekdays (0 and 7 are Sunday, ranges may wrap at the week's end) as a list of names."""
    if field == "*":
        return field
    chosen: set[int] = set()
    for part in field.lower().split(","):
        found = re.fullmatch(r"(\*|[0-7]|[a-z]{3})(?:-([0-7]|[a-z]{3}))?(?:/([1-9]))?", part)
        if found is None:
            raise ValueError(f"{part!r} is no weekday")
        first, last, step = found.groups()
        low, high = (0, 6) if first == "*" else (_day(first), _day(last or first))
        if last is None and step and first != "*":
            high = 6
        high += 7 if high < low else 0
        chosen.update(day % 7 for day in range(low, high + 1, int(step or 1)))
    return ",".join(_DAYS[day] for day in sorted(chosen))


def _day(word: str) -> int:
    if word.isdigit():
        return int(word)
    if word not in _DAYS:
        raise ValueError(f"{word!r} is no weekday")
    return _DAYS.index(word)
