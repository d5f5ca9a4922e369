"""Cron expressions, and what the two changes of the clock do to them."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bsc_monitor.model.cron import next_fire

BERLIN = "Europe/Berlin"


def fires(expression, zone, start, count):
    found, at = [], start
    for _ in range(count):
        at = next_fire(expression, zone, at)
        found.append(at.astimezone(ZoneInfo(zone)))
    return found


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Australia/Lord_Howe", "UTC"])
@pytest.mark.parametrize("at", ["30 2 * * *", "15 1 * * *", "0 3 * * *", "45 0 * * *", "0 0 * * *", "59 23 * * *"])
def test_a_daily_job_runs_exactly_once_on_every_day_of_a_year(zone, at):
    found = fires(at, zone, datetime(2026, 1, 1, 12, tzinfo=UTC), 366)
    days = [moment.date() for moment in found]
    assert len(set(days)) == len(days)
    assert all(later - earlier == timedelta(days=1) for earlier, later in itertools.pairwise(days))


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York"])
def test_an_hourly_job_follows_real_time_through_both_changes(zone):
    for start in (datetime(2026, 3, 7, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)):
        found = fires("0 * * * *", zone, start, 24 * 30)
        gaps = {(later.astimezone(UTC) - earlier.astimezone(UTC)) for earlier, later in itertools.pairwise(found)}
        assert gaps == {timedelta(hours=1)}


def test_in_spring_a_job_inside_the_gap_runs_as_much_later():
    [found] = fires("30 2 * * *", BERLIN, datetime(2026, 3, 28, 12, tzinfo=UTC), 1)
    assert found.isoformat() == "2026-03-29T03:30:00+02:00"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 22 * * 2", "2026-06-02T22:00"),  # Tuesday, not Wednesday
        ("0 7 * * 0", "2026-06-07T07:00"),
        ("0 7 * * 7", "2026-06-07T07:00"),
        ("0 7 * * fri-mon", "2026-06-05T07:00"),
        ("0 7 * * 1-5", "2026-06-02T07:00"),
        ("*/15 * * * *", "2026-06-01T12:15"),
        ("0 0 13 * 5", "2026-06-05T00:00"),  # the 13th or a Friday
        ("@monthly", "2026-07-01T00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00"),
    ],
)
def test_expressions_mean_what_cron_says(expression, expected):
    found = next_fire(expression, "UTC", datetime(2026, 6, 1, 12, tzinfo=UTC))
    assert found.isoformat().startswith(expected)


@pytest.mark.parametrize(
    "expression", ["", "* * *", "60 * * * *", "a b c d e", "*/0 * * * *", "0 0 * * 8", "0 0 * * foo", "0 0 * * 1-"]
)
def test_what_is_no_expression_is_refused_in_words(expression):
    with pytest.raises(ValueError, match="cron expression"):
        next_fire(expression, "UTC", datetime(2026, 6, 1, tzinfo=UTC))


def test_an_expression_that_never_fires_is_none():
    assert next_fire("0 0 31 2 *", "UTC", datetime(2026, 6, 1, tzinfo=UTC)) is None
