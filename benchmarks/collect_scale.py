"""5,000 KPIs on 20 sources, each asked every minute: does the collection keep up, and at what cost?

The sources are real HTTP servers in a process of their own (the sandbox, and one that answers JSON), the plugins are the
bundled ones, with their default limits but for ServiceNow's. Lag is from the instant a job was due to the start of its run,
and to the hand-over of its readings; the first run of every job (spread over the start) is not counted.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from aiohttp import web

from bsc_monitor.collect.agenda import Job
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.collect.schedule import Collection
from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.model.event import CollectorFailed, CollectorRan, Event
from bsc_monitor.model.organisation import Kpi, Organisation, Schedule, Scorecard
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.source import Source
from bsc_monitor.sandbox import start

KPIS, SOURCES, SHARING = 5_000, 20, 5  #: SHARING KPIs ask the same question, but for http_json and opencost
_PLUGINS = ["http_json"] * 12 + ["aws_cost"] * 4 + ["servicenow"] * 2 + ["opencost"] * 2
_SERVICES = ("Amazon CloudFront", "Amazon Simple Storage Service", "Amazon Relational Database Service")


async def _serve() -> None:
    """The sources; their addresses as one line of JSON, then until the input ends."""

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"value": int(request.query["n"])})

    app = web.Application()
    app.router.add_get("/value", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sandbox = await start()
    plain = f"http://127.0.0.1:{runner.addresses[0][1]}"
    print(json.dumps({"http_json": plain, "aws_cost": sandbox.aws_url, "servicenow": sandbox.servicenow_url, "opencost": sandbox.opencost_url}), flush=True)  # fmt: skip
    await asyncio.to_thread(sys.stdin.read)


def _config(plugin: str, url: str) -> dict[str, Any]:
    keys: dict[str, dict[str, Any]] = {
        "aws_cost": {"access_key_id": "demo", "secret_access_key": "demo"},
        "servicenow": {"username": "demo", "password": "demo"},
    }
    return {"url": url, **keys.get(plugin, {})}


def _question(plugin: str, number: int) -> tuple[str, dict[str, Any]]:
    """Measure and parameters of a source's KPI."""
    shared = number // SHARING
    if plugin == "aws_cost":
        return "net_cost", {"services": [_SERVICES[shared % 3]], "tax": bool(shared & 1), "accounts": [f"{shared // 6:012}"]}  # fmt: skip
    if plugin == "servicenow":
        return "opened", {"query": f"priority={shared % 5 + 1}^reassignment_count<{shared // 5 + 1}"}
    if plugin == "opencost":
        return "run_share", {"run": ["shop", f"team-{number}"], "change": ["warehouse"]}
    return "value", {"path": "/value", "query": {"n": number}, "select": "value"}


def _month(instant: datetime, kind: PeriodKind, _: Calendar) -> Period:
    first = instant.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Period(first, (first + timedelta(days=32)).replace(day=1), kind, f"{first:%Y-%m}")


class _Watched(Collection):
    """Notes when jobs were due, started and delivered."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.dues: dict[str, datetime] = {}
        self.lags: list[tuple[str, float, float]] = []  # source, to start, to readings
        put: Callable[[Job, datetime | None], None] = self._agenda._put

        def noted(job: Job, due: datetime | None) -> None:
            put(job, due)
            if due is not None:
                self.dues[job.key] = due

        self._agenda._put = noted  # type: ignore[method-assign]

    async def _run(self, job: Job) -> None:
        due, known = self.dues[job.key], job.succeeded is not None
        started = datetime.now(UTC)
        await super()._run(job)
        if known:
            self.lags.append((job.source, (started - due).total_seconds(), (datetime.now(UTC) - due).total_seconds()))


def _collection(urls: dict[str, str], tell: Callable[[Iterable[Event]], None]) -> _Watched:
    found = find_plugins([], with_entry_points=False).collectors
    sources, kpis = {}, {}
    for number, plugin in enumerate(_PLUGINS):
        config = found[plugin].Config.model_validate(_config(plugin, urls[plugin]))
        minute = Schedule(every=timedelta(minutes=1))
        rate = 50.0 if plugin == "servicenow" else 10.0
        sources[f"s{number}"] = Source(f"s{number}", plugin, config, schedule=minute, requests_per_second=rate)
        for each in range(KPIS // SOURCES):
            measure, params = _question(plugin, each)
            kpi = Kpi(f"k{number}-{each}", "it", "p", "it/o", "", source=f"s{number}", measure=measure, params=params)
            kpis[kpi.name] = kpi
    organisation = Organisation(scorecards={"it": Scorecard("it", "IT")}, kpis=kpis)

    async def deliver(harvest: object) -> None: ...

    return _Watched(
        SimpleNamespace(organisation=organisation, sources=sources), found, deliver=deliver,
        bus=SimpleNamespace(publish=tell), records=TransientRecords(), period_at=_month,
    )  # fmt: skip


async def _drive(urls: dict[str, str], minutes: float) -> dict[str, str]:
    counts: Counter[str] = Counter()

    def tell(events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, CollectorRan):
                counts["runs"] += 1
                counts["readings"] += event.readings
                counts["requests"] += event.requests
            elif isinstance(event, CollectorFailed):
                counts["failures"] += 1
                counts[event.message] += 1

    collection = _collection(urls, tell)
    await collection.start()
    jobs = len(collection.next_runs())
    await asyncio.sleep(90)  # the start: every job once
    counts.clear()
    collection.lags.clear()
    cpu, begun = time.process_time(), time.monotonic()
    await asyncio.sleep(minutes * 60)
    cpu, took = time.process_time() - cpu, time.monotonic() - begun
    stall = collection.stall
    await collection.stop()
    starts, ends = (sorted(lag[which] for lag in collection.lags) for which in (1, 2))
    place = int(len(starts) * 0.99)
    of_plugin = {name: max(lag[2] for lag in collection.lags if _PLUGINS[int(lag[0][1:])] == name) for name in _PLUGINS}
    return {
        "KPIs": f"{KPIS:,} on {SOURCES} sources, each minute", "jobs": f"{jobs:,}",
        "runs": f"{counts['runs']:,} of {jobs * took / 60:,.0f} due", "failures": f"{counts['failures']:,}",
        "requests": f"{counts['requests'] / took * 60:,.0f} a minute", "CPU": f"{cpu / took:.0%} of one core",
        "lag to start": f"median {starts[len(starts) // 2]:.2f} s, p99 {starts[place]:.2f} s",
        "lag to readings": f"median {ends[len(ends) // 2]:.2f} s, p99 {ends[place]:.2f} s",
        "longest lag": ", ".join(f"{name} {lag:.2f} s" for name, lag in of_plugin.items()),
        "longest stall": f"{stall * 1000:.0f} ms",
    }  # fmt: skip


def run(minutes: float = 3) -> list[dict[str, str]]:
    """One row; ``minutes`` are measured after a start of 90 s."""
    command = [sys.executable, __file__, "serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            return [asyncio.run(_drive(json.loads(server.stdout.readline()), minutes))]
        finally:
            server.stdin.close()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(_serve())
    else:
        for row in run(*(float(word) for word in sys.argv[1:])):
            print(row)
