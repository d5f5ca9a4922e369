"""The sources of a configuration, open: what did not change stays open when the configuration is loaded anew."""

from __future__ import annotations

from collections.abc import Mapping

from bsc_monitor.collect.isolate import Worker
from bsc_monitor.collect.live import LiveSource, open_source
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import Collector, CollectorError, SourceError

_NOT_LOADED = "the plugin {} is not loaded; bsc-monitor check says why"


class LiveSources:
    """Open sources by name, or why one is not; and the workers of plugins that are not trusted."""

    def __init__(self) -> None:
        self._live: dict[str, LiveSource | SourceError] = {}
        self._collectors: Mapping[str, type[Collector]] = {}
        self._workers: dict[str, tuple[type[Collector], Worker]] = {}

    def get(self, name: str) -> LiveSource | None:
        """A source, if it is open."""
        live = self._live.get(name)
        return live if isinstance(live, LiveSource) else None

    def demand(self, name: str) -> LiveSource:
        """A source. Raises SourceError where it is not open, saying why."""
        live = self._live.get(name)
        if isinstance(live, LiveSource):
            return live
        raise live or SourceError(f"there is no source {name!r}", CollectorError.CONFIG)

    async def open(
        self, sources: Mapping[str, Source], collectors: Mapping[str, type[Collector]], isolated: Mapping[str, str]
    ) -> set[str]:
        """Open these sources and close all others; the names of those that were there and are not the same any more.

        ``isolated`` are the plugins that run in worker processes of their own, with their origins.
        """
        before, old, self._live = self._live, dict(self._live), {}
        for name, source in sources.items():
            known, cls = old.get(name), collectors.get(source.plugin)
            if isinstance(known, LiveSource) and known.source == source and self._collectors.get(source.plugin) is cls:
                self._live[name] = old.pop(name)
                continue
            try:
                self._live[name] = await self._opened(source, cls, isolated)
            except SourceError as error:
                self._live[name] = error
        self._collectors = collectors
        for live in old.values():
            if isinstance(live, LiveSource):
                await live.client.close()
        return {name for name in before.keys() & self._live.keys() if self._live[name] is not before[name]}

    async def _opened(self, source: Source, cls: type[Collector] | None, isolated: Mapping[str, str]) -> LiveSource:
        if cls is None:
            raise SourceError(_NOT_LOADED.format(source.plugin), CollectorError.CONFIG)
        return open_source(source, cls, worker=await self._worker(source.plugin, cls, isolated))

    async def _worker(self, plugin: str, cls: type[Collector], isolated: Mapping[str, str]) -> Worker | None:
        """The worker of a plugin that is not trusted; a new one when its file was read anew."""
        if plugin not in isolated:
            return None
        known, worker = self._workers.get(plugin, (None, None))
        if known is not cls:
            if worker is not None:
                await worker.close()
            worker = Worker(plugin, isolated[plugin])
            self._workers[plugin] = (cls, worker)
        return worker

    async def close(self) -> None:
        """Close all connections and end the workers."""
        for live in self._live.values():
            if isinstance(live, LiveSource):
                await live.client.close()
        self._live.clear()
        for _, worker in self._workers.values():
            await worker.close()
