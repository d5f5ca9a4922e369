"""What people do about insights: tickets that were asked for, and initiatives that were not in the configuration.

Functions over a connection, for the store's transactions. All of them may be repeated with the same arguments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, Float, Integer, Row, String, Table, Text, select

from bsc_monitor.model.adapter import adapter
from bsc_monitor.model.organisation import Initiative
from bsc_monitor.store.schema import Instant, metadata, upsert

#: One ticket for one insight by one action; without ``link`` it is still to be opened.
ticket_row = Table(
    "ticket",
    metadata,
    Column("insight", String(1300), primary_key=True),
    Column("action", String(200), primary_key=True),
    Column("author", String(400), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try", Instant),
    Column("opened_at", Instant),
    Column("link", Text, nullable=False),
    Column("error", Text, nullable=False),
    sqlite_with_rowid=False,
)

#: What people said of an initiative: all of it where it is theirs, else state and progress.
said_row = Table(
    "initiative_said",
    metadata,
    Column("initiative", String(200), primary_key=True),
    Column("definition", Text),
    Column("state", String(12)),
    Column("progress", Float),
    Column("insight", String(1300), nullable=False),
    Column("author", String(400), nullable=False),
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket about an insight."""

    insight: str  #: id of the life of the finding
    action: str  #: id, as in ``[actions.ID]``
    author: str
    asked_at: datetime
    attempts: int = 0
    next_try: datetime | None = None  #: None: somebody has to ask again
    opened_at: datetime | None = None
    link: str = ""
    error: str = ""

    @property
    def key(self) -> str:
        """What the ticket carries, so that it is found again."""
        return ticket_key(self.insight, self.action)


def ticket_key(insight: str, action: str) -> str:
    """A word that every ticket system can hold as a label and search for."""
    return "bsc-" + hashlib.sha256(f"{action}\x00{insight}".encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Said:
    """What people said of an initiative."""

    initiative: str
    definition: Initiative | None  #: None: it is the configuration's
    state: str | None
    progress: float | None
    insight: str  #: that it was started from; empty: none
    author: str
    at: datetime


def save_tickets(connection: Connection, tickets: Iterable[Ticket]) -> None:
    """Keep how far these are."""
    upsert(connection, ticket_row, [{name: getattr(each, name) for name in Ticket.__slots__} for each in tickets])


def ask_tickets(connection: Connection, asked: Iterable[Ticket]) -> list[Ticket]:
    """Keep those that nobody asked for yet; the new ones."""
    new = [each for each in asked if ticket(connection, each.insight, each.action) is None]
    save_tickets(connection, new)
    return new


def ticket(connection: Connection, insight: str, action: str) -> Ticket | None:
    """The ticket of an insight by an action."""
    same = (ticket_row.c.insight == insight, ticket_row.c.action == action)
    row = connection.execute(select(ticket_row).where(*same)).one_or_none()
    return None if row is None else _ticket(row)


def tickets(connection: Connection, insights: Collection[str] | None = None) -> list[Ticket]:
    """The tickets of some insights, or of all, oldest first."""
    query = select(ticket_row).order_by(ticket_row.c.asked_at, ticket_row.c.insight)
    if insights is None:
        return [_ticket(row) for row in connection.execute(query)]
    listed, found = sorted(insights), list[Ticket]()
    for start in range(0, len(listed), 500):
        some = query.where(ticket_row.c.insight.in_(listed[start : start + 500]))
        found += [_ticket(row) for row in connection.execute(some)]
    return found


def waiting_tickets(connection: Connection) -> list[Ticket]:
    """Those that are to be tried (again), the longest waiting first."""
    query = select(ticket_row).where(ticket_row.c.link == "", ticket_row.c.next_try.is_not(None))
    return [_ticket(row) for row in connection.execute(query.order_by(ticket_row.c.next_try))]


def save_said(connection: Connection, said: Said) -> None:
    """Keep what somebody says of an initiative, in place of what was said before."""
    row = {name: getattr(said, name) for name in Said.__slots__}
    row["definition"] = None if said.definition is None else adapter(Initiative).dump_json(said.definition).decode()
    upsert(connection, said_row, [row])


def load_said(connection: Connection) -> dict[str, Said]:
    """All that was said of initiatives, by id, in the order in which they were."""
    found = connection.execute(select(said_row).order_by(said_row.c.at, said_row.c.initiative))
    return {
        row.initiative: Said(
            row.initiative, adapter(Initiative).validate_json(row.definition) if row.definition else None, row.state,
            row.progress, row.insight, row.author, row.at,
        )
        for row in found
    }  # fmt: skip


def _ticket(row: Row[tuple[object, ...]]) -> Ticket:
    return Ticket(
        row.insight, row.action, row.author, row.asked_at, row.attempts, row.next_try, row.opened_at, row.link,
        row.error,
    )  # fmt: skip
