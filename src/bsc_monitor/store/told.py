"""What each channel was told and believes to be wrong now, and when each group of alerts was told last.

Functions over a connection, for the store's transactions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, Connection, Index, Integer, String, Table, and_, delete, select, update

from bsc_monitor.store.schema import Instant, metadata, upsert

#: What a channel was told of and believes to go on.
told = Table(
    "told",
    metadata,
    Column("channel", String(200), primary_key=True),
    Column("fingerprint", String(16), primary_key=True),
    Column("route", String(100), nullable=False),
    Column("group_key", String(120), nullable=False),
    Column("episode", Integer, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("again", Integer, nullable=False),  # how often its end is still to be repeated (Alertmanager)
    Column("at", Instant, nullable=False),
    Index("told_alert", "fingerprint"),
    sqlite_with_rowid=False,
)

group_log = Table(
    "group_log",
    metadata,
    Column("channel", String(200), primary_key=True),
    Column("group_key", String(120), primary_key=True),
    Column("sent_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a channel believes of an alert."""

    fingerprint: str
    route: str
    group: str
    episode: int
    open: bool
    again: int
    at: datetime


def told_of(connection: Connection, channel: str) -> list[Told]:
    """What a channel believes."""
    query = select(told).where(told.c.channel == channel)
    return [
        Told(row.fingerprint, row.route, row.group_key, row.episode, row.open, row.again, row.at)
        for row in connection.execute(query)
    ]


def group_times(connection: Connection, channel: str) -> dict[str, datetime]:
    """When each group of a channel was told last."""
    query = select(group_log.c.group_key, group_log.c.sent_at).where(group_log.c.channel == channel)
    return {row.group_key: row.sent_at for row in connection.execute(query)}


def claim_group(connection: Connection, channel: str, group: str, expected: datetime | None, now: datetime) -> bool:
    """Take it on to tell a group at ``now``; False when another instance did since ``expected``."""
    mine = and_(group_log.c.channel == channel, group_log.c.group_key == group, group_log.c.sent_at == expected)
    return connection.execute(update(group_log).where(mine).values(sent_at=now)).rowcount == 1


def set_group_time(connection: Connection, channel: str, group: str, sent_at: datetime) -> None:
    """A group was told last at ``sent_at``."""
    upsert(connection, group_log, [{"channel": channel, "group_key": group, "sent_at": sent_at}])


def believe(
    connection: Connection, channel: str, beliefs: Sequence[Told], now: datetime, *, spoken: Collection[str]
) -> None:
    """What a channel believes now; of several about one alert the last counts. ``spoken``: groups it was told of.

    The end of an alert is forgotten, unless it is still to be repeated (``again``).
    """
    last = {each.fingerprint: each for each in beliefs}
    kept = [each for each in last.values() if each.open or each.again]
    forget_told(connection, channel, [each.fingerprint for each in last.values() if not (each.open or each.again)])
    upsert(
        connection,
        told,
        [
            {
                "channel": channel, "fingerprint": each.fingerprint, "route": each.route, "group_key": each.group,
                "episode": each.episode, "open": each.open, "again": 0 if each.open else each.again, "at": each.at,
            }
            for each in kept
        ],
    )  # fmt: skip
    upsert(connection, group_log, [{"channel": channel, "group_key": group, "sent_at": now} for group in spoken])


def repeated(connection: Connection, channel: str, fingerprints: Sequence[str]) -> None:
    """Ends of alerts were repeated once more; those repeated often enough are forgotten."""
    mine = and_(told.c.channel == channel, told.c.fingerprint.in_(list(fingerprints)), told.c.open.is_(False))
    connection.execute(update(told).where(mine).values(again=told.c.again - 1))
    connection.execute(delete(told).where(told.c.channel == channel, told.c.open.is_(False), told.c.again <= 0))


def forget_told(connection: Connection, channel: str, fingerprints: Sequence[str]) -> None:
    """A channel is no longer to believe these."""
    connection.execute(delete(told).where(told.c.channel == channel, told.c.fingerprint.in_(list(fingerprints))))
