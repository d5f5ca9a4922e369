"""The collection: asks every source on schedule, hands readings over, and tells what happened.

APScheduler holds one job for the next due time of the agenda's heap, and each source has a few workers of its own. So
10,000 jobs due at one instant are taken in small helpings that never stall the loop (as many APScheduler jobs were seen
to stall it for 283 ms), and a source that hangs delays itself alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bsc_monitor.collect.agenda import Agenda, Job, PeriodAt, jobs_of, periods_due
from bsc_monitor.collect.asking import Asking, Deliver
from bsc_monitor.collect.guard import as_source_error, calm_collector
from bsc_monitor.collect.living import LiveSources
from bsc_monitor.collect.outcome import event_of, log
from bsc_monitor.collect.run import Records, RunResult
from bsc_monitor.collect.watch import LoopWatch
from bsc_monitor.model.event import Event
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.period import Period
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import Collector, Completeness, SourceError

_log = structlog.get_logger(__name__)
_HELPING = 100  #: jobs handed to workers between two turns of other tasks
_SCHEDULED = "collect"  #: id of the scheduler's job
_STOPPING = 5.0  #: seconds that running collections get to end


class Configuration(Protocol):
    """What the collection needs of a configuration."""

    @property
    def organisation(self) -> Organisation: ...  # noqa: D102
    @property
    def sources(self) -> Mapping[str, Source]: ...  # noqa: D102


class Publisher(Protocol):
    """Where the collection tells what happened: the bus."""

    def publish(self, events: Iterable[Event]) -> None: ...  # noqa: D102


@dataclass(slots=True)
class _Lane:
    """The jobs of one source that are due, and how many workers are at it."""

    waiting: deque[Job] = field(default_factory=deque)
    active: int = 0


class Collection:
    """Owns schedule and runs. Build, ``await start()``, and ``await stop()`` in the end.

    ``deliver`` takes a harvest and returns when it is durable. ``records`` keeps the streams.
    ``checkpoints`` are those committed before, by job key. ``isolated`` are the plugins that run in worker processes
    of their own, with their origins (``Plugins.isolated``).
    """

    def __init__(
        self,
        configuration: Configuration,
        collectors: Mapping[str, type[Collector]],
        *,
        deliver: Deliver,
        bus: Publisher,
        records: Records,
        period_at: PeriodAt,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        checkpoints: Mapping[str, Mapping[str, Any]] | None = None,
        isolated: Mapping[str, str] | None = None,
        scheduler: AsyncIOScheduler | None = None,
    ) -> None:
        """``scheduler``: one that the caller starts and stops; without it the collection has its own."""
        self._own_scheduler = scheduler is None
        self._scheduler = scheduler or AsyncIOScheduler(timezone=UTC)
        self._armed: datetime | None = None
        self._arming = self._handing = False
        self._bus = bus
        self._period_at = period_at
        self._clock = clock
        self._isolated = isolated or {}
        self._sources = LiveSources()
        self._asking = Asking(self._sources, deliver, records, checkpoints or {})
        self._agenda = Agenda()
        self._jobs: dict[str, Job] = {}
        self._by_source: dict[str, list[Job]] = {}
        self._lanes: dict[str, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._collectors = collectors
        self._configuration = configuration
        self._watch = LoopWatch(clock, self._jumped)

    @property
    def closed(self) -> str:
        """Why nothing is asked for now, for people; empty: all is."""
        return self._asking.closed

    @closed.setter
    def closed(self, why: str) -> None:
        self._asking.closed = why

    async def start(self) -> None:
        """Open the sources and begin; returns at once."""
        await self.reload(self._configuration, self._collectors)
        calm_collector()
        if self._own_scheduler:
            self._scheduler.start()
        self._spawn(self._watch.run())

    async def stop(self) -> None:
        """End running collections and close all connections. What was not delivered is collected at the next start."""
        if self._own_scheduler and self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        elif self._scheduler.get_job(_SCHEDULED):
            self._scheduler.remove_job(_SCHEDULED)
        self._arming = True  # nothing is scheduled any more
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_STOPPING)
        await self._sources.close()

    async def reload(
        self,
        configuration: Configuration,
        collectors: Mapping[str, type[Collector]],
        isolated: Mapping[str, str] | None = None,
    ) -> None:
        """Take over a new configuration: what did not change goes on undisturbed. ``isolated`` None: as before."""
        self._isolated = self._isolated if isolated is None else isolated
        renewed = await self._sources.open(configuration.sources, collectors, self._isolated)
        fresh = jobs_of(configuration.organisation, configuration.sources)
        for key, job in self._jobs.items():
            if key in fresh:
                job.kpis = fresh[key].kpis
                fresh[key] = job
            else:
                self._agenda.remove(job)
        added = [job for key, job in fresh.items() if key not in self._jobs]
        self._jobs, self._configuration, self._collectors = fresh, configuration, collectors
        self._by_source = {}
        for job in fresh.values():
            self._by_source.setdefault(job.source, []).append(job)
        self._agenda.start(added, self._clock())
        for name in renewed:  # another plugin or configuration: what failed may work now
            self.run_now(name)
        self._wake()

    def run_now(self, source: str) -> int:
        """Ask for a run of everything of a source, at once; how many jobs that is."""
        return self._ask(source, None)

    def trigger(self, source: str, event_time: datetime | None = None) -> int:
        """A webhook came: run everything of its source soon; those that come meanwhile are answered by the same run."""
        return self._ask(source, event_time or self._clock())

    def _ask(self, source: str, event_time: datetime | None) -> int:
        jobs = self._by_source.get(source, [])
        self._spawn(self._ask_all(jobs, self._clock(), event_time))
        return len(jobs)

    async def _ask_all(self, jobs: list[Job], now: datetime, event_time: datetime | None) -> None:
        for start in range(0, len(jobs), _HELPING):
            for job in jobs[start : start + _HELPING]:
                self._agenda.ask(job, now, event_time=event_time)
            self._wake()
            await asyncio.sleep(0)

    async def collect_past(self, job: Job, period: Period) -> RunResult:
        """One run about a past period, its readings delivered: for back-fill. Never raises."""
        return await self._asking.ask(job, period, self._clock(), None)

    async def open_sources(self) -> None:
        """Open the sources without any schedule, for a back-fill by itself; ``stop`` closes them."""
        await self._sources.open(self._configuration.sources, self._collectors, self._isolated)
        self._jobs = jobs_of(self._configuration.organisation, self._configuration.sources)

    def next_runs(self) -> list[Job]:
        """All jobs, the next one first; to be looked at only."""
        last = datetime.max.replace(tzinfo=UTC)
        return sorted(self._jobs.values(), key=lambda job: job.due or last)

    @property
    def stall(self) -> float:
        """The longest stall of the event loop in the last minute, seconds."""
        return self._watch.stall

    def _jumped(self, seconds: float) -> None:
        _log.warning("the clock jumped: the schedule is computed anew", seconds=round(seconds, 1))
        self._agenda.rebase(self._jobs.values(), self._clock(), self._period_at)
        self._wake()

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _wake(self) -> None:
        """Something changed when the next job is due: arm the scheduler once for all that changes in this turn."""
        if not self._arming:
            self._arming = True
            asyncio.get_running_loop().call_soon(self._arm)

    def _arm(self) -> None:
        self._arming = False
        due = self._agenda.next_due()
        if due is None or due == self._armed or self._handing:
            return
        self._armed = due
        self._scheduler.add_job(
            self._begin, "date", run_date=due, id=_SCHEDULED, replace_existing=True, misfire_grace_time=None,
            max_instances=10,  # one that is armed while another begins is no reason for a warning
        )  # fmt: skip

    async def _begin(self) -> None:
        """The scheduler's job: over at once, so that none is ever skipped or cancelled under way."""
        self._armed = None
        if not self._handing:
            self._spawn(self._hand_out())

    async def _hand_out(self) -> None:
        """Hand out what is due, in helpings that let other tasks have their turn."""
        self._handing = True  # what becomes due meanwhile is taken here, too
        while taken := self._agenda.take(self._clock(), _HELPING):
            for job in taken:
                self._enqueue(job)
            await asyncio.sleep(0)
        self._handing = False
        self._wake()

    def _enqueue(self, job: Job) -> None:
        lane = self._lanes.setdefault(job.source, _Lane())
        lane.waiting.append(job)
        live = self._sources.get(job.source)
        if lane.active < (live.source.concurrency if live else 1):
            lane.active += 1
            self._spawn(self._work(lane))

    async def _work(self, lane: _Lane) -> None:
        try:
            while lane.waiting:
                job = lane.waiting.popleft()
                await self._run(job)
                await asyncio.sleep(0)
        finally:
            lane.active -= 1

    async def _run(self, job: Job) -> None:
        """One job: every period that it is about, then its next date and the news of it."""
        now = job.started = self._clock()
        event_time, job.event_time = job.event_time, None
        loop = asyncio.get_running_loop()
        begun, requests, readings = loop.time(), 0, 0
        error: SourceError | None = None
        job.settle = self._asking.settle(job)
        for period in periods_due(job, now, self._period_at):
            try:
                result = await self._asking.ask(job, period, now, event_time)
            except Exception as failure:  # noqa: BLE001 - the worker must live on
                _log.error("a collection failed in an unexpected way", source=job.source, error=repr(failure))
                result = RunResult(error=as_source_error(failure))
            requests += result.requests
            readings += len(result.readings)
            error = error or result.error
            final = all(reading.completeness is not Completeness.PROVISIONAL for reading in result.readings)
            if result.error is None and job.window is None and period.end <= now and final:
                job.closed = period.label
        finished, duration = self._clock(), loop.time() - begun
        self._agenda.finished(job, finished, error, self._period_at)
        event = event_of(job, finished, error, duration=duration, readings=readings, requests=requests)
        if self._jobs.get(job.key) is job:
            if not self.closed:  # what keeps all of them from asking is no news of any
                log(job, event)
            self._bus.publish([event])
        else:  # a reload took it off meanwhile: nobody asks how it went
            self._agenda.remove(job)
        self._wake()
