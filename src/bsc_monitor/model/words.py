"""What the board, messages and reports write in the same words."""

from datetime import date
from math import floor

from bsc_monitor.model.status import Status

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
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


def plural(count: int, word: str) -> str:
    """So many of a thing."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
