"""Reports frozen with their periods, their renderings, and who was sent which.

Functions over a connection, for the store's transactions. All of them may be repeated with the same arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Integer, LargeBinary, Row, String, Table, Text, func, select

from bsc_monitor.store.schema import Instant, metadata, upsert

#: What a report says, as JSON: never changed once its period has closed.
report_row = Table(
    "report",
    metadata,
    Column("scorecard", String(200), primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("start", Instant, primary_key=True),
    Column("owner", String(400), primary_key=True),
    Column("label", String(20), nullable=False),
    Column("data", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

#: The bytes that a report was first rendered to: another version of this service may render otherwise.
rendering_row = Table(
    "report_rendering",
    metadata,
    Column("scorecard", String(200), primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("start", Instant, primary_key=True),
    Column("owner", String(400), primary_key=True),
    Column("format", String(10), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

#: A scheduled report was due: the key that makes it happen once.
run_row = Table(
    "report_run",
    metadata,
    Column("report", String(200), primary_key=True),
    Column("slot", Instant, primary_key=True),
    Column("period", String(20), nullable=False),  # empty: the slot was before the report was known
    Column("made_at", Instant),
    sqlite_with_rowid=False,
)

#: One way to one receiver of a scheduled report.
delivery_row = Table(
    "report_delivery",
    metadata,
    Column("report", String(200), primary_key=True),
    Column("slot", Instant, primary_key=True),
    Column("channel", String(220), primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("next_try", Instant),
    Column("delivered_at", Instant),
    Column("dead", Boolean, nullable=False),
    Column("error", Text, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A report in the store."""

    scorecard: str
    kind: str  #: of the period
    start: datetime
    owner: str  #: empty: the executives' page
    label: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Sending:
    """A scheduled report on its way to one channel of a receiver."""

    report: str
    slot: datetime
    channel: str
    attempts: int = 0
    next_try: datetime | None = None
    delivered_at: datetime | None = None
    dead: bool = False
    error: str = ""


def keep_report(connection: Connection, kept: Kept, data: str) -> None:
    """Keep what a report says, unless it was kept before: the first word stands."""
    if report_data(connection, kept.scorecard, kept.kind, kept.start, kept.owner) is None:
        row = {"scorecard": kept.scorecard, "kind": kept.kind, "start": kept.start, "owner": kept.owner}
        upsert(connection, report_row, [{**row, "label": kept.label, "data": data, "made_at": kept.made_at}])


def report_data(connection: Connection, scorecard: str, kind: str, start: datetime, owner: str) -> str | None:
    """What a kept report says; None where there is none."""
    return connection.scalar(select(report_row.c.data).where(*_same(report_row, scorecard, kind, start, owner)))


def kept_reports(connection: Connection, *, limit: int = 200) -> list[Kept]:
    """The reports kept, newest period first."""
    table = report_row
    query = select(table).order_by(table.c.start.desc(), table.c.scorecard, table.c.owner).limit(limit)
    return [
        Kept(row.scorecard, row.kind, row.start, row.owner, row.label, row.made_at) for row in connection.execute(query)
    ]


def keep_rendering(
    connection: Connection, scorecard: str, kind: str, start: datetime, owner: str, form: str, content: bytes
) -> bytes:
    """Keep a rendering of a kept report, and return the one that stands: the first."""
    known = rendering(connection, scorecard, kind, start, owner, form)
    if known is not None:
        return known
    row = {"scorecard": scorecard, "kind": kind, "start": start, "owner": owner, "format": form, "content": content}
    upsert(connection, rendering_row, [row])
    return content


def rendering(
    connection: Connection, scorecard: str, kind: str, start: datetime, owner: str, form: str
) -> bytes | None:
    """The bytes of a kept report in one format; None where it was not rendered yet."""
    same = (*_same(rendering_row, scorecard, kind, start, owner), rendering_row.c.format == form)
    return connection.scalar(select(rendering_row.c.content).where(*same))


def _same(table: Table, scorecard: str, kind: str, start: datetime, owner: str) -> tuple[Any, ...]:
    columns = table.c
    return columns.scorecard == scorecard, columns.kind == kind, columns.start == start, columns.owner == owner


def last_slot(connection: Connection, report: str) -> datetime | None:
    """When a scheduled report was due last, as far as it was seen to."""
    found: datetime | None = connection.scalar(select(func.max(run_row.c.slot)).where(run_row.c.report == report))
    return found


def begin_run(
    connection: Connection, report: str, slot: datetime, period: str, now: datetime, channels: Iterable[str]
) -> bool:
    """Take a slot, with what is to be sent for it; False when it was taken before."""
    taken = select(run_row.c.slot).where(run_row.c.report == report, run_row.c.slot == slot)
    if connection.scalar(taken) is not None:
        return False
    upsert(connection, run_row, [{"report": report, "slot": slot, "period": period, "made_at": now}])
    save_sendings(connection, [Sending(report, slot, channel, next_try=now) for channel in channels])
    return True


def run_period(connection: Connection, report: str, slot: datetime) -> str:
    """The label of the period that a run is about."""
    same = (run_row.c.report == report, run_row.c.slot == slot)
    return connection.scalar(select(run_row.c.period).where(*same)) or ""


def save_sendings(connection: Connection, sendings: Iterable[Sending]) -> None:
    """Keep how far these are."""
    rows = [{name: getattr(each, name) for name in Sending.__slots__} for each in sendings]
    upsert(connection, delivery_row, rows)


def open_sendings(connection: Connection) -> list[Sending]:
    """What is still to be sent, the longest waiting first."""
    table = delivery_row
    query = select(table).where(table.c.delivered_at.is_(None), table.c.dead.is_(False)).order_by(table.c.next_try)
    return [_sending(row) for row in connection.execute(query)]


def sendings(connection: Connection, *, limit: int = 50) -> list[Sending]:
    """What was sent or is to be, newest first."""
    query = select(delivery_row).order_by(delivery_row.c.slot.desc(), delivery_row.c.channel).limit(limit)
    return [_sending(row) for row in connection.execute(query)]


def _sending(row: Row[tuple[object, ...]]) -> Sending:
    return Sending(row.report, row.slot, row.channel, row.attempts, row.next_try, row.delivered_at, row.dead, row.error)
