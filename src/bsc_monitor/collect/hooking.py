"""A plugin's hooks, called in a worker process: told events wait in a short queue, and whatever fails is counted."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import structlog

from bsc_monitor.collect.acting import checked_link
from bsc_monitor.collect.guard import guarded
from bsc_monitor.collect.isolate import plain_source
from bsc_monitor.collect.process import WorkerProcess
from bsc_monitor.hooks import TELLING
from bsc_monitor.model.adapter import adapter
from bsc_monitor.model.event import Event
from bsc_monitor.model.page import Page, PageRequest
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import CollectorError, SourceError, TicketRequest

_log = structlog.get_logger(__name__)
_WAITING = 1000  #: events of one plugin; the oldest go when more come
_SECONDS = 10.0  #: for one call of a hook
_DELIVERING = 30.0  #: for a message to a plugin's receiver

#: Which hook tells which kinds of events.
HOOK_OF = {
    "ReadingStored": "bsc_reading_stored", "KpiJudged": "bsc_score_changed", "ScoreChanged": "bsc_score_changed",
    "AlertChanged": "bsc_alert_changed", "InsightFound": "bsc_insight_found",
}  # fmt: skip


class Hooked:
    """One plugin with hooks. ``on_lost`` is told of every event that its hook did not get or did not survive."""

    def __init__(
        self, origin: str, hooks: frozenset[str], collectors: frozenset[str], on_lost: Callable[[], None]
    ) -> None:
        self.origin = origin
        self.name = name_of(origin)
        self.hooks = hooks
        self.collectors = collectors
        self.error: str | None = None  #: of the last call that failed; None: it went well
        self._on_lost = on_lost
        self._process = WorkerProcess(self.name, origin)
        self._events: deque[Event] = deque()
        self._telling: asyncio.Task[None] | None = None

    @property
    def is_told(self) -> bool:
        """Whether it has a hook that tells."""
        return not self.hooks.isdisjoint(TELLING)

    def tell(self, event: Event) -> None:
        """Queue an event for its hook, if it has one. Never blocks, never raises."""
        if HOOK_OF[type(event).__name__] not in self.hooks:
            return
        if len(self._events) >= _WAITING:
            self._events.popleft()
            self._on_lost()
        self._events.append(event)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_all())

    async def receivers(self) -> list[str]:
        """The kinds of receivers that it provides. Raises SourceError."""
        return list(await self._ask("receivers", {}) or ())

    async def receive(self, name: str, config: Mapping[str, Any], message: Mapping[str, Any]) -> None:
        """Deliver a message through its receiver. Raises SourceError."""
        await self._ask("receive", {"name": name, "config": dict(config), "message": dict(message)}, _DELIVERING)

    async def open_ticket(
        self, source: Source, request: TicketRequest, params: Mapping[str, Any], now: datetime
    ) -> str:
        """The link of a ticket that its action opened in a source of its own collector. Raises SourceError."""
        question = {
            "source": plain_source(source), "request": adapter(TicketRequest).dump_python(request, mode="json"), "params": dict(params),
            "now": now.isoformat(),
        }  # fmt: skip
        return checked_link(await self._ask("ticket", question, source.timeout))

    async def routes(self) -> list[tuple[str, str, str]]:
        """Its pages: method, path and policy of each. Raises SourceError."""
        return [(str(method), str(path), str(policy)) for method, path, policy in await self._ask("routes", {}) or ()]

    async def page(self, request: PageRequest) -> Page:
        """What its page answers. Raises SourceError."""
        plain = {
            "method": request.method, "path": request.path, "query": dict(request.query), "user": request.user,
            "headers": dict(request.headers), "body": base64.b64encode(request.body).decode(),
        }  # fmt: skip
        return Page(**await self._ask("page", {"request": plain}))

    async def close(self) -> None:
        """End; events that wait are gone."""
        if self._telling is not None:
            self._telling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._telling
        await self._process.close()

    async def _tell_all(self) -> None:
        while self._events:
            event = self._events.popleft()
            kind = type(event).__name__
            try:
                plain = msgspec.to_builtins(event)
                await self._ask("tell", {"hook": HOOK_OF[kind], "kind": kind, "event": plain})
                self.error = None
            except SourceError as error:
                self._on_lost()
                if error.message != self.error:
                    _log.warning("a hook failed", plugin=self.name, hook=HOOK_OF[kind], error=error.message)
                self.error = error.message

    async def _ask(self, do: str, question: Mapping[str, Any], seconds: float | None = None) -> Any:
        await self._process.start()
        deadline = asyncio.get_running_loop().time() + (seconds or _SECONDS)
        return await guarded(self._answer(do, question), partial(float, deadline))

    async def _answer(self, do: str, question: Mapping[str, Any]) -> Any:
        result = None
        async for message in self._process.ask(do, question):
            if "error" in message:
                words, reason, hint, _ = message["error"]
                raise SourceError(words, CollectorError(reason), hint=hint)
            result = message.get("result")
        self._process.behaved()
        return result


def name_of(origin: str) -> str:
    """What people call a plugin: its file's stem, or the name of its entry point."""
    return Path(origin).stem if origin.endswith(".py") else origin.split()[2]
