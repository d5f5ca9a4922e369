"""A source made ready to be asked: its collector, its HTTP client, and what its plugin declares."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bsc_monitor.collect.context import RunContext
from bsc_monitor.collect.guard import as_source_error
from bsc_monitor.collect.http import SourceClient
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import (
    Collector,
    CollectorError,
    Measure,
    Params,
    Reading,
    Record,
    SourceError,
    Stream,
    Window,
    declared,
)

_THREADS = 4  #: plain functions of one source running at once


class Remote(Protocol):
    """A plugin in a process of its own: see ``isolate.Worker``."""

    async def direct(self, source: Source, measure: Measure, params: Params, run: RunContext) -> list[Reading]: ...  # noqa: D102
    async def measured(  # noqa: D102
        self, source: Source, measure: Measure, params: Params, records: Sequence[Record], run: RunContext
    ) -> list[Reading]: ...
    def stream(  # noqa: D102
        self, source: Source, stream: Stream, scope: Params, window: Window, run: RunContext
    ) -> AsyncIterator[Record]: ...
    def ids(self, source: Source, stream: Stream, scope: Params, run: RunContext) -> AsyncIterator[str]: ...  # noqa: D102


@dataclass(slots=True)
class LiveSource:
    """One configured source, ready. Close its ``client`` at the end."""

    source: Source
    collector: Collector | None  #: None where it lives in a worker process
    client: SourceClient
    measures: dict[str, Measure]
    streams: dict[str, Stream]
    threads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_THREADS))
    worker: Remote | None = None  #: where its plugin runs when it is not trusted

    def measure(self, name: str) -> Measure:
        """A measure by name. Raises SourceError(CONFIG) naming those that exist."""
        if name not in self.measures:
            raise SourceError(
                f"{self.source.plugin} has no measure {name!r}",
                CollectorError.CONFIG,
                hint=f"It has {', '.join(sorted(self.measures))}.",
            )
        return self.measures[name]


def open_source(
    source: Source, collector: type[Collector], client: SourceClient | None = None, worker: Remote | None = None
) -> LiveSource:
    """Build a source's collector. Raises SourceError, with secrets masked, when the plugin's constructor fails."""
    client = client or SourceClient(source)
    measures, streams = declared(collector, "measure"), declared(collector, "stream")
    if worker is not None:
        return LiveSource(source, None, client, measures, streams, worker=worker)
    try:
        instance = collector(source.config)
    except (Exception, SystemExit) as error:  # noqa: BLE001
        failed = as_source_error(error)
        mask = client.redactor.text
        raise SourceError(mask(failed.message), failed.reason, hint=mask(failed.hint)) from None
    return LiveSource(source, instance, client, measures, streams)
