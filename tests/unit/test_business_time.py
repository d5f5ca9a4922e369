"""Business time: working hours of working days, in the calendar's zone."""

from datetime import UTC, date, datetime, time

import pytest

from bsc_monitor.model.business_time import business_seconds
from bsc_monitor.model.period import Calendar

BERLIN = Calendar("Europe/Berlin")  # 9 to 17, Monday to Friday


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-05-04 07:00", "2026-05-04 15:00", 8),  # Monday 9 to 17 in Berlin
        ("2026-05-04 00:00", "2026-05-04 09:30", 2.5),
        ("2026-05-08 14:00", "2026-05-11 08:00", 2),  # over a weekend
        ("2026-05-09 00:00", "2026-05-10 23:00", 0),
        ("2026-05-04 07:00", "2026-05-04 07:00", 0),
        ("2026-05-05 07:00", "2026-05-04 07:00", 0),
        ("2026-03-27 08:00", "2026-03-30 07:30", 8 + 0.5),  # the clocks change on the 29th: 9 is 8 UTC before, 7 after
        ("2026-01-01 00:00", "2027-01-01 00:00", 261 * 8),  # working days of 2026
    ],
)
def test_only_working_hours_count(start, end, hours):
    assert business_seconds(utc(start), utc(end), BERLIN) == hours * 3600


def test_holidays_do_not_count():
    calendar = Calendar("UTC", holidays=frozenset({date(2026, 5, 1)}))

    assert business_seconds(utc("2026-04-30 09:00"), utc("2026-05-04 10:00"), calendar) == 9 * 3600


def test_a_night_shift_belongs_to_the_day_on_which_it_begins_and_has_the_hours_that_pass():
    night = Calendar("Europe/Berlin", work_days=frozenset({5}), work_start=time(22), work_end=time(6))

    assert business_seconds(utc("2026-03-21 00:00"), utc("2026-03-23 00:00"), night) == 8 * 3600
    assert business_seconds(utc("2026-03-28 00:00"), utc("2026-03-30 00:00"), night) == 7 * 3600  # the spring night
    assert business_seconds(utc("2026-10-24 00:00"), utc("2026-10-26 00:00"), night) == 9 * 3600  # the autumn night
