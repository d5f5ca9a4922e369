"""Judging 10,000 KPIs against a real Prometheus' rules over the same values and thresholds: ``python -m benchmarks.judging``."""

import asyncio
import gc
import json
import random
import statistics
import tempfile
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from benchmarks.scoring import calmest, company, filled, full, one_reading, thresholds
from tests.servers import prometheus, wait_until

from bsc_monitor.alert.defaults import effective_rules
from bsc_monitor.bus import Bus
from bsc_monitor.collect.guard import calm_collector
from bsc_monitor.collect.harvest import Harvest
from bsc_monitor.config.settings import Configuration
from bsc_monitor.evaluate import Evaluator
from bsc_monitor.plugin import Reading
from bsc_monitor.store import Store

COUNT = 10_000
MOVED = 100  #: KPIs whose status is another at each evaluation: 1 %

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


def beyond(n, red):
    """A value of the nth KPI that is red, or good."""
    worse, target = thresholds(n)
    return worse + (worse - target) if red else target


async def durably(rounds=15):
    """Seconds of the median evaluation with all that it entails: every KPI judged anew and rolled up, every alert rule
    shown every KPI and node, and what changed (readings, standings, alerts, messages, events) committed and synced."""
    organisation = company(COUNT)
    names = list(organisation.kpis.values())
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'judging.db'}")
        evaluator = Evaluator(store, Bus(), Configuration(organisation=organisation, alert_rules=effective_rules({})))
        await evaluator.start()

        async def deliver(chosen, red):
            items = [(names[n], Reading(beyond(n, red))) for n in chosen]
            await evaluator.deliver(Harvest("judging", "value", "", datetime.now(UTC), tuple(items)))

        def judge_all(_, state):
            now = datetime.now(UTC)
            changes = state.scoring.recompute(now)
            effects = state.alerts.observe(state.scoring.judgements.values(), state.scoring.nodes.values(), now)
            assert not changes.judgements
            assert not effects
            return ()

        await deliver(range(COUNT), red=False)
        calm_collector()
        times = []
        for number in range(rounds):
            chosen = [(number * MOVED + n) % COUNT for n in range(MOVED)]
            begun = time.perf_counter()
            await evaluator.run(judge_all)
            await deliver(chosen, red=True)
            times.append(time.perf_counter() - begun)
        store.close()
    return statistics.median(times)


def compare():
    """The rows of the table: all in one run."""
    scoring, names = filled(COUNT)
    with exporter(names) as target:
        best = evaluation(JOINED, target, COUNT, 7)
        usual = evaluation(one_by_one(names), target, COUNT, 3)
    ours, reading = in_memory(scoring, names)
    del scoring
    durable = asyncio.run(durably())
    return [
        ("Prometheus, two rules joined over all series", f"{best * 1e3:.0f} ms", ""),
        ("Prometheus, two rules for each KPI", f"{usual * 1e3:.0f} ms", ""),
        ("ours: score, status, roll-up", f"{ours * 1e3:.1f} ms, {ours / best:.3f} x", "<= 0.1 x its best"),
        ("  against two rules for each KPI", f"{ours / usual:.4f} x", ""),
        (
            "ours: one reading, of any KPI",
            f"{reading * 1e6:.1f} us, 1/{best / reading:,.0f}",
            "20 us of 270 ms: 1/13,500",
        ),
        (
            f"ours: the same, every alert rule, and {MOVED} changed KPIs committed durably",
            f"{durable * 1e3:.1f} ms, {durable / best:.3f} x",
            "<= 0.5 x its best",
        ),
    ]


def compare_many(count=100_000):
    """The same of so many KPIs, against Prometheus' best form alone."""
    scoring, names = filled(count)
    with exporter(names) as target:
        best = evaluation(JOINED.replace("2s", "15s"), target, count, 3)
    ours, reading = in_memory(scoring, names)
    return [
        (f"{count:,} KPIs: Prometheus, two rules joined over all series", f"{best:.2f} s", ""),
        (f"{count:,} KPIs: ours", f"{ours:.3f} s, {ours / best:.3f} x", "<= 0.1 x its best"),
        (
            f"{count:,} KPIs: one reading, of any KPI",
            f"{reading * 1e6:.1f} us, 1/{best / reading:,.0f}",
            "20 us of 4.3 s: 1/215,000",
        ),
    ]


def in_memory(scoring, names):
    """Seconds of the median full recomputation, and of a reading."""
    gc.collect()
    gc.freeze()
    calm_collector()
    ours = full(scoring, 15)
    reading = calmest(one_reading(scoring, names))
    gc.unfreeze()
    return ours, reading


if __name__ == "__main__":
    for row in compare() + compare_many():
        print(*row, sep=" | ")
