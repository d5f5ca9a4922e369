"""Streams: fetching records incrementally, once for all KPIs that share a scope."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bsc_monitor.collect.context import RunContext, seconds_of
from bsc_monitor.collect.live import LiveSource
from bsc_monitor.plugin import CollectorError, Params, Record, SourceError, Stream, Window

_MOST_RECORDS = 5_000_000
_TURN = 200  #: records taken between two turns of other tasks


@dataclass(frozen=True, slots=True)
class StreamState:
    """What is remembered of a stream's scope between runs."""

    definition: str  #: hash of what decides the form of its records
    fetched_at: datetime  #: when the last successful fetch *started*
    reconciled_at: datetime | None = None
    checkpoint: Mapping[str, Any] = field(default_factory=dict)  #: what the plugin keeps with the records


def scope_key(scope: Params) -> str:
    """The name under which the records of a scope are kept: the same for equal parameters, whatever their order."""
    text = json.dumps(scope.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def definition_of(live: LiveSource, stream: Stream) -> str:
    """A hash that changes when records fetched before no longer have the form or come from the place of today's."""
    schema = stream.record.model_json_schema()
    config = live.source.config.model_dump(mode="json") if live.source.config is not None else None
    text = json.dumps([stream.name, stream.key, stream.cursor, schema, config], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def next_window(state: StreamState | None, stream: Stream, definition: str, now: datetime) -> Window:
    """What to fetch now: from the *start* of the last success minus the overlap, or everything.

    Everything when there was no success yet or the stream's definition changed. The upper end is the present, so that
    records that change during the fetch come with the next one.
    """
    if state is None or state.definition != definition:
        return Window(None, now)
    return Window(min(state.fetched_at, now) - seconds_of(stream.overlap), now)


def vanished(known: Iterable[str], existing: Iterable[str], most: float = 0.2) -> set[str]:
    """The keys that are gone at the source. Raises SourceError(SCHEMA) when more than the share ``most`` would be.

    A source that loses a permission or answers half a page must not empty the store.
    """
    kept = set(known)
    gone = kept - set(existing)
    if len(gone) > max(10, most * len(kept)):
        raise SourceError(
            f"{len(gone):,} of {len(kept):,} records would vanish at once: nothing was dropped",
            CollectorError.SCHEMA,
            hint="Check the permissions of the source's user; a changed scope starts a record set of its own.",
        )
    return gone


async def fetch_window(
    live: LiveSource, stream: Stream, scope: Params, window: Window, run: RunContext
) -> dict[str, Record]:
    """The records of a window by key; of several versions the one with the latest cursor. Raises SourceError."""
    found: dict[str, Record] = {}
    iterator: object
    if live.worker is not None:
        iterator = live.worker.stream(live.source, stream, scope, window, run)
    else:
        iterator = getattr(live.collector, stream.name)(run, scope, window)
    if not isinstance(iterator, AsyncIterable):
        raise SourceError(f"stream {stream.name} yields nothing: it must be an async generator", CollectorError.PLUGIN)
    number = 0
    async for record in iterator:
        number += 1
        if not isinstance(record, stream.record):
            raise SourceError(
                f"stream {stream.name} yielded {type(record).__name__} instead of {stream.record.__name__}",
                CollectorError.PLUGIN,
            )
        key = str(getattr(record, stream.key))
        before = found.get(key)
        if before is None or _cursor(before, stream) <= _cursor(record, stream):
            found[key] = record
        run.http.extend()  # it makes progress
        if number % _TURN == 0:
            await asyncio.sleep(0)
        if number > _MOST_RECORDS:
            raise SourceError(f"stream {stream.name} has more than {_MOST_RECORDS:,} records", CollectorError.CONFIG)
    return found


def _cursor(record: Record, stream: Stream) -> datetime:
    value = getattr(record, stream.cursor)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise SourceError(
            f"stream {stream.name}: {stream.cursor} must be a datetime with a time zone, not {value!r}",
            CollectorError.PLUGIN,
        )
    return value


class TransientRecords:
    """``run.Records`` of a dry run: everything is fetched once and forgotten with this object."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], list[Record]] = {}

    async def fetch(self, live: LiveSource, stream: Stream, scope: Params, run: RunContext) -> Sequence[Record]:
        """See ``run.Records``."""
        key = (live.source.id, stream.name, scope_key(scope))
        if key not in self._kept:
            found = await fetch_window(live, stream, scope, Window(None, run.now), replace(run, checkpoint={}))
            self._kept[key] = list(found.values())
        return self._kept[key]
