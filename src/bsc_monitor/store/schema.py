"""The core tables: readings, period values, what is judged now, events; records and checkpoints are in ``records``.

Instants are microseconds since the epoch, so that they sort, compare and index alike on every engine and no driver
guesses a time zone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator

from bsc_monitor.store.records import record_tables

HEAD = "0008_collections"  #: the newest migration; a test holds it against the migrations' own word

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BATCH = 500


def to_micros(instant: datetime) -> int:
    """An aware instant as microseconds since the epoch."""
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The UTC instant of microseconds since the epoch."""
    return _EPOCH + timedelta(microseconds=micros)


class Instant(TypeDecorator[datetime]):
    """A UTC instant, kept as microseconds since the epoch."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """See ``TypeDecorator``."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """See ``TypeDecorator``."""
        return None if value is None else from_micros(value)


#: An integer key that counts up by itself on every engine.
Serial = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

RECORDS = record_tables(metadata)

#: Every value observed, as it passed the door. ``labels`` is canonical JSON of sorted pairs, ``[]`` for the total.
reading = Table(
    "reading",
    metadata,
    Column("kpi", String(400), primary_key=True),
    Column("labels", String(2000), primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("value", Float),
    Column("samples", BigInteger),
    Column("numerator", Float),
    Column("denominator", Float),
    Column("period_kind", String(10)),
    Column("period_start", Instant),
    Column("period_end", Instant),
    Column("period_label", String(20)),
    Column("state", String(20), nullable=False),
    Column("completeness", String(20), nullable=False),
    Column("evidence", Text),
    Column("note", Text),
    Column("author", String(200)),
    Column("stored_at", Instant, nullable=False),
    Index("reading_at", "at"),
    sqlite_with_rowid=False,
)

#: The value of a KPI in a period: open ones live, closed ones frozen with their judgement.
period_value = Table(
    "period_value",
    metadata,
    Column("kpi", String(400), primary_key=True),
    Column("labels", String(2000), primary_key=True),
    Column("kind", String(10), primary_key=True),  # "" for a trailing window
    Column("start", Instant, primary_key=True),
    Column("end", Instant, nullable=False),
    Column("label", String(20), nullable=False),
    Column("value", Float),
    Column("samples", BigInteger),
    Column("numerator", Float),
    Column("denominator", Float),
    Column("state", String(20), nullable=False),
    Column("completeness", String(20), nullable=False),
    Column("observed_at", Instant),
    Column("evidence", Text),
    Column("note", Text),
    Column("thresholds", Text, nullable=False),
    Column("score", Float),
    Column("status", String(10), nullable=False),
    Column("definition", String(64), nullable=False),
    Column("closed_at", Instant),
    Column("revision", Integer, nullable=False),
    Index("period_value_end", "kpi", "end"),
    sqlite_with_rowid=False,
)

#: Nodes of closed periods, frozen with them.
node_period = Table(
    "node_period",
    metadata,
    Column("kind", String(12), primary_key=True),
    Column("name", String(400), primary_key=True),
    Column("period_kind", String(10), primary_key=True),
    Column("start", Instant, primary_key=True),
    Column("end", Instant, nullable=False),
    Column("label", String(20), nullable=False),
    Column("score", Float),
    Column("status", String(10), nullable=False),
    Column("coverage", Float, nullable=False),
    Column("green", Integer, nullable=False),
    Column("amber", Integer, nullable=False),
    Column("red", Integer, nullable=False),
    Column("missing", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("closed_at", Instant),
    sqlite_with_rowid=False,
)

#: The status that a KPI or node has now, and since when.
standing = Table(
    "standing",
    metadata,
    Column("kind", String(12), primary_key=True),
    Column("name", String(400), primary_key=True),
    Column("status", String(10), nullable=False),
    Column("score", Float),
    Column("since", Instant),
    sqlite_with_rowid=False,
)

#: What happened, for people and audit.
event = Table(
    "event",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("subject", String(400), nullable=False),
    Column("data", Text, nullable=False),
    Index("event_subject", "subject", "id"),
)

#: How the last runs of a collection went: what a restart shows until each has run again. ``job`` is the collection's key;
#: empty: an older version kept it of the measure as a whole.
collection_state = Table(
    "collection_state",
    metadata,
    Column("source", String(200), primary_key=True),
    Column("measure", String(200), primary_key=True),
    Column("job", String(64), primary_key=True),
    Column("last_success", Instant),
    Column("last_failure", Instant),
    Column("error", Text),
    Column("reason", String(20)),
    Column("interval", Float),
    sqlite_with_rowid=False,
)


def upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, replacing those with the same primary key. Of two with one key in ``rows`` the last counts."""
    if not rows:
        return
    unique = rows
    if len(rows) > 1:
        key = itemgetter(*table.primary_key.columns.keys())
        unique = list({key(row): row for row in rows}.values())
    statement = _upsert(table, connection.dialect.name, tuple(unique[0]))
    for start in range(0, len(unique), _BATCH):
        connection.execute(statement, unique[start : start + _BATCH])


@cache
def _upsert(table: Table, engine: str, names: tuple[str, ...]) -> Any:
    """The statement, made once: each time it would leave a table's worth of circles for the garbage collector."""
    dialect = postgresql if engine == "postgresql" else sqlite
    statement = dialect.insert(table)
    keys = table.primary_key.columns.keys()
    others = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=others)
