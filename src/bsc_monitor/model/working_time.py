"""Working time between two instants: what pro-rating and business-time measures count."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from bsc_monitor.model.period import Calendar

_DAY = timedelta(days=1)


def working_time(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """How much of ``[start, end)`` lies inside the calendar's working hours, in elapsed time (DST days included).

    Hours whose end is not after their start reach into the following day (``22:00``–``06:00``, ``00:00``–``00:00``).
    """
    total = timedelta()
    if end <= start:
        return total
    zone = ZoneInfo(calendar.timezone)
    day = start.astimezone(zone).date() - _DAY  # yesterday's hours may reach into today
    last = end.astimezone(zone).date()
    while day <= last:
        hours = _hours(calendar, day)
        if hours is not None:
            begin, finish = max(hours[0], start), min(hours[1], end)
            if finish > begin:
                total += finish - begin
        day += _DAY
    return total


@lru_cache(maxsize=65536)
def _hours(calendar: Calendar, day: date) -> tuple[datetime, datetime] | None:
    """The working hours that begin on a local day, as UTC instants; None on a day off."""
    if day.weekday() not in calendar.work_days or day in calendar.holidays:
        return None
    zone = ZoneInfo(calendar.timezone)
    last = day if calendar.work_end > calendar.work_start else day + _DAY
    begin = datetime.combine(day, calendar.work_start, zone).astimezone(UTC)
    finish = datetime.combine(last, calendar.work_end, zone).astimezone(UTC)
    return begin, finish
