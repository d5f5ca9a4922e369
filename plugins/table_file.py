"""Tables that people keep: a CSV, XLSX or Parquet file, or a drop folder of them; a column aggregated over the period."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean, median
from typing import Any, Literal

from pydantic import Field

from bsc_monitor.kit import tables
from bsc_monitor.kit.tables import Form, Row
from bsc_monitor.plugin import Collector, Context, Params, Reading, ReadingState, SourceConfig, measure

_AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "mean": fmean,
    "median": median,
    "min": min,
    "max": max,
    "last": lambda values: values[-1],
}


class TableFile(Collector):
    """One file, or one folder whose files are read as one table, in the order of their names."""

    name = "table_file"

    class Config(SourceConfig):
        """Which file and how it is written."""

        path: Path = Field(description="A .csv, .xlsx or .parquet file, or a folder of them", examples=["targets.xlsx"])
        sheet: str | None = Field(None, description="Of an XLSX file; the first by default")
        delimiter: str | None = Field(None, max_length=1, description="Of a CSV file; found out by default")
        decimal: Literal[".", ","] = Field(".", description="Decimal mark")
        encoding: str = Field("utf-8-sig", description="Of a CSV file")

    class Rows(Params):
        """Which rows."""

        where: dict[str, str | list[str]] = Field(default_factory=dict, description="Column → value or values")
        date: str | None = Field(None, description="Column that says when; only rows inside the period count")
        date_format: str | None = Field(None, description="e.g. %d.%m.%Y; ISO 8601 by default")

    class Column(Rows):
        """Which column, and what to do with it."""

        column: str = Field(description="Its heading")
        aggregate: Literal["sum", "mean", "median", "min", "max", "last"] = Field(
            "sum", description="What its numbers become"
        )

    class Ratio(Rows):
        """Two columns."""

        numerator: str = Field(description="Column whose sum is divided")
        denominator: str = Field(description="Column by whose sum it is divided")

    @measure(unit="", title="Column")
    def column(self, ctx: Context, p: Column) -> Iterator[Reading]:
        """The ``aggregate`` of a column over the rows of the period that match ``where``.

        Empty cells do not count. A cell that holds no number is left out, and the reading says so and is partial.
        """
        for labels, rows in self._groups(ctx, p):
            numbers, bad = tables.numbers(rows, p.column, self.config.decimal)
            note = f"{bad} of {len(rows)} rows have no number in {p.column!r} and were left out" if bad else None
            state = ReadingState.PARTIAL if bad else ReadingState.OK
            if numbers:
                value = float(_AGGREGATES[p.aggregate](numbers))
                yield Reading(value, labels=labels, samples=len(numbers), state=state, note=note)
            else:
                yield Reading(None, labels=labels, samples=0, state=ReadingState.NO_DATA, note=note)

    @measure(unit="count", title="Rows")
    def rows(self, ctx: Context, p: Rows) -> Iterator[Reading]:
        """How many rows of the period match ``where``."""
        for labels, rows in self._groups(ctx, p):
            yield Reading(float(len(rows)), labels=labels, samples=len(rows))

    @measure(unit="ratio", title="Ratio of two columns")
    def ratio(self, ctx: Context, p: Ratio) -> Iterator[Reading]:
        """Σ numerator / Σ denominator over the rows of the period that match ``where``; no data when the latter is 0."""
        for labels, rows in self._groups(ctx, p):
            above, below = (
                sum(tables.numbers(rows, name, self.config.decimal)[0]) for name in (p.numerator, p.denominator)
            )
            if below:
                yield Reading(above / below, labels=labels, samples=len(rows), numerator=above, denominator=below)
            else:
                yield Reading(None, labels=labels, samples=len(rows), state=ReadingState.NO_DATA)

    def _groups(self, ctx: Context, p: Rows) -> Iterator[tuple[dict[str, str], list[Row]]]:
        """All rows that count, then those of each value of each breakdown column."""
        form = Form(self.config.sheet, self.config.delimiter, self.config.encoding)
        found = tables.read(self.config.path, form)
        rows = [row for row in found if tables.matches(row, p.where) and _inside(row, ctx, p)]
        yield {}, rows
        for name in ctx.by:
            parts: dict[str, list[Row]] = {}
            for row in rows:
                parts.setdefault(str(tables.cell(row, name) or "none"), []).append(row)
            for value, part in parts.items():
                yield {name: value}, part


def _inside(row: Row, ctx: Context, p: Any) -> bool:
    """Whether a row belongs to the period; one without a date belongs to none."""
    if p.date is None:
        return True
    at = tables.instant(tables.cell(row, p.date), p.date, ctx.calendar.timezone, p.date_format)
    return at is not None and (ctx.window.start or at) <= at < ctx.window.end
