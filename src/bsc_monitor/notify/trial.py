"""The test message of ``bsc-monitor notify test``: it looks like a real one and says that it is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from bsc_monitor.alert.routing import Channel
from bsc_monitor.model.alert import Alert, AlertState, Facts, fingerprint
from bsc_monitor.notify.message import Item, Message, Moment
from bsc_monitor.notify.office import Settings
from bsc_monitor.notify.outcome import Outcome, Send
from bsc_monitor.notify.render import render


async def send_trial(
    settings: Settings, route: str, sender: Callable[[Channel], Send], now: datetime
) -> dict[str, Outcome]:
    """Send a test message along a route; how it went, by channel. Raises KeyError for an unknown route."""
    routing = settings.routing
    if route not in routing.routes and (routing.routes or route != "default"):
        raise KeyError(route)
    wanted = routing.route(route).receivers
    channels = [channel for channel in routing.channels().values() if channel.receiver.id in wanted]

    async def send(channel: Channel) -> Outcome:
        message = trial_message(channel, route, now)
        return await sender(channel)(message, render(message, settings.wording))

    outcomes = await asyncio.gather(*map(send, channels))
    return {channel.id: outcome for channel, outcome in zip(channels, outcomes, strict=True)}


def trial_message(channel: Channel, route: str, now: datetime) -> Message:
    """A message about an alert that exists nowhere. An Alertmanager takes it as over after a few minutes."""
    labels = {"alertname": "BscMonitorTest", "severity": "info", "scorecard": "test", "kpi": "test"}
    facts = Facts("Test of the way to you", "h", 4.0, 8.0, 12.0, "red", "", "", "", "", "Nothing is wrong.", now)
    alert = Alert(
        "BscMonitorTest", "", labels, fingerprint(labels), AlertState.FIRING, value=9.5, starts_at=now, episode=1,
        sequence=1, subject="service:test", facts=facts,
    )  # fmt: skip
    key = f"test.{now.timestamp():.6f}.{channel.id}"
    trend = (3.8, 4.1, 4.0, 4.6, 5.2, 6.1, 7.4, 9.5)
    item = Item(alert, "breach", (Moment("fired", now, key),), trend)
    return Message(key, channel.receiver.id, route, now, {}, (item,), test=True)
