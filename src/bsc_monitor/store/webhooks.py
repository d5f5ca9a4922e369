"""Which webhook events came already, so that one that is sent again is known after a restart, too.

Functions over a connection, for the store's transactions. Bounded in number and in age.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, Index, String, Table, delete, insert, or_, select

from bsc_monitor.store.schema import Instant, Serial, metadata

MOST_REMEMBERED = 100_000  #: events of all sources: half an hour of 50 a second, six times the window for signed times
REMEMBERED_FOR = timedelta(days=1)  #: vendors repeat by themselves within minutes; by hand, people do later

webhook_event = Table(
    "webhook_event",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("source", String(200), nullable=False),
    Column("event", String(64), nullable=False),  # a digest: ids come from outside, of any length and letters
    Column("at", Instant, nullable=False),
    Index("webhook_event_once", "source", "event", unique=True),
    Index("webhook_event_at", "at"),
)


def came_before(connection: Connection, source: str, event: str, now: datetime) -> bool:
    """Whether a source's event, by its sender's id, was remembered within ``REMEMBERED_FOR``."""
    mine = (webhook_event.c.source == source, webhook_event.c.event == _digest(event))
    query = select(webhook_event.c.id).where(*mine, webhook_event.c.at > now - REMEMBERED_FOR)
    return connection.execute(query).first() is not None


def remember(connection: Connection, source: str, event: str, now: datetime, most: int = MOST_REMEMBERED) -> None:
    """Remember an event that was acted upon; what is older than ``REMEMBERED_FOR``, or beyond ``most``, is forgotten."""
    digest = _digest(event)
    mine = (webhook_event.c.source == source, webhook_event.c.event == digest)
    connection.execute(delete(webhook_event).where(*mine))
    added = connection.execute(insert(webhook_event).values(source=source, event=digest, at=now))
    [newest] = added.inserted_primary_key or (0,)
    gone = or_(webhook_event.c.at <= now - REMEMBERED_FOR, webhook_event.c.id <= newest - most)
    connection.execute(delete(webhook_event).where(gone))


def _digest(event: str) -> str:
    return hashlib.sha256(event.encode("utf-8", "surrogateescape")).hexdigest()
