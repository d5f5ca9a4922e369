"""Trying a source's credentials and permissions, without collecting anything."""

from __future__ import annotations

from datetime import UTC, datetime

from bsc_monitor.collect.context import RunContext, RunLog
from bsc_monitor.collect.guard import guarded
from bsc_monitor.collect.live import open_source
from bsc_monitor.model.period import Calendar, Period
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import Collector, SourceError, Window


async def probe_source(source: Source, collector: type[Collector]) -> None:
    """Run the collector's own ``check``. Raises SourceError saying in words what is missing."""
    live = open_source(source, collector)
    now = datetime.now(UTC)
    http = live.client.run()
    log = RunLog(source.id, "check", live.client.redactor)
    run = RunContext(http, now, Window(None, now), Period(now, now), (), Calendar(), log)
    try:
        if live.collector is not None:
            await guarded(live.collector.check(run), lambda: http.deadline)
    except SourceError as error:
        mask = live.client.redactor.text
        raise SourceError(mask(error.message), error.reason, hint=mask(error.hint)) from None
    finally:
        await live.client.close()
