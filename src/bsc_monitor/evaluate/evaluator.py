"""The evaluator: takes readings and the passing of time, and commits all that follows from them at once.

Its state (what is scored, which alerts live) belongs to the store's writer thread. When a transaction fails, that state
is ahead of the store; it is then thrown away and read anew before the next evaluation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

from bsc_monitor import crash
from bsc_monitor.bus import Bus
from bsc_monitor.collect.harvest import Harvest
from bsc_monitor.config import Configuration
from bsc_monitor.evaluate.gather import Delivery, Gatherer
from bsc_monitor.evaluate.state import State
from bsc_monitor.ingest import Door, Refused, last_of_each
from bsc_monitor.model.event import CollectorFailed, CollectorRan, Event, PeriodClosed
from bsc_monitor.model.health import CollectionHealth
from bsc_monitor.model.organisation import Kpi
from bsc_monitor.model.reading import KpiReading, Reading
from bsc_monitor.plugin import CollectorError, SourceError
from bsc_monitor.store import Store
from bsc_monitor.store.records import ScopeKey, save_checkpoint
from bsc_monitor.store.schema import RECORDS

_log = structlog.get_logger(__name__)

_LEAP = 2.0  #: seconds by which the clocks may come apart between two evaluations
_RETRY = timedelta(seconds=5)  #: after an evaluation that failed, time is looked at again
JOB_STREAM = "job"  #: under which the checkpoints of direct measures are kept


def utcnow() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


class Evaluator:
    """Build it in the loop's thread and ``await start()``. Every method that takes something returns when it is durable."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        configuration: Configuration,
        clock: Callable[[], datetime] = utcnow,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        """``monotonic``: a clock that nobody sets (seconds); by it the evaluator sees that ``clock`` was set."""
        self.store = store
        self._bus = bus
        self._clock = clock
        self._state = State(configuration)
        self._monotonic = monotonic
        self._agreed = self._frame()  #: under which the last transaction was committed
        self._generation = 0  #: of the store's connection that the state was read over
        self._loop = asyncio.get_running_loop()
        self._due: datetime | None = None
        self._gatherer = Gatherer(self._queue, self._take)
        self.door = Door()
        self.closed = ""  #: why no reading is taken for now, for people; empty: all are
        self.on_due: Callable[[datetime | None], None] | None = None  #: told when the next instant of interest changes

    @property
    def due(self) -> datetime | None:
        """The next instant of interest, as told last."""
        return self._due

    async def start(self) -> None:
        """Read the state that the store holds, and tell it on the bus: the board shows it before any source answers."""
        await self._submit(lambda connection: self._state.restored_events(connection, self._clock()))

    async def deliver(self, harvest: Harvest) -> None:
        """Take what a run brought, with its checkpoint. Raises SourceError when nothing of it could be taken."""
        if self.closed:
            raise SourceError(self.closed, CollectorError.TRANSIENT)
        readings: list[KpiReading] = []
        refusals: dict[str, None] = {}
        for kpi, reading in harvest.items:
            try:
                readings.append(self.door.admit(kpi, reading, harvest.unit, harvest.at, event_time=harvest.event_time))
            except Refused as refused:
                refusals[str(refused)] = None
        if refusals:
            words = "; ".join(list(refusals)[:3])
            _log.warning("readings were refused", source=harvest.source, measure=harvest.measure, why=words)
            if not readings:
                raise SourceError(f"nothing of what came can be used: {words}", CollectorError.SCHEMA)
        if len(readings) > 1:
            readings, twice = last_of_each(readings)
            if twice:
                words = "; ".join(twice[:3])
                _log.warning("readings were replaced", source=harvest.source, measure=harvest.measure, why=words)
        crash.point("admitted")

        key = ScopeKey(harvest.source, JOB_STREAM, harvest.key)
        await self._gatherer.put(Delivery(readings, (key, harvest.checkpoint) if harvest.checkpoint else None))

    def _take(self, connection: Connection, deliveries: Sequence[Delivery]) -> list[Event]:
        for delivery in deliveries:
            if delivery.checkpoint is not None:
                save_checkpoint(connection, RECORDS, *delivery.checkpoint)
        readings = [reading for delivery in deliveries for reading in delivery.readings]
        return self._state.take(connection, readings, self._clock())

    async def enter(self, kpi: Kpi, reading: Reading, author: str) -> None:
        """Take a value entered by hand. Raises Refused."""
        if self.closed:
            raise Refused(self.closed)
        admitted = self.door.admit(kpi, reading, kpi.unit, self._clock(), author=author)
        crash.point("admitted")
        await self._submit(lambda connection: self._state.enter(connection, admitted, self._clock()))

    async def tick(self) -> None:
        """Let time do its work: values turn stale, periods close, alerts ripen."""
        await self._submit(lambda connection: self._state.tick(connection, self._clock()))

    async def collected(self, event: CollectorRan | CollectorFailed, failing: str | None) -> None:
        """Keep how a run went, and let the alerts on collectors see what fails of its measure now (None: nothing)."""
        await self._submit(lambda connection: self._state.collected(connection, event, failing))

    async def keep_collections(
        self, known: Mapping[str, CollectionHealth], failing: Mapping[tuple[str, str], str | None]
    ) -> None:
        """Forget how others than these collections went, and let the alerts see what fails now of measures."""
        await self._submit(lambda connection: self._state.keep_collections(connection, known, failing, self._clock()))

    async def replace(self, configuration: Configuration) -> None:
        """Judge by another configuration from now on."""
        await self._submit(lambda connection: self._state.replace(connection, configuration, self._clock()))

    async def rescore(self, kpis: Sequence[str], since: datetime, author: str) -> int:
        """Judge closed periods by today's definitions, on purpose and on record; how many changed."""
        events: list[Event] = await self.run(
            lambda connection, state: state.rescore(connection, kpis, since, author, self._clock())
        )
        return sum(isinstance(event, PeriodClosed) for event in events)

    async def date_back(self) -> None:
        """After a back-fill: say since when each KPI has really had the status that it has."""
        await self.run(lambda connection, state: state.date_back(connection, self._clock()))

    def run(self, work: Callable[[Connection, State], Iterable[Event]]) -> asyncio.Future[Any]:
        """Run further work on store and state in one transaction, and tell its events."""
        return self._submit(lambda connection: list(work(connection, self._state)))

    def _submit(self, work: Callable[[Connection], list[Event]]) -> asyncio.Future[Any]:
        return asyncio.wrap_future(self._queue(work))

    def _queue(self, work: Callable[[Connection], list[Event]]) -> Future[list[Event]]:
        """Queue an evaluation. Its events are told on the bus after the commit, also when nobody waits for it any more."""

        def evaluated(connection: Connection) -> list[Event]:
            crash.point("evaluating")
            before = self._frame()
            try:
                if self._state.broken or self._generation != self.store.generation:
                    self._generation = self.store.generation
                    self._state.restore(connection, self._clock())
                events: list[Event] = [*self._leap(connection), *work(connection)]
            except BaseException:
                self._undo(before)
                raise
            crash.point("evaluated")
            return events

        done: Future[list[Event]] = self.store.submit(evaluated)
        done.add_done_callback(self._committed)
        return done

    def _committed(self, done: Future[list[Event]]) -> None:
        """In the writer's thread, right after the transaction ended."""
        if done.cancelled() or done.exception() is not None:
            self._undo(self._agreed)
            self._loop.call_soon_threadsafe(self._retry)
            return
        self._agreed = self._frame()
        due = self._state.next_due()
        events = done.result()
        if events or due != self._due:
            self._loop.call_soon_threadsafe(partial(self._tell, events, due))

    def _frame(self) -> tuple[Configuration, float | None]:
        return self._state.configuration, self._state.offset

    def _undo(self, frame: tuple[Configuration, float | None]) -> None:
        """What is in memory did not become true."""
        self._state.configuration, self._state.offset = frame
        self._state.broken = True

    def _leap(self, connection: Connection) -> list[Event]:
        """Before anything is judged by a clock that was set, move the timers that run."""
        if self._monotonic is None:
            return []
        now = self._clock()
        offset = now.timestamp() - self._monotonic()
        known, self._state.offset = self._state.offset, offset
        if known is None or abs(offset - known) <= _LEAP:
            return []
        return self._state.leapt(connection, timedelta(seconds=offset - known), now)

    def _retry(self) -> None:
        """What was due may not have been done, and nothing else would come back to it."""
        self._due = self._clock() + _RETRY
        if self.on_due is not None:
            self.on_due(self._due)

    def _tell(self, events: list[Event], due: datetime | None) -> None:
        crash.point("publishing")
        self._bus.publish(events)
        crash.point("published")
        if due != self._due:
            self._due = due
            if self.on_due is not None:
                self.on_due(due)
