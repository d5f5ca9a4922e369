"""What plugins add to the running service by hooks: they are told events, deliver alerts, and serve pages of their own.

All of it happens in worker processes (``collect.hooking``), for bundled and for other plugins alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from bsc_monitor.collect.hooking import HOOK_OF, Hooked
from bsc_monitor.model.event import AlertChanged, Event, InsightFound, KpiJudged, ReadingStored, ScoreChanged
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import CollectorError, SourceError, TicketRequest

if TYPE_CHECKING:
    from bsc_monitor.service.service import Service

_log = structlog.get_logger(__name__)
_TOLD: tuple[type[Event], ...] = (ReadingStored, KpiJudged, ScoreChanged, AlertChanged, InsightFound)
Pages = dict[tuple[str, str, str], tuple[Hooked, str]]
Receiver = Callable[[Mapping[str, Any], Mapping[str, Any]], Awaitable[None]]


class Extensions:
    """The hooked plugins of the running service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._hooked: dict[str, Hooked] = {}  #: by origin
        self._loaded: dict[str, object] = {}  #: the module that each was read as
        self._lost = 0
        #: By plugin, method and path: who serves it and the policy. The board reads it.
        self.pages: Pages = {}
        self.receivers: dict[str, Receiver] = {}

    async def start(self) -> None:
        """Take up the plugins that were found, and begin to tell."""
        self._service.metrics.service.dropped("plugin", 0)
        await self.replace()
        for kind in _TOLD:
            self._service.bus.subscribe(kind, self._tell)

    async def replace(self) -> None:
        """Take up the plugins that are in force now; one that did not change keeps its process."""
        plugins = self._service.plugins
        modules = dict(plugins.hooks.list_name_plugin())
        for origin in [known for known in self._hooked if self._loaded[known] is not modules.get(known)]:
            await self._hooked.pop(origin).close()
        for origin, hooks in plugins.hooked.items():
            if origin not in self._hooked:
                own = frozenset(name for name, known in plugins.origins.items() if known == origin)
                self._hooked[origin] = Hooked(origin, hooks, own, self._count_lost)
        self._loaded = modules
        self._service.spawn(self._ask_all())  # the service waits for no plugin

    async def stop(self) -> None:
        """End every process."""
        for each in self._hooked.values():
            await each.close()

    async def _ask_all(self) -> None:
        """What they provide now; one that cannot say provides nothing, and the rest goes on."""
        answers = await asyncio.gather(*(self._ask(each) for each in self._hooked.values()))
        self.pages.clear()
        self.receivers.clear()
        for pages, receivers in answers:
            self.pages |= pages
            self.receivers |= receivers

    async def _ask(self, plugin: Hooked) -> tuple[Pages, dict[str, Receiver]]:
        pages: Pages = {}
        receivers: dict[str, Receiver] = {}
        try:
            if "bsc_receivers" in plugin.hooks:
                receivers = {name: partial(plugin.receive, name) for name in await plugin.receivers()}
            if "bsc_routes" in plugin.hooks:
                for method, path, policy in await plugin.routes():
                    pages[plugin.name, method, path] = (plugin, _policy(path, policy))
        except SourceError as error:
            _log.warning("a plugin's hooks cannot be used", plugin=plugin.name, error=error.message)
        return pages, receivers

    async def open_ticket(
        self, source: Source, request: TicketRequest, params: Mapping[str, Any], now: datetime
    ) -> str:
        """The link of a ticket that a plugin's action opened in its worker. Raises SourceError."""
        plugin = self._hooked.get(self._service.plugins.origins.get(source.plugin, ""))
        if plugin is None:
            raise SourceError(f"the plugin {source.plugin} is gone", CollectorError.PLUGIN)
        return await plugin.open_ticket(source, request, params, now)

    def _tell(self, event: Event) -> None:
        if type(event).__name__ not in HOOK_OF:
            return
        for each in self._hooked.values():
            if each.is_told:
                each.tell(event)

    def _count_lost(self) -> None:
        self._lost += 1
        self._service.metrics.service.dropped("plugin", self._lost)


def _policy(path: str, policy: str) -> str:
    if policy not in ("public", "viewer", "operator", "admin"):
        raise SourceError(f"the page {path} declares no policy that there is: {policy!r}", CollectorError.PLUGIN)
    return policy
