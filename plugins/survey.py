"""Surveys of customers and staff: CSAT, NPS, eNPS and response rate, from files in a drop folder or a REST service.

One row is one invitation or one answer. Columns (rename them with ``columns``): ``score``, ``answered`` (when it was given),
``sent`` (when it was asked for; needed for the response rate), ``survey`` (which survey; needed where several share a table);
further columns serve ``where`` and breakdowns. A row without a score is an invitation that nobody answered.

Nothing but numbers is kept. Groups of fewer answers than ``minimum`` give no value, and where a breakdown has only one such
group, the next smallest is withheld too: it could be computed from the total.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from pydantic import Field, model_validator

from bsc_monitor.kit import tables
from bsc_monitor.kit.table_source import TableSource, rows
from bsc_monitor.kit.tables import Row
from bsc_monitor.plugin import Collector, Completeness, Context, Params, Reading, ReadingState, measure

Key = tuple[str, str] | None  # a breakdown's dimension and value; None: all
Judge = Callable[[list[float]], tuple[float, float]]  # scores → numerator and denominator


class Answers(Params):
    """Which answers."""

    survey: str = Field("", description="Name of one survey; empty: all rows")
    where: dict[str, str | list[str]] = Field(default_factory=dict, description="Column → value or values")
    minimum: int = Field(5, ge=1, description="Fewer answers give no value: privacy, and noise")


class Satisfaction(Answers):
    """Which answers, and how they become one number."""

    method: Literal["top", "mean"] = Field("top", description="share of the two best answers, or the scaled mean")
    low: int = Field(1, description="the worst answer on the scale")
    high: int = Field(5, description="the best answer on the scale")

    @model_validator(mode="after")
    def _apart(self) -> "Satisfaction":
        if self.high - self.low < 2:
            raise ValueError("the scale from low to high needs three answers at least")
        return self


@dataclass(frozen=True, slots=True)
class Count:
    """What a group's answers come to."""

    above: float
    below: float
    answers: int
    bad: int = 0  #: rows whose score is off the scale


class Survey(Collector):
    """The answers of one or more surveys."""

    name = "survey"

    class Config(TableSource):
        """Where the answers are."""

    config: Config

    async def check(self, ctx: Context) -> None:
        """Read the table."""
        await rows(ctx, self.config)

    @measure(unit="ratio", title="Customer satisfaction")
    async def csat(self, ctx: Context, p: Satisfaction) -> list[Reading]:
        """The two best answers / all answers given in the period; with ``method = "mean"``: (mean − low) / (high − low).

        Scores off the scale are left out, and the reading says so and is partial.
        """

        def judge(scores: list[float]) -> tuple[float, float]:
            if p.method == "top":
                return float(sum(score >= p.high - 1 for score in scores)), float(len(scores))
            return sum(score - p.low for score in scores) / (p.high - p.low), float(len(scores))

        return await self._scores(ctx, p, p.low, p.high, judge)

    @measure(unit="points", title="Net promoter score")
    async def nps(self, ctx: Context, p: Answers) -> list[Reading]:
        """% promoters (9–10) − % detractors (0–6) of the answers given in the period on the scale 0–10; −100 to 100."""
        return await self._scores(ctx, p, 0, 10, _promoters)

    @measure(unit="points", title="Employee net promoter score")
    async def enps(self, ctx: Context, p: Answers) -> list[Reading]:
        """% promoters (9–10) − % detractors (0–6) of the staff's answers given in the period on the scale 0–10."""
        return await self._scores(ctx, p, 0, 10, _promoters)

    @measure(unit="ratio", title="Response rate", settle="14d")
    async def response_rate(self, ctx: Context, p: Answers) -> list[Reading]:
        """Invitations sent in the period that have been answered by now / invitations sent in the period.

        Answers may come for weeks: a period is provisional for 14 days. ``minimum`` counts invitations here.
        """
        sent = [row for row in await self._rows(ctx, p) if self._inside(ctx, row, "sent")]
        found: dict[Key, Count] = {}
        for key, part in _groups(ctx, sent):
            given = sum(tables.text(row, "score") != "" for row in part)
            found[key] = Count(given, len(part), len(part))
        return self._readings(ctx, p.minimum, found)

    async def _scores(self, ctx: Context, p: Answers, low: int, high: int, judge: Judge) -> list[Reading]:
        answered = [
            row for row in await self._rows(ctx, p) if tables.text(row, "score") and self._inside(ctx, row, "answered")
        ]
        found: dict[Key, Count] = {}
        for key, part in _groups(ctx, answered):
            given, bad = tables.numbers(part, "score", self.config.decimal)
            scores = [score for score in given if low <= score <= high]
            found[key] = Count(*judge(scores), len(scores), bad + len(given) - len(scores))
        return self._readings(ctx, p.minimum, found)

    def _readings(self, ctx: Context, minimum: int, found: dict[Key, Count]) -> list[Reading]:
        """One reading per group."""
        withheld = _withheld(minimum, {key: count.answers for key, count in found.items() if key})
        readings = []
        for key, count in found.items():
            reading = Reading(
                None, labels=dict([key]) if key else {}, period=ctx.period, evidence=self.config.url,
                completeness=Completeness.FINAL if ctx.window.end >= ctx.period.end else Completeness.PROVISIONAL,
                note=f"{count.bad} answers off the scale were left out" if count.bad else None,
            )  # fmt: skip
            if not count.answers:
                readings.append(replace(reading, samples=0, state=ReadingState.NO_DATA))
            elif count.answers < minimum or key in withheld:
                note = f"withheld: fewer than {minimum} answers here, or in the only other group that small"
                readings.append(replace(reading, state=ReadingState.INSUFFICIENT, note=note))
            else:
                readings.append(
                    replace(
                        reading, value=count.above / count.below, samples=count.answers, numerator=count.above,
                        denominator=count.below, state=ReadingState.PARTIAL if count.bad else ReadingState.OK,
                    )
                )  # fmt: skip
        return readings

    async def _rows(self, ctx: Context, p: Answers) -> list[Row]:
        where = {**p.where, **({"survey": p.survey} if p.survey else {})}
        return [row for row in await rows(ctx, self.config) if tables.matches(row, where)]

    def _inside(self, ctx: Context, row: Row, column: str) -> bool:
        zone, form = ctx.calendar.timezone, self.config.date_format
        at = tables.instant(tables.cell(row, column), column, zone, form)
        return at is not None and (ctx.window.start or datetime.min.replace(tzinfo=at.tzinfo)) <= at < ctx.window.end


def _promoters(scores: list[float]) -> tuple[float, float]:
    return 100.0 * (sum(score >= 9 for score in scores) - sum(score <= 6 for score in scores)), float(len(scores))


def _groups(ctx: Context, found: list[Row]) -> Iterable[tuple[Key, list[Row]]]:
    """All rows (None), then those of each value of each breakdown column."""
    yield None, found
    for name in ctx.by:
        parts: dict[str, list[Row]] = {}
        for row in found:
            parts.setdefault(tables.text(row, name) or "none", []).append(row)
        for value, part in parts.items():
            yield (name, value), part


def _withheld(minimum: int, sizes: dict[tuple[str, str], int]) -> set[tuple[str, str]]:
    """Groups large enough that are withheld because the one too small beside them could be computed from the total."""
    hidden = set()
    for dimension in {name for name, _ in sizes}:
        own = {key: size for key, size in sizes.items() if key[0] == dimension and size}
        small = [key for key, size in own.items() if size < minimum]
        rest = sorted((size, key) for key, size in own.items() if size >= minimum)
        if len(small) == 1 and rest:
            hidden.add(rest[0][1])
    return hidden
