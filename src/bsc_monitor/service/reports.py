"""Reports of the running service: made when asked, and on their schedules, once, to whom it may concern."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection

from bsc_monitor import crash
from bsc_monitor.alert.routing import Channel, channels_of
from bsc_monitor.collect.http import SourceClient
from bsc_monitor.collect.receiving import receiver_client
from bsc_monitor.config.settings import Report
from bsc_monitor.model.cron import next_fire
from bsc_monitor.notify.outcome import Outcome
from bsc_monitor.report.data import ReportData
from bsc_monitor.report.letter import Letter
from bsc_monitor.report.making import NoReportError, Subject, subject_of
from bsc_monitor.report.render import CONTENT_TYPES, FormatError, file_name, render
from bsc_monitor.report.sending import send
from bsc_monitor.report.shelf import keep, on_shelf
from bsc_monitor.score.periods import period_at, previous
from bsc_monitor.store.events import StoredEvent, save_events
from bsc_monitor.store.reports import Sending, begin_run, last_slot, open_sendings, run_period, save_sendings
from bsc_monitor.web.improvement import Document
from bsc_monitor.web.operations import Rejected, Unknown
from bsc_monitor.web.pages.reports import address

if TYPE_CHECKING:
    from bsc_monitor.service.service import Service

_log = structlog.get_logger(__name__)
_LOOK = 20.0  #: seconds, by the monotonic clock: a jump of the wall clock delays nothing
_FIRST, _LONGEST = timedelta(seconds=30), timedelta(hours=1)
_GIVE_UP = 60  #: attempts: two days
_PATIENCE = timedelta(days=7)  #: for which a report waits until its period is frozen


class Reports:
    """Makes, schedules and sends reports."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._making = asyncio.Lock()  #: pages are heavy: one at a time
        self._taken: dict[str, set[str]] = {}  #: by letter that not all took: the recipients who have it
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look at the schedules; what was missed meanwhile is made now."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; what is not sent waits in the store."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def make(self, scorecard: str, period: str, form: str, owner: str) -> Document:
        """A report in one format, from the shelf where it is. Raises Unknown, Rejected."""
        data, content = await self._make(scorecard, period, form, owner)
        return Document(content, CONTENT_TYPES[form], file_name(data, form), data.final)

    async def _make(self, scorecard: str, period: str, form: str, owner: str) -> tuple[ReportData, bytes]:
        try:
            subject = subject_of(self._service.configuration, scorecard, period, owner, self._service.clock())
            data, content = await self._service.store.read(lambda connection: on_shelf(connection, subject, form))
            return (data, content) if content is not None else await self._make_new(subject, form)
        except NoReportError as error:
            raise Unknown(str(error)) from None
        except FormatError as error:
            raise Rejected(str(error)) from None

    async def _make_new(self, subject: Subject, form: str) -> tuple[ReportData, bytes]:
        store = self._service.store
        async with self._making:  # look again: another format may have been made and kept meanwhile
            data, content = await store.read(lambda connection: on_shelf(connection, subject, form))
            made = content if content is not None else await asyncio.to_thread(render, data, form)
            crash.point("report_made")
            kept = await store.write(lambda connection: keep(connection, data, form, made))
            crash.point("report_kept")
            return data, kept

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - one bad report must not end the others
                _log.exception("looking after reports failed")
            await asyncio.sleep(_LOOK)

    async def look(self) -> None:
        """Take the slots that are due, and send what waits."""
        service, now = self._service, self._service.clock()
        for report in service.configuration.reports.values():
            await self._take_slot(report, now)
        if not service.configuration.reports:
            return
        for sending in await service.store.read(open_sendings):
            if sending.next_try is None or sending.next_try <= now:
                await self._send(sending, now)

    async def _take_slot(self, report: Report, now: datetime) -> None:
        store, card = self._service.store, self._service.configuration.organisation.scorecards[report.scorecard]
        last = await store.read(lambda connection: last_slot(connection, report.id))
        if last is None:  # seen for the first time: only what comes from now on is its business
            await store.write(lambda connection: begin_run(connection, report.id, now, "", now, ()))
            return
        slot = newest_slot(report.at, card.calendar.timezone, last, now)
        if slot is None:
            return
        period = previous(period_at(slot, report.period, card.calendar), card.calendar)
        channels = [channel.id for channel in self._channels(report)]

        def begin(connection: Connection) -> bool:
            taken = begin_run(connection, report.id, slot, period.label, now, channels)
            if taken:
                data = {"period": period.label, "to": channels}
                save_events(connection, [StoredEvent(now, "report_due", report.id, data)])
            return taken

        await store.write(begin)
        crash.point("report_taken")

    def _channels(self, report: Report) -> Iterator[Channel]:
        known = self._service.configuration.receivers
        for name in report.receivers:
            if name in known:
                yield from channels_of(known[name])

    async def _send(self, sending: Sending, now: datetime) -> None:
        report = self._service.configuration.reports.get(sending.report)
        channel = (
            next((each for each in self._channels(report) if each.id == sending.channel), None) if report else None
        )
        if report is None or channel is None:
            await self._sent(sending, Outcome("it left the configuration", dead=True), now)
            return
        period = await self._service.store.read(lambda c: run_period(c, sending.report, sending.slot))
        try:
            letter = await self._letter(report, sending, period)
        except (Unknown, Rejected) as error:
            await self._sent(sending, Outcome(str(error)), now)
            return
        if not letter.data.final and now < sending.slot + _PATIENCE:
            waiting = replace(sending, next_try=now + timedelta(minutes=10), error="waits until the period is frozen")
            await self._service.store.write(lambda connection: save_sendings(connection, [waiting]))
            return
        outcome = await self._deliver(channel, letter, now)
        await self._sent(sending, outcome, now)
        if outcome.ok or outcome.dead:  # not before it is stored: until then it may be sent again
            self._taken.pop(letter.key, None)

    async def _deliver(self, channel: Channel, letter: Letter, now: datetime) -> Outcome:
        client: SourceClient = receiver_client(channel.id)
        try:
            taken = self._taken.setdefault(letter.key, set())
            crash.point("report_sending")
            outcome = await send(channel, letter, client.run, self._service.extensions.receivers, now, taken)
            crash.point("report_sent")
        except Exception as error:  # noqa: BLE001 - a sender's own fault must not hold up what else waits
            _log.exception("a sender failed", channel=channel.id)
            return Outcome(f"{type(error).__name__} in the sender", sure=False)
        finally:
            await client.close()
        return outcome

    async def _letter(self, report: Report, sending: Sending, period: str) -> Letter:
        board = self._service.configuration.service.url or self._service.address
        data, _ = await self._make(report.scorecard, period, "json", report.owner)
        files = {}
        for form in report.formats:
            if form != "html":  # that is the mail itself
                _, content = await self._make(report.scorecard, period, form, report.owner)
                files[file_name(data, form)] = content
        link = board.rstrip("/") + address(report.scorecard, period, "html", report.owner) if board else ""
        key = f"{sending.report}:{sending.slot:%Y-%m-%dT%H:%MZ}:{sending.channel}"
        return Letter(key, data, files, link, board, report.title)

    async def _sent(self, sending: Sending, outcome: Outcome, now: datetime) -> None:
        attempts = sending.attempts + 1
        wait = min(_FIRST * 2.0 ** min(attempts - 1, 10), _LONGEST)
        after = replace(
            sending, attempts=attempts, error=outcome.error, delivered_at=None if outcome.error else now,
            next_try=now + wait, dead=bool(outcome.error) and (outcome.dead or attempts >= _GIVE_UP),
        )  # fmt: skip
        if outcome.error:
            _log.warning(
                "a report was not delivered", report=sending.report, channel=sending.channel, error=outcome.error
            )

        def keep_it(connection: Connection) -> None:
            save_sendings(connection, [after])
            if after.delivered_at is not None or after.dead:
                kind = "report_failed" if after.dead else "report_sent"
                data = {"channel": after.channel, "error": after.error}
                save_events(connection, [StoredEvent(now, kind, after.report, data)])

        await self._service.store.write(keep_it)
        crash.point("report_marked")


def newest_slot(at: str, timezone: str, last: datetime, now: datetime) -> datetime | None:
    """The newest time up to ``now`` at which a schedule fired after ``last``; None when it did not.

    Of several that were missed only the newest is made up for: the others can be had by hand.
    """
    found: datetime | None = None
    slot = next_fire(at, timezone, last)
    while slot is not None and slot <= now:
        found, slot = slot, next_fire(at, timezone, slot)
    return found
