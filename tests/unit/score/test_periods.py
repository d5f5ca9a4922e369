"""Periods in time zones with daylight saving, fiscal calendars; working time."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.score.world import kpi

from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.working_time import working_time
from bsc_monitor.score.periods import (
    asked_period,
    current_period,
    following,
    local_day,
    parse_period,
    period_at,
    previous,
)

BERLIN = Calendar("Europe/Berlin")
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe",
         "America/St_Johns", "Pacific/Apia", "Africa/Cairo"]  # fmt: skip


def test_a_month_begins_at_local_midnight():
    june = period_at(datetime(2026, 5, 31, 22, 30, tzinfo=UTC), PeriodKind.MONTH, BERLIN)

    assert (june.label, june.start, june.end) == (
        "2026-06", datetime(2026, 5, 31, 22, tzinfo=UTC), datetime(2026, 6, 30, 22, tzinfo=UTC),
    )  # fmt: skip


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_on_which_the_clock_changes_is_an_hour_shorter_or_longer(day, hours):
    period = parse_period(day, BERLIN)

    assert period.end - period.start == timedelta(hours=hours)


def test_a_day_without_a_midnight_begins_when_the_clock_jumps():
    day = parse_period("2018-11-04", Calendar("America/Sao_Paulo"))

    assert day.start == datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert day.end - day.start == timedelta(hours=23)


@pytest.mark.parametrize(
    ("start", "text", "first"),
    [
        (1, "2026-Q2", "2026-04-01"), (4, "2026-Q1", "2026-04-01"), (4, "2026-Q4", "2027-01-01"),
        (10, "2026", "2026-10-01"), (1, "2026-W01", "2025-12-29"), (7, "2026-02", "2026-02-01"),
    ],
)  # fmt: skip
def test_quarters_and_years_are_the_fiscal_ones(start, text, first):
    period = parse_period(text, Calendar(fiscal_year_start=start))

    assert period.label == text
    assert period.start == datetime.fromisoformat(first).replace(tzinfo=UTC)


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(PeriodKind),
    st.sampled_from(ZONES),
    st.integers(1, 12),
)
def test_every_instant_lies_in_one_period_and_neighbours_meet(instant, kind, zone, fiscal):
    calendar = Calendar(zone, fiscal)
    period = period_at(instant, kind, calendar)

    assert instant in period
    assert following(period, calendar).start == period.end
    assert previous(period, calendar).end == period.start
    assert parse_period(period.label, calendar) == period


@pytest.mark.parametrize(
    "text", ["", "2026-13", "2026-W54", "2026-Q5", "2026-02-30", "0000", "9999", "June", "2026-6", "x" * 999]
)
def test_what_is_no_period_is_refused_in_words(text):
    with pytest.raises(ValueError, match=r"period|year|there is no"):
        parse_period(text, BERLIN)


def test_of_the_periods_that_can_be_asked_for_the_running_one_is_the_present_and_none_is_to_come():
    now = datetime(2026, 6, 15, 12, tzinfo=UTC)

    past = asked_period("2026-05", BERLIN, now)
    assert past is not None
    assert past.label == "2026-05"
    assert [asked_period(text, BERLIN, now) for text in ("", "2026-06", "2026-Q2", "2026")] == [None] * 4
    with pytest.raises(ValueError, match="2026-07 has not begun yet"):
        asked_period("2026-07", BERLIN, now)


def test_the_current_period_is_the_month_the_kpis_own_or_its_window():
    now = datetime(2026, 6, 15, 12, tzinfo=UTC)

    assert current_period(now, None, BERLIN).label == "2026-06"
    assert current_period(now, kpi(period=PeriodKind.WEEK), BERLIN).label == "2026-W25"
    assert current_period(now, kpi(window=timedelta(days=30)), BERLIN) == Period(now - timedelta(days=30), now)


def test_the_local_day_is_the_calendars():
    assert local_day(datetime(2026, 6, 15, 23, tzinfo=UTC), BERLIN) == date(2026, 6, 16)


def test_working_time_counts_working_hours_alone():
    june = parse_period("2026-06", BERLIN)
    holiday = Calendar("Europe/Berlin", holidays=frozenset({date(2026, 6, 4)}))

    assert working_time(june.start, june.end, BERLIN) == timedelta(hours=22 * 8)
    assert working_time(june.start, june.end, holiday) == timedelta(hours=21 * 8)
    friday = datetime(2026, 6, 12, 13, tzinfo=UTC)  # 15:00 in Berlin
    assert working_time(friday, friday + timedelta(days=3), BERLIN) == timedelta(hours=8)


def test_a_night_shift_over_the_change_of_the_clock_is_an_hour_longer():
    nights = Calendar("Europe/Berlin", work_days=frozenset(range(7)), work_start=time(22), work_end=time(6))
    night = datetime(2026, 10, 24, 12, tzinfo=UTC)

    assert working_time(night, night + timedelta(days=1), nights) == timedelta(hours=9)


def test_round_the_clock_is_all_of_the_time():
    always = Calendar(work_days=frozenset(range(7)), work_start=time(0), work_end=time(0))
    start = datetime(2026, 6, 1, 3, tzinfo=UTC)

    assert working_time(start, start + timedelta(days=9), always) == timedelta(days=9)
    assert working_time(start, start, always) == timedelta(0)
