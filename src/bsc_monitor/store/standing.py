"""What every KPI and node has now, and how collections went: small tables that a start reads whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, delete, select

from bsc_monitor.model.health import CollectionHealth
from bsc_monitor.model.status import CollectorError, Status
from bsc_monitor.store.schema import collection_state, standing, upsert


@dataclass(frozen=True, slots=True)
class Standing:
    """The status of a KPI or node, and since when it has it."""

    kind: str
    name: str
    status: Status
    score: float | None
    since: datetime | None


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


def save_collection(connection: Connection, of: CollectionHealth) -> None:
    """Keep how a run went; of a success the last failure stays on record, and the other way round."""
    old = connection.execute(
        select(collection_state).where(
            collection_state.c.source == of.source,
            collection_state.c.measure == of.measure,
            collection_state.c.job == of.job,
        )
    ).first()
    new = replace(
        of,
        last_success=of.last_success or (old.last_success if old else None),
        last_failure=of.last_failure or (old.last_failure if old else None),
        interval=of.interval if of.last_success or not old else old.interval,
    )
    upsert(connection, collection_state, [_row(new)])


def load_collections(connection: Connection, known: Mapping[str, CollectionHealth]) -> list[CollectionHealth]:
    """How those of the ``known`` collections (by job) that ran went last.

    What an older version kept of a measure as a whole is held to be so of each collection that has not run since.
    """
    return _states(known, _rows(connection))


def keep_collections(connection: Connection, known: Mapping[str, CollectionHealth]) -> list[CollectionHealth]:
    """As ``load_collections``; all others are forgotten. Nothing is written where there are none."""
    rows = _rows(connection)
    found = _states(known, rows)
    if {(of.source, of.measure, of.job) for of in found} != rows.keys():
        connection.execute(delete(collection_state))
        upsert(connection, collection_state, [_row(of) for of in found])
    return found


def _rows(connection: Connection) -> dict[tuple[str, str, str], Any]:
    return {(row.source, row.measure, row.job): row for row in connection.execute(select(collection_state))}


def _states(known: Mapping[str, CollectionHealth], rows: Mapping[tuple[str, str, str], Any]) -> list[CollectionHealth]:
    found = []
    for job, of in known.items():
        row = rows.get((of.source, of.measure, job)) or rows.get((of.source, of.measure, ""))
        if row is not None:
            reason = CollectorError(row.reason) if row.reason else None
            found.append(
                replace(
                    of, last_success=row.last_success, last_failure=row.last_failure, error=row.error, reason=reason,
                    interval=row.interval,
                )
            )  # fmt: skip
    return found


def _row(of: CollectionHealth) -> dict[str, Any]:
    return {
        "source": of.source, "measure": of.measure, "job": of.job, "last_success": of.last_success,
        "last_failure": of.last_failure, "error": of.error, "reason": of.reason and of.reason.value,
        "interval": of.interval,
    }  # fmt: skip
