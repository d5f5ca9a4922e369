"""What every KPI and node has now, and how collectors went: small tables that a start reads whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from bsc_monitor.model.status import Status
from bsc_monitor.store.schema import collector_state, standing, upsert


@dataclass(frozen=True, slots=True)
class Standing:
    """The status of a KPI or node, and since when it has it."""

    kind: str
    name: str
    status: Status
    score: float | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class CollectorState:
    """How the last runs of a measure went."""

    source: str
    measure: str
    last_success: datetime | None
    last_failure: datetime | None
    error: str | None
    interval: float | None = None  #: from the last success to the run after it, seconds


def save_standings(connection: Connection, standings: Iterable[Standing]) -> None:
    """Keep them in place of the earlier ones."""
    rows = [
        {"kind": s.kind, "name": s.name, "status": s.status.value, "score": s.score, "since": s.since}
        for s in standings
    ]
    upsert(connection, standing, rows)


def load_standings(connection: Connection) -> list[Standing]:
    """All of them."""
    rows = connection.execute(select(standing))
    return [Standing(row.kind, row.name, Status(row.status), row.score, row.since) for row in rows]


def save_collector(connection: Connection, state: CollectorState) -> None:
    """Keep how a run went; of a success the last failure stays on record, and the other way round."""
    old = connection.execute(
        select(collector_state).where(
            collector_state.c.source == state.source, collector_state.c.measure == state.measure
        )
    ).first()
    row = {
        "source": state.source,
        "measure": state.measure,
        "last_success": state.last_success or (old.last_success if old else None),
        "last_failure": state.last_failure or (old.last_failure if old else None),
        "error": state.error,
        "interval": state.interval if state.last_success or not old else old.interval,
    }
    upsert(connection, collector_state, [row])


def load_collectors(connection: Connection) -> list[CollectorState]:
    """How every measure went last."""
    rows = connection.execute(select(collector_state))
    return [CollectorState(r.source, r.measure, r.last_success, r.last_failure, r.error, r.interval) for r in rows]
