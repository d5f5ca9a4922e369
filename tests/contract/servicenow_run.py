"""Runs a measure of the ServiceNow collector against a sandbox, as the service runs it."""

from datetime import UTC, datetime
from pathlib import Path

from bsc_monitor.collect.context import RunContext, RunLog
from bsc_monitor.collect.live import open_source
from bsc_monitor.collect.plugins import find_collectors
from bsc_monitor.collect.run import run_measure
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import Secret, Window

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
COLLECTOR = find_collectors([ROOT / "plugins"])["servicenow"]


class NoStreams:
    """The measures here are all asked directly."""

    async def fetch(self, *_):
        raise AssertionError("no measure of this collector is over records")


def month(label: str) -> Period:
    year, number = (int(part) for part in label.split("-"))
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return Period(datetime(year, number, 1, tzinfo=UTC), end, PeriodKind.MONTH, label)


def opened(url: str, **config):
    """A source with a collector, ready to be asked; close its client."""
    given = {"url": url, "username": "demo", "password": Secret("demo"), **config}
    return open_source(Source("itsm", "servicenow", COLLECTOR.Config(**given), requests_per_second=1000), COLLECTOR)


async def run(url: str, measure: str, period: Period, *, by=(), now=None, config=None, zone="UTC", **params):
    """The readings of one measure; raises what the run failed with."""
    live, now = opened(url, **(config or {})), now or datetime(2026, 6, 1, tzinfo=UTC)
    try:
        result = await run_measure(
            live, measure, params, period=period, now=now, calendar=Calendar(zone), records=NoStreams(), by=by
        )
    finally:
        await live.client.close()
    if result.error:
        raise result.error
    return result.readings


async def check(url: str, **config) -> None:
    """The collector's own check of credentials and permissions."""
    live, period = opened(url, **config), month("2026-05")
    log = RunLog("itsm", "check", live.client.redactor)
    window = Window(period.start, period.end)
    try:
        await live.collector.check(RunContext(live.client.run(), period.end, window, period, (), Calendar(), log))
    finally:
        await live.client.close()


def total(readings):
    """The reading without labels."""
    return next(reading for reading in readings if not reading.labels)


def parts(readings, dimension):
    """Values by breakdown value."""
    return {reading.labels[dimension]: reading.value for reading in readings if dimension in reading.labels}
