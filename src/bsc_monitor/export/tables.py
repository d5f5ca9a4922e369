"""Rows written as CSV, JSON and XLSX; text from other systems can never become a formula."""

import csv
import io
import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime

from bsc_monitor.export.rows import Cell, Row

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_WIDEST = 60  #: characters of a column
_TEXT_LIMIT = 32_767  #: characters that a cell of a spreadsheet holds


def as_csv(columns: Sequence[str], rows: Sequence[Row]) -> str:
    """CSV with a header line; unknown is empty, instants are ISO 8601 in UTC.

    Text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV injection).
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_csv_cell(row.get(column)) for column in columns])
    return out.getvalue()


def as_json(columns: Sequence[str], rows: Sequence[Row]) -> str:
    """A JSON array of objects with every column; unknown is null."""
    return json.dumps([{column: _json_cell(row.get(column)) for column in columns} for row in rows], indent=2)


def as_xlsx(columns: Sequence[str], rows: Sequence[Row], title: str = "bsc-monitor") -> bytes:
    """A workbook of one sheet with a frozen, filtered header; text cells are text whatever they begin with.

    Raises ModuleNotFoundError without the ``report`` extra.
    """
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "remove_timezone": True}) as book:
        sheet = book.add_worksheet(title[:31])
        head, moment = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for place, column in enumerate(columns):
            sheet.write_string(0, place, column, head)
            longest = max((len(str(row.get(column) or "")) for row in rows), default=0)
            sheet.set_column(place, place, min(_WIDEST, max(len(column), longest) + 2))
            for number, row in enumerate(rows, 1):
                value = row.get(column)
                if isinstance(value, datetime):
                    sheet.write_datetime(number, place, value.astimezone(UTC), moment)
                elif isinstance(value, str):
                    sheet.write_string(number, place, value[:_TEXT_LIMIT])
                elif value is not None and math.isfinite(value):
                    sheet.write_number(number, place, value)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(rows), len(columns) - 1)
    return out.getvalue()


def _csv_cell(value: Cell) -> str | float | None:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return _json_cell(value)


def _json_cell(value: Cell) -> str | float | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
