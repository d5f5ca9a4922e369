"""What happened, as rows: the history that people read and auditors ask for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from bsc_monitor.store.schema import event

_BATCH = 500


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One thing that happened to a subject (a KPI's or node's full name, a source, an alert)."""

    at: datetime
    kind: str
    subject: str
    data: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0  #: given by the store; grows


def save_events(connection: Connection, events: Iterable[StoredEvent]) -> None:
    """Append events."""
    rows = [
        {"at": each.at, "kind": each.kind, "subject": each.subject, "data": json.dumps(dict(each.data), default=str)}
        for each in events
    ]
    for start in range(0, len(rows), _BATCH):
        connection.execute(insert(event), rows[start : start + _BATCH])


def events(
    connection: Connection,
    *,
    subject: str | None = None,
    kinds: tuple[str, ...] = (),
    before: int | None = None,
    since: datetime | None = None,
    limit: int = 100,
) -> list[StoredEvent]:
    """The newest events, newest first; ``before`` (an id) pages on."""
    query = select(event).order_by(event.c.id.desc()).limit(limit)
    if subject is not None:
        query = query.where(event.c.subject == subject)
    if kinds:
        query = query.where(event.c.kind.in_(kinds))
    if before is not None:
        query = query.where(event.c.id < before)
    if since is not None:
        query = query.where(event.c.at >= since)
    return [
        StoredEvent(row.at, row.kind, row.subject, json.loads(row.data), row.id) for row in connection.execute(query)
    ]
