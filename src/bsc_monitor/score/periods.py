"""Reporting periods: local midnights of the scorecard's time zone, fiscal years and quarters, ISO weeks."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from bsc_monitor.model.organisation import Kpi
from bsc_monitor.model.period import Calendar, Period, PeriodKind

_INSTANT = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_MOST_KNOWN = 10_000
_YEARS = range(1900, 2200)
_FORMS = (
    (PeriodKind.YEAR, re.compile(r"(\d{4})")),
    (PeriodKind.MONTH, re.compile(r"(\d{4})-(\d{2})")),
    (PeriodKind.QUARTER, re.compile(r"(\d{4})-[Qq]([1-4])")),
    (PeriodKind.WEEK, re.compile(r"(\d{4})-[Ww](\d{2})")),
    (PeriodKind.DAY, re.compile(r"(\d{4})-(\d{2})-(\d{2})")),
)


class Timeline:
    """All periods of one kind in one calendar, each made once: asked for with every reading."""

    __slots__ = ("_calendar", "_known", "_recent", "_zone", "kind")

    def __init__(self, calendar: Calendar, kind: PeriodKind) -> None:
        self.kind = kind
        self._calendar = calendar
        self._zone = ZoneInfo(calendar.timezone)
        self._known: dict[date, Period] = {}
        self._recent = Period(datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))

    def at(self, instant: datetime) -> Period:
        """The period that an instant (aware) lies in."""
        recent = self._recent
        if recent.start <= instant < recent.end:
            return recent
        found = self.of(instant.astimezone(self._zone).date())
        if instant >= found.end:  # the clock went back over midnight: the local day before was read once more
            found = self.of(found.end.astimezone(self._zone).date())
        self._recent = found
        return found

    def of(self, day: date) -> Period:
        """The period that a local day lies in."""
        first = _first_day(day, self.kind, self._calendar.fiscal_year_start)
        found = self._known.get(first)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            after = _after(first, self.kind)
            label = _label(first, self.kind, self._calendar.fiscal_year_start)
            found = Period(midnight(first, self._zone), midnight(after, self._zone), self.kind, label)
            self._known[first] = found
        return found


@lru_cache(maxsize=1024)
def timeline(calendar: Calendar, kind: PeriodKind) -> Timeline:
    """The periods of a kind in a calendar."""
    return Timeline(calendar, kind)


def period_at(instant: datetime, kind: PeriodKind, calendar: Calendar) -> Period:
    """The reporting period of a kind that an instant lies in.

    Days, ISO weeks and calendar months begin at local midnight; quarters and years are the organisation's fiscal
    ones and are named after the calendar year in which the fiscal year begins.
    """
    return timeline(calendar, kind).at(instant)


def previous(period: Period, calendar: Calendar) -> Period:
    """The period before; of a trailing window, the window of the same length before it."""
    if period.kind is None:
        return Period(period.start - (period.end - period.start), period.start)
    return period_at(period.start - _INSTANT, period.kind, calendar)


def following(period: Period, calendar: Calendar) -> Period:
    """The period after; of a trailing window, the window of the same length after it."""
    if period.kind is None:
        return Period(period.end, period.end + (period.end - period.start))
    return period_at(period.end, period.kind, calendar)


def current_period(now: datetime, kpi: Kpi | None, calendar: Calendar) -> Period:
    """The period that a KPI is judged in now: its trailing window or its open period; without a KPI the month."""
    if kpi is not None and kpi.window is not None:
        return Period(now - kpi.window, now)
    return period_at(now, kpi.period if kpi is not None else PeriodKind.MONTH, calendar)


#: What people may write for a period, in words.
FORMS = "2026, 2026-Q2, 2026-06, 2026-W23 or 2026-06-14"


def parse_period(text: str, calendar: Calendar) -> Period:
    """The period that people write as ``2026``, ``2026-Q2``, ``2026-06``, ``2026-W23`` or ``2026-06-14``.

    Raises ValueError in words for anything else.
    """
    for kind, form in _FORMS:
        found = form.fullmatch(text.strip()[:20])
        if found is None:
            continue
        numbers = [int(part) for part in found.groups()]
        if numbers[0] not in _YEARS:
            raise ValueError(f"the year of {text!r} is not between {_YEARS.start} and {_YEARS.stop - 1}")
        try:
            day = _day_of(kind, numbers, calendar.fiscal_year_start)
        except ValueError:
            raise ValueError(f"there is no {kind.value} {text.strip()!r}: write {FORMS}") from None
        return timeline(calendar, kind).of(day)
    raise ValueError(f"{text[:40]!r} is no period: write {FORMS}")


def asked_period(text: str, calendar: Calendar, now: datetime) -> Period | None:
    """The past period that a text names; None for the running one and for an empty text.

    Raises ValueError for what is no period and for one that has not begun.
    """
    if not text.strip():
        return None
    period = parse_period(text, calendar)
    if period.start > now:
        raise ValueError(f"{period.label} has not begun yet")
    return None if now in period else period


def local_day(instant: datetime, calendar: Calendar) -> date:
    """The day that an instant falls on in the calendar's time zone."""
    return instant.astimezone(ZoneInfo(calendar.timezone)).date()


def last_day(period: Period, calendar: Calendar) -> date:
    """The local day on which a period's last instant falls: the day whose thresholds and weights judge it."""
    return local_day(period.end - _INSTANT, calendar)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, in UTC; where the clock skips midnight, the instant it jumps."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _first_day(day: date, kind: PeriodKind, fiscal_start: int) -> date:
    if kind is PeriodKind.DAY:
        return day
    if kind is PeriodKind.WEEK:
        return day - timedelta(days=day.weekday())
    if kind is PeriodKind.MONTH:
        return day.replace(day=1)
    months = (day.month - fiscal_start) % (3 if kind is PeriodKind.QUARTER else 12)
    return _add_months(day.replace(day=1), -months)


def _after(first: date, kind: PeriodKind) -> date:
    if kind is PeriodKind.DAY:
        return first + _DAY
    if kind is PeriodKind.WEEK:
        return first + 7 * _DAY
    return _add_months(first, {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3, PeriodKind.YEAR: 12}[kind])


def _add_months(first: date, months: int) -> date:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _label(first: date, kind: PeriodKind, fiscal_start: int) -> str:
    if kind is PeriodKind.DAY:
        return first.isoformat()
    if kind is PeriodKind.WEEK:
        year, week, _ = first.isocalendar()
        return f"{year:04d}-W{week:02d}"
    if kind is PeriodKind.MONTH:
        return f"{first.year:04d}-{first.month:02d}"
    year = first.year if first.month >= fiscal_start else first.year - 1
    if kind is PeriodKind.YEAR:
        return f"{year:04d}"
    return f"{year:04d}-Q{(first.month - fiscal_start) % 12 // 3 + 1}"


def _day_of(kind: PeriodKind, numbers: list[int], fiscal_start: int) -> date:
    """A day inside the period that the numbers name."""
    if kind is PeriodKind.WEEK:
        return date.fromisocalendar(numbers[0], numbers[1], 1)
    if kind is PeriodKind.MONTH:
        return date(numbers[0], numbers[1], 1)
    if kind is PeriodKind.DAY:
        return date(*numbers)
    quarter = numbers[1] - 1 if kind is PeriodKind.QUARTER else 0
    return _add_months(date(numbers[0], fiscal_start, 1), 3 * quarter)
