"""Tickets from insights: asked for by people or rules, kept before they are opened, tried until they are."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection

from bsc_monitor.collect.acting import open_ticket
from bsc_monitor.evaluate.keeping import BY_RULE
from bsc_monitor.model.event import InsightFound, TicketOpened
from bsc_monitor.model.insight import Insight
from bsc_monitor.plugin import SourceError, TicketRequest
from bsc_monitor.store.actions import Ticket, ask_tickets, save_tickets, ticket, tickets, waiting_tickets
from bsc_monitor.store.events import StoredEvent, save_events
from bsc_monitor.store.insights import insight_by_id
from bsc_monitor.web.operations import Rejected, Unknown
from bsc_monitor.web.view.improvement import anchor

if TYPE_CHECKING:
    from bsc_monitor.service.service import Service

_log = structlog.get_logger(__name__)
_LOOK = 60.0  #: seconds after which it is looked again in any case
_LONGEST = timedelta(hours=1)  #: between two tries
#: After a try whose end is unknown the vendor's search needs a moment before it finds what was opened.
_SETTLE = timedelta(minutes=1)


class Actions:
    """Opens the tickets that wait. One ticket of one insight is never tried twice at once."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._wake = asyncio.Event()
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Tell the tickets that there are, and go on with those that wait."""
        service = self._service
        known = await service.store.read(tickets)
        now = service.clock()
        service.bus.publish([TicketOpened(now, each.insight, each.action, each.link) for each in known if each.link])
        service.bus.subscribe(InsightFound, lambda _: self._wake.set())
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Open nothing more; what waits is opened after the next start."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def open(self, insight: str, action: str, author: str) -> str:
        """The link of an insight's ticket, opened if there was none. Raises Unknown, Rejected."""
        service = self._service
        if action not in service.configuration.actions:
            raise Unknown(f"there is no action {action!r}")
        now = service.clock()
        asked = Ticket(insight, action, author, now, next_try=now + _SETTLE)

        def ask(connection: Connection) -> Ticket:
            if insight_by_id(connection, insight) is None:
                raise Unknown(f"there is no insight {insight!r}")
            new = ask_tickets(connection, [asked])
            save_events(connection, [_row("ticket_asked", each, now) for each in new])
            return ticket(connection, insight, action) or asked

        known = await service.store.write(ask)
        done = known if known.link else await self._try(known, by_hand=True)
        if not done.link:
            raise Rejected(f"the ticket was not opened: {done.error}")
        return done.link

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            store, now = self._service.store, self._service.clock()
            for each in await store.read(waiting_tickets):
                if each.next_try is not None and each.next_try <= now:
                    try:
                        await self._try(each, by_hand=False)
                    except Exception:  # noqa: BLE001 - one ticket must not keep the others waiting for ever
                        _log.exception("opening a ticket failed", insight=each.insight, action=each.action)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._wake.wait()

    async def _try(self, asked: Ticket, *, by_hand: bool) -> Ticket:
        key = (asked.insight, asked.action)
        async with self._locks.setdefault(key, asyncio.Lock()):
            service = self._service
            known = await service.store.read(lambda connection: ticket(connection, *key))
            insight = await service.store.read(lambda connection: insight_by_id(connection, asked.insight))
            if known is None or known.link or insight is None:
                return known or asked
            now = service.clock()
            # Kept before anything is sent: should the process die now, the next one looks for the ticket first.
            trying = replace(known, attempts=known.attempts + 1, next_try=now + _SETTLE)
            await service.store.write(lambda connection: save_tickets(connection, [trying]))
            done = await self._open(trying, insight, now)
            if not done.link:
                again = None if by_hand and known.author != BY_RULE else now + _wait(done.attempts)
                done = replace(done, next_try=again)
            await service.store.write(lambda connection: _keep(connection, done, service.clock()))
        self._locks.pop(key, None)
        if done.link:
            service.bus.publish([TicketOpened(service.clock(), done.insight, done.action, done.link)])
        return done

    async def _open(self, asked: Ticket, insight: Insight, now: datetime) -> Ticket:
        configuration = self._service.configuration
        action = configuration.actions.get(asked.action)
        source = configuration.sources.get(action.source) if action else None
        if action is None or source is None:
            return replace(asked, error="its action left the configuration")
        if insight.ended_at is not None:
            return replace(asked, error="the insight has ended")
        plugins = self._service.plugins
        opener = plugins.openers.get(source.plugin)
        if opener is None:
            return replace(asked, error=f"no ticket can be opened in a source of the plugin {source.plugin}")
        request = request_of(asked, insight, configuration.service.url or self._service.address)
        try:
            if source.plugin in plugins.bundled:
                link = await open_ticket(opener, source, request, action.params, now)
            else:
                link = await self._service.extensions.open_ticket(source, request, action.params, now)
        except SourceError as error:
            return replace(asked, error=error.message)
        return replace(asked, link=link, error="", opened_at=self._service.clock(), next_try=None)


def request_of(asked: Ticket, insight: Insight, board: str) -> TicketRequest:
    """The words of a ticket: what was found, what to do, the numbers behind it."""
    numbers = "; ".join(f"{name} {value}" for name, value in insight.evidence.items() if _short(value))
    link = f"{board.rstrip('/')}/improvement#{anchor(asked.insight)}" if board else ""
    paragraphs = (insight.sentence, f"Next step: {insight.next_step}", f"Evidence: {numbers}" if numbers else "")
    return TicketRequest(asked.key, insight.sentence.rstrip("."), tuple(text for text in paragraphs if text), link)


def _short(value: object) -> bool:
    return isinstance(value, str | int | float) and len(str(value)) < 60


def _wait(attempts: int) -> timedelta:
    return min(_SETTLE * 2.0 ** min(attempts - 1, 8), _LONGEST)


def _keep(connection: Connection, done: Ticket, now: datetime) -> None:
    save_tickets(connection, [done])
    save_events(connection, [_row("ticket_opened" if done.link else "ticket_failed", done, now)])


def _row(kind: str, of: Ticket, now: datetime) -> StoredEvent:
    data = {"action": of.action, "author": of.author, "link": of.link, "error": of.error, "insight": of.insight}
    return StoredEvent(now, kind, of.insight.partition(":")[2].rpartition(":")[0][:400] or of.insight[:400], data)
