"""Tables that people keep: CSV, XLSX and Parquet files, one or a drop folder of them, as rows of cells.

Cells come as the file has them (text from CSV, dates and numbers from the others); ``numbers`` and ``instant`` read them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zipfile import BadZipFile
from zoneinfo import ZoneInfo

from bsc_monitor.plugin import CollectorError, SourceError

Row = dict[str, Any]
_LARGEST = 256 * 1024 * 1024
_SHEETS = (".xlsx", ".xlsm")
SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", *_SHEETS)


@dataclass(frozen=True, slots=True)
class Form:
    """How the files are written."""

    sheet: str | None = None  #: of an XLSX file; None: the first
    delimiter: str | None = None  #: of a CSV file; None: found out
    encoding: str = "utf-8-sig"


def read(path: Path, form: Form) -> Iterator[Row]:
    """The rows of a file, or of every table of a drop folder in the order of the names.

    Hidden files and office programs' lock files (``~$…``) do not count. Raises SourceError (CONFIG, SCHEMA) in words.
    """
    try:
        if not path.is_dir():
            yield from _read_file(path, form)
            return
        files = sorted(f for f in path.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith((".", "~")))
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}", CollectorError.CONFIG) from None
    for file in files:
        yield from read(file, form)


def _read_file(path: Path, form: Form) -> Iterator[Row]:
    suffix = path.suffix.lower()
    if path.stat().st_size > _LARGEST and suffix != ".parquet":
        raise SourceError(f"{path} is larger than 256 MB", CollectorError.CONFIG)
    try:
        if suffix == ".parquet":
            yield from _read_parquet(path)
        elif suffix in _SHEETS:
            yield from _read_xlsx(path, form)
        else:
            yield from _read_csv(path, form)
    except (UnicodeDecodeError, LookupError, csv.Error) as error:
        raise SourceError(f"{path} is no readable table: {error}", CollectorError.SCHEMA) from None


def _read_csv(path: Path, form: Form) -> Iterator[Row]:
    with path.open(encoding=form.encoding, newline="") as file:
        first = file.readline()
        file.seek(0)
        delimiter = form.delimiter or max(",;\t|", key=first.count)
        yield from csv.DictReader(file, delimiter=delimiter)


def _read_xlsx(path: Path, form: Form) -> Iterator[Row]:
    try:
        import openpyxl
    except ImportError:
        raise SourceError(
            "reading XLSX needs openpyxl", CollectorError.CONFIG, hint="Install bsc-monitor[xlsx]."
        ) from None
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheet = book[form.sheet] if form.sheet else book.worksheets[0]
    except (KeyError, ValueError, IndexError, BadZipFile, openpyxl.utils.exceptions.InvalidFileException) as error:
        raise SourceError(f"{path} is no readable table: {error}", CollectorError.SCHEMA) from None
    lines = sheet.iter_rows(values_only=True)
    header = [str(name) for name in next(lines, ())]
    for line in lines:
        if any(cell is not None for cell in line):  # people leave formatted, empty lines below
            yield dict(zip(header, line, strict=False))
    book.close()


def _read_parquet(path: Path) -> Iterator[Row]:
    try:
        import duckdb
    except ImportError:
        raise SourceError(
            "reading Parquet needs duckdb", CollectorError.CONFIG, hint="Install bsc-monitor[focus]."
        ) from None
    with duckdb.connect(config={"memory_limit": "512MB", "threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'")  # instants come in it, not in this machine's zone
        try:
            cursor = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
            header = [column[0] for column in cursor.description or ()]
            while lines := cursor.fetchmany(10_000):
                for line in lines:
                    yield dict(zip(header, line, strict=True))
        except duckdb.Error as error:
            words = str(error).splitlines()[0]
            raise SourceError(f"{path} is no readable table: {words}", CollectorError.SCHEMA) from None


def cell(row: Row, column: str) -> Any:
    """A cell. Raises SourceError(CONFIG) naming the columns that there are."""
    if column not in row:
        names = ", ".join(name for name in row if isinstance(name, str))
        raise SourceError(f"the table has no column {column!r}", CollectorError.CONFIG, hint=f"It has {names[:300]}.")
    return row[column]


def text(row: Row, column: str) -> str:
    """A cell as text without surrounding blanks; ``""`` when empty."""
    value = cell(row, column)
    return "" if value is None else str(value).strip()


def matches(row: Row, where: Mapping[str, str | Sequence[str]]) -> bool:
    """Whether every named column holds the value, or one of the values, asked for."""
    return all(
        str(cell(row, name)) in ([wanted] if isinstance(wanted, str) else wanted) for name, wanted in where.items()
    )


def numbers(rows: Iterable[Row], column: str, decimal: str = ".") -> tuple[list[float], int]:
    """The numbers of a column, and how many cells hold something else. Empty cells are neither."""
    found, bad = [], 0
    for row in rows:
        value = cell(row, column)
        if value is None or value == "":
            continue
        number = _number(value, decimal)
        if number is None:
            bad += 1
        else:
            found.append(number)
    return found, bad


def _number(value: Any, decimal: str) -> float | None:
    """A finite number, or None."""
    words = str(value).strip().replace("\u00a0", "").replace(" ", "").removesuffix("%")
    if decimal == "," and isinstance(value, str):
        words = words.replace(".", "").replace(",", ".")
    try:
        number = float(words)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def instant(value: Any, column: str, zone: str, form: str | None = None) -> datetime | None:
    """A cell as UTC; a date is its midnight in ``zone``, an empty cell None. Raises SourceError(CONFIG)."""
    try:
        if value is None or value == "":
            return None
        if isinstance(value, str):
            words = value.strip()
            value = datetime.strptime(words, form) if form else datetime.fromisoformat(words)  # noqa: DTZ007
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time())
        moment: datetime = value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))
        return moment.astimezone(UTC)
    except (ValueError, AttributeError, OverflowError):
        raise SourceError(f"{str(value)[:40]!r} in column {column!r} is no date", CollectorError.CONFIG) from None
