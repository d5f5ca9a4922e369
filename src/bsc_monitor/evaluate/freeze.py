"""Freezing nodes with the periods of their KPIs, so that the past stays as it was judged."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.period import Period
from bsc_monitor.score.freeze import freeze_nodes, length
from bsc_monitor.store.periods import frozen_periods, save_nodes, values_ended_by


def freeze_periods(
    connection: Connection, organisation: Organisation, periods: Iterable[Period], now: datetime
) -> None:
    """Roll the closed values up as of the end of each period, and keep the result in place of an earlier one.

    A value counts at the end of other periods too: that of June in the quarter that ends with June, that of the quarter in
    July. Those that were frozen before it was known are rolled up anew with it.
    """
    touched: dict[Period, None] = {}
    for period in periods:
        touched[period] = None
        touched.update(dict.fromkeys(frozen_periods(connection, period.end, period.end + length(period))))
    for period in touched:
        save_nodes(connection, freeze_nodes(organisation, period, values_ended_by(connection, period.end), now))
