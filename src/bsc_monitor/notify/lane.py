"""One lane per channel: it takes what waits for its channel, in order, until the channel has it.

All that matters is in the store. Before a message is tried its rows are marked with its key, so that after a crash the
very same message is sent under the very same key.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from bsc_monitor import crash
from bsc_monitor.alert.quiet import Quiet
from bsc_monitor.alert.routing import Channel
from bsc_monitor.model.alert import Alert
from bsc_monitor.model.event import NotificationDelivered, NotificationFailed
from bsc_monitor.notify.message import Message
from bsc_monitor.notify.office import Office
from bsc_monitor.notify.outcome import Outcome, Send
from bsc_monitor.notify.plan import Job, Plan, Planner, Waiting
from bsc_monitor.notify.refresh import refresh_message
from bsc_monitor.notify.render import Rendered, render
from bsc_monitor.store import outbox, told
from bsc_monitor.store.alert_json import from_json
from bsc_monitor.store.alerts import load_alerts

_log = structlog.get_logger(__name__)
_Ready = tuple[Job, Message, Rendered]
_MOST_DOUBLINGS = 16
_MOST_CLAIMED = 20  #: messages taken on at once: their lease must outlast their sending
_PAGES = (1000, 10_000, 100_000)  #: how many waiting rows are looked at, and at most
_MOST_KNOWN = 2000  #: alerts of waiting rows kept parsed


class Lane:
    """Delivery to one channel by ``send`` (by default what the channel says). ``waiting``: transitions still to tell."""

    def __init__(self, channel: Channel, office: Office, send: Send | None = None) -> None:
        self.channel = channel
        self.waiting = 0
        self.failures = 0  #: in a row
        self._office = office
        self._send: Send = send or office.sender(channel)
        self._down = False
        self._news = asyncio.Event()
        self._ended = asyncio.Event()
        self._known: dict[str, Alert] = {}
        self._refreshed: datetime | None = None

    def wake(self) -> None:
        """Something may have happened that concerns the channel."""
        self._news.set()

    def end(self) -> None:
        """End ``run`` once the message that is under way is told and marked: cut off, it would be told twice."""
        self._ended.set()
        self._news.set()

    async def run(self) -> None:
        """Work until ``end``, or until it is cancelled."""
        pace = self._office.pace
        while not self._ended.is_set():
            self._news.clear()
            now = self._office.clock()
            try:
                again = await self.work(now)
            except Exception:  # noqa: BLE001 - whatever a lane meets, the alerts still have to get through
                _log.exception("a lane stumbled", channel=self.channel.id)
                await self._rest(pace.longest)
                continue
            wait = pace.look if again is None else min((again - self._office.clock()).total_seconds(), pace.look)
            if self._down:  # news do not make the channel come back
                await self._rest(max(wait, 0.0))
                continue
            try:
                async with asyncio.timeout(max(wait, 0.0)):
                    await self._news.wait()
                    await asyncio.sleep(pace.gather)
            except TimeoutError:
                pass

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()

    async def work(self, now: datetime) -> datetime | None:
        """Send all that is due at ``now``; returns when there is more to do (None: when something happens)."""
        office = self._office
        inhibitors = tuple(office.inhibitors.values())
        plan, quiet, count = await office.store.read(partial(self._plan, now, inhibitors))
        self.waiting = count
        jobs = [job for job in plan.jobs if not job.rows][:_MOST_CLAIMED]
        if plan.drop or plan.silent or any(job.rows for job in plan.jobs):
            jobs += await office.store.write(partial(self._settle, plan, now))
            self.waiting -= len(plan.drop) + len(plan.silent)
        self._down = False
        ready = await office.store.read(partial(self._compose, jobs, quiet, now)) if jobs else []
        for place, (job, message, words) in enumerate(ready):
            if self._ended.is_set():
                return now
            again = await self._do(job, message, words, now, jobs[place + 1 :])
            if again is not None:
                self._down = True
                return again
        looks = [plan.look_at] if plan.look_at is not None else []
        if self.channel.kind == "alertmanager":
            looks.append(await self._refresh(quiet, now))
        if plan.jobs or plan.drop:
            return now  # there may be more than fitted, or a next transition of the same alerts
        return min(looks, default=None)

    def _plan(self, now: datetime, inhibitors: tuple[Alert, ...], connection: Connection) -> tuple[Plan, Quiet, int]:
        office = self._office
        quiet = office.quiet(connection, inhibitors, now)

        def current(fingerprints: Collection[str]) -> Mapping[str, Alert]:
            return {alert.fingerprint: alert for alert in load_alerts(connection, fingerprints=fingerprints)}

        beliefs = told.told_of(connection, self.channel.id)
        times = told.group_times(connection, self.channel.id)
        plan = Plan()
        for most in _PAGES:  # what is held back may be much, and must not hide what is not
            rows = outbox.pending(connection, self.channel.id, most)
            waiting = Waiting(rows, beliefs, times, self._alert_of, current)
            planner = Planner(waiting, office.settings.routing, quiet, office.instance, now)
            plan = planner.at_once() if self.channel.kind == "alertmanager" else planner.by_group()
            if plan.jobs or plan.drop or plan.silent or len(rows) < most:
                break
        return plan, quiet, outbox.pending_count(connection, self.channel.id)

    def _alert_of(self, row: outbox.Row) -> Alert:
        if row.key not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[row.key] = from_json(row.payload)
        return self._known[row.key]

    def _settle(self, plan: Plan, now: datetime, connection: Connection) -> list[Job]:
        """Store what the plan decided; returns the jobs that are ours, each under the key that it will be sent with."""
        for why in dict.fromkeys(why for _, why in plan.drop):
            outbox.dropped(connection, [row for row, said in plan.drop if said == why], why, now)
        if plan.silent:
            outbox.delivered(connection, plan.silent, now)
        until = now + self._office.pace.lease
        ours: list[Job] = []
        for job in [job for job in plan.jobs if job.rows][:_MOST_CLAIMED]:
            key = job.message or max(job.rows, key=lambda row: row.id).key
            ids = [row.id for row in job.rows]
            if outbox.claim(connection, ids, key, self._office.instance, now, until):
                ours.append(replace(job, message=key))
        return ours

    def _compose(self, jobs: list[Job], quiet: Quiet, now: datetime, connection: Connection) -> list[_Ready]:
        composer, wording = self._office.composer(), self._office.settings.wording
        ready: list[_Ready] = []
        for job in jobs:
            key = job.message or f"{self.channel.id}/{job.group}.{job.last.isoformat() if job.last else ''}"
            message = composer.compose(connection, self.channel, job, key, quiet, now)
            ready.append((job, message, render(message, wording)))
        return ready

    async def _do(
        self, job: Job, message: Message, words: Rendered, now: datetime, others: list[Job]
    ) -> datetime | None:
        """Send one message; returns when to try again if it was not taken. ``others`` are then let go of."""
        if not message.items or (
            not job.rows and not await self._office.store.write(partial(self._claim_group, job, now))
        ):
            return None
        crash.point("sending")
        outcome = await self._try(message, words)
        crash.point("sent")
        return await self._record(job, message, outcome, others)

    def _claim_group(self, job: Job, now: datetime, connection: Connection) -> bool:
        return told.claim_group(connection, self.channel.id, job.group, job.last, now)

    async def _try(self, message: Message, words: Rendered) -> Outcome:
        try:
            return await self._send(message, words)
        except Exception as error:  # noqa: BLE001 - a sender's own fault must not stop the lane
            _log.exception("a sender failed", channel=self.channel.id)
            return Outcome(f"{type(error).__name__} in the sender", sure=False)

    async def _record(self, job: Job, message: Message, outcome: Outcome, others: list[Job]) -> datetime | None:
        """Store how it went, then tell the bus; returns when to try again."""
        office, now = self._office, self._office.clock()
        again = None if outcome.ok or outcome.dead else now + self._backoff(outcome)
        await office.store.write(partial(self._store_outcome, job, others, outcome, now, again))
        crash.point("marked")
        if outcome.ok:
            self.failures = 0
            self.waiting = max(0, self.waiting - len(job.rows))
        if outcome.error:
            _log.warning("not delivered", channel=self.channel.id, why=outcome.error, dead=outcome.dead)
            office.bus.publish([NotificationFailed(now, self.channel.id, message.key, outcome.error, outcome.dead)])
        else:
            office.bus.publish([NotificationDelivered(now, self.channel.id, message.key, job.late)])
            for why in outcome.refused.values():
                office.bus.publish([NotificationFailed(now, self.channel.id, message.key, why, dead=True)])
        return again

    def _store_outcome(
        self,
        job: Job,
        others: list[Job],
        outcome: Outcome,
        now: datetime,
        again: datetime | None,
        connection: Connection,
    ) -> None:
        rows = job.rows
        if again is not None:  # those not tried may yet be told together with what is to come
            outbox.release(connection, [row for other in others for row in other.rows if row.message is None])
        if not rows:
            if not outcome.ok and job.last is not None:  # it is due as before
                told.set_group_time(connection, self.channel.id, job.group, job.last)
            return
        if again is not None:
            before = any(row.message is not None for row in rows)  # an earlier attempt may have been taken
            outbox.put_off(connection, rows, outcome.error, again, sure=outcome.sure and not before)
            return
        taken = [row for row in rows if not outcome.dead and row.fingerprint not in outcome.refused]
        repeats = self._office.pace.again if self.channel.kind == "alertmanager" else 0
        if taken:
            outbox.delivered(connection, taken, now, again=repeats)
        for row in rows:
            if row not in taken:
                outbox.refused(connection, [row], outcome.refused.get(row.fingerprint, outcome.error), now)

    def _backoff(self, outcome: Outcome) -> timedelta:
        pace = self._office.pace
        self.failures += 1
        longest = min(pace.longest, pace.first * 2 ** min(self.failures - 1, _MOST_DOUBLINGS))
        seconds = longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret, but not all at once
        return timedelta(seconds=max(seconds, outcome.retry_after or 0.0))

    async def _refresh(self, quiet: Quiet, now: datetime) -> datetime:
        """Tell an Alertmanager again what goes on; returns when it is to be told next."""
        office = self._office
        if self._refreshed is not None and now < self._refreshed + office.pace.resend:
            return self._refreshed + office.pace.resend
        self._refreshed = now
        compose = partial(refresh_message, self.channel, office.composer(), quiet, now)
        message, ended = await office.store.read(compose)
        if message.items:
            outcome = await self._try(message, await asyncio.to_thread(render, message, office.settings.wording))
            if outcome.ok and ended:
                await office.store.write(lambda connection: told.repeated(connection, self.channel.id, ended))
        return now + office.pace.resend
