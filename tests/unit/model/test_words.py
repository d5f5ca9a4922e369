"""How a date is written."""

from datetime import UTC, date, datetime

from bsc_monitor.model.words import day


def test_a_day_is_written_without_a_leading_zero_and_none_is_empty():
    assert (day(date(2026, 3, 1)), day(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)), day(None)) == (
        "1 Mar 2026", "31 Dec 2026", "",
    )  # fmt: skip
