"""Runs a measure of a cost collector, as the service runs it."""

import contextlib
import json
from datetime import UTC, date, datetime
from pathlib import Path

from aiohttp import web

from bsc_monitor.collect.live import open_source
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.collect.run import run_measure
from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.source import Source
from bsc_monitor.sandbox.cloud.ledger import Charge, Ledger

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
EXAMPLES = SHARED / "contracts" / "examples"
PLUGINS = find_plugins([], with_entry_points=False)
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)  # the company's story runs from 2024-12; June 2026 is its month 18


def month(label, kind=PeriodKind.MONTH, months=1):
    year, number = (int(part) for part in label.split("-"))
    count = year * 12 + number - 1 + months
    end = datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC)
    return Period(datetime(year, number, 1, tzinfo=UTC), end, kind, label)


def day(text):
    at = date.fromisoformat(text)
    start = datetime(at.year, at.month, at.day, tzinfo=UTC)
    return Period(start, start.replace(day=at.day + 1), PeriodKind.DAY, text)


class Asker:
    """One open source of a collector; ask it several times to see what it keeps."""

    def __init__(self, plugin, config, **source):
        cls = PLUGINS.collectors[plugin]
        given = {"requests_per_second": 1000, "timeout": 20, **source}
        self.live = open_source(Source("cost", plugin, cls.Config.model_validate(config), **given), cls)
        self.requests = 0

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.live.client.close()

    async def result(self, measure, period, *, by=(), now=NOW, zone="UTC", **params):
        return await run_measure(
            self.live,
            measure,
            params,
            period=period,
            now=now,
            calendar=Calendar(zone),
            records=TransientRecords(),
            by=by,
        )

    async def readings(self, measure, period, **given):
        """The readings; raises what the run failed with."""
        result = await self.result(measure, period, **given)
        self.requests += result.requests
        if result.error:
            raise result.error
        return result.readings

    async def total(self, measure, period, **given):
        return next(reading for reading in await self.readings(measure, period, **given) if not reading.labels)


def parts(readings, dimension):
    """Values by breakdown value."""
    return {reading.labels[dimension]: reading.value for reading in readings if dimension in reading.labels}


def charge(day, service="S3", billed=0.0, *, account="111122223333", kind="Usage", **given):
    """One line of a bill; its other costs are the billed one unless given."""
    costs = {name: given.pop(name, billed) for name in ("effective", "contracted", "listed")}
    plain = {"provider": "AWS", "account_name": "shop", "currency": "USD", **given}
    return Charge(date.fromisoformat(day), account=account, service=service, kind=kind, billed=billed, **costs, **plain)


def bill(*charges, now=NOW, **given):
    """A ledger of some charges."""
    days = {}
    for each in charges:
        days.setdefault(each.day, []).append(each)
    return Ledger(days, lambda: now, **given)


@contextlib.asynccontextmanager
async def served(app):
    """The address of a running web application."""
    root = web.Application()
    root.add_subapp("/api", app)
    runner = web.AppRunner(root)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/api"
    finally:
        await runner.cleanup()


class Stub:
    """Answers every request with the next of ``answers`` (status, body, headers), the last one for ever; keeps the requests."""

    def __init__(self, *answers):
        self.answers, self.seen = list(answers), []

    async def handle(self, request):
        self.seen.append((request.method, request.path_qs, request.headers, await request.read()))
        status, body, headers = (*self.answers[0], {})[:3] if len(self.answers[0]) < 3 else self.answers[0]
        if len(self.answers) > 1:
            self.answers.pop(0)
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=status, text=text, headers={"Content-Type": "application/json", **headers})

    def app(self):
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self.handle)
        return app
