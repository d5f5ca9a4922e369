"""Scoring: full recomputation, one reading, growth to a million KPIs, memory: ``python -m benchmarks.scoring``."""

import argparse
import gc
import random
import statistics
import time
import tracemalloc
from datetime import UTC, date, datetime, timedelta

from bsc_monitor.collect.guard import calm_collector
from bsc_monitor.model.organisation import (
    Kpi,
    Objective,
    Organisation,
    Perspective,
    Scorecard,
    TargetPath,
    TargetStep,
    Thresholds,
)
from bsc_monitor.model.period import Calendar
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.score import scoring as module
from bsc_monitor.score.scoring import Scoring

COMPILED = not module.__file__.endswith(".py")
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
VIEWS = ("financial", "customer", "internal_process", "learning_growth")
PER_OBJECTIVE, PER_VIEW = 10, 5
PER_CARD = PER_OBJECTIVE * PER_VIEW * len(VIEWS)


def thresholds(n):
    """Red and target of the nth KPI; every other one is better when lower."""
    red = float(n % 7 * 10)
    return (red, red + 50.0) if n % 2 else (red + 50.0, red)


def company(count):
    """Scorecards of 200 KPIs each: 4 perspectives of 5 objectives of 10 KPIs, supporting the first one's."""
    cards, objectives, kpis = {}, {}, {}
    for number in range(-(-count // PER_CARD)):
        card = f"s{number}"
        views = tuple(Perspective(view, card, view) for view in VIEWS)
        cards[card] = Scorecard(card, card, parent="s0" if number else None, perspectives=views, calendar=Calendar())
        for place in range(PER_VIEW * len(VIEWS)):
            view = VIEWS[place // PER_VIEW]
            supports = f"s0/o{place}" if number and place == number % 20 else None
            objectives[f"{card}/o{place}"] = Objective(f"o{place}", card, view, "", supports=supports)
    for n in range(count):
        card, place = f"s{n // PER_CARD}", n % PER_CARD // PER_OBJECTIVE
        red, target = thresholds(n)
        path = TargetPath((TargetStep(date.min, Thresholds(target, red)),))
        kpi = Kpi(
            f"k{n}", card, VIEWS[place // PER_VIEW], f"{card}/o{place}", "", better="higher" if n % 2 else "lower",
            path=path, stale_after=timedelta(hours=1),
        )  # fmt: skip
        kpis[kpi.name] = kpi
    return Organisation(cards, objectives, kpis)


def filled(count):
    """Scoring with a reading for every KPI."""
    organisation = company(count)
    scoring = Scoring(organisation, NOW)
    scoring.tick(NOW)
    chance = random.Random(1)
    readings = [KpiReading(name, NOW, chance.uniform(-20, 130)) for name in organisation.kpis]
    scoring.take(readings, NOW, lambda *_: ())
    return scoring, list(organisation.kpis)


def one_reading(scoring, names, count=20_000):
    """Seconds of each of ``count`` readings of random KPIs, one at a time, everything but the disk."""
    chance = random.Random(2)
    times = []
    for n in range(count):
        now = NOW + timedelta(milliseconds=n + 1)
        readings = [KpiReading(chance.choice(names), now, chance.uniform(-20, 130))]
        start = time.perf_counter()
        scoring.take(readings, now, lambda *_: ())
        times.append(time.perf_counter() - start)
    return times


def calmest(times, rounds=20):
    """The median of the round that other work on the machine disturbed least."""
    size = len(times) // rounds
    return min(statistics.median(times[n * size : (n + 1) * size]) for n in range(rounds))


def full(scoring, rounds=7):
    """Seconds of the median full recomputation: value → score → status → roll-up of everything."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        changes = scoring.recompute(NOW)
        times.append(time.perf_counter() - start)
        assert not changes.nodes
        assert not changes.judgements
    return statistics.median(times)


def sizes(counts):
    """Rows for each number of KPIs."""
    rows = []
    for count in counts:
        gc.collect()
        scoring, names = filled(count)
        gc.collect()
        gc.freeze()
        whole = full(scoring, 5)
        times = one_reading(scoring, names)
        gc.unfreeze()
        goal = "< 300 ms" if count == 100_000 else ""
        rows.append((f"{count:,} KPIs: full recomputation", f"{whole * 1e3:.1f} ms", goal))
        rows.append((f"{count:,} KPIs: per KPI", f"{whole / count * 1e6:.2f} us", "the same at every size"))
        p99 = statistics.quantiles(times, n=100)[98]
        whole_median, least = statistics.median(times), calmest(times)
        words = f"{least * 1e6:.1f} us median in the calmest round, {whole_median * 1e6:.1f} us in all, {p99 * 1e6:.1f} us p99"
        goal = "< 20 us median" if COMPILED else "no goal but in machine code: see compiled"
        rows.append((f"{count:,} KPIs: one reading", words, goal))
        del scoring, names
    return rows


def memory(count=10_000):
    """Megabytes of the state of scoring, the organisation not counted."""
    organisation = company(count)
    chance = random.Random(1)
    gc.collect()
    tracemalloc.start()
    scoring = Scoring(organisation, NOW)
    scoring.take([KpiReading(name, NOW, chance.uniform(-20, 130)) for name in organisation.kpis], NOW, lambda *_: ())
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return [(f"memory of scoring for {count:,} KPIs", f"{size / 1e6:.1f} MB", "")]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--million", action="store_true", help="also 1,000,000 KPIs (some gigabytes)")
    asked = parser.parse_args()
    calm_collector()  # as the service does
    for row in sizes([10_000, 100_000, *([1_000_000] if asked.million else [])]) + memory():
        print(*row, sep=" | ")
