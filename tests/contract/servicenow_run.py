"""Runs a measure of the ServiceNow collector against a sandbox, with the service's own HTTP client."""

import importlib.util
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from bsc_monitor.collect.http import SourceClient
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import Window, declared

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("servicenow_plugin", ROOT / "plugins" / "servicenow.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


plugin = _load()


@dataclass
class RunContext:
    http: Any
    now: datetime
    window: Window
    period: Period
    by: tuple[str, ...] = ()
    calendar: Calendar = Calendar()
    log: Any = None
    checkpoint: dict = field(default_factory=dict)

    def progress(self, done, total=None):
        pass

    async def pages(self, fetch, *, first=None, max_pages=10_000, until_empty=False):
        token = first
        for _ in range(max_pages):
            items, token = await fetch(token)
            yield items
            if token is None:
                return


def month(label: str) -> Period:
    year, number = (int(part) for part in label.split("-"))
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return Period(datetime(year, number, 1, tzinfo=UTC), end, PeriodKind.MONTH, label)


def configured(url: str, **config):
    secret = plugin.Secret
    given = {"url": url, "username": "demo", "password": secret("demo"), **config}
    return plugin.ServiceNow(plugin.ServiceNow.Config(**given))


async def run(url: str, measure: str, period: Period, *, by=(), now=None, config=None, **params) -> list:
    """The readings of one measure."""
    collector = configured(url, **(config or {}))
    spec = declared(plugin.ServiceNow, "measure")[measure]
    client = SourceClient(Source("itsm", "servicenow", collector.config, requests_per_second=1000))
    now = now or datetime(2026, 6, 1, tzinfo=UTC)
    try:
        context = RunContext(client.run(), now, Window(period.start, min(now, period.end)), period, tuple(by))
        return await getattr(collector, measure)(context, spec.params(**params))
    finally:
        await client.close()


def total(readings):
    """The reading without labels."""
    return next(reading for reading in readings if not reading.labels)


def parts(readings, dimension):
    """Values by breakdown value."""
    return {reading.labels[dimension]: reading.value for reading in readings if dimension in reading.labels}
