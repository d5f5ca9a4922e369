"""What the board, messages and reports write in the same words."""

import re
from datetime import date
from math import floor, isfinite

from bsc_monitor.model.status import Status

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_COVERAGE = re.compile(r"coverage (\S+) is below (\S+)")  #: as the score says it, and as it was stored
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_STATUS = {Status.GREEN: "Green", Status.AMBER: "Amber", Status.RED: "Red", Status.UNKNOWN: "No data"}


def day(on: date | None) -> str:
    """A date, or that of an instant, as people write it whatever the process' locale: ``1 Mar 2026``; empty for none."""
    return "" if on is None else f"{on.day} {MONTHS[on.month - 1][:3]} {on.year}"


def score(value: float | None) -> str:
    """A score, 0–100, without decimals; a dash for none."""
    return "–" if value is None else f"{floor(value + 0.5)}"


def status_word(status: Status) -> str:
    """A status in a word."""
    return _STATUS[status]


def node_reason(reason: str) -> str:
    """Why a node has no score, or another status than by its score, for people; the words for "coverage" are these."""
    found = _COVERAGE.fullmatch(reason)
    if found is None:
        return reason
    has, needed = (float(share) * 100 for share in found.groups())
    if not has:
        return "nothing below it has a score"
    only = "just under" if has >= needed else "only"
    return f"{only} {has:.3g} % of its weight has a score, and {needed:g} % is needed"


def is_extreme(value: float) -> bool:
    """Whether a value is so large or so small that its digits cannot be read."""
    return isfinite(value) and (abs(value) >= 1e15 or 0 < abs(value) < 1e-6)


def power_of_ten(value: float, figures: int, space: str = " ") -> str:
    """A value with so many significant digits at most: ``1.2 × 10⁻⁸``."""
    digits, _, power = f"{value:.{figures - 1}e}".partition("e")
    shown = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return f"{shown}{space}×{space}10{str(int(power)).translate(_RAISED)}".replace("-", "−")


def plural(count: int, word: str) -> str:
    """So many of a thing."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
