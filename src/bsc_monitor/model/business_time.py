"""Business time: how long the organisation was at work between two instants."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from bsc_monitor.model.period import Calendar


def business_seconds(start: datetime, end: datetime, calendar: Calendar) -> float:
    """Seconds between two instants that lie in working hours of working days, in the calendar's time zone.

    A day on which the clocks change has as many working seconds as really pass. 0 where ``end`` is not after ``start``.
    """
    if end <= start:
        return 0.0
    zone = ZoneInfo(calendar.timezone)
    day, last = start.astimezone(zone).date() - timedelta(days=1), end.astimezone(zone).date()
    begun, ended, total = start.timestamp(), end.timestamp(), 0.0
    while day <= last:
        opens, closes = _hours(day, calendar)
        total += max(0.0, min(closes, ended) - max(opens, begun))
        day += timedelta(days=1)
    return total


@lru_cache(maxsize=50_000)
def _hours(day: date, calendar: Calendar) -> tuple[float, float]:
    """When work begins and ends on a day, as seconds since the epoch; a shift over midnight belongs to the day it begins."""
    if day.weekday() not in calendar.work_days or day in calendar.holidays:
        return 0.0, 0.0
    zone = ZoneInfo(calendar.timezone)
    opens = datetime.combine(day, calendar.work_start, zone)
    overnight = calendar.work_end <= calendar.work_start
    closes = datetime.combine(day + timedelta(days=overnight), calendar.work_end, zone)
    return opens.astimezone(UTC).timestamp(), closes.astimezone(UTC).timestamp()
