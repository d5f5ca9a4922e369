"""Alerts that survive: what each is now, and every transition it made.

Functions over a connection, for the store's transactions. All of them may be repeated with the same arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Float, Index, Integer, String, Table, Text, select

from bsc_monitor.alert.routing import Routing
from bsc_monitor.alert.step import Effect
from bsc_monitor.model.alert import Alert, AlertState
from bsc_monitor.store import outbox
from bsc_monitor.store.alert_json import from_json, to_json
from bsc_monitor.store.outbox import insert_new
from bsc_monitor.store.schema import Instant, Serial, metadata, upsert

_BATCH = 500

#: What each alert is now.
alert_row = Table(
    "alert",
    metadata,
    Column("fingerprint", String(16), primary_key=True),
    Column("rule", String(100), nullable=False),
    Column("state", String(10), nullable=False),
    Column("subject", String(900), nullable=False),
    Column("data", Text, nullable=False),
    Index("alert_state", "state"),
    sqlite_with_rowid=False,
)

#: Every transition, told or not, for good.
alert_change = Table(
    "alert_change",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("key", String(120), nullable=False, unique=True),
    Column("fingerprint", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("before", String(10), nullable=False),
    Column("state", String(10), nullable=False),
    Column("episode", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("told", Boolean, nullable=False),
    Column("value", Float),
    Column("reason", Text, nullable=False),
    Column("stored_at", Instant, nullable=False),
    Index("alert_change_of", "fingerprint", "id"),
    Index("alert_change_at", "at"),
)


@dataclass(frozen=True, slots=True)
class AlertChange:
    """One transition of an alert's history."""

    fingerprint: str
    at: datetime
    kind: str
    before: str
    state: str
    episode: int
    sequence: int
    told: bool
    value: float | None
    reason: str
    id: int


def commit_effects(connection: Connection, effects: Sequence[Effect], routing: Routing, now: datetime) -> None:
    """Store what an evaluation did to alerts: their states, their history, and what is to be told to whom.

    Part of the evaluation's own transaction. Repeated, it changes nothing: history and outbox rows have keys.
    """
    if not effects:
        return
    latest = {effect.alert.fingerprint: effect.alert for effect in effects}
    save_alerts(connection, latest.values())
    changes = [{**_change(effect), "stored_at": now} for effect in effects if effect.kind != "noted"]
    insert_new(connection, alert_change, changes)
    outbox.put(connection, [effect for effect in effects if effect.told], routing)


def save_alerts(connection: Connection, alerts: Iterable[Alert]) -> None:
    """Insert or replace what alerts are now."""
    rows = [
        {
            "fingerprint": alert.fingerprint, "rule": alert.rule, "state": str(alert.state), "subject": alert.subject,
            "data": to_json(alert),
        }
        for alert in alerts
    ]  # fmt: skip
    upsert(connection, alert_row, rows)


def load_alerts(
    connection: Connection, *, states: Iterable[AlertState] | None = None, fingerprints: Iterable[str] | None = None
) -> list[Alert]:
    """The stored alerts; all of them, those in some states, or those with some fingerprints."""
    query = select(alert_row.c.data)
    if states is not None:
        query = query.where(alert_row.c.state.in_([str(state) for state in states]))
    if fingerprints is None:
        return [from_json(text) for text in connection.scalars(query)]
    wanted, found = list(fingerprints), []
    for start in range(0, len(wanted), _BATCH):
        part = query.where(alert_row.c.fingerprint.in_(wanted[start : start + _BATCH]))
        found += [from_json(text) for text in connection.scalars(part)]
    return found


def alert_history(
    connection: Connection,
    *,
    fingerprint: str | None = None,
    since: datetime | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[AlertChange]:
    """Transitions, newest first; ``before`` (an id) pages on."""
    query = select(alert_change).order_by(alert_change.c.id.desc()).limit(limit)
    if fingerprint is not None:
        query = query.where(alert_change.c.fingerprint == fingerprint)
    if since is not None:
        query = query.where(alert_change.c.at >= since)
    if before is not None:
        query = query.where(alert_change.c.id < before)
    return [
        AlertChange(
            row.fingerprint, row.at, row.kind, row.before, row.state, row.episode, row.sequence, row.told, row.value,
            row.reason, row.id,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def _change(effect: Effect) -> dict[str, Any]:
    alert = effect.alert
    moment = f"{effect.at.timestamp():.6f}"
    return {
        "key": f"{alert.fingerprint}.{alert.episode}.{alert.sequence}.{effect.kind}.{moment}",
        "fingerprint": alert.fingerprint, "at": effect.at, "kind": effect.kind, "before": str(effect.before),
        "state": str(alert.state), "episode": alert.episode, "sequence": alert.sequence, "told": effect.told,
        "value": alert.value, "reason": alert.reason,
    }  # fmt: skip
