"""Recurring maintenance windows, right over changes of the clock."""

from datetime import datetime

from bsc_monitor.model.alert import Maintenance
from bsc_monitor.model.cron import next_fire


def window(maintenance: Maintenance, now: datetime) -> tuple[datetime, datetime] | None:
    """The window ``[start, end)`` (UTC) that ``now`` is in, the earliest if several overlap; None outside.

    ``lasts`` is real time: a window of three hours lasts three hours on the night the clock changes too. One that is
    not in force yet, or no longer, has no window. Raises ValueError for a cron expression that is none.
    """
    since, until = maintenance.since, maintenance.until
    if (since is not None and now < since) or (until is not None and until <= now):
        return None
    start = next_fire(maintenance.cron, maintenance.timezone, now - maintenance.lasts)
    if start is None or start > now:
        return None
    end = start + maintenance.lasts
    return max(start, since or start), min(end, until or end)


def next_opening(maintenance: Maintenance, now: datetime) -> datetime | None:
    """When a window opens next, after ``now``; None when it never does again."""
    start = next_fire(maintenance.cron, maintenance.timezone, max(now, maintenance.since or now))
    return None if start is None or (maintenance.until is not None and maintenance.until <= start) else start
