"""Rendering ``/metrics``: cached chunks against prometheus_client over the same gauges, in one run."""

import gc
import random
import statistics
import time

from prometheus_client import CollectorRegistry, Gauge, generate_latest

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
    return rows + _flatness()


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
