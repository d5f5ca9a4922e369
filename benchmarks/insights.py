"""All insights of an organisation, in plain Python on one core (processor time); and those of what closed."""

import gc
import random
import statistics
import time
from datetime import UTC, datetime
from itertools import pairwise

from bsc_monitor.improve.insights import examine, find_all, reconcile
from bsc_monitor.improve.relations import relations
from bsc_monitor.model.organisation import Kpi, Objective, Organisation, Scorecard, Thresholds
from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import ReadingState, Status

KPIS, PERIODS = 10_000, 60
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def _months():
    starts = [datetime(2021 + n // 12, n % 12 + 1, 1, tzinfo=UTC) for n in range(PERIODS + 1)]
    return [Period(start, end, PeriodKind.MONTH, f"{start:%Y-%m}") for start, end in pairwise(starts)]


def _course(rng, shape):
    """60 months of one of four stories: quiet, drifting, shifted, seasonal."""
    noise = [rng.gauss(50, 4) for _ in range(PERIODS)]
    if shape == 1:
        return [value + place / 3 for place, value in enumerate(noise)]
    if shape == 2:
        return [value - (15 if place > 50 else 0) for place, value in enumerate(noise)]
    if shape == 3:
        return [value + 10 * ((place % 12) in (5, 6, 7)) for place, value in enumerate(noise)]
    return noise


def company(count):
    """An organisation of ``count`` KPIs in objectives of ten, each objective driving the next, and its closed months."""
    rng, periods, thresholds = random.Random(11), _months(), Thresholds(55.0, 70.0)
    objectives = {
        f"it/o{n}": Objective(f"o{n}", "it", "internal_process", f"Objective {n}", drives=(f"it/o{n + 1}",))
        for n in range(count // 10)
    }
    kpis, values = {}, {}
    for n in range(count):
        kpi = Kpi(f"k{n}", "it", "internal_process", f"it/o{n // 10}", f"KPI {n}", unit="h", better="lower")
        kpis[kpi.name] = kpi
        values[kpi.name] = [
            PeriodValue(
                kpi.name, period, value=value, state=ReadingState.OK, thresholds=thresholds,
                status=Status.GREEN if value <= 55 else Status.RED if value >= 70 else Status.AMBER,
                closed_at=period.end,
            )
            for period, value in zip(periods, _course(rng, n % 8), strict=True)
        ]  # fmt: skip
    return relations(Organisation({"it": Scorecard("it", "IT")}, objectives, kpis)), values


def _seconds(work, rounds):
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def run():
    """Rows of (what, measured, goal)."""
    known, values = company(KPIS)
    gc.collect()
    gc.freeze()
    found = []

    def everything():
        found[:] = find_all(known, values, NOW)

    whole = _seconds(everything, 1)
    rows = [(f"all insights, {KPIS:,} KPIs x {PERIODS} periods ({len(found):,} found)", f"{whole:.2f} s", "< 10 s")]
    names = list(values)
    costs = {}
    for closed in (10, 100, 1_000):
        chosen = random.Random(5).sample(names, closed)

        def close(chosen=chosen):
            fresh = examine(known, values, NOW, only=chosen)
            reconcile(found, fresh.insights, NOW, fresh.subjects)

        costs[closed] = _seconds(close, 3) / closed
        rows.append((f"{closed:,} of them closed, per KPI", f"{costs[closed] * 1e3:.2f} ms", ""))
    rows.append(("ratio per KPI, 1,000 : 10 closed", f"{costs[1_000] / costs[10]:.2f} x", "<= 1.2 x"))
    return rows


if __name__ == "__main__":
    for row in run():
        print(*row, sep=" | ")
