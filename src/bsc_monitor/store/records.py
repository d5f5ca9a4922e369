"""Records of streams, and the checkpoints that say how far each was fetched: tables, and what is done with them.

All functions take a connection and are run by the store inside one of its transactions, so records and the checkpoint
that they belong to are committed together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, MetaData, String, Table, Text, delete, insert, select

_BATCH = 500  #: keys in one statement, below every engine's limit of parameters


@dataclass(frozen=True, slots=True)
class RecordTables:
    """The two tables; ``scope`` is a stream's scope or a job's key."""

    record: Table
    checkpoint: Table


@dataclass(frozen=True, slots=True)
class ScopeKey:
    """Which records: those of one stream of one source within one scope."""

    source: str
    stream: str
    scope: str


def record_tables(metadata: MetaData) -> RecordTables:
    """Define the tables in ``metadata``, for the schema and for tests."""
    return RecordTables(
        Table(
            "record",
            metadata,
            Column("source", String(200), primary_key=True),
            Column("stream", String(200), primary_key=True),
            Column("scope", String(64), primary_key=True),
            Column("key", String(500), primary_key=True),
            Column("data", Text, nullable=False),
        ),
        Table(
            "checkpoint",
            metadata,
            Column("source", String(200), primary_key=True),
            Column("stream", String(200), primary_key=True),
            Column("scope", String(64), primary_key=True),
            Column("data", Text, nullable=False),
        ),
    )


def load_checkpoint(connection: Connection, tables: RecordTables, key: ScopeKey) -> dict[str, Any] | None:
    """The checkpoint committed last; None when there is none."""
    table = tables.checkpoint
    text = connection.scalar(select(table.c.data).where(*_same(table, key)))
    return None if text is None else dict(json.loads(text))


def load_checkpoints(connection: Connection, tables: RecordTables, stream: str) -> dict[str, dict[str, Any]]:
    """All checkpoints of one stream name over all sources, by scope."""
    table = tables.checkpoint
    rows = connection.execute(select(table.c.scope, table.c.data).where(table.c.stream == stream))
    return {row.scope: dict(json.loads(row.data)) for row in rows}


def save_checkpoint(connection: Connection, tables: RecordTables, key: ScopeKey, data: Mapping[str, Any]) -> None:
    """Replace a checkpoint."""
    table = tables.checkpoint
    connection.execute(delete(table).where(*_same(table, key)))
    row = {"source": key.source, "stream": key.stream, "scope": key.scope, "data": json.dumps(dict(data), default=str)}
    connection.execute(insert(table), row)


def load_records(connection: Connection, tables: RecordTables, key: ScopeKey) -> dict[str, str]:
    """All records of a scope as JSON text, by their keys."""
    table = tables.record
    rows = connection.execute(select(table.c.key, table.c.data).where(*_same(table, key)))
    return {row.key: row.data for row in rows}


def save_records(connection: Connection, tables: RecordTables, key: ScopeKey, records: Mapping[str, str]) -> None:
    """Insert or replace records given as JSON text by their keys."""
    delete_records(connection, tables, key, records)
    same = {"source": key.source, "stream": key.stream, "scope": key.scope}
    rows = [{**same, "key": name, "data": text} for name, text in records.items()]
    for start in range(0, len(rows), _BATCH):
        connection.execute(insert(tables.record), rows[start : start + _BATCH])


def delete_records(connection: Connection, tables: RecordTables, key: ScopeKey, names: Iterable[str] | None) -> None:
    """Delete records by their keys; with None, all of the scope."""
    table = tables.record
    if names is None:
        connection.execute(delete(table).where(*_same(table, key)))
        return
    listed = list(names)
    for start in range(0, len(listed), _BATCH):
        connection.execute(delete(table).where(*_same(table, key), table.c.key.in_(listed[start : start + _BATCH])))


def _same(table: Table, key: ScopeKey) -> tuple[Any, ...]:
    return table.c.source == key.source, table.c.stream == key.stream, table.c.scope == key.scope
