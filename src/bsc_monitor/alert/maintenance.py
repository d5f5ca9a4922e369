"""Recurring maintenance windows, right over changes of the clock."""

from datetime import datetime

from bsc_monitor.model.alert import Maintenance
from bsc_monitor.model.cron import next_fire


def window(maintenance: Maintenance, now: datetime) -> tuple[datetime, datetime] | None:
    """The window ``[start, end)`` (UTC) that ``now`` is in, the earliest if several overlap; None outside.

    ``lasts`` is real time: a window of three hours lasts three hours on the night the clock changes too.
    Raises ValueError for a cron expression that is none.
    """
    start = next_fire(maintenance.cron, maintenance.timezone, now - maintenance.lasts)
    if start is None or start > now:
        return None
    return start, start + maintenance.lasts
