"""From a report's data to the bytes of a format."""

from __future__ import annotations

from bsc_monitor.report.data import ReportData, to_json
from bsc_monitor.report.mail import html
from bsc_monitor.report.pages import pdf
from bsc_monitor.report.tables import csv_text
from bsc_monitor.report.workbook import workbook

CONTENT_TYPES = {
    "html": "text/html; charset=utf-8", "pdf": "application/pdf", "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip
_EXTRA = "the extra 'report'"


class FormatError(Exception):
    """A format cannot be made here. ``str()`` says what to install."""


def render(data: ReportData, form: str) -> bytes:
    """A report in one format: the same bytes for the same data. Raises FormatError."""
    try:
        if form == "pdf":
            return pdf(data)
        if form == "xlsx":
            return workbook(data)
    except (ImportError, OSError) as error:
        what = "WeasyPrint with Pango" if form == "pdf" else "XlsxWriter"
        raise FormatError(f"{form} needs {what}: install bsc-monitor with {_EXTRA} ({error})") from error
    if form == "html":
        return html(data).encode()
    if form == "csv":
        return ("\ufeff" + csv_text(data)).encode()
    if form == "json":
        return to_json(data, indent=2).encode()
    raise FormatError(f"there is no format {form[:20]!r}; there is {', '.join(CONTENT_TYPES)}")


def file_name(data: ReportData, form: str) -> str:
    """What a downloaded report is called."""
    owner = "".join(c if c.isalnum() else "-" for c in data.owner.partition("@")[0])
    return f"{data.scorecard}-{data.period}{'-' + owner if owner else ''}.{form}"
