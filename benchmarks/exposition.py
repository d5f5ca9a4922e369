"""Rendering ``/metrics``: cached chunks against prometheus_client over the same gauges, in one run."""

import asyncio
import gc
import random
import shutil
import statistics
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest, start_http_server
from tests.servers import free_port, prometheus, wait_until

from bsc_monitor.export.exposition import Exposition
from bsc_monitor.export.families import KPI_LABELS, MAIN_FAMILIES
from bsc_monitor.export.text import line, pairs

SERIES = 100_000
FAMILY = "bsc_kpi_score"


def _labels(n):
    return ("it", "customer", f"objective{n % 500}", f"kpi{n}")


def _filled(count):
    exposition = Exposition(MAIN_FAMILIES)
    texts = [pairs(KPI_LABELS, _labels(n)) for n in range(count)]
    for n, labels in enumerate(texts):
        exposition.set(FAMILY, n, line(FAMILY, labels, n / 7))
    return exposition, texts


def _median(work, prepare=lambda: None, rounds=9):
    times = []
    for _ in range(rounds):
        prepare()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def run():
    """Rows of (what, measured, goal); times in milliseconds of the median round."""
    exposition, texts = _filled(SERIES)
    registry = CollectorRegistry()
    gauge = Gauge(FAMILY, "Score of the KPI, 0 to 100; absent when there is none.", KPI_LABELS, registry=registry)
    children = [gauge.labels(*_labels(n)) for n in range(SERIES)]
    for n, child in enumerate(children):
        child.set(n / 7)
    chance = random.Random(3)

    def change():
        for n in chance.sample(range(SERIES), SERIES // 100):
            value = chance.random()
            children[n].set(value)
            exposition.set(FAMILY, n, line(FAMILY, texts[n], value))

    peer = _median(lambda: generate_latest(registry), rounds=3)
    changed = _median(exposition.render, change)
    still = _median(exposition.render, rounds=99)
    packed = _median(lambda: exposition.render("", "gzip"), change)
    rows = [
        ("prometheus_client.generate_latest, 100,000 series", f"{peer * 1e3:.0f} ms", ""),
        ("the same, 1 % changed at random", f"{changed * 1e3:.1f} ms, {peer / changed:.0f} x", ">= 40 x"),
        ("the same, nothing changed", f"{still * 1e3:.4f} ms, {peer / still:.0f} x", ">= 100 x"),
        ("the same gzipped, 1 % changed at random (compressed off the loop)", f"{packed * 1e3:.0f} ms", ""),
    ]
    if shutil.which("prometheus"):
        rows += _scrapes(exposition, registry, change)
    return rows + _flatness()


SCRAPES = 4  #: the first, which fills Prometheus' index, is left out


def _scrapes(exposition, registry, change):
    """``scrape_duration_seconds`` as a real Prometheus has it of both, one after the other, 1 % changed before each."""
    durations = {}
    with _ours(exposition) as port:
        durations["cached chunks"] = _durations(port, change)
    port = free_port()
    server, thread = start_http_server(port, "127.0.0.1", registry)
    durations["prometheus_client"] = _durations(port, change)
    server.shutdown()
    server.server_close()
    thread.join()
    ratio = durations["prometheus_client"] / durations["cached chunks"]
    return [
        *(
            (f"scrape_duration_seconds of a real Prometheus, {name}", f"{each * 1e3:.0f} ms", "")
            for name, each in durations.items()
        ),
        ("the same, ratio (Prometheus' own parsing is in both)", f"{ratio:.1f} x", ""),
    ]


def _durations(port, change):
    config = f"""
global: {{scrape_interval: 15s, scrape_timeout: 15s}}
scrape_configs: [{{job_name: peer, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}]
"""
    query, found = 'scrape_duration_seconds{job="peer"} and on (job, instance) up == 1', {}
    with tempfile.TemporaryDirectory() as folder, prometheus(Path(folder), config) as server:

        def seen():
            for _, value in server.query(query):
                if value not in found:
                    found[value] = len(found)
                    change()
            return len(found) >= SCRAPES

        wait_until(seen, f"{SCRAPES} scrapes", seconds=300)
    return statistics.median(sorted(found, key=found.get)[1:])


@contextmanager
def _ours(exposition):
    """The exposition behind aiohttp, as the service serves it, in a thread."""
    loop = asyncio.new_event_loop()

    async def answer(request):
        wanted = (request.headers.get("Accept", ""), request.headers.get("Accept-Encoding", ""))
        body, kind, encoding = await exposition.answer(*wanted)
        more = {"Content-Encoding": encoding} if encoding else {}
        return web.Response(body=body, headers={"Content-Type": kind, **more})

    async def start():
        app = web.Application()
        app.router.add_get("/metrics", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return runner, port

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner, port = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield port
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _flatness():
    rows, costs = [], {}
    for count in (1_000, 1_000_000):
        exposition, texts = _filled(count)
        gc.collect()
        gc.freeze()
        places = random.Random(6).choices(range(count), k=20_000)

        def change(exposition=exposition, texts=texts, places=places):
            for n in places:
                exposition.set(FAMILY, n, line(FAMILY, texts[n], time.perf_counter()))

        costs[count] = _median(change, rounds=3) / len(places)
        rows.append((f"re-rendering one fragment of {count:,} KPIs", f"{costs[count] * 1e6:.2f} us", ""))
        gc.unfreeze()
    ratio = costs[1_000_000] / costs[1_000]
    return [*rows, ("ratio 1,000,000 : 1,000 KPIs", f"{ratio:.1f} x", "<= 3 x")]


if __name__ == "__main__":
    for row in run():
        print(*row, sep=" | ")
