"""How the cells of a workbook look: faces, alignments, and number formats that carry the unit."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10
from typing import Any

from bsc_monitor.improve.words import FIGURES, LONG_UNITS
from bsc_monitor.model.unit import BARE, canonical, is_currency, yes_no
from bsc_monitor.report.svg import COLOURS, SOFT

_FACE = {"font_name": "Calibri", "font_size": 10, "valign": "top"}


class Styles:
    """The formats of one workbook."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._numbers: dict[str, Any] = {}
        self.plain = book.add_format(_FACE)
        self.wrap = book.add_format({**_FACE, "text_wrap": True})
        self.right = book.add_format({**_FACE, "align": "right"})
        head = {**_FACE, "bold": True, "bottom": 1, "text_wrap": True, "bg_color": "#EEF1F4", "valign": "bottom"}
        self.head = book.add_format(head)
        self.number_head = book.add_format({**head, "align": "right"})
        self.status_head = book.add_format({**head, "align": "left", "indent": 1})
        self.bold = book.add_format({**_FACE, "bold": True})
        self.title = book.add_format({**_FACE, "bold": True, "font_size": 16})
        self.soft = book.add_format({**_FACE, "font_color": SOFT})
        self.link = book.add_format({**_FACE, "underline": 1})
        self.score = book.add_format({**_FACE, "num_format": "0"})
        self.share = book.add_format({**_FACE, "num_format": "0%"})
        self.day = book.add_format({**_FACE, "num_format": "d mmm yyyy", "align": "left"})
        self.status = {
            status: book.add_format({**_FACE, "bold": True, "font_color": colour, "align": "left", "indent": 1})
            for status, colour in COLOURS.items()
        }

    def number(self, beside: Sequence[float | None], unit: str = "") -> Any:
        """The format of the numbers that stand beside each other."""
        return self._format(number_format(beside, unit))

    def amount(
        self, sheet: Any, row: int, column: int, value: float, unit: str, beside: Sequence[float | None]
    ) -> None:
        """Write a value in its unit, as a number that can be calculated with, like those beside it."""
        if canonical(unit) == "yes/no":
            sheet.write_string(row, column, yes_no(value), self.right)
        else:
            sheet.write_number(row, column, value, self.number(beside, unit))

    def _format(self, code: str) -> Any:
        if code not in self._numbers:
            self._numbers[code] = self._book.add_format({**_FACE, "num_format": code, "align": "right"})
        return self._numbers[code]


def number_format(beside: Sequence[float | None], unit: str) -> str:
    """One number format for values: ``#,##0.0" h"``, ``"USD "#,##0``; a literal percent sign multiplies nothing.

    The largest has three significant digits, whole from a hundred on; whole numbers alone have no decimals.
    """
    known = [value for value in beside if value is not None]
    size = max(map(abs, known), default=0.0)
    whole = all(value == round(value) for value in known)
    decimals = 0 if whole else max(0, min(FIGURES + 3, FIGURES - 1 - floor(log10(size))))
    digits = "#,##0" + ("." + "0" * decimals if decimals else "")
    unit = canonical(unit)
    if unit in BARE:
        return digits
    named = "".join(c for c in LONG_UNITS.get(unit, unit) if c.isprintable() and c not in '"\\')[:20]
    return f'"{named} "{digits};"{named} "-{digits}' if is_currency(unit) else f'{digits}" {named}"'
