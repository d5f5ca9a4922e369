"""Scoring: full recomputation, one reading, growth to a million KPIs, memory; judging against Prometheus' rules."""

import argparse
import gc
import json
import random
import statistics
import tempfile
import time
import tracemalloc
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.servers import prometheus, wait_until

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
from bsc_monitor.score.scoring import Scoring

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
        words = f"{statistics.median(times) * 1e6:.1f} us median, {p99 * 1e6:.1f} us p99"
        rows.append((f"{count:,} KPIs: one reading", words, "< 20 us median"))
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


JOINED = """groups:
- name: joined
  interval: 2s
  rules:
  - record: kpi:score
    expr: clamp((100 + 100 * (kpi_value - on(kpi) kpi_red) / on(kpi) (kpi_target - on(kpi) kpi_red)) / 3, 0, 100)
  - alert: KpiRed
    expr: kpi:score <= 100 / 3
"""


def one_by_one(scoring_names):
    """The usual form: for each KPI a recording rule and an alerting rule with its thresholds in them."""
    lines = ["groups:\n- name: single\n  interval: 10s\n  rules:\n"]
    for n, name in enumerate(scoring_names):
        red, target = thresholds(n)
        score = f"clamp((100 + 100 * (kpi_value{{kpi='{name}'}} - {red}) / ({target} - {red})) / 3, 0, 100)"
        lines.append(f'  - record: kpi:score\n    expr: "{score}"\n')
        lines.append(f"  - alert: KpiRed\n    expr: \"kpi:score{{kpi='{name}'}} <= 100 / 3\"\n")
    return "".join(lines)


@contextmanager
def exporter(scoring_names):
    """The same values and thresholds as metrics."""
    chance = random.Random(1)
    lines = []
    for n, name in enumerate(scoring_names):
        red, target = thresholds(n)
        for family, value in (("kpi_value", chance.uniform(-20, 130)), ("kpi_red", red), ("kpi_target", target)):
            lines.append(f'{family}{{kpi="{name}"}} {value}\n')
    body = "".join(sorted(lines)).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            with suppress(BrokenPipeError):  # a scrape that Prometheus gave up while it stops
                self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def evaluation(rules, target, count, rounds):
    """Seconds of the median evaluation of a rule group in a real Prometheus."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rules.yml").write_text(rules)
        config = (
            "global: {scrape_interval: 2s}\nrule_files: [rules.yml]\n"
            f"scrape_configs: [{{job_name: k, static_configs: [{{targets: ['{target}']}}]}}]\n"
        )
        with prometheus(folder, config) as server:
            wait_until(lambda: server.query("count(kpi:score)") == [({}, float(count))], "every score", 120)
            seen = {}
            while len(seen) < rounds:
                (group,) = json.loads(server.get("/api/v1/rules"))["data"]["groups"]
                if not group["lastEvaluation"].startswith("0001"):
                    seen[group["lastEvaluation"]] = group["evaluationTime"]
                time.sleep(0.3)
            return statistics.median(seen.values())


def against_prometheus(count=10_000):
    """Judging all KPIs: full recomputation against the time that Prometheus needs for its rules, in one run."""
    scoring, names = filled(count)
    with exporter(names) as target:
        best = evaluation(JOINED, target, count, 7)
        usual = evaluation(one_by_one(names), target, count, 3)
    gc.collect()
    gc.freeze()
    ours = full(scoring, 15)
    gc.unfreeze()
    return [
        (f"{count:,} KPIs: Prometheus, two rules joined over all series", f"{best * 1e3:.0f} ms", ""),
        (f"{count:,} KPIs: Prometheus, two rules for each KPI", f"{usual * 1e3:.0f} ms, {ours / usual:.3f} x", ""),
        (
            f"{count:,} KPIs: ours (score, status, roll-up)",
            f"{ours * 1e3:.1f} ms, {ours / best:.3f} x",
            "<= 0.1 x its best",
        ),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--million", action="store_true", help="also 1,000,000 KPIs (some gigabytes)")
    parser.add_argument("--no-prometheus", action="store_true")
    asked = parser.parse_args()
    for row in sizes([10_000, 100_000, *([1_000_000] if asked.million else [])]) + memory():
        print(*row, sep=" | ")
    if not asked.no_prometheus:
        for row in against_prometheus():
            print(*row, sep=" | ")
