"""Upkeep: the clock, the disk, retention, and what the service says of itself. In one loop on the monotonic clock."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import structlog

from bsc_monitor.store.readings import clear_readings
from bsc_monitor.store.space import Space

if TYPE_CHECKING:
    from bsc_monitor.service.service import Service

_log = structlog.get_logger(__name__)
_BEAT = 1.0  #: seconds between looks at the clock …
_LOOK = 5.0  #: … and at all else
_JUMP = 2.0  #: seconds by which the clocks may come apart between two looks
_FIRST_CLEARING, _CLEARING = 600.0, 6 * 3600.0  #: seconds
_FULL = "the disk is nearly full: nothing new is taken until there is room"


class Upkeep:
    """Runs from ``start`` to ``stop``."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._space = Space.of(service.configuration.service.database)
        self._task: asyncio.Task[None] | None = None
        self._offset = self._apart()
        self._clear_at = time.monotonic() + _FIRST_CLEARING

    async def start(self) -> None:
        """Begin."""
        await self._look()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        looked = time.monotonic()
        while True:
            await asyncio.sleep(_BEAT)
            try:
                await self._watch_clock()
                if time.monotonic() - looked >= _LOOK:
                    looked = time.monotonic()
                    await self._look()
            except Exception:  # noqa: BLE001 - whatever is wrong now is looked at again
                _log.exception("upkeep failed")

    def _apart(self) -> float:
        return self._service.clock().timestamp() - time.monotonic()

    async def _watch_clock(self) -> None:
        by, self._offset = self._apart() - self._offset, self._apart()
        if abs(by) > _JUMP:
            _log.warning("the clock jumped: timers run on as they would have", seconds=round(by, 1))
            await self._service.evaluator.tick()
            self._service.rearm()
            self._service.delivery.notifier.wake()

    async def _look(self) -> None:
        service = self._service
        service.metrics.service.stalled(service.collection.stall)
        service.metrics.alerts.outbox(
            {name: service.delivery.notifier.pending(name) for name in service.configuration.receivers}
        )
        await self._look_at_disk()
        if time.monotonic() >= self._clear_at:
            await self._clear()

    async def _look_at_disk(self) -> None:
        before, short = self._space.short, await asyncio.to_thread(self._space.look)
        if short == before:
            return
        service = self._service
        service.collection.closed = service.evaluator.closed = _FULL if short else ""
        if short:
            _log.error(_FULL)
            await self._clear()
        else:
            _log.info("there is room on the disk again")
            for source in service.configuration.sources:
                service.collection.run_now(source)

    async def _clear(self) -> None:
        """Readings beyond retention go; period values, alerts and events are kept for good."""
        self._clear_at = time.monotonic() + _CLEARING
        before = self._service.clock() - self._service.configuration.service.retention
        count = await self._service.store.write(lambda connection: clear_readings(connection, before))
        if count:
            _log.info("old readings were cleared", count=count)
