"""The whole line, from a reading's arrival to a durable commit and a fetched ``/metrics``: ``python -m benchmarks.line``."""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from aiohttp import web
from benchmarks.organisation import organisation

from bsc_monitor.bus import Bus
from bsc_monitor.collect.guard import calm_collector
from bsc_monitor.collect.harvest import Harvest
from bsc_monitor.config.settings import Configuration
from bsc_monitor.current import Current
from bsc_monitor.evaluate import Evaluator
from bsc_monitor.export.metrics import Metrics
from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.plugin import Reading
from bsc_monitor.store import Store
from bsc_monitor.store.readings import save_readings

NOW = datetime.now(UTC)


class Line:
    """Evaluator, store, bus and metrics over ``kpis`` KPIs; no collector, no board."""

    def __init__(self, folder, kpis):
        self.configuration = Configuration(organisation=organisation(kpis))
        self.store = Store.open(f"sqlite:///{Path(folder) / 'bench.db'}")
        self.bus = Bus()
        self.current = Current(self.bus, self.configuration.organisation)
        self.metrics = Metrics(self.bus, self.current, "bench")
        self.evaluator = Evaluator(self.store, self.bus, self.configuration)
        self.kpis = list(self.configuration.organisation.kpis.values())
        self.month = Period(
            NOW.replace(day=1, hour=0, minute=0, second=0, microsecond=0),
            NOW + timedelta(days=30),
            PeriodKind.MONTH,
            "now",
        )

    def harvest(self, readings):
        return Harvest("bench", "value", "%", datetime.now(UTC), tuple(readings))


async def stored(line, rounds=5):
    """Readings a second that become durable where nothing is judged: 10,000 in one commit, the disk synced."""
    speeds = []
    for _ in range(rounds):
        now = datetime.now(UTC)
        readings = [KpiReading(kpi.name, now, random.uniform(40, 90)) for kpi in line.kpis[:10_000]]
        begun = time.perf_counter()
        await line.store.write(lambda connection, kept=readings, at=now: save_readings(connection, kept, at))
        speeds.append(len(readings) / (time.perf_counter() - begun))
    return statistics.median(speeds)


async def burst(line, rounds=3):
    """Readings a second when one delivery brings one reading for each of 10,000 KPIs."""
    speeds = []
    for _ in range(rounds):
        at = datetime.now(UTC)
        items = [(kpi, Reading(random.uniform(40, 90), at=at)) for kpi in line.kpis[:10_000]]
        begun = time.perf_counter()
        await line.evaluator.deliver(line.harvest(items))
        speeds.append(len(items) / (time.perf_counter() - begun))
    return statistics.median(speeds)


async def singly(line, callers=64, count=4000):
    """Readings a second when each is delivered by itself, by so many callers that wait for their own."""
    left = iter(range(count))

    async def call():
        for number in left:
            kpi = line.kpis[number % len(line.kpis)]
            await line.evaluator.deliver(line.harvest([(kpi, Reading(random.uniform(40, 90)))]))

    begun = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(callers)))
    return count / (time.perf_counter() - begun)


async def visible(line, count=300):
    """Milliseconds from delivery to the value's being in a fetched ``/metrics`` (median, p99)."""
    app = web.Application()

    async def scrape(request):
        body, kind, encoding = await line.metrics.main.answer(
            request.headers.get("Accept", ""), request.headers.get("Accept-Encoding", "")
        )
        headers = {"Content-Type": kind} | ({"Content-Encoding": encoding} if encoding else {})
        return web.Response(body=body, headers=headers)

    app.router.add_get("/metrics", scrape)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/metrics"
    times = []
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        async with session.get(url, headers={"Accept-Encoding": "gzip"}) as reply:
            await reply.read()
        for number in range(count):
            kpi = line.kpis[number * 31 % len(line.kpis)]
            begun = time.perf_counter()
            await line.evaluator.deliver(line.harvest([(kpi, Reading(random.uniform(40, 90)))]))
            async with session.get(url, headers={"Accept-Encoding": "gzip"}) as reply:
                await reply.read()
            times.append((time.perf_counter() - begun) * 1000)
    await runner.cleanup()
    ordered = sorted(times)
    return statistics.median(times), ordered[int(len(ordered) * 0.99)]


def resident():
    """Resident memory of this process, MB."""
    return int(Path(f"/proc/{os.getpid()}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


async def measure(kpis):
    """Print the figures for one size."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        line = Line(folder, kpis)
        await line.evaluator.start()
        calm_collector()
        started = time.perf_counter() - begun
        memory = resident()
        alone_stored, fast = await stored(line), await burst(line)
        single, alone = await singly(line), await singly(line, callers=1, count=500)
        median, p99 = await visible(line)
        print(
            f"{kpis:>9,} KPIs | ready after {started:5.2f} s | {memory:6.0f} MB | stored {alone_stored:8,.0f}/s | whole line {fast:8,.0f}/s | "
            f"one by one {single:7,.0f}/s (64 callers) {alone:6,.0f}/s (1 caller) | seen in /metrics {median:5.1f} ms, p99 {p99:5.1f} ms"
        )
        line.store.close()


def main():
    """Measure some sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kpis", nargs="*", type=int, default=[1000, 10_000])
    for kpis in parser.parse_args().kpis:
        asyncio.run(measure(kpis))


if __name__ == "__main__":
    main()
