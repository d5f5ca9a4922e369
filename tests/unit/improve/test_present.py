"""What of a series is the process as it is now: trend, forecast and limits rest on that alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.improve.building import kpi, month, months, noise

from bsc_monitor.improve.assess import assess
from bsc_monitor.improve.chart import process_behaviour
from bsc_monitor.improve.forecast import Forecast, forecast
from bsc_monitor.improve.insights import find
from bsc_monitor.improve.phases import phases
from bsc_monitor.improve.present import WINDOW, present
from bsc_monitor.model.insight import InsightKind, NotEnoughData

SMALL = st.integers(-2, 2).map(float)
#: A real improvement: the initiative began in the thirteenth month and showed from the fourteenth on.
SWARMING = [29.5, 29.7, 32.1, 30.1, 28.9, 30.9, 30.5, 32.0, 32.0, 29.6, 27.7, 29.7, 28.1, 20.0, 20.4, 18.5, 18.2, 18.6]


def assessed(values, *, declared=(), target=20, red=40):
    records = months(values, target=target, red=red)
    return assess(kpi(), records, changes=[records[place].period.start for place in declared])


@settings(deadline=None)
@given(
    st.lists(SMALL, min_size=12, max_size=24), st.lists(SMALL, min_size=8, max_size=20), st.sampled_from([-1, 1]),
    st.integers(100, 1000), st.integers(100, 1000),
)  # fmt: skip
def test_a_level_shift_eight_periods_ago_or_earlier_does_not_tilt_the_forecast(before, after, side, jump, other):
    """However far the values jumped, the forecast is that of the values since."""
    one, two = (
        assessed([5000 + each + side * by for each in before] + [5000 + each for each in after]) for by in (jump, other)
    )

    assert one.since >= len(before)
    assert (one.forecast, one.trend) == (two.forecast, two.trend)
    if isinstance(one.forecast, Forecast):
        since = one.series.values[one.since :]
        assert one.forecast.points == forecast(since, one.series.times[one.since :], bounds=(0.0, None)).points


@settings(deadline=None)
@given(st.lists(SMALL, min_size=12, max_size=24), st.lists(SMALL, min_size=3, max_size=7), st.integers(100, 1000))
def test_a_shift_too_young_for_a_forecast_gives_none_rather_than_a_trend_through_it(before, after, jump):
    seen = assessed([5000 + each + jump for each in before] + [5000 + each for each in after])

    assert isinstance(seen.forecast, NotEnoughData)
    assert seen.forecast.need == 8
    assert not [
        each for each in find(kpi(), seen.series.records) if each.kind in (InsightKind.TREND, InsightKind.FORECAST)
    ]


@settings(deadline=None)
@given(st.lists(SMALL, min_size=12, max_size=60), st.sampled_from([-2, 2]), st.sampled_from([0.5, 1.0, 4.0]))
def test_a_steady_drift_is_one_process_however_many_shifts_the_chart_sees_in_it(noises, pace, stretch):
    values = [1000 + stretch * (pace * place + each / 2) for place, each in enumerate(noises)]

    assert present(values, range(len(values)), phases(values)).start == max(0, len(values) - WINDOW)


def test_an_improvement_is_forecast_from_itself_once_there_are_eight_periods_of_it():
    young, grown = assessed(SWARMING), assessed([*SWARMING, 17.9, 18.9, 19.2])

    assert young.forecast == NotEnoughData(5, 8)
    assert [(phase.start, phase.end) for phase in grown.phases] == [(0, 13), (13, 21)]
    assert all(14 < point.value < 21 for point in grown.forecast.points)


@pytest.mark.parametrize("declared", [(), (12,)])
def test_a_month_that_is_still_of_the_old_process_widens_the_limits_of_neither(declared):
    seen = assessed([*SWARMING, 17.9], declared=declared)

    assert [(phase.start, phase.end) for phase in seen.phases] == [(0, 13), (13, 19)]
    assert 15 < seen.limits.lower < 18.93 < seen.limits.upper < 23


def test_a_declared_change_without_effect_begins_where_it_was_declared():
    values = noise(1, 20, 30)
    assert [phase.start for phase in assessed(values, declared=(10,)).phases] == [0, 10]


def test_why_there_is_no_forecast_is_said_in_words():
    assert process_behaviour(kpi(), months(SWARMING)).no_forecast == (
        "The process changed around January 2026: a forecast needs 8 months of the new one; there are 5."
    )
    assert process_behaviour(kpi(), months([1.0])).no_forecast == (
        "A forecast needs 8 months that closed with a value; there is 1."
    )
    assert process_behaviour(kpi(), months(noise(2, 12, 30))).no_forecast == ""


def test_a_season_goes_on_through_the_shifts_that_it_looks_like():
    values = [20 + (15 if place % 12 in (4, 5, 6, 7, 8, 9) else 0) + more for place, more in enumerate(noise(8, 44))]
    made = assessed(values).forecast

    assert made.method == "seasonal"
    expected = [20 + 15 * (place % 12 in range(4, 10)) for place in range(44, 50)]
    assert all(abs(point.value - value) < 5 for point, value in zip(made.points, expected, strict=True))


def test_last_season_tells_nothing_of_a_process_that_has_shifted_since():
    values = [40 - 20 * (place >= 30) + 6 * (place % 12 == 6) + more for place, more in enumerate(noise(9, 41))]
    made = assessed(values).forecast

    assert made.method == "line"
    assert all(15 < point.value < 25 for point in made.points)


def test_limits_end_where_values_cannot_go():
    chart = process_behaviour(kpi(unit="%"), months([12.6, 12.6, 0.0, 0.0, 6.3, 53.5]))
    assert chart.phases[0].limits.lower == 0

    [told] = [
        each
        for each in find(kpi(unit="%"), months([12.6, 12.6, 0.0, 0.0, 6.3, 53.5]))
        if each.kind is InsightKind.SIGNAL
    ]
    assert "above its usual range of 0 to 49.3 %" in told.sentence
    assert told.since == month(5).start
