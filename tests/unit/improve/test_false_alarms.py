"""What noise alone sets off: rates on simulated independent normal values, against theory.

The seeds are fixed, so the rates are exact numbers; the bounds leave three standard errors around theory, or around the
rate that was seen where limits estimated from few points make theory a lower bound.
"""

from collections import Counter

import pytest
from tests.unit.improve.building import flagged, kpi, months, noise

from bsc_monitor.improve.driver import driver
from bsc_monitor.improve.effect import effect
from bsc_monitor.improve.forecast import forecast
from bsc_monitor.improve.insights import find
from bsc_monitor.improve.phases import phases
from bsc_monitor.improve.trend import trend
from bsc_monitor.improve.xmr import Limits, limits, signals

KNOWN = Limits(0.0, -3.0, 3.0, 1.128, 3.686, 1000)  # of standard normal noise


def test_each_rule_flags_as_many_points_as_theory_says_when_the_limits_are_known():
    values = noise(1, 100_000)
    wheeler, nhs = (
        {rule: len(points) / len(values) for rule, points in flagged(signals(values, KNOWN, rules)).items()}
        for rules in ("wheeler", "nhs")
    )

    assert wheeler["beyond_limit"] == pytest.approx(0.0027, abs=0.0005)
    assert wheeler["run"] == pytest.approx(9 / 256, abs=0.005)  # Σ k·2^-(k+1) over runs of k ≥ 8
    assert nhs["run"] == pytest.approx(8 / 128, abs=0.006)
    assert wheeler["near_limit"] < 0.005
    assert nhs["near_limit"] < 0.005
    assert nhs["trend"] < 0.005


def test_estimated_limits_hold_nearly_all_points_once_they_are_firm():
    beyond = dict.fromkeys((6, 12, 24), 0)
    for seed in range(3000):
        values = noise(seed, 25)
        for count in beyond:
            usual = limits(values[:count])
            beyond[count] += not usual.lower <= values[-1] <= usual.upper

    assert 0.01 < beyond[6] / 3000 < 0.06  # provisional, and called so
    assert beyond[12] / 3000 < 0.02
    assert beyond[24] / 3000 < 0.011


def test_few_false_phases_and_nearly_every_lasting_shift_of_two_deviations():
    false = sum(len(phases(noise(seed, 60))) > 1 for seed in range(1000)) / 1000
    found = [phases([value + 2 * (place >= 24) for place, value in enumerate(noise(seed, 40))]) for seed in range(300)]
    starts = [each[1].start for each in found if len(each) > 1]

    assert false < 0.10  # in five years of months; runs of eight alone would be 17 % and more
    assert len(starts) / 300 > 0.95
    assert sum(abs(start - 24) <= 3 for start in starts) / len(starts) > 0.8


def test_the_trend_test_is_wrong_as_often_as_its_level_says():
    wrong = sum(trend(noise(seed, 24)).p < 0.05 for seed in range(2000)) / 2000
    assert 0.035 < wrong < 0.065


def test_the_verdict_on_an_initiative_is_wrong_once_in_a_hundred():
    verdicts = Counter(effect(noise(seed, 12), noise(10_000 + seed, 6), good=1).verdict for seed in range(2000))
    assert 0.003 < 1 - verdicts["no_evidence"] / 2000 < 0.017


@pytest.mark.parametrize("count", [18, 31])
def test_an_arrow_between_independent_series_is_said_to_be_real_or_wrong_once_in_a_hundred(count):
    verdicts = Counter(driver(noise(seed, count), noise(10_000 + seed, count)).verdict for seed in range(1000))
    assert 1 - verdicts["no_evidence"] / 1000 < 0.016


@pytest.mark.parametrize("slope", [0.0, 0.5])
@pytest.mark.parametrize("count", [8, 12, 24, 48])
def test_the_interval_of_a_forecast_holds_what_comes_four_times_in_five(count, slope):
    inside = 0
    for seed in range(300):
        values = [value + slope * place for place, value in enumerate(noise(seed, count + 6))]
        made = forecast(values[:count])
        inside += sum(point.low <= values[count + point.ahead - 1] <= point.high for point in made.points)
    assert 0.77 < inside / 1800 < 0.93


@pytest.mark.parametrize(("count", "most"), [(12, 0.03), (18, 0.03), (24, 0.06), (60, 0.08)])
def test_a_kpi_of_pure_noise_raises_anything_at_all_after_few_closes(count, most):
    quiet = kpi("csat", better="higher", unit="points", title="Customer satisfaction")
    raised = sum(bool(find(quiet, months(noise(seed, count, 82, 2), quiet, target=80, red=70))) for seed in range(500))
    assert raised / 500 < most
