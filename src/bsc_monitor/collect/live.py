"""A source made ready to be asked: its collector, its HTTP client, and what its plugin declares."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from bsc_monitor.collect.guard import as_source_error
from bsc_monitor.collect.http import SourceClient
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import Collector, CollectorError, Measure, SourceError, Stream, declared

_THREADS = 4  #: plain functions of one source running at once


@dataclass(slots=True)
class LiveSource:
    """One configured source, ready. Close its ``client`` at the end."""

    source: Source
    collector: Collector
    client: SourceClient
    measures: dict[str, Measure]
    streams: dict[str, Stream]
    threads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_THREADS))

    def measure(self, name: str) -> Measure:
        """A measure by name. Raises SourceError(CONFIG) naming those that exist."""
        if name not in self.measures:
            raise SourceError(
                f"{self.source.plugin} has no measure {name!r}",
                CollectorError.CONFIG,
                hint=f"It has {', '.join(sorted(self.measures))}.",
            )
        return self.measures[name]


def open_source(source: Source, collector: type[Collector], client: SourceClient | None = None) -> LiveSource:
    """Build a source's collector. Raises SourceError, with secrets masked, when the plugin's constructor fails."""
    client = client or SourceClient(source)
    try:
        instance = collector(source.config)
    except (Exception, SystemExit) as error:  # noqa: BLE001
        failed = as_source_error(error)
        raise SourceError(client.redactor.text(failed.message), failed.reason, hint=failed.hint) from None
    return LiveSource(source, instance, client, declared(collector, "measure"), declared(collector, "stream"))
