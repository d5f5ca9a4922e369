"""Properties that hold for any series: moved, stretched, turned over, or constant."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.improve.building import kpi, months

from bsc_monitor.improve.driver import Driver, driver
from bsc_monitor.improve.effect import effect
from bsc_monitor.improve.forecast import Forecast, forecast
from bsc_monitor.improve.insights import find
from bsc_monitor.improve.phases import phases
from bsc_monitor.improve.trend import Trend, trend
from bsc_monitor.model.insight import Direction, InsightKind, NotEnoughData

# Whole numbers moved by whole numbers and stretched by powers of two: the arithmetic is exact, so the answers are too.
WHOLE = st.integers(-1000, 1000).map(float)
SERIES = st.lists(WHOLE, min_size=0, max_size=60)
MOVES = st.integers(-10_000, 10_000)
STRETCHES = st.sampled_from([0.25, 0.5, 2.0, 64.0])
RULES = st.sampled_from(["wheeler", "nhs"])


def shape(values, rules):
    return [(phase.start, phase.end, phase.cause, phase.signals, phase.jumps) for phase in phases(values, rules=rules)]


@settings(deadline=None)
@given(SERIES, MOVES, STRETCHES, RULES)
def test_phases_and_signals_do_not_depend_on_unit_or_zero(values, move, stretch, rules):
    assert shape([value * stretch + move for value in values], rules) == shape(values, rules)


@settings(deadline=None)
@given(SERIES, RULES)
def test_phases_cover_the_series_without_gap_and_their_limits_lie_about_the_centre(values, rules):
    found = phases(values, rules=rules)

    assert [phase.start for phase in found] == [0, *(phase.end for phase in found[:-1])][: len(found)]
    assert not values or found[-1].end == len(values)
    for phase in found:
        if not isinstance(phase.limits, NotEnoughData):
            assert phase.limits.lower <= phase.limits.centre <= phase.limits.upper


@settings(deadline=None)
@given(SERIES, MOVES, STRETCHES)
def test_a_trend_does_not_depend_on_unit_or_zero_and_turns_with_the_sign(values, move, stretch):
    found = trend(values)
    if isinstance(found, NotEnoughData):
        return
    moved, turned = trend([value * stretch + move for value in values]), trend([-value for value in values])

    assert (moved.s, moved.p, moved.direction) == (found.s, found.p, found.direction)
    assert moved.line.slope == found.line.slope * stretch
    assert (turned.s, turned.p) == (-found.s, found.p)


@settings(deadline=None)
@given(SERIES, st.integers(1, 12), st.sampled_from([None, 4, 12]))
def test_a_forecast_never_comes_without_its_interval(values, ahead, season):
    found = forecast(values, ahead=ahead, season=season)
    if isinstance(found, NotEnoughData):
        assert len(values) < 8
        return

    assert len(found.points) == ahead
    assert all(point.low <= point.value <= point.high for point in found.points)
    assert found.tests >= 3
    assert found.error >= 0


@settings(deadline=None)
@given(st.lists(WHOLE, min_size=8, max_size=60))
def test_a_forecast_stays_within_its_bounds(values):
    found = forecast(values, bounds=(-50.0, 50.0))

    assert all(-50 <= edge <= 50 for point in found.points for edge in (point.low, point.value, point.high))


@settings(deadline=None)
@given(st.lists(WHOLE, min_size=6, max_size=30), st.lists(WHOLE, min_size=4, max_size=30), MOVES, STRETCHES)
def test_an_effect_does_not_depend_on_unit_or_zero_and_turns_with_the_better_direction(before, after, move, stretch):
    found = effect(before, after, good=1)
    moved = effect([value * stretch + move for value in before], [value * stretch + move for value in after], good=1)
    turned = effect(before, after, good=-1)

    assert (moved.verdict, moved.shift, moved.test) == (found.verdict, found.shift * stretch, found.test)
    opposite = {"worked": "got_worse", "got_worse": "worked", "no_evidence": "no_evidence"}
    assert turned.verdict == opposite[found.verdict]
    assert found.low <= found.shift <= found.high


@settings(deadline=None)
@given(SERIES, SERIES, MOVES, STRETCHES)
def test_a_driver_depends_on_the_order_of_changes_alone_and_turns_with_the_sign(cause, effects, move, stretch):
    found = driver(cause, effects)
    moved = driver([value * stretch + move for value in cause], effects)
    turned = driver([-value for value in cause], effects)

    assert moved == found
    if isinstance(found, Driver):
        assert turned.best.rho == -found.best.rho
        assert {found.verdict, turned.verdict} in ({"no_evidence"}, {"supported", "contradicted"})


@settings(deadline=None)
@given(st.floats(0.001, 1e6), st.integers(0, 60), RULES)
def test_a_constant_series_raises_no_signal_whatever_its_value(value, count, rules):
    quiet = kpi(better="higher")
    found = find(quiet, months([value] * count, quiet, target=value, red=value / 2), rules=rules)

    assert found == []


def news(found):
    """Signals and trends, and whether they are good."""
    return {
        (each.kind, each.since, each.direction)
        for each in found
        if each.kind in (InsightKind.SIGNAL, InsightKind.TREND)
    }


@settings(deadline=None)
@given(st.lists(st.integers(0, 1000).map(float), max_size=60))
def test_what_is_better_upwards_is_worse_downwards(values):
    higher, lower = kpi(better="higher"), kpi(better="lower")
    turned = {Direction.IMPROVING: Direction.WORSENING, Direction.WORSENING: Direction.IMPROVING}

    upwards, downwards = news(find(higher, months(values, higher))), news(find(lower, months(values, lower)))
    assert {(kind, since, turned[direction]) for kind, since, direction in upwards} == downwards


@settings(deadline=None)
@given(st.lists(st.integers(0, 1000).map(float), max_size=60), st.sampled_from(["higher", "lower", "target"]))
def test_whatever_is_found_is_complete(values, better):
    target = (400.0, 600.0) if better == "target" else 500.0
    red = (200.0, 800.0) if better == "target" else 300.0 if better == "higher" else 700.0
    watched = kpi(better=better)
    found = find(watched, months(values, watched, target=target, red=red))

    assert len({each.key for each in found}) == len(found)
    for each in found:
        assert 0 <= each.strength <= 1
        assert each.sentence.endswith(".")
        assert "nan" not in each.sentence
        assert each.next_step
        assert json.loads(json.dumps(each.evidence, allow_nan=False)) == each.evidence


def test_too_few_values_are_told_as_such():
    assert trend([1.0] * 7) == NotEnoughData(7, 8)
    assert forecast([1.0] * 7) == NotEnoughData(7, 8)
    assert effect([1.0] * 5, [1.0] * 9, good=1) == NotEnoughData(5, 6)
    assert effect([1.0] * 9, [1.0] * 3, good=1) == NotEnoughData(3, 4)
    assert driver([float(place) for place in range(12)], [1.0] * 12) == NotEnoughData(11, 12)
    assert phases([1.0] * 5)[0].limits == NotEnoughData(5, 6)
    assert isinstance(trend([1.0] * 8), Trend)
    assert isinstance(forecast([1.0] * 8), Forecast)
