"""The same generated series through our engine and through Prometheus' own rule engine: every state, at every evaluation."""

import json
import random
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from bsc_monitor.alert.engine import AlertEngine
from bsc_monitor.model.alert import AlertRule, Matcher
from bsc_monitor.model.judgement import Judgement
from bsc_monitor.model.organisation import Kpi, Organisation
from bsc_monitor.model.status import Freshness, Status

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULES = [(0, 0), (1, 0), (3, 0), (0, 2), (3, 4), (7, 3)]  #: for and keep_firing_for, in minutes


def generated(seed, series, length):
    """Stretches of good and bad of every length, so that each timer is met just before, at, and after its end."""
    chance = random.Random(seed)
    made = []
    for _ in range(series):
        values, bad = [], chance.random() < 0.5
        while len(values) < length:
            values += [int(bad)] * chance.randint(1, 9)
            bad = not bad
        made.append(values[:length])
    return made


def ours(values):
    """What our engine says at each evaluation: the set of (rule, series, state)."""
    kpis = {f"it/k{n}": Kpi(f"k{n}", "it", "p", "it/o", "") for n in range(len(values))}
    rules = {}
    for place, (hold, keep) in enumerate(RULES):
        mine = "|".join(f"k{n}" for n in range(len(values)) if n % len(RULES) == place)
        rules[f"r{place}"] = AlertRule(
            f"r{place}", "breach", match=(Matcher("kpi", "=~", mine),), for_=hold * MINUTE,
            keep_firing_for=keep * MINUTE, flap_limit=10**6,
        )  # fmt: skip
    engine = AlertEngine(rules, Organisation(kpis=kpis))
    for minute in range(len(values[0])):
        now = START + minute * MINUTE
        seen = [
            Judgement(f"it/k{n}", 1.0, status=Status.RED if row[minute] else Status.GREEN, freshness=Freshness.FRESH, observed_at=now)
            for n, row in enumerate(values)
        ]  # fmt: skip
        engine.observe(seen, [], now)
        engine.tick(now)
        yield {
            (alert.rule, alert.labels["kpi"], str(alert.state))
            for alert in engine.alerts.values()
            if alert.state in ("pending", "firing") and alert.rule != "Watchdog"
        }


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with Debian's prometheus")
def test_every_state_of_hundreds_of_series_is_as_prometheus_says(tmp_path, soak):
    series, length = (1800, 60) if soak else (600, 40)
    values = generated(20260301, series, length)
    rules = [
        {"alert": f"r{n}", "expr": f'v{{rule="r{n}"}} > 0', "for": f"{hold}m", "keep_firing_for": f"{keep}m"}
        for n, (hold, keep) in enumerate(RULES)
    ]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "g", "interval": "1m", "rules": rules}]}))
    checks, states = [], 0
    for minute, found in enumerate(ours(values)):
        states += len(found)
        samples = [
            {"labels": f'ALERTS{{alertname="{rule}",alertstate="{state}",kpi="{kpi}",rule="{rule}"}}', "value": 1}
            for rule, kpi, state in sorted(found)
        ]
        checks.append({"expr": "ALERTS", "eval_time": f"{minute}m", "exp_samples": samples})
    test = {
        "interval": "1m",
        "input_series": [
            {"series": f'v{{kpi="k{n}",rule="r{n % len(RULES)}"}}', "values": " ".join(map(str, row))}
            for n, row in enumerate(values)
        ],
        "promql_expr_test": checks,
    }
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}))
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, (done.stdout + done.stderr)[:3000]
    assert states > series * length / 4  # there was something to compare
