"""A report as an Excel workbook: summary, KPIs, findings, initiatives. The same bytes for the same data.

Made to be read and printed, in grey too: statuses have marks, values their units, long texts their height, and the
columns beyond the print area are for those who look things up.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil
from typing import Any

from bsc_monitor.model.status import Status
from bsc_monitor.report.data import KpiLine, ReportData, Standing
from bsc_monitor.report.styles import Styles
from bsc_monitor.report.tables import harmless
from bsc_monitor.report.words import points, score, status_word

_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - Excel knows no time zones; the same bytes for the same data
_A4 = 9
_LINE = 13.5  #: points that a line of text is high
_MARKS = {Status.GREEN: "●", Status.AMBER: "▲", Status.RED: "■", Status.UNKNOWN: "○"}
_LONGEST_LINK = 2000
_COURSES = "Courses"

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a table: its head, how wide it is in characters, and whether its cells are numbers."""

    head: str
    width: int
    number: bool = False


def workbook(data: ReportData) -> bytes:
    """The workbook. Raises ImportError without XlsxWriter."""
    from xlsxwriter import Workbook

    out = io.BytesIO()
    book = Workbook(out, {
        "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    })  # fmt: skip
    book.set_properties({"title": f"{data.title}, {data.period_words}", "created": _EPOCH})
    sheets = _Sheets(book, data)
    sheets.summary()
    sheets.kpis()
    sheets.findings()
    sheets.initiatives()
    sheets.courses()
    book.close()
    return out.getvalue()


class _Sheets:
    """Writes the sheets of one workbook."""

    def __init__(self, book: Any, data: ReportData) -> None:
        self._book, self._data = book, data
        self._styles = Styles(book)
        self._longest = max((len(line.trend) for line in data.kpis), default=0)

    def summary(self) -> None:
        """The scores, and their course as a chart."""
        data, sheet, styles = self._data, self._sheet("Summary", landscape=False), self._styles
        sheet.hide_gridlines(2)
        for column, width in enumerate((46, 9, 15, 9, 12, 11)):
            sheet.set_column(column, column, width)
        sheet.set_row(0, 24)
        sheet.write_string(0, 0, harmless(data.owner or data.title), styles.title)
        about = f"{data.title} · {data.period_words}" if data.owner else data.period_words
        sheet.write_string(1, 0, harmless(about), styles.soft)
        sheet.set_row(2, _LINE * ceil(len(data.headline) / 90) + 6)
        sheet.merge_range(2, 0, 2, 5, "", styles.wrap)
        sheet.write_string(2, 0, data.headline, styles.wrap)
        for column, name in enumerate(("", "Score", data.before_words, "Change", "Status", "Coverage")):
            sheet.write_string(
                4,
                column,
                name,
                (styles.head, *[styles.number_head] * 3, styles.status_head, styles.number_head)[column],
            )
        place = self._standing(sheet, 5, data.standing, 0)
        for view in data.perspectives:
            place = self._standing(sheet, place, view, 1)
            for goal in view.parts:
                place = self._standing(sheet, place, goal, 2)
        if not data.final:
            sheet.write_string(place + 1, 0, "Not final: these numbers may still change.", styles.soft)
        self._history(sheet, place + 2)

    def _standing(self, sheet: Any, place: int, of: Standing, depth: int) -> int:
        styles = self._styles
        sheet.write_string(place, 0, "    " * depth + harmless(of.title), styles.bold if depth < 2 else styles.plain)
        for column, value in ((1, of.score), (2, of.before)):
            if value is not None:
                sheet.write_number(place, column, value, styles.score)
        sheet.write_string(place, 3, points(of.score, of.before), styles.right)
        sheet.write_string(place, 4, f"{_MARKS[of.status]} {status_word(of.status)}", styles.status[of.status])
        sheet.write_number(place, 5, of.coverage, styles.share)
        return place + 1

    def _history(self, sheet: Any, place: int) -> None:
        """The scorecard's course: one black line with marks, its newest point labelled."""
        known = [(label, value) for label, value in self._data.history if value is not None]
        if len(known) < 2:
            return
        sheet.write_string(place, 0, "Course of the score", self._styles.head)
        sheet.write_string(place, 1, "Score", self._styles.number_head)
        for at, (label, value) in enumerate(known, place + 1):
            sheet.write_string(at, 0, label, self._styles.plain)
            sheet.write_number(at, 1, value, self._styles.score)
        last = place + len(known)
        chart = self._book.add_chart({"type": "line"})
        labels = [{"delete": True}] * (len(known) - 1) + [{"value": score(known[-1][1])}]
        chart.add_series({
            "categories": ["Summary", place + 1, 0, last, 0], "values": ["Summary", place + 1, 1, last, 1],
            "line": {"color": "#16202B", "width": 1.75}, "data_labels": {"value": True, "custom": labels, "position": "above"},
            "marker": {"type": "circle", "size": 5, "fill": {"color": "#FFFFFF"}, "border": {"color": "#16202B"}},
        })  # fmt: skip
        grid = {"visible": True, "line": {"color": "#C5CCD5", "dash_type": "dash"}}
        chart.set_y_axis({"min": 0, "max": 100, "major_unit": 25, "major_gridlines": grid, "name": "Score"})
        chart.set_x_axis({"num_font": {"rotation": -45}})
        chart.set_legend({"none": True})
        chart.set_size({"width": 430, "height": 250})
        sheet.insert_chart(place, 2, chart, {"object_position": 1})

    def kpis(self) -> None:
        """One KPI a row, with its course as a small line."""
        head = (
            _Column("KPI", 32), _Column("Objective", 27), _Column("Owner", 29), _Column("Value", 13, number=True),
            _Column("Period before", 13, number=True), _Column("Target", 14, number=True), _Column("Status", 10),
            _Column("Status before", 10), _Column("Score", 7, number=True), _Column("Score before", 7, number=True),
            _Column("Course", 16), _Column("Observations", 12, number=True), _Column("Period", 10), _Column("Perspective", 20),
            _Column("Scorecard", 20), _Column("Evidence", 12), _Column("Note", 40), _Column("Name", 30),
        )  # fmt: skip
        sheet = self._table("KPIs", head, [self._kpi(line) for line in self._data.kpis])
        sheet.print_area(0, 0, len(self._data.kpis), 11)
        for place, line in enumerate(self._data.kpis, 1):
            if sum(value is not None for value in line.trend) > 1:
                cells = f"{_COURSES}!B{place + 1}:{chr(ord('A') + self._longest)}{place + 1}"
                sheet.add_sparkline(place, 10, {
                    "range": cells, "markers": True, "series_color": "#16202B", "weight": 1,
                    "markers_color": "#16202B",
                })  # fmt: skip

    def _kpi(self, line: KpiLine) -> Row:
        beside = (line.value, line.value_before)

        def value(of: float | None) -> Callable[[Any, int, int], None] | None:
            return (
                None
                if of is None
                else lambda sheet, row, column: self._styles.amount(sheet, row, column, of, line.unit, beside)
            )

        def status(of: Status) -> Callable[[Any, int, int], None] | None:
            words, style = f"{_MARKS[of]} {status_word(of)}", self._styles.status[of]
            return (lambda sheet, row, column: sheet.write_string(row, column, words, style)) if line.scored else None

        return (
            line.title, line.objective, line.owner, value(line.value), value(line.value_before), line.target,
            status(line.status), status(line.status_before), line.score, line.score_before, None, line.samples, line.period,
            line.perspective, line.scorecard, self._link(line.evidence), line.note, line.name,
        )  # fmt: skip

    def _link(self, address: str) -> Callable[[Any, int, int], None] | str:
        if not address.startswith(("https://", "http://")) or len(address) > _LONGEST_LINK:
            return address
        return lambda sheet, row, column: sheet.write_url(row, column, address, self._styles.link, "open")

    def findings(self) -> None:
        """What statistics say."""
        head = (
            _Column("Kind", 16), _Column("About", 28), _Column("Finding", 64), _Column("Next step", 46), _Column("Owner", 29),
            _Column("Since", 12), _Column("Data", 11),
        )  # fmt: skip
        self._table("Findings", head, [
            (each.kind, each.title, each.sentence, each.next_step, each.owner, each.since,
             "provisional" if each.provisional else "firm")
            for each in self._data.areas
        ])  # fmt: skip

    def initiatives(self) -> None:
        """What is being done."""
        head = (
            _Column("Initiative", 40), _Column("For", 34), _Column("Owner", 29), _Column("Start", 12), _Column("Due", 12),
            _Column("Progress", 10, number=True), _Column("Standing", 24), _Column("Effect", 34),
        )  # fmt: skip
        self._table("Initiatives", head, [
            (each.title, each.aims, each.owner, each.start, each.due, self._share(each.progress),
             f"{_MARKS[each.mood]} {each.standing}", each.effect)
            for each in self._data.initiatives
        ])  # fmt: skip

    def _share(self, of: float | None) -> Callable[[Any, int, int], None] | None:
        if of is None:
            return None
        return lambda sheet, row, column: sheet.write_number(row, column, of, self._styles.share)

    def courses(self) -> None:
        """The newest closed values of every KPI, oldest first: what the small lines are drawn from."""
        most = self._longest
        head = (_Column("KPI", 32), *(_Column(f"{n - most}" if n < most else "newest", 9, number=True)
                                      for n in range(1, most + 1)))  # fmt: skip
        rows = [
            (line.title, *(None,) * (most - len(line.trend)), *map(self._like(line.trend), line.trend))
            for line in self._data.kpis
        ]
        self._table(_COURSES, head, rows)

    def _like(self, beside: Sequence[float | None]) -> Callable[[float | None], Callable[[Any, int, int], None] | None]:
        style = self._styles.number(beside)

        def written(value: float | None) -> Callable[[Any, int, int], None] | None:
            return None if value is None else lambda sheet, row, column: sheet.write_number(row, column, value, style)

        return written

    def _table(self, name: str, head: Sequence[_Column], rows: Sequence[Row]) -> Any:
        sheet = self._sheet(name)
        sheet.set_row(0, _LINE * max(ceil(len(column.head) / column.width) for column in head) + 4)
        for place, column in enumerate(head):
            sheet.set_column(place, place, column.width)
            left = self._styles.status_head if column.head.startswith(("Status", "Course")) else self._styles.head
            style = self._styles.number_head if column.number else left
            sheet.write_string(0, place, column.head, style)
        for place, row in enumerate(rows, 1):
            sheet.set_row(place, _LINE * _lines(head, row) + 2)
            for at, value in enumerate(row):
                self._cell(sheet, place, at, head[at], value)
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        if rows:
            sheet.autofilter(0, 0, len(rows), len(head) - 1)
        return sheet

    def _sheet(self, name: str, *, landscape: bool = True) -> Any:
        sheet, data = self._book.add_worksheet(name), self._data
        sheet.set_paper(_A4)
        sheet.set_margins(0.5, 0.5, 0.6, 0.6)
        if landscape:
            sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        foot = f"{data.title}, {data.period_words}"[:100].replace("&", "&&")
        sheet.set_footer(f"&L&8 {foot}&R&8&P / &N")  # the blank: a title that begins with a digit were a size
        return sheet

    def _cell(self, sheet: Any, row: int, column: int, of: _Column, value: Any) -> None:
        if callable(value):
            value(sheet, row, column)
        elif isinstance(value, float | int):
            sheet.write_number(
                row, column, value, self._styles.score if of.head.startswith("Score") else self._styles.number((value,))
            )
        elif isinstance(value, date):
            sheet.write_datetime(row, column, datetime(value.year, value.month, value.day), self._styles.day)  # noqa: DTZ001
        elif value:  # as text whatever it begins with; harmless as CSV too, should somebody save it so
            sheet.write_string(
                row, column, harmless(str(value)), self._styles.right if of.number else self._styles.wrap
            )


def _lines(head: Sequence[_Column], row: Row) -> int:
    """The lines that a row's longest text takes."""
    return max(
        (ceil(len(value) / column.width) for column, value in zip(head, row, strict=True) if isinstance(value, str)),
        default=1,
    ) or 1  # fmt: skip
