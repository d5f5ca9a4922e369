"""What is still to be told: one row per channel and transition, in order, until a receiver took it or refused it for good.

Functions over a connection, for the store's transactions. All of them may be repeated with the same arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    and_,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from bsc_monitor.alert.routing import Routing, Target
from bsc_monitor.alert.step import Effect
from bsc_monitor.model.alert import Alert, AlertState
from bsc_monitor.store.alert_json import to_json
from bsc_monitor.store.schema import Instant, Serial, metadata
from bsc_monitor.store.told import Told, believe, told

_BATCH = 500

outbox_row = Table(
    "outbox",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("key", String(300), nullable=False, unique=True),  # idempotency key: alert + episode + sequence + channel
    Column("channel", String(200), nullable=False),
    Column("route", String(100), nullable=False),
    Column("group_key", String(120), nullable=False),
    Column("fingerprint", String(16), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("open", Boolean, nullable=False),  # whether something is still wrong after this transition
    Column("quiet", Boolean, nullable=False),  # ends what was told without a word (send_resolved = false)
    Column("escalates", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("payload", Text, nullable=False),  # the alert at that moment
    Column("state", String(10), nullable=False),  # pending, delivered, dead, dropped
    Column("message", String(300)),  # key of the message that it is part of, once that was tried
    Column("holder", String(100)),  # the instance that is sending it …
    Column("held_until", Instant),  # … and until when nobody else may
    Column("attempts", Integer, nullable=False),
    Column("next_try", Instant),
    Column("done_at", Instant),
    Column("error", Text),
    Index("outbox_pending", "channel", "state", "id"),
    Index("outbox_alert", "fingerprint", "state"),
    Index("outbox_done", "state", "done_at"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One transition for one channel."""

    id: int
    key: str
    channel: str
    route: str
    group: str
    fingerprint: str
    kind: str
    open: bool
    quiet: bool
    escalates: bool
    at: datetime
    not_before: datetime
    payload: str
    state: str
    message: str | None
    holder: str | None
    held_until: datetime | None
    attempts: int
    next_try: datetime | None
    done_at: datetime | None
    error: str | None

    @property
    def episode(self) -> int:
        """The alert's episode, as its key says."""
        return int(self.key.split(".")[1])


def put(connection: Connection, effects: Sequence[Effect], routing: Routing) -> None:
    """Queue told effects for every channel that hears of them: those routed to, and those told of its beginning."""
    if not effects:
        return
    known = _known(connection, {effect.alert.fingerprint for effect in effects if effect.alert.episode})
    channels = routing.channels()
    rows: list[dict[str, Any]] = []
    for effect in effects:
        targets = {target.channel: target for target in routing.targets(effect.alert.labels)}
        if effect.kind != "fired":  # whoever heard of the beginning hears of the end, whatever the routes say by now
            for channel, route, group in known.get(effect.alert.fingerprint, ()):
                if channel in channels and channel not in targets:
                    wanted = channels[channel].receiver.send_resolved
                    targets[channel] = Target(channel, route, group, resolved=wanted)
        for target in targets.values():
            known.setdefault(effect.alert.fingerprint, set()).add((target.channel, target.route, target.group))
            rows.append(_row(effect.alert, effect.kind, effect.at, target))
    insert_new(connection, outbox_row, rows)


def put_missing(connection: Connection, alerts: Iterable[Alert], routing: Routing, now: datetime) -> int:
    """Queue the beginnings of alerts that fire for channels that never heard of them, as after a change of the routes.

    Returns how many. Run it at start and after a reload.
    """
    firing = [alert for alert in alerts if alert.state is AlertState.FIRING and alert.starts_at is not None]
    known = _known(connection, {alert.fingerprint for alert in firing})
    rows: list[dict[str, Any]] = []
    for alert in firing:
        heard = {channel for channel, _, _ in known.get(alert.fingerprint, ())}
        rows += [
            _row(alert, "fired", alert.starts_at or now, target)
            for target in routing.targets(alert.labels)
            if target.channel not in heard
        ]
    insert_new(connection, outbox_row, rows)
    return len(rows)


def pending(connection: Connection, channel: str, limit: int = 1000) -> list[Row]:
    """What a channel is still to be told, in order."""
    query = (
        select(outbox_row)
        .where(outbox_row.c.channel == channel, outbox_row.c.state == "pending")
        .order_by(outbox_row.c.id)
        .limit(limit)
    )
    return [_to_row(row) for row in connection.execute(query)]


def pending_count(connection: Connection, channel: str) -> int:
    """How many transitions wait for one channel."""
    mine = and_(outbox_row.c.channel == channel, outbox_row.c.state == "pending")
    return connection.scalar(select(func.count()).select_from(outbox_row).where(mine)) or 0


def dead_letters(connection: Connection, limit: int = 100) -> list[Row]:
    """What receivers refused for good, newest first."""
    query = select(outbox_row).where(outbox_row.c.state == "dead").order_by(outbox_row.c.id.desc()).limit(limit)
    return [_to_row(row) for row in connection.execute(query)]


def retry_dead(connection: Connection, keys: Sequence[str]) -> int:
    """Put dead letters back into the queue; returns how many."""
    again = update(outbox_row).where(outbox_row.c.key.in_(list(keys)), outbox_row.c.state == "dead")
    return connection.execute(again.values(state="pending", message=None, next_try=None, done_at=None)).rowcount


def claim(
    connection: Connection, ids: Sequence[int], message: str, holder: str, now: datetime, until: datetime
) -> bool:
    """Make rows part of a message that only ``holder`` sends until ``until``; False when another instance has one."""
    free = or_(outbox_row.c.holder.is_(None), outbox_row.c.holder == holder, outbox_row.c.held_until <= now)
    mine = and_(outbox_row.c.id.in_(list(ids)), outbox_row.c.state == "pending", free)
    if connection.scalar(select(func.count()).where(mine)) != len(ids):
        return False
    connection.execute(update(outbox_row).where(mine).values(message=message, holder=holder, held_until=until))
    return True


def take_over(connection: Connection, holder: str) -> None:
    """Make what earlier instances were sending that of ``holder``: it is sent at once, under their keys.

    For the one process that leads: whoever held a message before is no more.
    """
    waiting = and_(outbox_row.c.state == "pending", outbox_row.c.holder.is_not(None))
    connection.execute(update(outbox_row).where(waiting).values(holder=holder))


def delivered(connection: Connection, rows: Sequence[Row], now: datetime, *, again: int = 0) -> None:
    """A channel took these transitions: it believes them now. ``again``: how often ends are to be repeated."""
    _finish(connection, rows, "delivered", now, None)
    believe(
        connection,
        rows[0].channel,
        [Told(row.fingerprint, row.route, row.group, row.episode, row.open, again, now) for row in rows],
        now,
        spoken={row.group for row in rows if not row.quiet},
    )


def put_off(connection: Connection, rows: Sequence[Row], error: str, next_try: datetime, *, sure: bool) -> None:
    """A channel did not take these. ``sure``: it has nothing of them, so a later message may hold more beside them."""
    values: dict[str, Any] = {"attempts": outbox_row.c.attempts + 1, "next_try": next_try, "error": error[:1000]}
    if sure:
        values |= {"message": None, "holder": None, "held_until": None}
    _update(connection, rows, values)


def release(connection: Connection, rows: Sequence[Row]) -> None:
    """Rows that were claimed and never tried are free again."""
    _update(connection, rows, {"message": None, "holder": None, "held_until": None})


def refused(connection: Connection, rows: Sequence[Row], error: str, now: datetime) -> None:
    """A receiver refused these for good."""
    _update(connection, rows, {"attempts": outbox_row.c.attempts + 1})
    _finish(connection, rows, "dead", now, error)


def dropped(connection: Connection, rows: Sequence[Row], why: str, now: datetime) -> None:
    """These are not told after all: they began and ended while held back, or were acknowledged before they escalated."""
    _finish(connection, rows, "dropped", now, why)


def forget(connection: Connection, before: datetime) -> int:
    """Delete what was done before an instant; the alerts' own history stays. Returns how many rows."""
    done = and_(outbox_row.c.state.in_(("delivered", "dropped")), outbox_row.c.done_at < before)
    return connection.execute(delete(outbox_row).where(done)).rowcount


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows but those that are there already (by any unique key)."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).on_conflict_do_nothing()
    for start in range(0, len(rows), _BATCH):
        connection.execute(statement, rows[start : start + _BATCH])


def _known(connection: Connection, fingerprints: set[str]) -> dict[str, set[tuple[str, str, str]]]:
    """By fingerprint, the (channel, route, group) that were told of an alert or are about to be."""
    found: dict[str, set[tuple[str, str, str]]] = {}
    wanted = sorted(fingerprints)
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        for table, more in ((told, told.c.open.is_(True)), (outbox_row, outbox_row.c.state == "pending")):
            columns = (table.c.fingerprint, table.c.channel, table.c.route, table.c.group_key)
            query = select(*columns).where(table.c.fingerprint.in_(part), more).distinct()
            for fingerprint, *rest in connection.execute(query):
                found.setdefault(fingerprint, set()).add(tuple(rest))
    return found


def _row(alert: Alert, kind: str, at: datetime, target: Target) -> dict[str, Any]:
    over = alert.state is not AlertState.FIRING and kind != "flapping"
    return {
        "key": alert.key(target.channel), "channel": target.channel, "route": target.route, "group_key": target.group,
        "fingerprint": alert.fingerprint, "kind": kind, "open": not over, "quiet": over and not target.resolved,
        "escalates": bool(target.after), "at": at, "not_before": at if over else at + target.after, "payload": to_json(alert),
        "state": "pending", "attempts": 0,
    }  # fmt: skip


def _finish(connection: Connection, rows: Sequence[Row], state: str, now: datetime, error: str | None) -> None:
    values: dict[str, Any] = {"state": state, "done_at": now, "holder": None, "held_until": None}
    if error is not None:
        values["error"] = error[:1000]
    _update(connection, rows, values)


def _update(connection: Connection, rows: Sequence[Row], values: dict[str, Any]) -> None:
    ids = [row.id for row in rows]
    for start in range(0, len(ids), _BATCH):
        connection.execute(update(outbox_row).where(outbox_row.c.id.in_(ids[start : start + _BATCH])).values(**values))


def _to_row(row: Any) -> Row:
    return Row(*row)
