"""What an Alertmanager is told again every minute: all that it believes to go on, and what ended lately."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bsc_monitor.alert.quiet import Quiet
from bsc_monitor.alert.routing import Channel
from bsc_monitor.model.alert import AlertState
from bsc_monitor.notify.compose import Composer
from bsc_monitor.notify.message import Message
from bsc_monitor.store.alerts import load_alerts
from bsc_monitor.store.told import told_of


def refresh_message(
    channel: Channel, composer: Composer, quiet: Quiet, now: datetime, connection: Connection
) -> tuple[Message, list[str]]:
    """The message, and the fingerprints of the ends in it.

    An alert that was silenced after it was told is told again too: the Alertmanager would think it over otherwise.
    """
    beliefs = {each.fingerprint: each for each in told_of(connection, channel.id)}
    items, ended = [], []
    for alert in load_alerts(connection, fingerprints=sorted(beliefs)):
        goes_on = alert.state is AlertState.FIRING or alert.flapping
        if beliefs[alert.fingerprint].open != goes_on:
            continue  # its next transition waits in the outbox and is told in its turn
        items.append(composer.item(connection, alert, (), quiet, now))
        if not goes_on:
            ended.append(alert.fingerprint)
    return Message(f"{channel.id}.again", channel.receiver.id, "", now, items=tuple(items), repeated=True), ended
