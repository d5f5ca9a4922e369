import pytest
from msgspec.structs import replace
from tests.unit.improve.building import months

from bsc_monitor.improve.series import closed_series, time_of
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.status import ReadingState
from bsc_monitor.score.periods import following, parse_period

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Pacific/Honolulu", "Pacific/Kiritimati"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("fiscal", [1, 2, 4, 10])
@pytest.mark.parametrize(
    ("first", "count"), [("2024-02-27", 800), ("2024-W50", 110), ("2024-02", 40), ("2024-Q1", 12), ("2020", 8)]
)
def test_the_next_period_has_the_next_number_in_every_zone_and_fiscal_year(first, count, fiscal, zone):
    calendar = Calendar(zone, fiscal)
    period = parse_period(first, calendar)
    for _ in range(count):
        after = following(period, calendar)
        assert time_of(after) == time_of(period) + 1, (period, after)
        period = after


def test_a_month_without_a_value_leaves_a_gap_in_time_and_no_point():
    series = closed_series(months([1, None, 3]))

    assert series.values == (1, 3)
    assert series.times[1] - series.times[0] == 2


def test_open_periods_segments_windows_and_unknown_values_are_left_out():
    first, *others = months([1.0, 2.0, 3.0, 4.0, float("nan"), 6.0])
    others = [
        replace(others[0], closed_at=None),
        replace(others[1], labels=(("team", "a"),)),
        replace(others[2], period=Period(others[2].period.start, others[2].period.end)),
        others[3],
        replace(others[4], state=ReadingState.INSUFFICIENT),
    ]
    assert closed_series([first, *others]).records == (first,)
    assert PeriodKind.MONTH is first.period.kind


def test_a_share_that_never_moves_is_a_constant_whatever_its_last_digits():
    dusty = [0.1 + 0.2, 0.3, 3 * 0.1, 0.6 / 2, 0.29999999999999993]

    assert len(set(closed_series(months(dusty)).values)) == 1
