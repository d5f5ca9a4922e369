"""From a webhook's arrival to the new score on /metrics, at 50 events a second: p50 and p99 over the real service.

Five sources, one for each vendor's way of signing, take the events in turn. A source answers with how many events were sent to
it so far, so that the KPI's value on /metrics tells which events it has seen. The vendor's own latency is nil.
"""

from __future__ import annotations

import asyncio
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from aiohttp import web

from bsc_monitor.sandbox.webhooks import VENDORS, webhook

_CONFIG = """
[service]
listen = "127.0.0.1:{port}"
database = "sqlite:///bsc.db"
[scorecards.it]
title = "IT"
[objectives.o]
scorecard = "it"
perspective = "internal_process"
title = "O"
"""
_SOURCE = """
[sources.VENDOR]
plugin = "http_json"
url = "http://127.0.0.1:SERVER"
every = "1d"
requests_per_second = 1000
webhook_secrets = ["s3cret"]
[kpis.VENDOR]
objective = "o"
source = "VENDOR"
measure = "value"
params = { path = "/VENDOR", select = "value" }
unit = "count"
period = "day"
target = 100000
red = 0
"""


class _Source:
    """Five sources in one server: each answers with how many of its events were sent."""

    def __init__(self) -> None:
        self.sent = dict.fromkeys(VENDORS, 0)
        self.asked = 0

    async def start(self) -> int:
        app = web.Application()
        app.router.add_get("/{vendor}", self._answer)
        self.runner = web.AppRunner(app, access_log=None)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        return int(self.runner.addresses[0][1])

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response({"value": self.sent[request.match_info["vendor"]]})


async def _shown(session: aiohttp.ClientSession, url: str) -> dict[str, float]:
    async with session.get(f"{url}/metrics") as reply:
        text = await reply.text()
    return {
        kpi: float(value) for kpi, value in re.findall(r'^bsc_kpi_value\{.*?kpi="(\w+)".*\} (\S+)$', text, re.MULTILINE)
    }


async def _drive(url: str, source: _Source, rate: float, seconds: float) -> dict[str, str]:
    """Send events at ``rate``, scrape ten times a second, and match each event with the scrape that first shows it."""
    waiting: dict[str, list[tuple[int, float]]] = {vendor: [] for vendor in VENDORS}
    lags: list[float] = []
    done = asyncio.Event()
    async with aiohttp.ClientSession() as session:

        async def scrape() -> None:
            while not done.is_set() or any(waiting.values()):
                shown = await _shown(session, url)
                now = time.monotonic()
                for vendor, left in waiting.items():
                    seen = shown.get(vendor, 0)
                    lags.extend(now - at for number, at in left if number <= seen)
                    waiting[vendor] = [each for each in left if each[0] > seen]
                await asyncio.sleep(0.05)

        async def send(vendor: str, number: int) -> None:
            made = webhook(vendor, "s3cret", datetime.now(UTC), subject=f"S-{number}")  # type: ignore[arg-type]
            async with session.post(f"{url}/webhooks/{vendor}", data=made.body, headers=made.headers) as reply:
                assert reply.status == 202, await reply.text()

        scraping = asyncio.create_task(scrape())
        begun, count, tasks = time.monotonic(), round(rate * seconds), []
        for number in range(count):
            await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
            vendor = VENDORS[number % len(VENDORS)]
            source.sent[vendor] += 1
            waiting[vendor].append((source.sent[vendor], time.monotonic()))
            tasks.append(asyncio.create_task(send(vendor, number)))
        await asyncio.gather(*tasks)
        took = time.monotonic() - begun
        done.set()
        async with asyncio.timeout(30):
            await scraping
    ordered = sorted(lags)
    return {
        "events": f"{count:,} in {took:.1f} s ({count / took:.0f} a second)", "runs": f"{source.asked:,}",
        "webhook to /metrics": f"p50 {statistics.median(ordered):.2f} s, p99 {ordered[int(len(ordered) * 0.99)]:.2f} s, "
        f"longest {ordered[-1]:.2f} s",
    }  # fmt: skip


async def _run(rate: float, seconds: float) -> dict[str, str]:
    source = _Source()
    server = await source.start()
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="bsc-bench-") as folder:
        config = Path(folder) / "config.toml"
        sources = "".join(_SOURCE.replace("VENDOR", vendor).replace("SERVER", str(server)) for vendor in VENDORS)
        config.write_text(_CONFIG.replace("{port}", str(port)) + sources)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bsc_monitor",
            "run",
            "-c",
            str(config),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            await _ready(f"http://127.0.0.1:{port}")
            return await _drive(f"http://127.0.0.1:{port}", source, rate, seconds)
        finally:
            process.terminate()
            await process.wait()
            await source.runner.cleanup()


async def _ready(url: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        while True:
            try:
                if len(await _shown(session, url)) == len(VENDORS):
                    return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)


def run(rate: float = 50.0, seconds: float = 30.0) -> list[dict[str, str]]:
    """One row."""
    return [asyncio.run(_run(rate, seconds))]


if __name__ == "__main__":
    for row in run(*(float(word) for word in sys.argv[1:])):
        print(row)
