"""Tables that people keep: a CSV or XLSX file, a column of it aggregated over the rows of the period."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from statistics import fmean, median
from typing import Any, Literal
from zipfile import BadZipFile
from zoneinfo import ZoneInfo

from pydantic import Field

from bsc_monitor.plugin import (
    Collector,
    CollectorError,
    Context,
    Params,
    Reading,
    ReadingState,
    SourceConfig,
    SourceError,
    measure,
)

Row = dict[str, Any]
_LARGEST = 256 * 1024 * 1024
_AGGREGATES = {"sum": sum, "mean": fmean, "median": median, "min": min, "max": max, "last": lambda values: values[-1]}


class TableFile(Collector):
    """One file."""

    name = "table_file"

    class Config(SourceConfig):
        """Which file and how it is written."""

        path: Path = Field(description="A .csv or .xlsx file")
        sheet: str | None = Field(None, description="Of an XLSX file; the first by default")
        delimiter: str | None = Field(None, max_length=1, description="Of a CSV file; found out by default")
        decimal: Literal[".", ","] = "."
        encoding: str = "utf-8-sig"

    class Rows(Params):
        """Which rows."""

        where: dict[str, str | list[str]] = Field(default_factory=dict, description="Column → value or values")
        date: str | None = Field(None, description="Column that says when; only rows inside the period count")
        date_format: str | None = Field(None, description="e.g. %d.%m.%Y; ISO 8601 by default")

    class Column(Rows):
        """Which column, and what to do with it."""

        column: str
        aggregate: Literal["sum", "mean", "median", "min", "max", "last"] = "sum"

    class Ratio(Rows):
        """Two columns."""

        numerator: str
        denominator: str

    @measure(unit="", title="Column")
    def column(self, ctx: Context, p: Column) -> Iterator[Reading]:
        """The ``aggregate`` of a column over the rows of the period that match ``where``.

        Empty cells do not count. A cell that holds no number is left out, and the reading says so and is partial.
        """
        for labels, rows in self._groups(ctx, p):
            numbers, bad = self._numbers(rows, p.column)
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
            above, below = (sum(self._numbers(rows, name)[0]) for name in (p.numerator, p.denominator))
            if below:
                yield Reading(above / below, labels=labels, samples=len(rows), numerator=above, denominator=below)
            else:
                yield Reading(None, labels=labels, samples=len(rows), state=ReadingState.NO_DATA)

    def _groups(self, ctx: Context, p: Rows) -> Iterator[tuple[dict[str, str], list[Row]]]:
        """All rows that count, then those of each value of each breakdown column."""
        rows = [row for row in self._read() if _matches(row, p) and self._inside(row, ctx, p)]
        yield {}, rows
        for name in ctx.by:
            values = dict.fromkeys(str(_cell(row, name) or "none") for row in rows)
            for value in values:
                yield {name: value}, [row for row in rows if str(_cell(row, name) or "none") == value]

    def _read(self) -> Iterator[Row]:
        path: Path = self.config.path
        try:
            if path.stat().st_size > _LARGEST:
                raise SourceError(f"{path} is larger than 256 MB", CollectorError.CONFIG)
            yield from self._read_xlsx() if path.suffix.lower() in (".xlsx", ".xlsm") else self._read_csv()
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror or error}", CollectorError.CONFIG) from None
        except (UnicodeDecodeError, LookupError, csv.Error) as error:
            raise SourceError(f"{path} is no readable table: {error}", CollectorError.SCHEMA) from None

    def _read_csv(self) -> Iterator[Row]:
        with self.config.path.open(encoding=self.config.encoding, newline="") as file:
            first = file.readline()
            file.seek(0)
            delimiter = self.config.delimiter or max(",;\t|", key=first.count)
            yield from csv.DictReader(file, delimiter=delimiter)

    def _read_xlsx(self) -> Iterator[Row]:
        try:
            import openpyxl
        except ImportError:
            raise SourceError(
                "reading XLSX needs openpyxl", CollectorError.CONFIG, hint="Install bsc-monitor[xlsx]."
            ) from None
        try:
            book = openpyxl.load_workbook(self.config.path, read_only=True, data_only=True)
            sheet = book[self.config.sheet] if self.config.sheet else book.worksheets[0]
        except (KeyError, ValueError, IndexError, BadZipFile, openpyxl.utils.exceptions.InvalidFileException) as error:
            raise SourceError(f"{self.config.path} is no readable table: {error}", CollectorError.SCHEMA) from None
        lines = sheet.iter_rows(values_only=True)
        header = [str(name) for name in next(lines, ())]
        for line in lines:
            yield dict(zip(header, line, strict=False))
        book.close()

    def _numbers(self, rows: list[Row], column: str) -> tuple[list[float], int]:
        numbers, bad = [], 0
        for row in rows:
            cell = _cell(row, column)
            if cell is None or cell == "":
                continue
            try:
                text = str(cell).strip().replace("\u00a0", "").replace(" ", "").removesuffix("%")
                number = float(
                    text.replace(".", "").replace(",", ".")
                    if self.config.decimal == "," and isinstance(cell, str)
                    else text
                )
                numbers.append(number if abs(number) < float("inf") else float("nan"))
            except ValueError:
                bad += 1
        finite = [number for number in numbers if number == number]
        return finite, bad + len(numbers) - len(finite)

    def _inside(self, row: Row, ctx: Context, p: Rows) -> bool:
        if p.date is None:
            return True
        at = _instant(_cell(row, p.date), p, ctx.calendar.timezone)
        return (ctx.window.start or at) <= at < ctx.window.end


def _cell(row: Row, column: str) -> Any:
    if column not in row:
        names = ", ".join(name for name in row if isinstance(name, str))
        raise SourceError(f"the table has no column {column!r}", CollectorError.CONFIG, hint=f"It has {names[:300]}.")
    return row[column]


def _matches(row: Row, p: TableFile.Rows) -> bool:
    return all(
        str(_cell(row, name)) in ([wanted] if isinstance(wanted, str) else wanted) for name, wanted in p.where.items()
    )


def _instant(cell: Any, p: TableFile.Rows, zone: str) -> datetime:
    """A date is its midnight in the scorecard's time zone; an empty cell lies before all periods."""
    try:
        if cell is None or cell == "":
            return datetime.min.replace(tzinfo=UTC)
        if isinstance(cell, str):
            text = cell.strip()
            cell = datetime.strptime(text, p.date_format) if p.date_format else datetime.fromisoformat(text)  # noqa: DTZ007
        if isinstance(cell, date) and not isinstance(cell, datetime):
            cell = datetime.combine(cell, time())
        return (cell if cell.tzinfo else cell.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, AttributeError, OverflowError):
        raise SourceError(f"{str(cell)[:40]!r} in column {p.date!r} is no date", CollectorError.CONFIG) from None
