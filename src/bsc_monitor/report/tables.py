"""A report's KPIs as CSV. What begins like a formula is written as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from bsc_monitor.report.data import ReportData
from bsc_monitor.report.words import status_word

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
