"""Back-fill: collecting past periods as they would have been collected then, resumable after an interruption."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bsc_monitor.collect.agenda import Job, PeriodAt
from bsc_monitor.collect.run import RunResult
from bsc_monitor.model.period import Period
from bsc_monitor.plugin import CollectorError

_TRIES = 4  #: of a run whose source asks for patience
_LASTING = frozenset({CollectorError.AUTH, CollectorError.PERMISSION, CollectorError.CONFIG, CollectorError.PLUGIN})
_LONGEST_WAIT = 600.0  #: seconds; a source that asks for more is given up for this time


@dataclass(frozen=True, slots=True)
class PastRun:
    """One question about one past period."""

    job: Job
    period: Period

    @property
    def key(self) -> str:
        """What marks it as done."""
        return f"{self.job.key}@{self.period.label}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a past run ended; ``readings`` None: it was left out because its source had failed for good."""

    run: PastRun
    readings: int | None
    error: str = ""


def past_runs(
    jobs: Iterable[Job], start: datetime, now: datetime, period_at: PeriodAt, done: Collection[str] = ()
) -> list[PastRun]:
    """The closed periods of every job from ``start`` on that are not ``done``, the oldest first.

    Trailing windows have no past of their own; their jobs are left out.
    """
    runs: list[PastRun] = []
    for job in jobs:
        if job.window is not None:
            continue
        period = period_at(start, job.kind, job.calendar)
        while period.end <= now:
            run = PastRun(job, period)
            if run.key not in done:
                runs.append(run)
            period = period_at(period.end, job.kind, job.calendar)
    return sorted(runs, key=lambda run: (run.period.end, run.job.source))


async def backfill(
    runs: Iterable[PastRun],
    collect: Callable[[Job, Period], Awaitable[RunResult]],
    finished: Callable[[Outcome], Awaitable[None]],
    *,
    at_once: int = 2,
) -> None:
    """Do past runs, ``at_once`` for each source, and tell of each when its readings are durable.

    A source that does not accept its credentials is left alone from then on. One that asks for patience
    is given it.
    """
    lanes: dict[str, deque[PastRun]] = {}
    for run in runs:
        lanes.setdefault(run.job.source, deque()).append(run)
    failed: dict[str, str] = {}

    async def work(source: str) -> None:
        lane = lanes[source]
        while lane:
            run = lane.popleft()
            if source in failed:
                await finished(Outcome(run, None, failed[source]))
                continue
            result = await _patiently(run, collect)
            error = result.error
            if error is not None and error.reason is CollectorError.AUTH:
                failed[source] = error.message
            await finished(Outcome(run, len(result.readings), f"{error.message} {error.hint}".strip() if error else ""))

    async with asyncio.TaskGroup() as group:
        for source in lanes:
            for _ in range(at_once):
                group.create_task(work(source))


async def _patiently(run: PastRun, collect: Callable[[Job, Period], Awaitable[RunResult]]) -> RunResult:
    for attempt in range(_TRIES):
        result = await collect(run.job, run.period)
        error = result.error
        if error is None or error.reason in _LASTING or attempt == _TRIES - 1:
            return result
        wait = error.retry_after if error.retry_after is not None else 2.0**attempt
        if wait > _LONGEST_WAIT:
            return result
        await asyncio.sleep(wait)
    return result


def default_start(now: datetime, months: int = 18) -> datetime:
    """The instant so many months back, roughly: periods are found from it."""
    return now - timedelta(days=30.44 * months)
