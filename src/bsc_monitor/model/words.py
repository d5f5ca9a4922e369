"""What the board and messages write in the same words."""

from datetime import date


def day(on: date | None) -> str:
    """A date, or that of an instant, as people write it: ``1 Mar 2026``; empty for none."""
    return "" if on is None else f"{on.day} {on:%b %Y}"
