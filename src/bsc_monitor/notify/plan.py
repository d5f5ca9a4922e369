"""What a channel is to be told next, and when: pure decisions over what waits in the outbox.

Alerts of one group share a message: the first of a group waits ``group_wait`` for others, later ones until
``group_interval`` has passed since the last message, and what merely goes on is repeated every ``repeat_interval``.
In a storm the groups that are due at once share a message: a channel has one message under way at a time, so that a
crash repeats no more than one, and hundreds after each other would come too late to anybody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from bsc_monitor.alert.quiet import FOREVER, Quiet
from bsc_monitor.alert.routing import Routing
from bsc_monitor.model.alert import Alert, AlertState, Route
from bsc_monitor.store.outbox import Row
from bsc_monitor.store.told import Told

LOOK_AGAIN = timedelta(seconds=30)  #: after which it is looked again whether something is still held back
_TOLERANCE = timedelta(seconds=60)  #: a message that goes out later than due by more than this is late
_T = TypeVar("_T")
_K = TypeVar("_K", bound=Hashable)
_LONGEST_WAIT = timedelta(minutes=10)  #: no retry and no lease is longer
_MOST_TOGETHER = 200  #: transitions in one message
_STORM = 10  #: groups of one route: more that are due at once share a message


@dataclass(frozen=True, slots=True)
class Waiting:
    """All that one channel has to do, as the store holds it. ``alert_of`` is the alert at a row's transition."""

    rows: Sequence[Row]
    told: Sequence[Told]
    sent: Mapping[str, datetime]  #: when each group was told last
    alert_of: Callable[[Row], Alert]
    current: Callable[[Collection[str]], Mapping[str, Alert]]  #: alerts by fingerprint, as they are now


@dataclass(frozen=True, slots=True)
class Job:
    """One message to send. Without rows it repeats what goes on in its group."""

    group: str  #: empty: several
    route: str
    due: datetime
    rows: tuple[Row, ...] = ()
    message: str | None = None  #: key of the message, where it was tried before
    late: bool = False
    last: datetime | None = None  #: of a repetition: when the group was told before

    @property
    def escalates(self) -> bool:
        """Whether it is told because nobody acknowledged."""
        return any(row.escalates and row.open for row in self.rows)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now, and when to look again (None: when something happens)."""

    jobs: tuple[Job, ...] = ()
    drop: tuple[tuple[Row, str], ...] = ()
    silent: tuple[Row, ...] = ()  #: ends that need no words
    look_at: datetime | None = None


class Planner:
    """Plans for one channel at one moment."""

    def __init__(self, waiting: Waiting, routing: Routing, quiet: Quiet, holder: str, now: datetime) -> None:
        self._waiting = waiting
        self._routing = routing
        self._quiet = quiet
        self._holder = holder
        self._now = now
        self._open = {each.fingerprint: each for each in waiting.told if each.open}
        self._drop: list[tuple[Row, str]] = []
        self._later: list[datetime] = []

    def by_group(self) -> Plan:
        """Messages to people: grouped, spaced, repeated."""
        ready = self._ready()
        tried = _by([row for row in ready if row.message is not None], lambda row: row.message)
        jobs, waiting = self._once_more_in_order(tried.values())
        fresh: list[Job] = []
        silent: list[Row] = []
        for group, rows in _by([row for row in ready if row.group not in waiting], lambda row: row.group).items():
            if any(not row.quiet for row in rows):
                fresh.append(self._job(group, rows))
            else:
                silent += rows
        busy = waiting.keys() | {job.group for job in fresh if job.due <= self._now}
        jobs += [*self._together(fresh), *self._repetitions(busy)]
        return self._plan(jobs, silent)

    def _together(self, jobs: list[Job]) -> list[Job]:
        """Let the groups that are due share messages where they are many."""
        due = _by([job for job in jobs if job.due <= self._now], lambda job: (job.route, job.escalates))
        left = [job for job in jobs if job.due > self._now]
        for (route, _), some in due.items():
            if len(some) <= _STORM:
                left += some
                continue
            rows = sorted((row for job in some for row in job.rows), key=lambda row: row.id)
            for start in range(0, len(rows), _MOST_TOGETHER):
                part = tuple(rows[start : start + _MOST_TOGETHER])
                left.append(Job("", route, min(job.due for job in some), part, late=any(job.late for job in some)))
        return left

    def at_once(self) -> Plan:
        """Messages to an Alertmanager, which groups by itself: each alert's next transition, all in one post."""
        first: dict[str, Row] = {}
        for row in self._ready():
            first.setdefault(row.fingerprint, row)
        jobs = []
        for message, rows in _by(list(first.values()), lambda row: row.message).items():
            for start in range(0, len(rows), _MOST_TOGETHER):
                part = tuple(rows[start : start + _MOST_TOGETHER])
                due = max(self._now if row.next_try is None else self._sane(row.next_try) for row in part)
                jobs.append(Job("", part[0].route, due, part, message, any(row.attempts for row in part)))
        return self._plan(jobs, [])

    def _plan(self, jobs: list[Job], silent: list[Row]) -> Plan:
        due = [job for job in jobs if job.due <= self._now]
        tried = [job for job in due if job.message is not None]  # before a crash perhaps several, told in this order
        now = [*tried, *sorted((job for job in due if job.message is None), key=lambda job: job.due)]
        self._later += [job.due for job in jobs if job.due > self._now]
        return Plan(tuple(now), tuple(self._drop), tuple(silent), min(self._later, default=None))

    def _ready(self) -> list[Row]:
        """The rows that may go now or once their group may, in order; the others are dropped or wait."""
        ready: list[Row] = []
        for rows in _by(self._waiting.rows, lambda row: row.fingerprint).values():
            left = self._without_vain(rows)
            for row in left:
                if not self._may_go(row):
                    break  # what follows about this alert waits too: the order is kept
                ready.append(row)
        return sorted(ready, key=lambda row: row.id)

    def _without_vain(self, rows: list[Row]) -> list[Row]:
        """Leave out whole episodes that nobody is to hear of."""
        left: list[Row] = []
        believed = rows[0].fingerprint in self._open
        for episode in _by(rows, lambda row: row.episode).values():
            why = "" if believed else self._in_vain(episode)
            if why:
                self._drop += [(row, why) for row in episode]
            else:
                left += episode
                believed = episode[-1].open
        return left

    def _in_vain(self, episode: list[Row]) -> str:
        """Why an episode that the channel has not heard of need not be told; empty: it must."""
        first, last = episode[0], episode[-1]
        if first.message is not None or first.attempts:
            return ""  # it was tried, and may have been taken
        if not first.open:
            return "its beginning was not told either" if first.escalates or first.quiet else ""
        alert = self._waiting.alert_of(first)
        if first.escalates:
            current = self._waiting.current([first.fingerprint]).get(first.fingerprint, alert)
            if self._quiet.acknowledgement(current, self._now) is not None and current.episode == first.episode:
                return "acknowledged before it escalated"
            if not last.open and last.at <= first.not_before:
                return "resolved before it escalated"
        if last.open:
            return ""
        held = self._quiet.held(alert, first.at)
        slack = self._routing.route(first.route).group_wait
        return "held back from its beginning to its end" if held.until and _later(held.until, slack) >= last.at else ""

    def _may_go(self, row: Row) -> bool:
        if row.holder not in (None, self._holder) and row.held_until is not None:
            free = self._sane(row.held_until)
            if free > self._now:
                self._later.append(free)
                return False
        if row.escalates and row.open and row.not_before > self._now:
            self._later.append(row.not_before)
            return False
        if row.message is not None:
            return True
        held = self._quiet.held(self._waiting.alert_of(row), self._now)
        if held.until is not None:
            self._later.append(min(held.until, self._now + LOOK_AGAIN))
            return False
        return True

    def _job(self, group: str, rows: list[Row]) -> Job:
        rows = rows[:_MOST_TOGETHER]
        route = self._routing.route(rows[0].route)
        due = self._due(group, route, rows)
        retry = max((self._sane(row.next_try) for row in rows if row.next_try is not None), default=due)
        return Job(group, route.id, max(due, retry), tuple(rows), late=self._late(rows, due))

    def _once_more_in_order(self, tried: Iterable[list[Row]]) -> tuple[list[Job], dict[str, datetime]]:
        """The messages that were tried before, and until when each of their groups waits: nothing overtakes in a group."""
        jobs: list[Job] = []
        waiting: dict[str, datetime] = {}
        for rows in tried:
            job, groups = self._once_more(rows), {row.group for row in rows}
            due = max([job.due, *(waiting[group] for group in groups if group in waiting)])
            jobs.append(replace(job, due=due))
            waiting.update(dict.fromkeys(groups, due))
        return jobs, waiting

    def _once_more(self, rows: list[Row]) -> Job:
        """The very message that was tried before."""
        groups = _by(rows, lambda row: row.group)
        route = self._routing.route(rows[0].route)
        dues = [self._due(name, route, own) for name, own in groups.items() if any(not row.quiet for row in own)]
        due = max(dues, default=self._now)
        retry = max((self._sane(row.next_try) for row in rows if row.next_try is not None), default=due)
        group = next(iter(groups)) if len(groups) == 1 else ""
        return Job(group, route.id, max(due, retry), tuple(rows), rows[0].message, self._late(rows, due))

    def _late(self, rows: list[Row], due: datetime) -> bool:
        return any(row.attempts for row in rows) or self._now - due > _TOLERANCE

    def _due(self, group: str, route: Route, rows: list[Row]) -> datetime:
        first = min((row for row in rows if not row.quiet), key=lambda row: row.not_before)
        if first.escalates and first.open:
            return first.not_before  # it has waited long enough
        begun = first.not_before
        if begun > self._now:
            return self._now  # the clock was set back since: it has waited long enough
        held = self._quiet.held(self._waiting.alert_of(first), first.at).until
        if held is not None and held <= self._now:
            begun = max(begun, held)
        due = begun + route.group_wait
        sent = self._sent(group)
        goes_on = any(each.group == group for each in self._open.values())
        return max(due, sent + route.group_interval) if sent is not None and goes_on else due

    def _sent(self, group: str) -> datetime | None:
        """When a group was told last; None where it was not, or the clock was set back since."""
        sent = self._waiting.sent.get(group)
        return None if sent is None or sent > self._now else sent

    def _sane(self, instant: datetime) -> datetime:
        """An instant to wait for; now, where it is so far away that the clock must have been set back."""
        return self._now if instant > self._now + _LONGEST_WAIT else instant

    def _repetitions(self, busy: Collection[str]) -> list[Job]:
        jobs: list[Job] = []
        for group, beliefs in _by(list(self._open.values()), lambda each: each.group).items():
            sent = self._waiting.sent.get(group)
            if group in busy or sent is None:
                continue
            due = self._now if sent > self._now else sent + self._routing.route(beliefs[0].route).repeat_interval
            if due > self._now or self._worth_repeating(beliefs):
                jobs.append(Job(group, beliefs[0].route, due, last=sent))
            else:
                self._later.append(self._now + LOOK_AGAIN)
        return jobs

    def _worth_repeating(self, beliefs: Sequence[Told]) -> bool:
        for alert in self._waiting.current([each.fingerprint for each in beliefs]).values():
            if not (alert.state is AlertState.FIRING or alert.flapping):
                continue
            held = self._quiet.held(alert, self._now)
            if held.until is not None:
                self._later.append(min(held.until, self._now + LOOK_AGAIN))
            elif self._quiet.acknowledgement(alert, self._now) is None:
                return True
        return False


def _later(instant: datetime, by: timedelta) -> datetime:
    return FOREVER if instant >= FOREVER - by else instant + by


def _by(items: Iterable[_T], key: Callable[[_T], _K]) -> dict[_K, list[_T]]:
    found: dict[_K, list[_T]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return found
