"""What the board is given: the service's state to show, and whom to ask for changes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from aiohttp import web
from sqlalchemy import Connection

from bsc_monitor.bus import Bus
from bsc_monitor.current import Current
from bsc_monitor.export.metrics import Metrics
from bsc_monitor.model.alert import Maintenance
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.source import Source
from bsc_monitor.web.auth.access import Auth
from bsc_monitor.web.operations import Operations

T = TypeVar("T")


class Reader(Protocol):
    """The store, as far as the board needs it."""

    def read(self, work: Callable[[Connection], T]) -> Awaitable[T]:
        """Run a reading function on a consistent snapshot, off the loop's thread."""


def _utcnow() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Board:
    """Everything that the pages, the API and the webhooks work on. Belongs to the loop's thread."""

    current: Current
    metrics: Metrics
    bus: Bus
    store: Reader
    operations: Operations
    sources: Callable[[], Mapping[str, Source]] = dict  #: asked anew each time, since a reload replaces them
    maintenance: Callable[[], Mapping[str, Maintenance]] = dict
    ready: Callable[[], bool] = field(default=lambda: True)
    clock: Callable[[], datetime] = _utcnow
    url: str | None = None  #: the board's address as people reach it
    auth: Auth | None = None  #: None: only this machine may connect, and may do everything
    version: str = ""

    @property
    def organisation(self) -> Organisation:
        """What is measured now."""
        return self.current.organisation


BOARD = web.AppKey("BOARD", Board)
