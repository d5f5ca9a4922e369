"""Long lists kept between runs: only what changed is asked for, and a count tells whether that was all.

For sources whose lists are narrowed by the source itself: a record that leaves the list is not among those that changed in
it, so the list is as long as the source says, or it is walked anew.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")

_OVERLAP = timedelta(minutes=10)  #: clocks differ, and what is written now may be dated a moment ago
_WHOLE_EVERY = timedelta(days=1)  #: what a record refers to changes without it
_MOST_KEPT = 200_000  #: records, of all lists


@dataclass(slots=True)
class Walked(Generic[T]):
    """A list: its records by key, and how many the source counts; fewer records are hidden ones."""

    records: dict[str, T]
    total: int


@dataclass(slots=True)
class _Kept(Generic[T]):
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    list: Walked[T] | None = None
    asked_at: datetime | None = None
    whole_at: datetime | None = None


class Walks(Generic[T]):
    """Lists by key. Used by one event loop; those used longest ago are forgotten when there is too much."""

    def __init__(self, most: int = _MOST_KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, _Kept[T]] = OrderedDict()

    async def get(
        self, key: Hashable, now: datetime, walk: Callable[[datetime | None], Awaitable[Walked[T]]],
        count: Callable[[], Awaitable[int]], *, worth: int,
    ) -> Walked[T]:  # fmt: skip
        """The list as it is now. ``walk(since)`` walks what changed since then (None: all); ``count`` asks how many there are.

        Lists of up to ``worth`` records are walked anew each time: that is no dearer.
        """
        kept = self._kept.setdefault(key, _Kept())
        self._kept.move_to_end(key)
        async with kept.lock:
            found = await self._changed(kept, now, walk, count, worth)
            if found is None:
                found, kept.whole_at = await walk(None), now
            kept.list, kept.asked_at = found, now
        self._trim()
        return found

    async def _changed(
        self, kept: _Kept[T], now: datetime, walk: Callable[[datetime | None], Awaitable[Walked[T]]],
        count: Callable[[], Awaitable[int]], worth: int,
    ) -> Walked[T] | None:  # fmt: skip
        """The list with what changed; None where it has to be walked anew."""
        known, asked_at, whole_at = kept.list, kept.asked_at, kept.whole_at
        if known is None or asked_at is None or whole_at is None or len(known.records) <= worth:
            return None
        if not timedelta(0) <= now - whole_at < _WHOLE_EVERY:
            return None
        hidden = known.total - len(known.records)
        changed = await walk(asked_at - _OVERLAP)
        total = await count()
        records = {**known.records, **changed.records}
        return Walked(records, total) if len(records) + hidden == total else None

    def _trim(self) -> None:
        size = sum(len(kept.list.records) for kept in self._kept.values() if kept.list)
        for key in list(self._kept)[:-1]:
            if size <= self._most:
                return
            kept = self._kept[key]
            if not kept.lock.locked():
                size -= len(kept.list.records) if kept.list else 0
                del self._kept[key]
