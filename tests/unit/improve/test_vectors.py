"""The published and independently computed cases in ``vectors/``."""

import json
from pathlib import Path

import pytest
from tests.unit.improve.building import flagged

from bsc_monitor.improve.assurance import assurance
from bsc_monitor.improve.driver import driver
from bsc_monitor.improve.effect import hodges_lehmann, rank_test
from bsc_monitor.improve.phases import phases
from bsc_monitor.improve.trend import trend
from bsc_monitor.improve.xmr import Limits, limits, signals


def load(name):
    return json.loads((Path(__file__).parent / "vectors" / f"{name}.json").read_text())


XMR, TREND, EFFECT, DRIVER = (load(name) for name in ("xmr", "trend", "effect", "driver"))


def close(value, file):
    return pytest.approx(value, abs=file["tolerance"])


@pytest.mark.parametrize("case", XMR["limits"])
def test_limits_of_both_forms(case):
    mean, median = limits(case["x"]), limits(case["x"], "median")

    assert (mean.centre, mean.range_centre) == close((case["centre"], case["mr_bar"]), XMR)
    assert (mean.lower, mean.upper, mean.range_upper) == close((case["lower"], case["upper"], case["mr_upper"]), XMR)
    assert (median.centre, median.range_centre) == close((case["median_centre"], case["median_mr"]), XMR)
    assert (median.lower, median.upper) == close((case["median_lower"], case["median_upper"]), XMR)
    assert median.range_upper == close(case["median_mr_upper"], XMR)
    published = case["published"]
    assert (mean.centre, mean.range_centre) == pytest.approx((published["centre"], published["mr_bar"]), abs=0.005)
    assert (mean.lower, mean.upper) == pytest.approx((published["lower"], published["upper"]), abs=0.006)


def test_a_constant_series_has_limits_on_its_value_and_no_signal():
    case = XMR["constant_series"]
    [phase] = phases(case["x"])

    assert (phase.limits.lower, phase.limits.upper) == (case["lower"], case["upper"])
    assert list(phase.signals) == case["signals"]


@pytest.mark.parametrize("rules", ["wheeler", "nhs"])
@pytest.mark.parametrize("case", XMR["rules"], ids=lambda case: case["name"])
def test_rules_flag_exactly_these_points(case, rules):
    given = Limits(case["centre"], case["lower"], case["upper"], 1.0, 3.0, 12)

    assert flagged(signals(case["x"], given, rules)) == case[rules]


@pytest.mark.parametrize("case", XMR["assurance"])
def test_assurance(case):
    assert assurance(case["lower"], case["upper"], case["target"], case["better"]) == case["is"]


@pytest.mark.parametrize("case", TREND["cases"], ids=lambda case: case["name"])
def test_mann_kendall_and_theil_sen(case):
    found = trend(case["x"])

    assert found.direction == case["trend"]
    assert (found.s, found.variance, found.z, found.p, found.tau) == close(
        (case["S"], case["var_S"], case["z"], case["p"], case["tau"]), TREND
    )
    assert (found.line.slope, found.line.intercept) == close(
        (case["theil_sen_slope"], case["theil_sen_intercept"]), TREND
    )
    assert (found.line.low, found.line.high) == close((case["slope_low_95"], case["slope_high_95"]), TREND)


@pytest.mark.parametrize("case", EFFECT["cases"], ids=lambda case: case["name"])
def test_mann_whitney_and_hodges_lehmann(case):
    found = rank_test(case["before"], case["after"])

    assert (found.u, found.p) == close((case["u_after"], case["p_two_sided"]), EFFECT)
    assert case["method"].startswith(found.method)
    assert hodges_lehmann(case["before"], case["after"])[0] == close(case["hodges_lehmann_shift"], EFFECT)


def test_lagged_correlation_of_changes():
    found = driver(DRIVER["cause"], DRIVER["effect"])

    assert (found.verdict, found.best.lag) == (DRIVER["verdict"], DRIVER["best_lag"])
    assert [(each.lag, each.pairs) for each in found.lags] == [(each["lag"], each["pairs"]) for each in DRIVER["lags"]]
    for ours, theirs in zip(found.lags, DRIVER["lags"], strict=True):
        assert (ours.rho, ours.p) == close((theirs["rho"], theirs["p"]), DRIVER)
