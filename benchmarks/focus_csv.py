"""A large FOCUS export: how long does a KPI take to read it, in how much memory, against the plain csv module?"""

from __future__ import annotations

import asyncio
import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bsc_monitor.collect.live import open_source
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.collect.run import run_measure
from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.source import Source

_MAY = Period(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), PeriodKind.MONTH, "2026-05")
_COLUMNS = (
    "BilledCost", "BillingCurrency", "ChargeCategory", "ChargeClass", "ChargePeriodStart", "ContractedCost", "EffectiveCost",
    "ListCost", "ProviderName", "ResourceId", "ServiceName", "SubAccountName", "Tags",
)  # fmt: skip


def write(path: Path, size: int, seed: int = 1) -> int:
    """An export of about ``size`` bytes; how many rows it has."""
    rng, rows = random.Random(seed), 0
    block = [
        (cost := f"{rng.uniform(0, 5):.8f}", "USD", "Usage", "NULL", f"2026-05-{rng.randint(1, 31):02} {rng.randint(0, 23):02}:00:00",
         cost, cost, cost, "AWS", f"arn:aws:ec2:eu-central-1:111122223333:instance/i-{rng.getrandbits(64):016x}",
         f"Service {rng.randrange(40)}", f"account-{rng.randrange(25)}", json.dumps({"team": f"team-{rng.randrange(30)}", "env": "prod"}))
        for _ in range(20_000)
    ]  # fmt: skip
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        while file.tell() < size:
            writer.writerows(block)
            rows += len(block)
    return rows


async def _collect(path: Path) -> tuple[float, float]:
    cls = find_plugins([], with_entry_points=False).collectors["focus"]
    live = open_source(Source("s", "focus", cls.Config.model_validate({"path": str(path)}), timeout=600), cls)
    result = await run_measure(
        live, "net_cost", {}, period=_MAY, now=_MAY.end, calendar=Calendar(), records=TransientRecords(),
        by=("tag:team",),
    )  # fmt: skip
    await live.client.close()
    if result.error:
        raise result.error
    return result.duration, next(reading.value or 0.0 for reading in result.readings if not reading.labels)


def _plain(path: Path) -> tuple[float, float]:
    started, sums = time.perf_counter(), dict[str, float]()
    with path.open(newline="") as file:
        for line in csv.DictReader(file):
            if "2026-05-01" <= line["ChargePeriodStart"] < "2026-06-01" and line["ChargeCategory"] != "Tax":
                team = json.loads(line["Tags"]).get("team", "")
                sums[team] = sums.get(team, 0.0) + float(line["BilledCost"])
    return time.perf_counter() - started, sum(sums.values())


def _measure(how: str, path: str) -> None:
    """In a process of its own, so that its peak of memory is its own."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took, value = asyncio.run(_collect(Path(path))) if how == "focus" else _plain(Path(path))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"took": took, "value": value, "before": before / 1024, "peak": peak / 1024}))


def run(megabytes: int = 100) -> list[dict[str, str]]:
    """One row for each way of reading: time, peak memory of the process, and the sum (which must agree)."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        count = write(path, megabytes * 1_000_000)
        for name, how in (("bsc-monitor focus (DuckDB)", "focus"), ("plain csv module", "csv")):
            command = [sys.executable, __file__, how, str(path)]
            answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            rows.append({
                "reader": name, "file": f"{path.stat().st_size / 1e6:,.0f} MB, {count:,} rows",
                "took": f"{answer['took']:.2f} s", "peak memory": f"{answer['peak']:,.0f} MB (at start {answer['before']:,.0f})",
                "sum": f"{answer['value']:,.2f}",
            })  # fmt: skip
    return rows


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _measure(*sys.argv[1:])
    else:
        for row in run(*(int(word) for word in sys.argv[1:])):
            print(row)
