"""Runs a measure of a bundled collector over given sources, as the service runs it."""

from datetime import UTC, date, datetime, timedelta

from bsc_monitor.collect.context import RunContext, RunLog
from bsc_monitor.collect.live import open_source
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.collect.run import run_measure
from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import Window

PLUGINS = find_plugins([], with_entry_points=False)


def month(label: str) -> Period:
    year, number = (int(part) for part in label.split("-"))
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return Period(datetime(year, number, 1, tzinfo=UTC), end, PeriodKind.MONTH, label)


def opened(plugin, config, **source):
    """A source with its collector; close its client."""
    cls = PLUGINS.collectors[plugin]
    given = {"requests_per_second": 1000, "timeout": 30, **source}
    return open_source(Source("s", plugin, cls.Config.model_validate(config), **given), cls)


async def run(plugin, config, measure, period, *, by=(), now=None, zone="UTC", records=None, live=None, **params):
    """The readings of one measure; raises what the run failed with."""
    source = live or opened(plugin, config)
    try:
        result = await run_measure(
            source, measure, params, period=period, now=now or period.end + timedelta(days=60), calendar=Calendar(zone),
            records=records or TransientRecords(), by=by,
        )  # fmt: skip
    finally:
        if live is None:
            await source.client.close()
    if result.error:
        raise result.error
    return result.readings


async def check(plugin, config) -> None:
    """The collector's own check of credentials and permissions."""
    live, period = opened(plugin, config), month("2026-05")
    log = RunLog("s", "check", live.client.redactor)
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


def day(text: str) -> date:
    return date.fromisoformat(text)
