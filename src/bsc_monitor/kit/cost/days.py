"""The days of a period, and what a source said of each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bsc_monitor.kit.cost.money import add
from bsc_monitor.plugin import Calendar, CollectorError, Context, SourceError, Window

DAY = timedelta(days=1)
_MOST_KEPT = 64  #: scopes of a source, and answers about other things


def days_of(window: Window, calendar: Calendar) -> tuple[date, date]:
    """The usage dates ``[first, end)`` of a window: the scorecard's dates, a day begun counting as a day."""
    zone = ZoneInfo(calendar.timezone)
    if window.start is None:
        raise SourceError("costs are asked for a period; this one has no start", CollectorError.CONFIG)
    last = (window.end - timedelta(microseconds=1)).astimezone(zone).date()
    first = window.start.astimezone(zone).date()
    return first, max(last, first) + DAY


def whole_period(ctx: Context) -> tuple[date, date]:
    """The dates ``[first, end)`` of the whole reporting period."""
    return days_of(Window(ctx.period.start, ctx.period.end), ctx.calendar)


def current_day(ctx: Context) -> date:
    """The vendors' day: that of UTC."""
    return ctx.now.astimezone(UTC).date()


def settled_until(ctx: Context, lag: int) -> date:
    """The end of the days that a comparison with a budget may use: before today and ``lag`` days more."""
    return current_day(ctx) - lag * DAY


def month_after(day: date, months: int = 1) -> date:
    """The first day of the month that many months later."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


# ---- what was said of them


@dataclass(frozen=True, slots=True)
class Line:
    """A sum of a day: of one kind of charge and one value of a dimension."""

    kind: str
    key: str
    costs: Mapping[str, tuple[float, str]]  #: metric → amount, currency


@dataclass(slots=True)
class Step:
    """What a source said of one day (or month), and when it was asked."""

    asked: datetime
    estimated: bool = False  #: the source says that it may restate it
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The lines of the days ``[first, end)``."""

    first: date
    end: date
    steps: Sequence[Step]

    @property
    def estimated(self) -> bool:
        """Whether any of it may be restated."""
        return any(step.estimated for step in self.steps)

    @property
    def notes(self) -> list[str]:
        """What people should know of it."""
        empty = sum(not step.lines for step in self.steps)
        return [f"{empty} of {len(self.steps)} days hold no data"] if 0 < empty < len(self.steps) else []

    def lines(self) -> Iterator[Line]:
        """All of them."""
        return (line for step in self.steps for line in step.lines)


def total(lines: Iterable[Line], metric: str) -> dict[str, float]:
    """The sum of a metric by currency; empty of no lines."""
    amounts: dict[str, float] = {}
    for line in lines:
        amount, currency = line.costs[metric]
        add(amounts, currency, amount)
    return amounts


def total_by_key(lines: Iterable[Line], metric: str) -> dict[str, dict[str, float]]:
    """The sums of a metric by currency, for each value of the lines' dimension."""
    found: dict[str, dict[str, float]] = {}
    for line in lines:
        amount, currency = line.costs[metric]
        add(found.setdefault(line.key, {}), currency, amount)
    return found


class Book:
    """What a source said, kept so that all KPIs of a scope share one question.

    A day is asked for again, after ``refresh``, while the source calls it an estimate or while it was younger than
    ``settle`` when it was asked for; after that never. Used by one event loop.
    """

    def __init__(self, refresh: timedelta, settle: timedelta = timedelta(days=4)) -> None:
        self._refresh, self._settle = refresh, settle
        self._steps: dict[str, dict[date, Step]] = {}
        self._answers: dict[str, tuple[datetime, Any]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def stretch(
        self,
        key: str,
        first: date,
        end: date,
        now: datetime,
        fetch: Callable[[date, date], Awaitable[Mapping[date, Step]]],
        *,
        by_month: bool = False,
    ) -> Stretch:
        """The days ``[first, end)``, or their months; empty, and nothing asked, where there are none. See ``days``."""
        if end <= first:
            return Stretch(first, first, [])
        days = [first]
        while (following := month_after(days[-1]) if by_month else days[-1] + DAY) < end:
            days.append(following)
        return Stretch(first, end, await self.days(key, days, now, fetch))

    async def days(
        self,
        key: str,
        days: Sequence[date],
        now: datetime,
        fetch: Callable[[date, date], Awaitable[Mapping[date, Step]]],
    ) -> list[Step]:
        """What is known of ``days`` (or months, by their first day); ``fetch(first, last)`` asks for what is not.

        A day that an answer leaves out is kept as one without lines.
        """
        async with self._lock(key):
            known = self._steps.setdefault(key, {})
            wanting = [day for day in days if day not in known or self._unsettled(day, known[day], now)]
            if wanting:
                found = await fetch(wanting[0], wanting[-1])
                known.update({day: found.get(day) or Step(now) for day in days if wanting[0] <= day <= wanting[-1]})
            return [known[day] for day in days]

    async def answer(self, key: str, now: datetime, ask: Callable[[], Awaitable[Any]]) -> Any:
        """An answer that serves everyone for ``refresh``."""
        async with self._lock(key):
            at, answer = self._answers.get(key, (None, None))
            if at is None or now - at >= self._refresh:
                answer = await ask()
                self._answers[key] = (now, answer)
            return answer

    def _lock(self, key: str) -> asyncio.Lock:
        for kept in (self._steps, self._answers):
            while len(kept) > _MOST_KEPT:
                kept.pop(next(iter(kept)))
        return self._locks.setdefault(key, asyncio.Lock())

    def _unsettled(self, day: date, step: Step, now: datetime) -> bool:
        young = step.asked.date() - day < self._settle
        return (step.estimated or young) and now - step.asked >= self._refresh
