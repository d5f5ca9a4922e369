"""When what is to be collected: pure bookkeeping over a heap of due times; the clock is a parameter.

A job is one question to one source that any number of KPIs share. Everything is computed from the wall clock at the
moment of asking, so missed runs coalesce by themselves and a jump of the clock needs ``rebase`` alone.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import math
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bsc_monitor.model.cron import next_fire
from bsc_monitor.model.organisation import Kpi, LiveProgress, Organisation, Schedule
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import CollectorError, SourceError

DEFAULT_EVERY = timedelta(hours=1)
_SETTLED_WITHIN = timedelta(days=1)  #: of a settle delay, the value is to be taken once more
_SET_BACK = timedelta(hours=25)  #: by more than this a clock is not set back, but set right
_LASTING = frozenset({CollectorError.AUTH, CollectorError.PERMISSION, CollectorError.CONFIG})

PeriodAt = Callable[[datetime, PeriodKind, Calendar], Period]


@dataclass(slots=True, eq=False)
class Job:
    """One question: a measure with its parameters over one kind of period, asked on one schedule."""

    key: str
    source: str
    measure: str
    params: Mapping[str, Any]
    kind: PeriodKind
    window: timedelta | None
    calendar: Calendar
    schedule: Schedule
    kpis: list[Kpi] = field(default_factory=list)
    initiatives: list[str] = field(default_factory=list)  #: ids of those whose progress this asks for
    due: datetime | None = None
    slot: datetime | None = None  #: of a cron job: the date that its last run was for
    started: datetime | None = None  #: of the last run
    ended: datetime | None = None  #: the last run, however it went
    succeeded: datetime | None = None
    error: SourceError | None = None  #: of the last run
    failures: int = 0  #: in a row
    running: bool = False
    again: bool = False  #: asked for while running
    asked_at: datetime | None = None  #: of a webhook or a person: nothing older will do
    event_time: datetime | None = None  #: of the first webhook not yet answered
    closed: str | None = None  #: label of the last period whose final value was taken
    settle: timedelta = timedelta()  #: how long after a period's end the source may restate it
    logged: set[str] = field(default_factory=set)  #: what the log said of its errors since it last succeeded

    @property
    def by(self) -> tuple[str, ...]:
        """The breakdown dimensions that any of its KPIs wants."""
        return tuple(dict.fromkeys(dimension for kpi in self.kpis for dimension in kpi.by))

    @property
    def grace(self) -> timedelta:
        """How long after a period's end its value may still be taken."""
        return max((kpi.grace for kpi in self.kpis), default=timedelta(days=1))

    @property
    def every(self) -> timedelta:
        """Its interval; of a cron job, a day."""
        return self.schedule.every or timedelta(days=1)


def jobs_of(organisation: Organisation, sources: Mapping[str, Source]) -> dict[str, Job]:
    """The jobs of an organisation by key. KPIs with the same source, measure, parameters, period and schedule share one."""
    jobs: dict[str, Job] = {}
    for kpi in organisation.kpis.values():
        if kpi.source is None or kpi.measure is None or kpi.source not in sources:
            continue
        calendar = organisation.scorecards[kpi.scorecard].calendar
        schedule = kpi.schedule or sources[kpi.source].schedule
        if schedule.every is None and schedule.cron is None:
            schedule = Schedule(every=DEFAULT_EVERY)
        period = "" if kpi.window else f"{kpi.period.value}/{calendar.fiscal_year_start}"
        parts = [
            kpi.source, kpi.measure, json.dumps(dict(kpi.params), sort_keys=True, default=str), period,
            str(kpi.window), str(schedule.every), str(schedule.cron), repr(calendar),
        ]  # fmt: skip
        key = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]
        if key not in jobs:
            jobs[key] = Job(key, kpi.source, kpi.measure, kpi.params, kpi.period, kpi.window, calendar, schedule)
        jobs[key].kpis.append(kpi)
    for job in _progress_jobs(organisation, sources):
        jobs[job.key] = job
    return jobs


def _progress_jobs(organisation: Organisation, sources: Mapping[str, Source]) -> Iterable[Job]:
    """Jobs that ask how far initiatives are, on the schedules of their sources."""
    calendar = next((card.calendar for card in organisation.scorecards.values()), Calendar())
    for initiative in organisation.initiatives.values():
        asked = initiative.progress
        if not isinstance(asked, LiveProgress) or asked.source not in sources:
            continue
        schedule = sources[asked.source].schedule
        if schedule.every is None and schedule.cron is None:
            schedule = Schedule(every=DEFAULT_EVERY)
        key = hashlib.sha256(f"progress\0{initiative.id}\0{asked!r}\0{schedule!r}".encode()).hexdigest()[:24]
        yield Job(
            key, asked.source, asked.measure, asked.params, PeriodKind.DAY, timedelta(days=1), calendar, schedule,
            initiatives=[initiative.id],
        )  # fmt: skip


class Agenda:
    """The heap of due times. ``chance`` gives jitter, in [0, 1)."""

    start_gap, longest_spread = timedelta(milliseconds=20), timedelta(seconds=30)
    coalesce = timedelta(milliseconds=300)  #: how long webhooks are gathered before a run

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._heap: list[tuple[datetime, int, Job]] = []
        self._number = 0

    def start(self, jobs: Iterable[Job], now: datetime) -> None:
        """Enter jobs at the service's start: each soon, but spread, so that 1,000 KPIs do not stampede."""
        entered = list(jobs)
        gap = min(self.start_gap, self.longest_spread / max(1, len(entered)))
        for number, job in enumerate(entered):
            self._put(job, now + number * gap)

    def next_due(self) -> datetime | None:
        """When the next job is due; None with nothing to do."""
        self._drop_outdated()
        return self._heap[0][0] if self._heap else None

    def take(self, now: datetime, most: int) -> list[Job]:
        """Up to ``most`` jobs that are due; each is marked as running until ``finished``."""
        taken: list[Job] = []
        while len(taken) < most:
            self._drop_outdated()
            if not self._heap or self._heap[0][0] > now:
                break
            _, _, job = heapq.heappop(self._heap)
            job.slot, job.due, job.running = job.due, None, True
            taken.append(job)
        return taken

    def ask(self, job: Job, now: datetime, *, event_time: datetime | None = None) -> None:
        """Ask for a run beyond the schedule: by a person at once, by a webhook (``event_time``) with those that follow."""
        job.asked_at = now
        if event_time is not None:
            job.event_time = min(event_time, job.event_time or event_time)
        if job.running:
            job.again = True
            return
        at = now if event_time is None else now + self.coalesce
        if job.due is None or job.due > at:
            self._put(job, at)

    def finished(self, job: Job, now: datetime, error: SourceError | None, period_at: PeriodAt) -> None:
        """A run ended: enter the next one; after a failure, with growing distance."""
        job.running, job.error, job.ended = False, error, now
        if error is None:
            job.failures, job.succeeded = 0, now
            due = self._next(job, now, period_at)
        else:
            job.failures += 1
            due = now + self._back_off(job, error)
        if job.again:
            job.again = False
            due = now + self.coalesce if error is None or due is None else due
        self._put(job, due)

    def rebase(self, jobs: Iterable[Job], now: datetime, period_at: PeriodAt) -> None:
        """The clock jumped: compute every due time anew. A failing job is tried again within its interval.

        What fell due in the time that was leapt over is due now: a daily job has its run on that day, too.
        """
        for job in jobs:
            job.started = None  # a time of the old clock says nothing
            if not job.running:
                missed = job.schedule.cron is not None and job.due is not None and job.due <= now
                self._put(job, now if missed else self._next(job, now, period_at))

    def remove(self, job: Job) -> None:
        """Take a job off the agenda."""
        job.due = None

    def _put(self, job: Job, due: datetime | None) -> None:
        job.due = due
        if due is not None:
            self._number += 1
            heapq.heappush(self._heap, (due, self._number, job))

    def _drop_outdated(self) -> None:
        while self._heap and self._heap[0][2].due != self._heap[0][0]:
            heapq.heappop(self._heap)

    def _next(self, job: Job, now: datetime, period_at: PeriodAt) -> datetime | None:
        if job.schedule.cron is not None:
            # where the clock was set back, the run of a date that comes again was done already
            done = job.slot if job.slot is not None and now < job.slot < now + _SET_BACK else now
            due = next_fire(job.schedule.cron, job.calendar.timezone, done)
        else:
            due = self._next_interval(job, now)
        if job.window is None:  # one run shortly after the period's end, for its final value
            period = period_at(now, job.kind, job.calendar)
            delay = min(job.grace / 10, timedelta(minutes=10)) * (0.5 + _phase(job) / 2)
            after_end = period.end + delay
            due = after_end if due is None else min(due, after_end)
        return due

    def _next_interval(self, job: Job, now: datetime) -> datetime:
        """The job's own phase of the interval, so that jobs of one interval stay spread; never twice within half of it."""
        seconds = max(job.every.total_seconds(), 1.0)
        offset = _phase(job) * seconds
        number = math.floor((now.timestamp() - offset) / seconds) + 1
        due = datetime.fromtimestamp(number * seconds + offset, now.tzinfo)
        if job.started is not None and timedelta() <= due - job.started < job.every / 2:
            due += job.every
        return due + self._chance() * min(0.05 * job.every, timedelta(seconds=30))

    def _back_off(self, job: Job, error: SourceError) -> timedelta:
        """30 s, doubled with every failure up to the interval or an hour; what only a person can mend waits 5 min at first."""
        first = timedelta(minutes=5) if error.reason in _LASTING else timedelta(seconds=30)
        longest = max(min(job.every, timedelta(hours=6)), timedelta(hours=1))
        wait = min(first * 2.0 ** min(job.failures - 1, 16), longest)
        asked = timedelta(seconds=error.retry_after or 0.0)
        return max(wait * (1 + 0.1 * self._chance()), asked)


def periods_due(job: Job, now: datetime, period_at: PeriodAt) -> list[Period]:
    """The periods that a run is about: the running one, before it the last one while its final value is wanting."""
    if job.window is not None:
        return [Period(now - job.window, now)]
    current = period_at(now, job.kind, job.calendar)
    last = period_at(current.start - timedelta(seconds=1), job.kind, job.calendar)
    wanting = job.closed != last.label and now < last.end + max(job.grace, job.settle + _SETTLED_WITHIN)
    return [last, current] if wanting else [current]


def _phase(job: Job) -> float:
    return int(job.key[:8], 16) / 2**32
