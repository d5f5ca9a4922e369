"""The collection: asks every source on schedule, hands readings over, and tells what happened.

APScheduler holds one job for the next due time of the agenda's heap, and each source has a few workers of its own. So
10,000 jobs due at one instant are taken in small helpings that never stall the loop (as many APScheduler jobs were seen
to stall it for 283 ms), and a source that hangs delays itself alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bsc_monitor.collect.agenda import Agenda, Job, PeriodAt, jobs_of, periods_due
from bsc_monitor.collect.context import seconds_of
from bsc_monitor.collect.guard import as_source_error, calm_collector
from bsc_monitor.collect.harvest import Harvest, readings_for, share_of
from bsc_monitor.collect.isolate import Worker
from bsc_monitor.collect.live import LiveSource, open_source
from bsc_monitor.collect.run import Records, RunResult, run_measure
from bsc_monitor.collect.watch import LoopWatch
from bsc_monitor.model.event import CollectorFailed, CollectorRan, Event
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.period import Period
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import Collector, CollectorError, Completeness, SourceError

_log = structlog.get_logger(__name__)
_HELPING = 100  #: jobs handed to workers between two turns of other tasks
_SCHEDULED = "collect"  #: id of the scheduler's job
_NOT_LOADED = "the plugin {} is not loaded; bsc-monitor check says why"
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
        deliver: Callable[[Harvest], Awaitable[None]],
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
        self._deliver = deliver
        self._bus = bus
        self._records = records
        self._period_at = period_at
        self._clock = clock
        self._checkpoints = {key: dict(value) for key, value in (checkpoints or {}).items()}
        self._isolated = isolated or {}
        self._workers: dict[str, tuple[type[Collector], Worker]] = {}
        self._agenda = Agenda()
        self._jobs: dict[str, Job] = {}
        self._by_source: dict[str, list[Job]] = {}
        self._live: dict[str, LiveSource | SourceError] = {}
        self._lanes: dict[str, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._collectors = collectors
        self._configuration = configuration
        self._watch = LoopWatch(clock, self._jumped)
        self.closed = ""  #: why nothing is asked for now, for people; empty: all is

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
        for live in self._live.values():
            if isinstance(live, LiveSource):
                await live.client.close()
        self._live.clear()
        for _, worker in self._workers.values():
            await worker.close()

    async def reload(
        self,
        configuration: Configuration,
        collectors: Mapping[str, type[Collector]],
        isolated: Mapping[str, str] | None = None,
    ) -> None:
        """Take over a new configuration: what did not change goes on undisturbed. ``isolated`` None: as before."""
        self._isolated = self._isolated if isolated is None else isolated
        before = dict(self._live)
        await self._reopen(configuration.sources, collectors)
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
        for name in before.keys() & self._live.keys():
            if self._live[name] is not before[name]:  # another plugin or configuration: what failed may work now
                self.run_now(name)
        self._wake()

    async def _reopen(self, sources: Mapping[str, Source], collectors: Mapping[str, type[Collector]]) -> None:
        old, self._live = self._live, {}
        for name, source in sources.items():
            known = old.get(name)
            cls = collectors.get(source.plugin)
            if isinstance(known, LiveSource) and known.source == source and self._collectors.get(source.plugin) is cls:
                self._live[name] = old.pop(name)
                continue
            try:
                if cls is None:
                    raise SourceError(_NOT_LOADED.format(source.plugin), CollectorError.CONFIG)  # noqa: TRY301
                self._live[name] = open_source(source, cls, worker=await self._worker(source.plugin, cls))
            except SourceError as error:
                self._live[name] = error
        for live in old.values():
            if isinstance(live, LiveSource):
                await live.client.close()

    async def _worker(self, plugin: str, cls: type[Collector]) -> Worker | None:
        """The worker of a plugin that is not trusted; a new one when its file was read anew."""
        if plugin not in self._isolated:
            return None
        known, worker = self._workers.get(plugin, (None, None))
        if known is not cls:
            if worker is not None:
                await worker.close()
            worker = Worker(plugin, self._isolated[plugin])
            self._workers[plugin] = (cls, worker)
        return worker

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
        return await self._collect(job, period, self._clock(), None)

    async def open_sources(self) -> None:
        """Open the sources without any schedule, for a back-fill by itself; ``stop`` closes them."""
        await self._reopen(self._configuration.sources, self._collectors)
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
        live = self._live.get(job.source)
        if lane.active < (live.source.concurrency if isinstance(live, LiveSource) else 1):
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
        job.settle = self._settle(job)
        for period in periods_due(job, now, self._period_at):
            try:
                result = await self._collect(job, period, now, event_time)
            except Exception as failure:  # noqa: BLE001 - the worker must live on
                _log.error("a collection failed in an unexpected way", source=job.source, error=repr(failure))
                result = RunResult(error=as_source_error(failure))
            requests += result.requests
            readings += len(result.readings)
            error = error or result.error
            final = all(reading.completeness is not Completeness.PROVISIONAL for reading in result.readings)
            if result.error is None and job.window is None and period.end <= now and final:
                job.closed = period.label
        finished = self._clock()
        self._agenda.finished(job, finished, error, self._period_at)
        if self._jobs.get(job.key) is not job:
            self._agenda.remove(job)
        self._wake()
        duration = loop.time() - begun
        event: Event
        if error is None:
            event = CollectorRan(finished, job.source, job.measure, duration, readings, requests, job.due)
        else:
            words = f"{error.message} {error.hint}".strip()
            event = CollectorFailed(finished, job.source, job.measure, duration, error.reason, words, requests, job.due)
        self._bus.publish([event])

    def _settle(self, job: Job) -> timedelta:
        live = self._live.get(job.source)
        measure = live.measures.get(job.measure) if isinstance(live, LiveSource) else None
        return seconds_of(measure.settle) if measure and measure.settle else timedelta()

    async def _collect(self, job: Job, period: Period, now: datetime, event_time: datetime | None) -> RunResult:
        if self.closed:
            return RunResult(error=SourceError(self.closed, CollectorError.TRANSIENT))
        live = self._live.get(job.source)
        if not isinstance(live, LiveSource):
            return RunResult(error=live or SourceError(f"there is no source {job.source!r}", CollectorError.CONFIG))
        result = await run_measure(
            live, job.measure, job.params, period=period, now=now, calendar=job.calendar, records=self._records,
            by=job.by, checkpoint=self._checkpoints.get(job.key), fresh_since=_fresh_since(job, now),
        )  # fmt: skip
        if result.error is not None:
            return result
        items = tuple((kpi, reading) for kpi in job.kpis for reading in readings_for(kpi, result.readings))
        unit = live.measures[job.measure].unit
        total = next((each.value for each in result.readings if not each.labels and each.value is not None), None)
        progress = {} if total is None else dict.fromkeys(job.initiatives, total * share_of(unit))
        harvest = Harvest(job.source, job.measure, unit, now, items, event_time, job.key, result.checkpoint, progress)
        try:
            await self._deliver(harvest)
        except SourceError as refused:
            return replace(result, error=refused)
        except Exception as failure:  # noqa: BLE001 - whatever is wrong with the store, the readings come again
            _log.error("readings could not be stored", source=job.source, measure=job.measure, error=repr(failure))
            words = f"the readings could not be stored ({type(failure).__name__}); they will be collected again"
            return replace(result, error=SourceError(words, CollectorError.TRANSIENT))
        self._checkpoints[job.key] = dict(result.checkpoint)
        return result


def _fresh_since(job: Job, now: datetime) -> datetime:
    """How old a stream's last fetch may be to serve this run too: half an interval, but nothing older than a request."""
    asked, job.asked_at = job.asked_at, None
    tolerated = now - min(job.every / 2, _FRESH)
    return tolerated if asked is None else max(asked, tolerated)


_FRESH = Agenda.longest_spread * 2
