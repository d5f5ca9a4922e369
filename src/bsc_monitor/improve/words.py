"""Numbers, units and periods as a manager reads them."""

from datetime import date
from math import floor, isinf, log10

from bsc_monitor.improve.series import time_of
from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.unit import canonical, is_currency

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_LONG_UNITS = {"d": "days", "w": "weeks"}


def number(value: float) -> str:
    """Three significant digits, whole from a hundred on, with thousands separators."""
    if isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    digits = max(0, 2 - floor(log10(abs(value))))
    text = f"{abs(value):,.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"−{text}" if value < 0 and text != "0" else text


def amount(value: float, unit: str) -> str:
    """A value with its unit: ``24.5 h``, ``98 %``, ``EUR 12,300``, ``3 days``."""
    unit = canonical(unit)
    text = number(value)
    if unit in ("", "count", "ratio"):
        return text
    if unit == "yes/no":
        return "yes" if value >= 0.5 else "no"
    if is_currency(unit):
        return f"{unit} {text}"
    named = _LONG_UNITS.get(unit, unit)
    return f"{text} {named[:-1] if text == '1' and unit in _LONG_UNITS else named}"


def change(value: float, unit: str) -> str:
    """A difference of two values, without its sign: of percentages in percentage points."""
    text = amount(abs(value), unit)
    if canonical(unit) != "%":
        return text
    return f"{number(abs(value))} percentage point{'' if number(abs(value)) == '1' else 's'}"


def signed(value: float, unit: str) -> str:
    """A difference with its sign: ``−8 h``."""
    return f"{'−' if value < 0 else '+'}{change(value, unit)}"


def between(low: float, high: float, unit: str) -> str:
    """A range, the unit said once: ``20 to 40 h``."""
    unit = canonical(unit)
    if is_currency(unit):
        return f"{unit} {number(low)} to {number(high)}"
    return f"{number(low)} to {amount(high, unit)}"


def span(count: int, kind: PeriodKind | None) -> str:
    """So many periods: ``8 months``."""
    name = unit_of(kind)
    return f"{count} {name}" if count == 1 else f"{count:,} {name}s"


def unit_of(kind: PeriodKind | None) -> str:
    """What one period is called."""
    return str(kind) if kind else "period"


def period_name(period: Period) -> str:
    """A period as people say it: ``March 2026``, ``the week of 2 March 2026``; ``Q2 2026``, ``2026``."""
    if period.kind is PeriodKind.MONTH:
        return month_name(time_of(period))
    if period.kind is PeriodKind.WEEK:
        return f"the week of {_day(date.fromordinal(time_of(period) * 7 + 1))}"
    if period.kind is PeriodKind.DAY:
        return _day(date.fromisoformat(period.label))
    year, quarter, name = period.label.partition("-Q")
    return f"Q{name} {year}" if quarter else year


def future_name(newest: Period, ahead: int) -> str:
    """The period that comes ``ahead`` periods after the newest one: by name where months have one, else by distance."""
    if newest.kind is PeriodKind.MONTH:
        return f"in {month_name(time_of(newest) + ahead)}"
    return f"in {span(ahead, newest.kind)}"


def month_name(time: int) -> str:
    """The month of a number from ``time_of``."""
    return f"{_MONTHS[time % 12]} {time // 12}"


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
