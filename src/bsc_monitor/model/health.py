"""How collections go, and who waits for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from msgspec import Struct

from bsc_monitor.model.status import CollectorError


class CollectionHealth(Struct, frozen=True, gc=False):
    """How the runs of one collection went: one question to a source, that any number of KPIs share."""

    source: str
    measure: str
    job: str = ""  #: the collection's key
    kpis: tuple[str, ...] = ()  #: that it feeds, by full name
    initiatives: tuple[str, ...] = ()  #: whose progress it asks for, by id
    last_success: datetime | None = None
    last_failure: datetime | None = None
    error: str | None = None  #: message of the last run when it failed, secrets masked; None: it succeeded
    reason: CollectorError | None = None  #: of that error
    next_run: datetime | None = None
    interval: float | None = None  #: from the last success to the run after it, seconds

    @property
    def names(self) -> tuple[str, ...]:
        """Who waits for it, for people."""
        return (*self.kpis, *(f"initiative {each}" for each in self.initiatives))


def waiting(collections: Iterable[CollectionHealth], most: int = 5) -> str:
    """The first of those who get no values from these collections, for people; empty: nobody is known."""
    names = list(islice((name for each in collections for name in each.names), most + 1))
    return ", ".join(names[:most]) + (" and others" if len(names) > most else "")
