"""Twelve hostile plugins beside healthy sources: what the healthy ones notice of them.

Each hostile plugin is a file of its own with one measure, asked every few seconds with a deadline of two; the healthy source is a
bundled plugin asked through real HTTP. First the healthy alone, then all together. Lag is from the instant a healthy
job was due to its readings' delivery.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.collect.schedule import Collection
from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.model.event import CollectorFailed, Event
from bsc_monitor.model.organisation import Kpi, Organisation, Schedule, Scorecard
from bsc_monitor.model.period import Period
from bsc_monitor.model.source import Source
from bsc_monitor.testing import SourceServer

HOSTILE = {
    "raises": "raise RuntimeError('boom')",
    "exits": "sys.exit(0)",
    "dies": "os._exit(9)",
    "hangs": "await asyncio.Event().wait()",
    "blocks": "time.sleep(60)",
    "spins": "while True: pass",
    "leaks": "kept = []\n        while True: kept.append(bytearray(64 << 20))",
    "floods": "for _ in range(20000): print('x' * 10000)\n        os.write(3, b'[[[\\n')\n        return 'x' * 10000000",
    "forks": "for _ in range(5):\n            if os.fork() == 0: time.sleep(60); os._exit(0)\n        os._exit(1)",
    "segfaults": "os.kill(os.getpid(), signal.SIGSEGV)",
    "swallows": "while True:\n            try: await asyncio.sleep(30)\n            except asyncio.CancelledError: pass",
    "nonsense": "return {'value': 1}",
}
_FILE = """
import asyncio, os, signal, sys, time
from bsc_monitor.plugin import Collector, measure

class Hostile(Collector):
    name = "NAME"

    @measure(unit="count", title="Hostile")
    async def number(self, ctx):
        BODY
"""
_HEALTHY = 40


class _Watched(Collection):
    """Notes when healthy jobs were due."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.lags: list[float] = []
        self._dues: dict[str, datetime] = {}
        put = self._agenda._put

        def noted(job: Any, due: datetime | None) -> None:
            put(job, due)
            if due is not None:
                self._dues[job.key] = due

        self._agenda._put = noted  # type: ignore[method-assign]

    async def _run(self, job: Any) -> None:
        due, known = self._dues[job.key], job.succeeded is not None
        await super()._run(job)
        if job.source == "healthy" and known:
            self.lags.append((datetime.now(UTC) - due).total_seconds())


def _memory() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _kpi(name: str, source: str, measure: str, seconds: float, params: dict[str, Any]) -> Kpi:
    return Kpi(
        name, "it", "p", "it/o", name, source=source, measure=measure, params=params, window=timedelta(days=1),
        schedule=Schedule(every=timedelta(seconds=seconds)),
    )  # fmt: skip


async def _drive(folder: Path, url: str, names: Iterable[str], seconds: float) -> dict[str, str]:
    plugins = find_plugins([folder], with_entry_points=False)
    config = plugins.collectors["http_json"].Config.model_validate({"url": url})
    sources = {"healthy": Source("healthy", "http_json", config, requests_per_second=1000.0)}
    params = [{"path": "/value", "select": "value", "query": {"n": number}} for number in range(_HEALTHY)]
    kpis = [_kpi(f"k{number}", "healthy", "value", 1.0, each) for number, each in enumerate(params)]
    for name in names:
        sources[name] = Source(name, name, plugins.collectors[name].Config(), timeout=2.0)
        kpis.append(_kpi(name, name, "number", 3.0, {}))
    failures: dict[str, list[str]] = {}

    def tell(events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, CollectorFailed):
                failures.setdefault(event.source, []).append(event.message)

    async def deliver(harvest: object) -> None: ...

    organisation = Organisation(scorecards={"it": Scorecard("it", "IT")}, kpis={each.name: each for each in kpis})
    collection = _Watched(
        SimpleNamespace(organisation=organisation, sources=sources), plugins.collectors, deliver=deliver,
        bus=SimpleNamespace(publish=tell), records=TransientRecords(), isolated=plugins.isolated,
        period_at=lambda at, kind, _: Period(at, at + timedelta(days=1), kind, ""),
    )  # fmt: skip
    await collection.start()
    await asyncio.sleep(3)
    before, worst = _memory(), 0.0
    for _ in range(int(seconds)):
        for name in names:  # whatever the back-off says
            collection.run_now(name)
        await asyncio.sleep(1)
        worst = max(worst, collection.stall)
    grown = _memory() - before
    await collection.stop()
    lags = sorted(collection.lags)
    quarantined = [name for name, said in failures.items() if any("quarantined" in each for each in said)]
    return {
        "hostile": str(len(failures)), "healthy runs": f"{len(lags):,}",
        "healthy lag": f"median {lags[len(lags) // 2]:.2f} s, p99 {lags[int(len(lags) * 0.99)]:.2f} s",
        "longest stall": f"{worst * 1000:.0f} ms", "memory grown": f"{grown:.0f} MB",
        "quarantined": ", ".join(sorted(quarantined)) or "–",
    }  # fmt: skip


def run(seconds: float = 40) -> list[dict[str, str]]:
    """Two rows: without and with the hostile plugins."""
    with tempfile.TemporaryDirectory(prefix="bsc-hostile-") as folder, SourceServer() as server:
        server.answer("/value", {"value": 1})
        for name, body in HOSTILE.items():
            (Path(folder) / f"{name}.py").write_text(_FILE.replace("NAME", name).replace("BODY", body))
        return [asyncio.run(_drive(Path(folder), server.url, names, seconds)) for names in ((), tuple(HOSTILE))]


if __name__ == "__main__":
    for row in run():
        print(row)
