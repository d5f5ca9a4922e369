"""What the board is given: the service's state to show, and whom to ask for changes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from aiohttp import web
from sqlalchemy import Connection

from bsc_monitor.alert.routing import Routing
from bsc_monitor.bus import Bus
from bsc_monitor.current import Current
from bsc_monitor.export.metrics import Metrics
from bsc_monitor.model.alert import AlertRule, Inhibition, Maintenance
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.page import Page, PageRequest
from bsc_monitor.model.source import Source
from bsc_monitor.web.auth.access import Auth
from bsc_monitor.web.improvement import Improvement
from bsc_monitor.web.operations import Operations

T = TypeVar("T")


class Reader(Protocol):
    """The store, as far as the board needs it."""

    def read(self, work: Callable[[Connection], T]) -> Awaitable[T]:
        """Run a reading function on a consistent snapshot, off the loop's thread."""


class PluginPages(Protocol):
    """A plugin that serves pages of its own."""

    collectors: frozenset[str]  #: the names of its collectors

    def page(self, request: PageRequest) -> Awaitable[Page]:
        """What its page answers. Raises SourceError."""


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
    improvement: Improvement | None = None  #: None: nobody can act on insights here
    sources: Callable[[], Mapping[str, Source]] = dict  #: asked anew each time, since a reload replaces them
    maintenance: Callable[[], Mapping[str, Maintenance]] = dict
    #: Of plugins, by plugin, method and path: who serves it and the policy.
    pages: Callable[[], Mapping[tuple[str, str, str], tuple[PluginPages, str]]] = dict
    plugin_problems: Callable[[], Sequence[str]] = tuple  #: plugins that are left out, and why
    rules: Callable[[], Mapping[str, AlertRule]] = dict  #: of alerts: those in force
    inhibitions: Callable[[], tuple[Inhibition, ...]] = tuple  #: what holds messages back, built-in ones included
    routing: Callable[[], Routing] = Routing  #: who is told of what
    timezone: Callable[[], str] = field(default=lambda: "UTC")  #: of what belongs to no scorecard
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
