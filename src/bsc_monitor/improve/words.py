"""Numbers, units and periods as a manager reads them."""

from datetime import date
from itertools import pairwise
from math import floor, isfinite, isinf, log10

from bsc_monitor.improve.series import time_of
from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.unit import BARE, canonical, is_currency, yes_no
from bsc_monitor.model.words import MONTHS, is_extreme, power_of_ten

FIGURES = 3  #: significant digits that a manager reads
_MOST_FIGURES = 9
_SIGN = 2  # letters of a unit that is a sign (``ms``) rather than a word
LONG_UNITS = {"d": "days", "w": "weeks"}  #: what stands in words where there is room


def number(value: float, figures: int = FIGURES) -> str:
    """So many significant digits, whole ones all the same, with thousands separators and no more zeros than needed.

    What is so large or so small that nobody counts its zeros is a power of ten: ``1.5 × 10³⁰⁰``.
    """
    if is_extreme(value):
        return power_of_ten(value, figures)
    return _written(value, _decimals(abs(value), figures))


def figures(*values: float) -> int:
    """The significant digits that tell different values apart: three, or more where they lie close together."""
    different = sorted({value for value in values if isfinite(value)})
    for found in range(FIGURES, _MOST_FIGURES):
        if all(number(low, found) != number(high, found) for low, high in pairwise(different)):
            return found
    return _MOST_FIGURES


def amount(value: float, unit: str, figures: int = FIGURES) -> str:
    """A value with its unit: ``24.5 h``, ``98 %``, ``EUR 12,300``, ``3 days``."""
    unit = canonical(unit)
    if unit == "yes/no":
        return yes_no(value)
    text = number(value, figures)
    return _with_unit(text, unit, one=text == "1")


def change(value: float, unit: str) -> str:
    """A difference of two values, without its sign: of percentages in percentage points."""
    return amount(abs(value), _unit_of_change(unit))


def signed(value: float, unit: str) -> str:
    """A difference with its sign: ``−8 h``."""
    return f"{'−' if value < 0 else '+'}{change(value, unit)}"


def between(low: float, high: float, unit: str, joint: str = "to", figures: int = FIGURES) -> str:
    """A range, the unit said once: ``20 to 40 h``, ``EUR 959 to 1,422``; one value where its ends are the same.

    Both ends have as many decimals as the larger one, and as many more as they need to differ.
    """
    if low == high or canonical(unit) == "yes/no":
        return f" {joint} ".join(dict.fromkeys((amount(low, unit, figures), amount(high, unit, figures))))
    size = max(abs(low), abs(high))
    for digits in range(figures, _MOST_FIGURES):
        places = _decimals(size, digits)
        ends = [number(end, digits) if is_extreme(size) else _written(end, places) for end in (low, high)]
        if ends[0] != ends[1]:
            return _with_unit(f" {joint} ".join(ends), canonical(unit))
    return amount(high, unit, figures)


def within(low: float, high: float, unit: str) -> str:
    """Where something moves by itself: ``between 22.4 and 22.7 %``; ``at about 60 %`` where three digits show no movement."""
    if amount(low, unit) == amount(high, unit):
        return f"at {'' if low == high else 'about '}{amount(high, unit)}"
    return f"between {between(low, high, unit, 'and')}"


def change_within(low: float, high: float, unit: str) -> str:
    """A range of differences, without their signs, as ``within`` says it."""
    low, high = sorted((abs(low), abs(high)))
    return within(low, high, _unit_of_change(unit))


def _unit_of_change(unit: str) -> str:
    return "percentage points" if canonical(unit) == "%" else unit


def _with_unit(text: str, unit: str, *, one: bool = False) -> str:
    """A written number, or range of them, with its canonical unit; ``one``: the number is 1."""
    if unit in BARE:
        return text
    if is_currency(unit):
        return f"{unit} {text}"
    named = LONG_UNITS.get(unit, unit)
    several = len(named) > _SIGN and named.endswith("s")
    return f"{text} {named[:-1] if one and several else named}"


def _decimals(size: float, figures: int) -> int:
    return max(0, figures - 1 - floor(log10(size))) if size and isfinite(size) else 0


def _written(value: float, decimals: int) -> str:
    if isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{abs(value):,.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"−{text}" if value < 0 and text != "0" else text


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
    return f"{MONTHS[time % 12]} {time // 12}"


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
