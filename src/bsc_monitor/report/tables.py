"""A report as tables: an Excel workbook and CSV. What begins like a formula is written as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from bsc_monitor.report.data import ReportData, Standing
from bsc_monitor.report.words import status_word

_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - Excel knows no time zones; the same bytes for the same data
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_KPI_HEAD = (
    "KPI", "Name", "Scorecard", "Perspective", "Objective", "Owner", "Period", "Value", "Unit", "Period before", "Target",
    "Status", "Status before", "Score", "Score before", "Observations", "Evidence", "Note",
)  # fmt: skip
Row = Sequence[Any]


def rows(data: ReportData) -> Iterator[Row]:
    """The KPIs, one a row."""
    for line in data.kpis:
        yield (
            line.title, line.name, line.scorecard, line.perspective, line.objective, line.owner, line.period, line.value,
            line.unit, line.value_before, line.target, status_word(line.status) if line.scored else "",
            status_word(line.status_before) if line.scored else "", line.score, line.score_before, line.samples,
            line.evidence, line.note,
        )  # fmt: skip


def csv_text(data: ReportData) -> str:
    """The KPIs as CSV, as spreadsheets read it without harm."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_KPI_HEAD)
    for row in rows(data):
        writer.writerow(["" if value is None else harmless(value) for value in row])
    return out.getvalue()


def harmless(value: Any) -> Any:
    """A text that no spreadsheet takes for a formula; numbers as they are."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def workbook(data: ReportData) -> bytes:
    """An Excel workbook: summary, KPIs, findings, initiatives. The same bytes for the same data."""
    from xlsxwriter import Workbook

    out = io.BytesIO()
    book = Workbook(out, {
        "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    })  # fmt: skip
    book.set_properties({"title": f"{data.title}, {data.period_words}", "created": _EPOCH})
    _Sheets(book, data).write()
    book.close()
    return out.getvalue()


class _Sheets:
    """Writes the sheets of one workbook."""

    def __init__(self, book: Any, data: ReportData) -> None:
        self._book, self._data = book, data
        font = {"font_name": "Calibri", "font_size": 10, "valign": "top"}
        self._plain = book.add_format(font)
        self._wrap = book.add_format({**font, "text_wrap": True})
        self._head = book.add_format({**font, "bold": True, "bottom": 1, "text_wrap": True, "bg_color": "#EEF1F4"})
        self._bold = book.add_format({**font, "bold": True})
        self._title = book.add_format({**font, "bold": True, "font_size": 16})
        self._soft = book.add_format({**font, "font_color": "#55616F"})
        self._score = book.add_format({**font, "num_format": "0"})
        self._number = book.add_format({**font, "num_format": "#,##0.##"})
        self._share = book.add_format({**font, "num_format": "0%"})
        self._day = book.add_format({**font, "num_format": "d mmm yyyy", "align": "left"})
        self._status = {
            name: book.add_format({**font, "bold": True, "font_color": colour})
            for name, colour in (("Green", "#14743F"), ("Amber", "#B35C00"), ("Red", "#B8202F"), ("No data", "#5D6875"))
        }

    def write(self) -> None:
        self._summary()
        self._table(
            "KPIs",
            _KPI_HEAD,
            list(rows(self._data)),
            (30, 24, 16, 18, 24, 26, 10, 11, 8, 11, 14, 9, 9, 8, 8, 8, 30, 30),
        )
        found = [
            (a.kind, a.title, a.sentence, a.next_step, a.owner, a.since, "provisional" if a.provisional else "")
            for a in self._data.areas
        ]
        self._table(
            "Findings",
            ("Kind", "About", "Finding", "Next step", "Owner", "Since", "Data"),
            found,
            (16, 30, 70, 50, 28, 12, 12),
        )
        doing = [
            (i.title, i.aims, i.owner, i.start, i.due, i.progress, i.standing, i.effect) for i in self._data.initiatives
        ]
        head = ("Initiative", "For", "Owner", "Start", "Due", "Progress", "Standing", "Effect")
        self._table("Initiatives", head, doing, (44, 36, 28, 12, 12, 10, 24, 40))

    def _summary(self) -> None:
        data, sheet = self._data, self._book.add_worksheet("Summary")
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 46)
        sheet.set_column(1, 4, 13)
        sheet.write_string(0, 0, data.owner or data.title, self._title)
        sheet.write_string(1, 0, f"{data.title} · {data.period_words}" if data.owner else data.period_words, self._soft)
        sheet.merge_range(2, 0, 2, 4, "", self._wrap)
        sheet.write_string(2, 0, data.headline, self._wrap)
        sheet.set_row(2, 30)
        for column, name in enumerate(("", "Score", data.before_words, "Status", "Coverage")):
            sheet.write_string(4, column, name, self._head)
        place = self._standing(sheet, 5, data.standing, 0)
        for view in data.perspectives:
            place = self._standing(sheet, place, view, 1)
            for goal in view.parts:
                place = self._standing(sheet, place, goal, 2)
        if not data.final:
            sheet.write_string(place + 1, 0, "Not final: the period is not closed yet.", self._soft)

    def _standing(self, sheet: Any, place: int, of: Standing, depth: int) -> int:
        sheet.write_string(place, 0, "    " * depth + of.title, self._bold if depth < 2 else self._plain)
        for column, value in ((1, of.score), (2, of.before)):
            if value is not None:
                sheet.write_number(place, column, value, self._score)
        word = status_word(of.status)
        sheet.write_string(place, 3, word, self._status[word])
        sheet.write_number(place, 4, of.coverage, self._share)
        return place + 1

    def _table(self, name: str, head: Sequence[str], found: Sequence[Row], widths: Sequence[int]) -> None:
        sheet = self._book.add_worksheet(name)
        for column, (title, width) in enumerate(zip(head, widths, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, title, self._head)
        for place, row in enumerate(found, 1):
            for column, value in enumerate(row):
                self._cell(sheet, place, column, head[column], value)
        sheet.freeze_panes(1, 1)
        if found:
            sheet.autofilter(0, 0, len(found), len(head) - 1)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)

    def _cell(self, sheet: Any, place: int, column: int, title: str, value: Any) -> None:
        if isinstance(value, float | int):
            form = self._score if title.startswith("Score") else self._share if title == "Progress" else self._number
            sheet.write_number(place, column, value, form)
        elif isinstance(value, date):
            sheet.write_datetime(place, column, datetime(value.year, value.month, value.day), self._day)  # noqa: DTZ001
        elif value:
            form = self._status.get(value) if title.startswith("Status") else None
            # As text whatever it begins with; harmless as CSV too, should somebody save it so.
            sheet.write_string(
                place, column, harmless(str(value)), form or (self._wrap if len(value) > 30 else self._plain)
            )
