"""What people and webhooks may ask of the running service: ``web.operations.Operations``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from bsc_monitor.ingest import Refused
from bsc_monitor.model.event import WebhookReceived
from bsc_monitor.model.reading import Reading
from bsc_monitor.web.operations import Rejected, Unknown

if TYPE_CHECKING:
    from bsc_monitor.service.service import Service


class ServiceOperations:
    """Every change that comes from outside passes here."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def reload(self) -> tuple[bool, Sequence[str]]:
        """See ``Operations``."""
        return await self._service.reloading.reload()

    async def run_now(self, source: str) -> int:
        """See ``Operations``."""
        self._known(source)
        return self._service.collection.run_now(source)

    async def webhook(self, source: str, event_time: datetime) -> int:
        """See ``Operations``."""
        self._known(source)
        self._service.bus.publish([WebhookReceived(self._service.clock(), source, "")])
        return self._service.collection.trigger(source, event_time)

    async def set_value(self, kpi: str, value: float, at: datetime, note: str, author: str) -> None:
        """See ``Operations``."""
        found = self._service.configuration.organisation.kpis.get(kpi)
        if found is None:
            raise Unknown(f"there is no KPI {kpi!r}")
        if found.formula is not None:
            raise Rejected(f"{kpi} is computed by a formula")
        try:
            await self._service.evaluator.enter(found, Reading(value, at=at, note=note or None), author)
        except Refused as refused:
            raise Rejected(str(refused)) from None

    def _known(self, source: str) -> None:
        if source not in self._service.configuration.sources:
            raise Unknown(f"there is no source {source!r}")
