"""The shelf of reports: a closed period's is made once, kept with its bytes, and given out unchanged ever after."""

from __future__ import annotations

from sqlalchemy import Connection

from bsc_monitor.report.data import ReportData, from_json, to_json
from bsc_monitor.report.making import Subject, make
from bsc_monitor.store.reports import Kept, keep_rendering, keep_report, rendering, report_data


def on_shelf(connection: Connection, subject: Subject, form: str) -> tuple[ReportData, bytes | None]:
    """What a report says, and its bytes where they are kept. Raises NoReportError."""
    key = (subject.card.id, str(subject.period.kind or ""), subject.period.start, subject.owner)
    kept = report_data(connection, *key)
    if kept is None:
        return make(connection, subject), None
    return from_json(kept), rendering(connection, *key, form)


def keep(connection: Connection, data: ReportData, form: str, content: bytes) -> bytes:
    """Keep a report of a closed period and its bytes; those that stand, which are others if it was kept before."""
    if not data.final:
        return content
    kept = Kept(data.scorecard, data.kind, data.start, data.owner, data.period, data.made_at)
    keep_report(connection, kept, to_json(data))
    return keep_rendering(connection, data.scorecard, data.kind, data.start, data.owner, form, content)
