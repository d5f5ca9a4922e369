"""What the statuses of a site were called and meant over time, as far as somebody looked.

A site tells only what a status means today. What it meant before decides what happened before: a closed month must not
change because an admin moves a status to another category.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

Today = Mapping[str, tuple[str, str]]  #: status id → name, category


class Meaning(NamedTuple):
    """What a status was called and meant from a moment on; ``since`` None: as far back as anybody knows."""

    since: datetime | None
    name: str
    category: str


class Statuses:
    """Meanings by status id, oldest first. ``changed``: the ids whose meaning is another than when looked at last."""

    def __init__(self, today: Today, kept: Any = None, now: datetime | None = None) -> None:
        """``kept``: what ``plain`` gave before; without it today's meaning counts for all time."""
        self._meanings = {
            str(status): [
                Meaning(since and datetime.fromisoformat(since), name, category) for since, name, category in told
            ]
            for status, told in (kept or {}).items()
        }
        self.changed: set[str] = set()
        for status, (name, category) in today.items():
            known = self._meanings.setdefault(status, [])
            if known and known[-1][1:] != (name, category):
                self.changed.add(status)
            if not known or status in self.changed:
                known.append(Meaning(now if known else None, name, category))

    def at(self, status: str, moment: datetime) -> Meaning | None:
        """What a status meant at a moment; None for one that nobody ever saw."""
        told = self._meanings.get(status)
        if told is None:
            return None
        return next((each for each in reversed(told) if each.since is None or each.since <= moment), told[0])

    def turns(self, status: str, start: datetime, end: datetime | None) -> list[tuple[datetime, str]]:
        """When, between two moments, a status came to mean another category, and which."""
        return [
            (after.since, after.category)
            for before, after in pairwise(self._meanings.get(status, []))
            if after.since is not None and start < after.since and (end is None or after.since < end)
            if after.category != before.category
        ]

    def names(self, status: str) -> tuple[str, ...]:
        """What a status is and was called, today's name first."""
        told = self._meanings.get(status, [])
        return tuple(dict.fromkeys(each.name for each in reversed(told)))

    def plain(self) -> dict[str, list[list[str | None]]]:
        """As JSON, to be kept."""
        return {
            status: [[each.since.isoformat() if each.since else None, each.name, each.category] for each in told]
            for status, told in self._meanings.items()
        }


def remembered(today: Today, checkpoint: MutableMapping[str, Any], now: datetime) -> Statuses:
    """What statuses meant and mean, kept in a checkpoint from one run to the next."""
    seen = now - timedelta(milliseconds=1)  # so that it counts in this run, whose window ends now
    found = Statuses(today, checkpoint.get("statuses"), seen)
    checkpoint["statuses"] = found.plain()
    return found
