"""One question of a job about one period: asked, its readings addressed to the KPIs, and handed over until durable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bsc_monitor.collect.agenda import Agenda, Job
from bsc_monitor.collect.context import seconds_of
from bsc_monitor.collect.harvest import Harvest, readings_for, share_of
from bsc_monitor.collect.living import LiveSources
from bsc_monitor.collect.run import Records, RunResult, run_measure
from bsc_monitor.model.period import Period
from bsc_monitor.plugin import CollectorError, SourceError

_log = structlog.get_logger(__name__)
_FRESH = Agenda.longest_spread * 2

Deliver = Callable[[Harvest], Awaitable[None]]


class Asking:
    """Asks open sources, and remembers the checkpoints that were committed with their readings, by job key."""

    def __init__(
        self, sources: LiveSources, deliver: Deliver, records: Records, checkpoints: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._sources = sources
        self._deliver = deliver
        self._records = records
        self._checkpoints = {key: dict(value) for key, value in checkpoints.items()}
        self.closed = ""  #: why nothing is asked for now, for people; empty: all is

    def settle(self, job: Job) -> timedelta:
        """How long after a period's end the source may restate what the job asks for."""
        live = self._sources.get(job.source)
        measure = live.measures.get(job.measure) if live else None
        return seconds_of(measure.settle) if measure and measure.settle else timedelta()

    async def ask(self, job: Job, period: Period, now: datetime, event_time: datetime | None) -> RunResult:
        """Ask about a period; the readings are durable when there is no error. Never raises for the source's sake."""
        if self.closed:
            return RunResult(error=SourceError(self.closed, CollectorError.TRANSIENT))
        try:
            live = self._sources.demand(job.source)
        except SourceError as error:
            return RunResult(error=error)
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
        return await self._handed_over(
            result, Harvest(job.source, job.measure, unit, now, items, event_time, job.key, result.checkpoint, progress)
        )

    async def _handed_over(self, result: RunResult, harvest: Harvest) -> RunResult:
        try:
            await self._deliver(harvest)
        except SourceError as refused:
            return replace(result, error=refused)
        except Exception as failure:  # noqa: BLE001 - whatever is wrong with the store, the readings come again
            _log.error(
                "readings could not be stored", source=harvest.source, measure=harvest.measure, error=repr(failure)
            )
            words = f"the readings could not be stored ({type(failure).__name__}); they will be collected again"
            return replace(result, error=SourceError(words, CollectorError.TRANSIENT))
        self._checkpoints[harvest.key] = dict(result.checkpoint)
        return result


def _fresh_since(job: Job, now: datetime) -> datetime:
    """How old a stream's last fetch may be to serve this run too: half an interval, but nothing older than a request."""
    asked, job.asked_at = job.asked_at, None
    tolerated = now - min(job.every / 2, _FRESH)
    return tolerated if asked is None else max(asked, tolerated)
