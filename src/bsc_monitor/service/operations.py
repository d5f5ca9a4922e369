"""What people and webhooks may ask of the running service: ``web.operations.Operations``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection

from bsc_monitor.ingest import Refused
from bsc_monitor.model.alert import Maintenance, Matcher
from bsc_monitor.model.event import WebhookReceived
from bsc_monitor.model.reading import Reading
from bsc_monitor.notify import controls, windows
from bsc_monitor.store import outbox, webhooks
from bsc_monitor.store.events import StoredEvent, save_events
from bsc_monitor.web.operations import Progress, Rejected, Unknown

if TYPE_CHECKING:
    from bsc_monitor.service.service import Service

T = TypeVar("T")


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

    async def webhook(self, source: str, event_time: datetime, event: str = "") -> int | None:
        """See ``Operations``. Remembered only once acted upon, so that after a crash between the sender's repeat counts."""
        self._known(source)
        now, store = self._service.clock(), self._service.store
        if event:
            known = await store.read(lambda connection: webhooks.came_before(connection, source, event, now))
            if known:
                return None
        self._service.bus.publish([WebhookReceived(now, source, "")])
        jobs = self._service.collection.trigger(source, event_time)
        if event:
            await store.write(lambda connection: webhooks.remember(connection, source, event, now))
        return jobs

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

    async def acknowledge(self, fingerprint: str, note: str, until: datetime | None, author: str) -> None:
        """See ``Operations``."""
        now = self._service.clock()
        await self._control(lambda connection: controls.acknowledge(connection, fingerprint, note, until, author, now))

    async def silence(
        self, matchers: Sequence[Matcher], starts_at: datetime, ends_at: datetime, author: str, comment: str
    ) -> str:
        """See ``Operations``."""
        now = self._service.clock()
        return await self._control(
            lambda connection: controls.silence(connection, matchers, starts_at, ends_at, author, comment, now)
        )

    async def expire_silence(self, id: str, author: str) -> None:  # noqa: A002 - Alertmanager's word
        """See ``Operations``."""
        now = self._service.clock()
        await self._control(lambda connection: controls.expire_silence(connection, id, author, now))

    async def maintain(self, window: Maintenance) -> None:
        """See ``Operations``."""
        now, configured = self._service.clock(), self._service.configuration.maintenance
        await self._control(lambda connection: windows.open_window(connection, window, configured, now))

    async def end_maintenance(self, id: str, author: str) -> None:  # noqa: A002 - as windows are called
        """See ``Operations``."""
        now, configured = self._service.clock(), self._service.configuration.maintenance
        await self._control(lambda connection: windows.end_window(connection, id, author, configured, now))

    async def comment(self, subject: str, text: str, author: str) -> None:
        """See ``Operations``."""
        now = self._service.clock()
        await self._control(lambda connection: controls.comment(connection, subject, text, author, now))

    async def retry_dead(self, keys: Sequence[str], author: str) -> int:
        """See ``Operations``."""
        now = self._service.clock()

        def work(connection: Connection) -> int:
            count = outbox.retry_dead(connection, keys)
            save_events(connection, [StoredEvent(now, "dead_letters_retried", author, {"count": count})])
            return count

        return await self._control(work)

    async def backfill(self, subject: str, start: datetime) -> int:
        """See ``Operations``."""
        organisation = self._service.configuration.organisation
        if subject not in organisation.kpis:
            self._known(subject)
        return await self._service.past.ask(subject, start)

    def backfill_progress(self) -> Progress:
        """See ``Operations``."""
        return self._service.past.progress

    async def rescore(self, kpis: Sequence[str], since: datetime, author: str) -> int:
        """See ``Operations``."""
        for name in kpis:
            if name not in self._service.configuration.organisation.kpis:
                raise Unknown(f"there is no KPI {name!r}")
        return await self._service.evaluator.rescore(kpis, since, author)

    async def _control(self, work: Callable[[Connection], T]) -> T:
        """Do what a person asked of alerts, durably, and let the notifier see it."""
        try:
            result = await self._service.store.write(work)
        except controls.NotThere as error:
            raise Unknown(str(error)) from None
        except controls.NotPossible as error:
            raise Rejected(str(error)) from None
        self._service.delivery.notifier.wake()
        return result

    def _known(self, source: str) -> None:
        if source not in self._service.configuration.sources:
            raise Unknown(f"there is no source {source!r}")
