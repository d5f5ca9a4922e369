"""``run.Records`` over the store: each stream's scope is fetched incrementally, once for all runs that share it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar

import structlog
from sqlalchemy import Connection

from bsc_monitor.collect.context import RunContext
from bsc_monitor.collect.live import LiveSource
from bsc_monitor.collect.streams import StreamState, definition_of, fetch_window, next_window, scope_key, vanished
from bsc_monitor.plugin import Params, Record, SourceError, Stream
from bsc_monitor.store.records import (
    RecordTables,
    ScopeKey,
    delete_records,
    load_checkpoint,
    load_records,
    save_checkpoint,
    save_records,
)  # fmt: skip

T = TypeVar("T")
_log = structlog.get_logger(__name__)
_RECONCILE_EVERY = timedelta(days=1)
_AHEAD = timedelta(minutes=1)  #: a fetch that seems to lie further in the future was before the clock was set back
_MOST_CACHED = 200_000  #: records kept parsed in memory, over all scopes


class Store(Protocol):
    """What is needed of the store: a durable write and a read, each inside one transaction."""

    def write(self, work: Callable[[Connection], T], /) -> Awaitable[T]: ...  # noqa: D102
    def read(self, work: Callable[[Connection], T], /) -> Awaitable[T]: ...  # noqa: D102


@dataclass(slots=True)
class _Kept:
    """One scope in memory: the lock that makes concurrent runs share a fetch, and what the last one brought."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    records: dict[str, Record] | None = None
    state: StreamState | None = None
    tried_at: datetime | None = None
    error: SourceError | None = None


class StoredRecords:
    """Keeps records in the store. Records and cursor are committed together, and only after a fetch that succeeded."""

    def __init__(self, store: Store, tables: RecordTables) -> None:
        self._store = store
        self._tables = tables
        self._kept: OrderedDict[ScopeKey, _Kept] = OrderedDict()

    async def fetch(self, live: LiveSource, stream: Stream, scope: Params, run: RunContext) -> Sequence[Record]:
        """See ``run.Records``. A fetch, or a failure, since ``run.fresh_since`` serves this run too."""
        key = ScopeKey(live.source.id, stream.name, scope_key(scope))
        kept = self._kept.setdefault(key, _Kept())
        self._kept.move_to_end(key)
        async with kept.lock:
            run.http.extend()  # waiting for another run's fetch is no hanging
            since = run.fresh_since or run.now
            recent = kept.tried_at is not None and since <= kept.tried_at <= run.now + _AHEAD
            if recent and kept.error is not None:
                raise kept.error
            if not recent or kept.records is None:
                try:
                    await self._refresh(key, kept, live, stream, scope, run)
                except SourceError as error:
                    kept.tried_at, kept.error = run.now, error
                    raise
                kept.tried_at, kept.error = run.now, None
            found = list((kept.records or {}).values())
        self._trim()
        return found

    async def _refresh(
        self, key: ScopeKey, kept: _Kept, live: LiveSource, stream: Stream, scope: Params, run: RunContext
    ) -> None:
        definition = definition_of(live, stream)
        if kept.records is None:
            kept.state = await self._load_state(key)
        window = next_window(kept.state, stream, definition, run.now)
        known: dict[str, Record] = {}
        if window.start is not None:
            known = kept.records if kept.records is not None else await self._load(key, stream)
        of_stream = replace(run, checkpoint=_checkpoint(kept.state, definition))
        found = await fetch_window(live, stream, scope, window, of_stream)
        gone, reconciled_at = await self._reconcile(live, stream, scope, run, kept.state, {*known, *found})
        reconciled_at = run.now if window.start is None else reconciled_at
        state = StreamState(definition, run.now, reconciled_at, of_stream.checkpoint)
        texts = {name: record.model_dump_json() for name, record in found.items()}
        await self._store.write(partial(self._commit, key, texts, None if window.start is None else gone, state))
        kept.records = {name: record for name, record in {**known, **found}.items() if name not in gone}
        kept.state = state

    def _commit(
        self, key: ScopeKey, texts: Mapping[str, str], gone: set[str] | None, state: StreamState, connection: Connection
    ) -> None:
        delete_records(connection, self._tables, key, gone)
        save_records(connection, self._tables, key, {k: v for k, v in texts.items() if gone is None or k not in gone})
        save_checkpoint(connection, self._tables, key, _state_json(state))

    async def _reconcile(
        self,
        live: LiveSource,
        stream: Stream,
        scope: Params,
        run: RunContext,
        state: StreamState | None,
        known: set[str],
    ) -> tuple[set[str], datetime | None]:
        """Once a day: the records that the source no longer has (deleted, moved out of the scope)."""
        last = state.reconciled_at if state else None
        if stream.ids is None or state is None or (last is not None and run.now - last < _RECONCILE_EVERY):
            return set(), last
        existing: set[str] = set()
        if live.worker is not None:
            listed = live.worker.ids(live.source, stream, scope, run)
        else:
            listed = getattr(live.collector, stream.ids)(run, scope)
        async for name in listed:
            existing.add(str(name))
            run.http.extend()
        try:
            return vanished(known, existing), run.now
        except SourceError as error:
            _log.warning("records were not reconciled", source=live.source.id, stream=stream.name, why=error.message)
            return set(), run.now

    async def _load_state(self, key: ScopeKey) -> StreamState | None:
        data = await self._store.read(partial(load_checkpoint, tables=self._tables, key=key))
        return None if data is None else _state_of(data)

    async def _load(self, key: ScopeKey, stream: Stream) -> dict[str, Record]:
        def load(connection: Connection) -> dict[str, Record]:
            texts = load_records(connection, self._tables, key)
            return {name: stream.record.model_validate_json(text) for name, text in texts.items()}

        return await self._store.read(load)

    def _trim(self) -> None:
        """Forget the parsed records of the scopes used longest ago; they are in the store."""
        total = sum(len(kept.records or ()) for kept in self._kept.values())
        for kept in list(self._kept.values())[:-1]:
            if total <= _MOST_CACHED:
                return
            if not kept.lock.locked():
                total -= len(kept.records or ())
                kept.records = None


def _state_json(state: StreamState) -> dict[str, Any]:
    return {
        "definition": state.definition,
        "fetched_at": state.fetched_at.isoformat(),
        "reconciled_at": state.reconciled_at.isoformat() if state.reconciled_at else None,
        "checkpoint": dict(state.checkpoint),
    }


def _checkpoint(state: StreamState | None, definition: str) -> dict[str, Any]:
    """What the plugin kept; nothing of it holds for records of another form or place."""
    return dict(state.checkpoint) if state is not None and state.definition == definition else {}


def _state_of(data: Mapping[str, Any]) -> StreamState:
    reconciled = data.get("reconciled_at")
    return StreamState(
        data["definition"],
        datetime.fromisoformat(data["fetched_at"]),
        datetime.fromisoformat(reconciled) if reconciled else None,
        data.get("checkpoint") or {},
    )
