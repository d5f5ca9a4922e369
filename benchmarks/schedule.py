"""10,000 jobs due at one instant: how long does the event loop stall, against APScheduler's own scheduler?"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bsc_monitor.collect.schedule import Collection
from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.model.organisation import Kpi, Organisation, Schedule, Scorecard
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import Collector, Context, Params, Reading, SourceConfig, measure

JOBS, SOURCES = 10_000, 20


class Nothing(Collector):
    """Answers at once, so that only the scheduling costs."""

    name = "nothing"

    class Number(Params):
        """Makes each KPI a job of its own."""

        n: int = 0

    @measure(unit="count", title="Nothing")
    async def nothing(self, ctx: Context, p: Number) -> Reading:
        """Zero."""
        return Reading(0.0)


async def _longest_stall(work: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """Longest stall while ``work`` runs, and how long it takes, in seconds."""
    worst, stop = 0.0, False

    async def watch() -> None:
        nonlocal worst
        last = time.perf_counter()
        while not stop:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            worst, last = max(worst, now - last - 0.001), now

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0.01)
    started = time.perf_counter()
    await work()
    took = time.perf_counter() - started
    stop = True
    await watching
    return worst, took


def _period_at(instant: datetime, kind: PeriodKind, _calendar: Calendar) -> Period:
    start = instant.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Period(start, (start + timedelta(days=32)).replace(day=1), kind, f"{start:%Y-%m}")


async def _ours() -> tuple[float, float]:
    sources = {
        f"s{n}": Source(f"s{n}", "nothing", SourceConfig(), schedule=Schedule(every=timedelta(hours=1)))
        for n in range(SOURCES)
    }
    kpis = {
        f"it/k{n}": Kpi(f"k{n}", "it", "p", "it/o", "", source=f"s{n % SOURCES}", measure="nothing", params={"n": n})
        for n in range(JOBS)
    }
    organisation = Organisation(scorecards={"it": Scorecard("it", "IT")}, kpis=kpis)
    runs, done = 0, asyncio.Event()

    class Bus:
        def publish(self, events: object) -> None:
            nonlocal runs
            runs += 1
            if runs >= JOBS:
                done.set()

    async def deliver(harvest: object) -> None: ...

    configuration = SimpleNamespace(organisation=organisation, sources=sources)
    collection = Collection(
        configuration,
        {"nothing": Nothing},
        deliver=deliver,
        bus=Bus(),
        records=TransientRecords(),
        period_at=_period_at,
    )
    await collection.start()

    async def work() -> None:
        for source in sources:
            collection.run_now(source)  # everything is due now
        await done.wait()

    result = await _longest_stall(work)
    await collection.stop()
    return result


async def _plain() -> tuple[float, float]:
    scheduler = AsyncIOScheduler(timezone=UTC)
    runs, done = 0, asyncio.Event()

    async def job() -> None:
        nonlocal runs
        runs += 1
        if runs >= JOBS:
            done.set()

    due = datetime.now(UTC) + timedelta(seconds=8)
    for _ in range(JOBS):
        scheduler.add_job(job, "date", run_date=due, misfire_grace_time=None)
    scheduler.start()
    gc.collect()
    gc.freeze()  # as the other side does
    await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() - 0.2))

    async def work() -> None:
        await done.wait()

    result = await _longest_stall(work)
    scheduler.shutdown(wait=False)
    return result


def run() -> list[dict[str, str]]:
    """One row for each scheduler: the longest stall of the loop, and the time until all jobs have run."""
    rows = []
    for name, measured in (("bsc-monitor (whole runs)", _ours), ("APScheduler 3.11 (empty jobs)", _plain)):
        stall, took = asyncio.run(measured())
        rows.append(
            {
                "scheduler": name,
                "jobs due at once": f"{JOBS:,}",
                "longest stall": f"{stall * 1000:.0f} ms",
                "all run after": f"{took:.2f} s",
            }
        )
    return rows


if __name__ == "__main__":
    for row in run():
        print(row)
