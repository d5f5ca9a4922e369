import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.improve.building import month

from bsc_monitor.improve.words import (
    amount,
    between,
    change,
    change_within,
    figures,
    future_name,
    number,
    period_name,
    signed,
    span,
    within,
)
from bsc_monitor.model.period import Calendar, PeriodKind
from bsc_monitor.score.periods import following, parse_period


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (8, "8"), (24.46, "24.5"), (0.1234, "0.123"), (0.000_012_34, "0.0000123"), (98.04, "98"),
        (12_345.6, "12,346"), (1e300, "1 × 10³⁰⁰"), (-1.2345e-9, "−1.23 × 10⁻⁹"), (123_456_789_012_345, "123,456,789,012,345"), (-3.14159, "−3.14"), (999.9, "1,000"), (float("inf"), "∞"), (-0.0, "0"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits_and_no_more_zeros_than_needed(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (30, "h", "30 h"), (98.2, "%", "98.2 %"), (12_300, "EUR", "EUR 12,300"), (1, "d", "1 day"), (2.5, "d", "2.5 days"),
        (7, "count", "7"), (0.98, "ratio", "0.98"), (7, "points", "7 points"), (1, "points", "1 point"), (1, "ms", "1 ms"), (1, "yes/no", "yes"), (3, "", "3"),
    ],
)  # fmt: skip
def test_amounts_carry_their_unit_as_people_write_it(value, unit, text):
    assert amount(value, unit) == text


def test_differences_of_percentages_are_percentage_points():
    assert change(-2.31, "%") == "2.31 percentage points"
    assert change(1, "percent") == "1 percentage point"
    assert change(-8, "h") == "8 h"
    assert (signed(-8, "h"), signed(5, "%")) == ("−8 h", "+5 percentage points")


@pytest.mark.parametrize(
    ("low", "high", "unit", "text"),
    [
        (20, 40.2, "h", "20 to 40.2 h"), (1000, 2500, "EUR", "EUR 1,000 to 2,500"), (-12.3, 4, "%", "−12.3 to 4 %"),
        (0, 1.5e300, "h", "0 to 1.5 × 10³⁰⁰ h"), (1.5e300, 1.5003e300, "EUR", "EUR 1.5 × 10³⁰⁰ to 1.5003 × 10³⁰⁰"),
        (0.897, 5.69, "d", "0.9 to 5.69 days"), (59.97, 60.03, "%", "59.97 to 60.03 %"), (60, 60, "%", "60 %"),
        (0, 1, "yes/no", "no to yes"), (1, 1, "yes/no", "yes"), (3, 4, "count", "3 to 4"), (0, 0.004, "h", "0 to 0.004 h"),
    ],
)  # fmt: skip
def test_ranges_say_the_unit_once_and_their_ends_differ(low, high, unit, text):
    assert between(low, high, unit) == text


def test_where_something_moves_is_said_as_people_say_it():
    assert within(22.4, 22.7, "%") == "between 22.4 and 22.7 %"
    assert within(959, 1422, "USD") == "between USD 959 and 1,422"
    assert within(59.97, 60.03, "%") == "at about 60 %"
    assert within(60, 60, "%") == "at 60 %"
    assert change_within(-2.64, -1.95, "%") == "between 1.95 and 2.64 percentage points"
    assert change_within(-0.5, -0.5, "EUR") == "at EUR 0.5"


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9), st.sampled_from(["h", "%", "EUR", "d", "count", "points"]))
def test_the_two_ends_of_a_range_never_read_the_same(one, other, unit):
    low, high = sorted((one, other))
    ends = between(low, high, unit).split(" to ")

    assert len(ends) == len(set(ends))
    assert len(ends) == 2 or amount(low, unit) == amount(high, unit) or low == high
    assert between(low, high, "EUR").count("EUR") == 1


def test_values_close_together_are_written_with_as_many_digits_as_tell_them_apart():
    digits = figures(60.04, 59.97, 60.03)

    assert [number(value, digits) for value in (59.97, 60.03, 60.04)] == ["59.97", "60.03", "60.04"]
    assert figures(1, 2, 1) == 3
    assert figures(5, 5) == 3


def test_spans_know_their_plural():
    assert (span(1, PeriodKind.MONTH), span(8, PeriodKind.WEEK)) == ("1 month", "8 weeks")


@pytest.mark.parametrize("timezone", ["UTC", "Pacific/Auckland", "America/Los_Angeles", "Europe/Berlin"])
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("2026-03", "March 2026"), ("2026-03-03", "3 March 2026"), ("2026-W10", "the week of 2 March 2026"),
        ("2026-Q2", "Q2 2026"), ("2026", "2026"),
    ],
)  # fmt: skip
def test_periods_are_called_by_the_same_name_all_over_the_world(text, name, timezone):
    assert period_name(parse_period(text, Calendar(timezone))) == name


def test_a_future_month_has_a_name_and_a_future_week_a_distance():
    week = parse_period("2026-W10", Calendar())

    assert future_name(month(18), 2) == "in August 2026"
    assert future_name(week, 1) == "in 1 week"
    assert re.fullmatch(r"in \d weeks", future_name(following(week, Calendar()), 3))
