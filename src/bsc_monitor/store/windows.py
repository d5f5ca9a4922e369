"""The maintenance windows that people opened; those of the configuration are not stored.

Functions over a connection, for the store's transactions. One that was ended stays, for it explains what was held back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, Float, String, Table, Text, or_, select, update

from bsc_monitor.model.adapter import adapter
from bsc_monitor.model.alert import Maintenance, Matcher
from bsc_monitor.store.schema import Instant, metadata, upsert

maintenance = Table(
    "maintenance",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("since", Instant, primary_key=True),
    Column("cron", String(200), nullable=False),
    Column("lasts", Float, nullable=False),
    Column("timezone", String(100), nullable=False),
    Column("matchers", Text, nullable=False),
    Column("author", String(200), nullable=False),
    Column("comment", Text, nullable=False),
    Column("until", Instant),
    sqlite_with_rowid=False,
)


def save_window(connection: Connection, kept: Maintenance) -> None:
    """Insert or replace a person's window; ``since`` is a part of its identity."""
    row = {
        "id": kept.id, "since": kept.since, "cron": kept.cron, "lasts": kept.lasts.total_seconds(),
        "timezone": kept.timezone, "matchers": adapter(tuple[Matcher, ...]).dump_json(kept.match).decode(),
        "author": kept.author, "comment": kept.comment, "until": kept.until,
    }  # fmt: skip
    upsert(connection, maintenance, [row])


def end_window(connection: Connection, name: str, now: datetime) -> bool:
    """End a person's window now; False when there is none such in force."""
    open_ = update(maintenance).where(maintenance.c.id == name, _not_ended(now))
    return connection.execute(open_.values(until=now)).rowcount > 0


def load_windows(connection: Connection, *, since: datetime) -> list[Maintenance]:
    """People's windows that end after an instant, by name."""
    query = select(maintenance).where(_not_ended(since)).order_by(maintenance.c.id, maintenance.c.since)
    matchers = adapter(tuple[Matcher, ...])
    return [
        Maintenance(
            row.id, row.cron, timedelta(seconds=row.lasts), matchers.validate_json(row.matchers), row.timezone,
            author=row.author, comment=row.comment, since=row.since, until=row.until,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def _not_ended(at: datetime):  # type: ignore[no-untyped-def]
    return or_(maintenance.c.until.is_(None), maintenance.c.until > at)
