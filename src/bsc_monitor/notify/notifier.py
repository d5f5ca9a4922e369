"""The notifier: a lane for every channel, awake when alerts change, started and stopped with the service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from bsc_monitor.bus import Bus
from bsc_monitor.model.alert import Alert, AlertState
from bsc_monitor.model.event import AlertChanged
from bsc_monitor.notify.compose import Trend
from bsc_monitor.notify.lane import Lane
from bsc_monitor.notify.office import Office, Pace, Settings
from bsc_monitor.notify.outcome import OpenHttp, Outcome
from bsc_monitor.notify.plugged import PluginReceiver
from bsc_monitor.notify.trial import send_trial
from bsc_monitor.store import Store, outbox
from bsc_monitor.store.alerts import load_alerts

_FINISHING = 4.0  #: seconds that a message under way gets to be told and marked
_log = structlog.get_logger(__name__)
_KEPT = timedelta(days=90)  #: how long what was delivered stays in the outbox; the alerts' own history stays for good


class Notifier:
    """Delivers what the outbox holds. Build it in the loop's thread; nothing is lost by ending it at any moment.

    ``open_http`` gives a fresh run of a channel's HTTP client; ``trend`` the values of past periods of an alert's
    subject; ``instance`` names this process where several share a store.
    """

    def __init__(
        self,
        store: Store,
        bus: Bus,
        settings: Settings,
        open_http: OpenHttp,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        plugins: Mapping[str, PluginReceiver] | None = None,
        trend: Trend | None = None,
        instance: str = "one",
        pace: Pace | None = None,
    ) -> None:
        self._office = Office(store, bus, settings, open_http, clock, plugins or {}, trend, instance, pace or Pace())
        self._lanes: dict[str, tuple[Lane, asyncio.Task[None] | None]] = {}
        self._unsubscribe: Callable[[], None] | None = None

    async def start(self) -> None:
        """Go on where the store says that the last run ended."""
        office = self._office
        self._unsubscribe = office.bus.subscribe(AlertChanged, self._changed)
        await self._take_stock()
        self._open_lanes()

    async def stop(self) -> None:
        """End every lane. A message that is under way is sent again by the next start, under the same key."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        await self._close_lanes()

    def wake(self, channel: str | None = None) -> None:
        """Look again: an alert, a silence or an acknowledgement changed."""
        for name, (lane, _) in self._lanes.items():
            if channel in (None, name):
                lane.wake()

    async def replace(self, settings: Settings) -> None:
        """Go over to another configuration."""
        await self._close_lanes()
        self._office.settings = settings
        self._office.inhibitors.clear()
        await self._take_stock()
        self._open_lanes()

    def pending(self, receiver: str) -> int:
        """How many transitions a receiver (or one channel of it) is still to be told."""
        return sum(
            lane.waiting for lane, _ in self._lanes.values() if receiver in (lane.channel.id, lane.channel.receiver.id)
        )

    def lanes(self) -> dict[str, Lane]:
        """The lanes by channel."""
        return {name: lane for name, (lane, _) in self._lanes.items()}

    async def test(self, route: str) -> dict[str, Outcome]:
        """Send a real test message along a route; how it went, by channel. Raises KeyError for an unknown route."""
        office = self._office
        return await send_trial(office.settings, route, office.sender, office.clock())

    async def _take_stock(self) -> None:
        """Know what fires, and queue what a change of the routes lets channels hear for the first time."""
        office = self._office
        alerts: list[Alert] = await office.store.read(
            partial(load_alerts, states=[AlertState.FIRING, AlertState.RESOLVED])
        )
        for alert in alerts:
            office.heard(alert)
        routing, now = office.settings.routing, office.clock()
        await office.store.write(lambda connection: outbox.take_over(connection, office.instance))
        await office.store.write(lambda connection: outbox.forget(connection, now - _KEPT))
        await office.store.write(lambda connection: outbox.put_missing(connection, alerts, routing, now))

    def _open_lanes(self) -> None:
        for name, channel in self._office.settings.routing.channels().items():
            lane = Lane(channel, self._office)
            task = asyncio.create_task(lane.run(), name=f"lane {name}")
            self._lanes[name] = lane, task

    async def _close_lanes(self) -> None:
        tasks = [task for _, task in self._lanes.values() if task is not None]
        for lane, _ in self._lanes.values():
            lane.end()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_FINISHING)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=_FINISHING)
        self._lanes.clear()

    def _changed(self, event: AlertChanged) -> None:
        self._office.heard(event.alert)
        self.wake()
