"""Starting everything in order, and stopping it in the opposite one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bsc_monitor import __version__
from bsc_monitor.alert.defaults import effective_inhibitions, effective_rules
from bsc_monitor.alert.routing import Routing
from bsc_monitor.bus import Bus
from bsc_monitor.collect.agenda import jobs_of
from bsc_monitor.collect.harvest import Harvest
from bsc_monitor.collect.outcome import blank
from bsc_monitor.collect.plugins import Plugins
from bsc_monitor.collect.schedule import Collection
from bsc_monitor.collect.stored import StoredRecords
from bsc_monitor.config import Configuration
from bsc_monitor.current import Current
from bsc_monitor.evaluate import Evaluator
from bsc_monitor.evaluate.improving import Improving
from bsc_monitor.export.metrics import Metrics
from bsc_monitor.model.alert import AlertRule
from bsc_monitor.model.event import CollectorFailed, CollectorRan
from bsc_monitor.score.periods import period_at
from bsc_monitor.service.actions import Actions
from bsc_monitor.service.delivery import Delivery
from bsc_monitor.service.extensions import Extensions
from bsc_monitor.service.improvement import ImprovementDesk
from bsc_monitor.service.initiatives import Initiatives
from bsc_monitor.service.operations import ServiceOperations
from bsc_monitor.service.past import Past
from bsc_monitor.service.reload import Reloading
from bsc_monitor.service.stand_in import StandIn
from bsc_monitor.service.standby import lead
from bsc_monitor.service.upkeep import Upkeep
from bsc_monitor.store.records import load_checkpoints
from bsc_monitor.store.schema import RECORDS
from bsc_monitor.store.standing import keep_collections
from bsc_monitor.web import load_access
from bsc_monitor.web.app import create_app
from bsc_monitor.web.board import Board
from bsc_monitor.web.serve import Served, serve

_log = structlog.get_logger(__name__)
Load = Callable[[Path], tuple[Configuration, Plugins]]


def utcnow() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


class Service:
    """One running bsc-monitor. Build it in the loop's thread, ``await start()``, and ``await stop()`` in the end."""

    def __init__(self, file: Path, load: Load, *, clock: Callable[[], datetime] = utcnow) -> None:
        self.file = file
        self.load = load
        self.clock = clock
        self.configuration, self.plugins = load(file)
        self.bus = Bus()
        self.scheduler = AsyncIOScheduler(timezone=UTC)
        self.ready = False
        self.lost = asyncio.Event()  #: set when another process was found to lead
        self.served: Served | None = None
        self.stand_in: StandIn | None = None
        self._loop = asyncio.get_running_loop()
        self._started: list[Callable[[], Awaitable[Any]]] = []  #: what ends each thing started
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Start everything. Raises StoreError, ServeError, StandInError; what was started is stopped then."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        settings = self.configuration.service
        self.store = await lead(settings.database)
        self.store.on_lost = self._stand_down
        self._started.append(lambda: asyncio.to_thread(self.store.close))
        if self.configuration.sandbox is not None:
            self.stand_in = await StandIn.begin(self.configuration.sandbox)
            self._started.append(self.stand_in.stop)
        self.initiatives = Initiatives(self)
        self.configuration = await self.initiatives.applied(self.configuration)
        self.current = Current(self.bus, self.configuration.organisation)
        asked = blank(jobs_of(self.configuration.organisation, self.configuration.sources).values())
        self.current.restore(await self.store.write(lambda connection: keep_collections(connection, asked)))
        self.metrics = Metrics(self.bus, self.current, __version__)
        steady = time.monotonic if self.clock is utcnow else None
        self.evaluator = Evaluator(self.store, self.bus, self.configuration, self.clock, steady)
        self.evaluator.on_due = self._arm
        self.scheduler.start()
        self._started.append(self._stop_scheduler)
        self.operations = ServiceOperations(self)
        await self._serve()
        await self.evaluator.start()
        if self.stand_in is not None:
            await self.stand_in.ready()
        await self._start_work()
        self.ready = True

    async def _start_work(self) -> None:
        """Start what tells, collects and improves, when the board answers already."""
        self.extensions = Extensions(self)
        self._started.append(self.extensions.stop)
        await self.extensions.start()
        self.delivery = Delivery(self)
        await self.delivery.start()
        self._started.append(self.delivery.stop)
        self.improving = Improving(self.evaluator, self.bus, lambda: self.configuration.organisation, self.clock)
        await self.improving.start()
        self._started.append(self.improving.stop)
        from bsc_monitor.service.reports import Reports  # after the board answers: it brings much

        self.reports = Reports(self)
        self.actions = Actions(self)
        await self.actions.start()
        self._started.append(self.actions.stop)
        await self._collect()
        await self.reports.start()
        self._started.append(self.reports.stop)
        self.upkeep = Upkeep(self)
        await self.upkeep.start()
        self._started.append(self.upkeep.stop)
        self.reloading = Reloading(self)
        self.reloading.start()
        self._started.append(self.reloading.stop)
        self.past = Past(self)
        await self.past.resume()
        self._started.append(self.past.stop)

    @property
    def address(self) -> str:
        """The board's address."""
        return self.served.url if self.served else ""

    async def stop(self) -> None:
        """Stop in the opposite order. What was acknowledged is in the store; what was under way comes again."""
        self.ready = False
        for task in tuple(self._tasks):
            task.cancel()
        while self._started:
            end = self._started.pop()
            try:
                await end()
            except Exception:  # noqa: BLE001 - the others must still be stopped
                _log.exception("something did not stop in order")

    async def _serve(self) -> None:
        settings = self.configuration.service
        access = load_access(settings.auth) if settings.auth else None
        self.board = Board(
            current=self.current,
            metrics=self.metrics,
            bus=self.bus,
            store=self.store,
            operations=self.operations,
            improvement=ImprovementDesk(self),
            sources=lambda: self.configuration.sources,
            maintenance=lambda: self.configuration.maintenance,
            rules=self._rules,
            inhibitions=lambda: effective_inhibitions(self._rules(), self.configuration.inhibitions.values()),
            routing=lambda: Routing(self.configuration.routes, self.configuration.receivers),
            timezone=lambda: self.configuration.service.timezone,
            pages=lambda: self.extensions.pages if self.ready else {},
            plugin_problems=lambda: [str(problem) for problem in self.plugins.problems],
            ready=lambda: self.ready,
            clock=self.clock,
            url=settings.url,
            auth=access.auth if access else None,
            version=__version__,
        )
        tls = access.tls if access else None
        self.served = await serve(create_app(self.board), settings.host, settings.port, tls)
        self._started.append(self.served.stop)

    def _rules(self) -> dict[str, AlertRule]:
        """The rules of alerts in force."""
        return effective_rules(self.configuration.alert_rules)

    async def _collect(self) -> None:
        checkpoints = await self.store.read(lambda connection: load_checkpoints(connection, RECORDS, "job"))
        self.collection = Collection(
            self.configuration,
            self.plugins.collectors,
            deliver=self._deliver,
            bus=self.bus,
            records=StoredRecords(self.store, RECORDS),
            period_at=period_at,
            clock=self.clock,
            checkpoints=checkpoints,
            isolated=self.plugins.isolated,
            scheduler=self.scheduler,
        )
        self.bus.subscribe(CollectorRan, self._collected)
        self.bus.subscribe(CollectorFailed, self._collected)
        await self.collection.start()
        self._started.append(self.collection.stop)

    async def _deliver(self, harvest: Harvest) -> None:
        await self.evaluator.deliver(harvest)
        if harvest.progress:
            self.improving.progressed(harvest.progress)

    def _collected(self, event: CollectorRan | CollectorFailed) -> None:
        health = self.current.collectors[event.source, event.measure]  # the read model hears of a run first
        self.spawn(self.evaluator.collected(event, health.said))

    def _arm(self, due: datetime | None) -> None:
        """The evaluator has something to do at an instant."""
        if due is not None:
            self.scheduler.add_job(
                self._tick, "date", run_date=due, id="evaluate", replace_existing=True, misfire_grace_time=None
            )

    async def _tick(self) -> None:
        """The scheduler's job: over at once, for one that still runs when the next is due would make it skip that."""
        self.spawn(self.evaluator.tick())

    def _stand_down(self) -> None:
        self._loop.call_soon_threadsafe(self.lost.set)

    def rearm(self) -> None:
        """The clock was set: what waits for an instant is to look at it anew."""
        self._arm(self.evaluator.due)

    def spawn(self, work: Any) -> None:
        """Run a coroutine beside; a failure is logged."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._spawned)

    def _spawned(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("work beside failed", error=repr(task.exception()))

    async def _stop_scheduler(self) -> None:
        self.scheduler.shutdown(wait=False)
