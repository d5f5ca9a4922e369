"""The notifier of the running service: its settings from the configuration, its HTTP clients, its trends."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from bsc_monitor.collect.http import SourceClient
from bsc_monitor.collect.receiving import receiver_client
from bsc_monitor.config import Configuration
from bsc_monitor.model.alert import Alert
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.notify.notifier import Notifier
from bsc_monitor.notify.office import Settings
from bsc_monitor.plugin import Http
from bsc_monitor.store.periods import period_values

if TYPE_CHECKING:
    from bsc_monitor.service.service import Service

_TREND = 12  #: past periods in a message's small trend


def settings_of(configuration: Configuration, board: str) -> Settings:
    """What the notifier needs of a configuration."""
    return Settings(
        configuration.alert_rules, configuration.routes, configuration.receivers, configuration.maintenance,
        configuration.inhibitions, configuration.service.timezone, configuration.service.url or board,
        _titles(configuration.organisation),
    )  # fmt: skip


def _titles(organisation: Organisation) -> dict[str, str]:
    """What the nodes above a KPI are called, by ``kind:name``."""
    found = {f"objective:{name}": each.title for name, each in organisation.objectives.items()}
    for name, card in organisation.scorecards.items():
        found[f"scorecard:{name}"] = card.title
        found |= {f"perspective:{view.name}": view.title for view in card.perspectives}
    return found


class Delivery:
    """Owns the notifier and the connections that it sends over."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._clients: dict[str, SourceClient] = {}
        self.notifier = Notifier(
            service.store, service.bus, settings_of(service.configuration, service.address), self._open,
            clock=service.clock, plugins=service.extensions.receivers, trend=_trend, instance=f"{socket.gethostname()}:{os.getpid()}",
        )  # fmt: skip

    async def start(self) -> None:
        """Go on where the last run ended."""
        self._service.metrics.alerts.receivers(self._service.configuration.receivers)
        await self.notifier.start()

    async def stop(self) -> None:
        """End; what is not delivered waits in the store."""
        await self.notifier.stop()
        for client in self._clients.values():
            await client.close()

    async def replace(self, configuration: Configuration) -> None:
        """Go over to another configuration."""
        self._service.metrics.alerts.receivers(configuration.receivers)
        await self.notifier.replace(settings_of(configuration, self._service.address))

    def _open(self, channel: str) -> Http:
        if channel not in self._clients:
            self._clients[channel] = receiver_client(channel)
        return self._clients[channel].run()


def _trend(connection: Connection, alert: Alert) -> Sequence[float]:
    """The closed values of an alert's KPI, oldest first."""
    kind, _, name = alert.subject.partition(":")
    if kind not in ("kpi", "forecast"):
        return ()
    return [value.value for value in period_values(connection, name, limit=_TREND) if value.value is not None]
