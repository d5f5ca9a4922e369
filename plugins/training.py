"""Learning and staff: training hours, certificates, skills and turnover, from HR files or an LMS / HR REST service.

Tables (files or folders of these names inside ``path``, sheets of an XLSX file, or paths below ``url``) and their columns
(rename them with ``columns``); a measure reads only what it needs:

- ``people``: ``person``, ``joined``, ``left`` (the last working day; empty: still here); further columns for ``where`` and breakdowns
- ``trainings``: ``person``, ``date``, ``hours``, and ``course`` where asked for
- ``certificates``: ``person``, ``certificate``, ``issued``, ``expires`` (empty: never)
- ``requirements``: ``person``, ``certificate``: who has to hold what
- ``skills``: ``person``, ``skill``, ``level``, ``since``

A person counts from the day of joining to the last working day, both included, in the scorecard's time zone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field

from bsc_monitor.kit import tables
from bsc_monitor.kit.table_source import TableSource, rows
from bsc_monitor.kit.tables import Row
from bsc_monitor.plugin import (
    Collector,
    CollectorError,
    Completeness,
    Context,
    Params,
    Reading,
    ReadingState,
    SourceError,
    measure,
)


class Staff(Params):
    """Whose."""

    where: dict[str, str | list[str]] = Field(default_factory=dict, description="Column of people → value or values")


class Hours(Staff):
    """Which trainings."""

    courses: tuple[str, ...] = Field((), description="Only these courses; empty: all")


class Certificates(Staff):
    """What has to be held."""

    certificates: tuple[str, ...] = Field((), description="Everyone must hold these; empty: as requirements says")


class Skills(Staff):
    """Which skills are critical, and when one is covered."""

    critical: tuple[str, ...] = Field(min_length=1, description="The critical skills")
    holders: int = Field(2, ge=1, description="People who must have a skill")
    level: float = Field(0, description="Level at which someone has it")


class Turnover(Staff):
    """How leaving is counted."""

    annualised: bool = Field(False, description="extrapolated to a year of 365 days")
    leavers: dict[str, str | list[str]] = Field(
        default_factory=dict, description="Which leavers count, e.g. reason = resigned"
    )


@dataclass(frozen=True, slots=True)
class Person:
    """Someone, and the days on which they count."""

    key: str
    joined: date
    left: date | None
    row: Row

    def on(self, day: date) -> bool:
        """Whether they count on that day."""
        return self.joined <= day and (self.left is None or day <= self.left)


class Training(Collector):
    """One HR or learning system, or its exported files."""

    name = "training"

    class Config(TableSource):
        """Where the tables are."""

    config: Config

    async def check(self, ctx: Context) -> None:
        """Read the people."""
        await self._people(ctx, Staff())

    @measure(unit="h", title="Training hours per head")
    async def training_hours(self, ctx: Context, p: Hours) -> list[Reading]:
        """Hours of trainings dated in the period / mean headcount of the period's days so far.

        Hours of people who are not in ``people`` (externals) or not chosen by ``where`` do not count.
        """
        people = await self._people(ctx, p)
        taken = [row for row in await rows(ctx, self.config, "trainings") if self._during(ctx, row, "date")]
        if p.courses:
            taken = [row for row in taken if tables.text(row, "course") in p.courses]

        def judge(group: list[Person]) -> Reading:
            members = {person.key for person in group}
            hours, bad = tables.numbers(
                (row for row in taken if tables.text(row, "person") in members), "hours", self.config.decimal
            )
            note = f"{bad} trainings have no number of hours and were left out" if bad else None
            state = ReadingState.PARTIAL if bad else ReadingState.OK
            return _ratio(sum(hours), _headcount(ctx, group), len(hours), note, state)

        return self._judged(ctx, people, judge)

    @measure(unit="ratio", title="Certification coverage")
    async def certification_coverage(self, ctx: Context, p: Certificates) -> list[Reading]:
        """Required certificates held and unexpired at the period's end / required ones, over the people employed then."""
        people = [person for person in await self._people(ctx, p) if person.on(_last_day(ctx))]
        held = {
            (tables.text(row, "person"), tables.text(row, "certificate"))
            for row in await rows(ctx, self.config, "certificates")
            if self._valid(ctx, row)
        }
        if p.certificates:
            required = {(person.key, name) for person in people for name in p.certificates}
        else:
            listed = await rows(ctx, self.config, "requirements")
            required = {(tables.text(row, "person"), tables.text(row, "certificate")) for row in listed}

        def judge(group: list[Person]) -> Reading:
            members = {person.key for person in group}
            wanted = {pair for pair in required if pair[0] in members}
            return _ratio(len(wanted & held), len(wanted), len(wanted))

        return self._judged(ctx, people, judge)

    @measure(unit="ratio", title="Skill coverage")
    async def skill_coverage(self, ctx: Context, p: Skills) -> list[Reading]:
        """Critical skills that at least ``holders`` people employed at the period's end have / critical skills."""
        people = [person for person in await self._people(ctx, p) if person.on(_last_day(ctx))]
        levels = [
            (tables.text(row, "skill"), tables.text(row, "person"))
            for row in await rows(ctx, self.config, "skills")
            if self._has(ctx, row, p.level)
        ]

        def judge(group: list[Person]) -> Reading:
            members = {person.key for person in group}
            holders = {skill: {who for what, who in levels if what == skill and who in members} for skill in p.critical}
            thin = [skill for skill, who in holders.items() if len(who) < p.holders]
            note = f"fewer than {p.holders} holders: {', '.join(thin[:10])}" if thin else None
            return _ratio(len(holders) - len(thin), len(holders), len(holders), note)

        return self._judged(ctx, people, judge)

    @measure(unit="ratio", better="lower", title="Staff turnover")
    async def turnover(self, ctx: Context, p: Turnover) -> list[Reading]:
        """People whose last working day lies in the period / mean headcount of its days so far; annualised when said."""
        first, last = _days(ctx)
        scale = 365 / ((last - first).days + 1) if p.annualised else 1.0

        def judge(group: list[Person]) -> Reading:
            gone = [
                person for person in group
                if person.left and first <= person.left <= last and tables.matches(person.row, p.leavers)
            ]  # fmt: skip
            return _ratio(len(gone) * scale, _headcount(ctx, group), len(gone))

        return self._judged(ctx, await self._people(ctx, p), judge)

    @measure(unit="count", better="target", title="Headcount")
    async def headcount(self, ctx: Context, p: Staff) -> list[Reading]:
        """People employed on the period's last day (so far)."""
        people = [person for person in await self._people(ctx, p) if person.on(_last_day(ctx))]
        return self._judged(ctx, people, lambda group: Reading(float(len(group)), samples=len(group)))

    def _judged(self, ctx: Context, people: list[Person], judge: Callable[[list[Person]], Reading]) -> list[Reading]:
        """The reading of all people, and of each value of each breakdown column."""
        said: dict[str, Any] = {
            "period": ctx.period,
            "evidence": self.config.url,
            "completeness": Completeness.FINAL if ctx.window.end >= ctx.period.end else Completeness.PROVISIONAL,
        }
        readings = [replace(judge(people), **said)]
        for name in ctx.by:
            parts: dict[str, list[Person]] = {}
            for person in people:
                parts.setdefault(tables.text(person.row, name) or "none", []).append(person)
            readings += [replace(judge(part), labels={name: value}, **said) for value, part in parts.items()]
        return readings

    async def _people(self, ctx: Context, p: Staff) -> list[Person]:
        found = []
        for row in await rows(ctx, self.config, "people"):
            if not tables.matches(row, p.where):
                continue
            joined = self._day(ctx, row, "joined")
            if joined is None:
                raise SourceError(f"person {tables.text(row, 'person')!r} has no day of joining", CollectorError.CONFIG)
            found.append(Person(tables.text(row, "person"), joined, self._day(ctx, row, "left"), row))
        return found

    def _valid(self, ctx: Context, row: Row) -> bool:
        issued, expires, day = self._day(ctx, row, "issued"), self._day(ctx, row, "expires"), _last_day(ctx)
        return (issued is None or issued <= day) and (expires is None or day <= expires)

    def _has(self, ctx: Context, row: Row, level: float) -> bool:
        since = self._day(ctx, row, "since") if "since" in row else None
        if since is not None and since > _last_day(ctx):
            return False
        found, _ = tables.numbers([row], "level", self.config.decimal) if level else ([level], 0)
        return bool(found) and found[0] >= level

    def _during(self, ctx: Context, row: Row, column: str) -> bool:
        first, last = _days(ctx)
        day = self._day(ctx, row, column)
        return day is not None and first <= day <= last

    def _day(self, ctx: Context, row: Row, column: str) -> date | None:
        zone = ctx.calendar.timezone
        at = tables.instant(tables.cell(row, column), column, zone, self.config.date_format)
        return at.astimezone(ZoneInfo(zone)).date() if at else None


def _days(ctx: Context) -> tuple[date, date]:
    """The first and the last day of the period so far, in the scorecard's time zone."""
    zone = ZoneInfo(ctx.calendar.timezone)
    start: datetime = ctx.window.start or ctx.now
    return start.astimezone(zone).date(), max(start, ctx.window.end - timedelta(microseconds=1)).astimezone(zone).date()


def _last_day(ctx: Context) -> date:
    return _days(ctx)[1]


def _headcount(ctx: Context, people: Iterable[Person]) -> float:
    """Mean number of people over the days of the period so far."""
    first, last = _days(ctx)
    days = 0
    for person in people:
        begin, end = max(first, person.joined), min(last, person.left or last)
        days += max(0, (end - begin).days + 1)
    return days / ((last - first).days + 1)


def _ratio(
    above: float,
    below: float,
    samples: int,
    note: str | None = None,
    state: ReadingState = ReadingState.OK,
) -> Reading:
    if not below:
        return Reading(None, samples=samples, state=ReadingState.NO_DATA, note=note)
    return Reading(
        above / below, samples=samples, numerator=float(above), denominator=float(below),
        state=state, note=note,
    )  # fmt: skip
