"""Back-filling inside the running service: on the first start over a sandbox, and when asked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from bsc_monitor import crash
from bsc_monitor.bus import Bus
from bsc_monitor.collect.backfill import Outcome, PastRun, backfill, default_start, past_runs
from bsc_monitor.collect.schedule import Collection
from bsc_monitor.model.event import CollectorFailed, CollectorRan, ConfigReloaded
from bsc_monitor.score.periods import period_at
from bsc_monitor.store import Store
from bsc_monitor.store.records import ScopeKey, load_checkpoints, save_checkpoint
from bsc_monitor.store.schema import RECORDS
from bsc_monitor.web.operations import Progress, Rejected

if TYPE_CHECKING:
    from bsc_monitor.service.service import Service

_log = structlog.get_logger(__name__)
STREAM = "backfill"  #: under which what is done is kept


async def remaining(
    store: Store, collection: Collection, start: datetime, now: datetime, subject: str | None = None
) -> list[PastRun]:
    """The past runs since ``start`` that were not done yet: of a source or KPI, or of all."""
    jobs = [
        job
        for job in collection.next_runs()
        if subject is None or job.source == subject or any(kpi.name == subject for kpi in job.kpis)
    ]
    done = await store.read(lambda connection: load_checkpoints(connection, RECORDS, STREAM))
    return past_runs(jobs, start, now, period_at, {key for key, data in done.items() if data.get("done")})


async def fill(store: Store, collection: Collection, runs: list[PastRun], told: Callable[[Outcome], None]) -> None:
    """Do past runs; each that succeeded is marked, so that the next back-fill goes on where this one ended."""

    async def finished(outcome: Outcome) -> None:
        if not outcome.error:
            crash.point("filled")
            key = ScopeKey(outcome.run.job.source, STREAM, outcome.run.key)
            await store.write(lambda connection: save_checkpoint(connection, RECORDS, key, {"done": True}))
        told(outcome)

    await backfill(runs, collection.collect_past, finished)


async def every_job_ran(bus: Bus, collection: Collection) -> None:
    """Wait until every job that there is ran once: people look at today before they look back."""
    ran = asyncio.Event()
    jobs = collection.next_runs()

    def look(event: object) -> None:
        if isinstance(event, ConfigReloaded):  # some may have left that never ran
            jobs[:] = collection.next_runs()
        if all(job.ended is not None for job in jobs):
            ran.set()

    ends = [bus.subscribe(kind, look) for kind in (CollectorRan, CollectorFailed, ConfigReloaded)]
    look(None)
    await ran.wait()
    for end in ends:
        end()


class Past:
    """The service's own back-fill: with a sandbox, history is part of what there is to see; else when asked for."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._task: asyncio.Task[None] | None = None
        self.progress = Progress()

    async def resume(self) -> None:
        """Begin, or go on with, the sandbox's history."""
        if self._service.configuration.sandbox is not None:
            await self._begin(default_start(self._service.clock()), None)

    async def ask(self, subject: str, start: datetime) -> int:
        """Collect the past of a source or KPI; how many runs that takes. Raises Rejected while one is under way."""
        if self._task is not None and not self._task.done():
            raise Rejected("the past is being collected already")
        return await self._begin(start, subject)

    async def _begin(self, start: datetime, subject: str | None) -> int:
        service = self._service
        runs = await remaining(service.store, service.collection, start, service.clock(), subject)
        if runs:
            self.progress = Progress(running=True, total=len(runs))
            self._task = asyncio.create_task(self._run(runs))
        return len(runs)

    async def _run(self, runs: list[PastRun]) -> None:
        def told(outcome: Outcome) -> None:
            known = self.progress
            self.progress = replace(
                known, done=known.done + 1, failed=known.failed + bool(outcome.error),
                first_failure=known.first_failure or outcome.error,
            )  # fmt: skip

        await every_job_ran(self._service.bus, self._service.collection)
        _log.info("collecting the past", runs=len(runs))
        self._service.improving.hold(held=True)
        try:
            await fill(self._service.store, self._service.collection, runs, told)
            await self._service.evaluator.date_back()
        finally:
            self._service.improving.hold(held=False)
            self.progress = replace(self.progress, running=False)
        known = self.progress
        _log.info("the past is collected", runs=known.done, failed=known.failed, first_failure=known.first_failure)

    async def stop(self) -> None:
        """Interrupt it; the next start goes on with it."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
