"""Our plain formulas against scipy, on random samples with and without ties."""

import random

import pytest

from bsc_monitor.improve.driver import spearman
from bsc_monitor.improve.effect import hodges_lehmann, rank_test
from bsc_monitor.improve.significance import rank_sum_tail, ranks, student_two_sided
from bsc_monitor.improve.trend import mann_kendall, theil_sen

stats = pytest.importorskip("scipy.stats")

SAMPLES = [(seed, digits) for seed in range(20) for digits in (None, 0)]


def sample(rng, count, digits):
    values = [rng.gauss(0, 2) for _ in range(count)]
    return values if digits is None else [float(round(value)) for value in values]


@pytest.mark.parametrize(("seed", "digits"), SAMPLES)
def test_rank_test(seed, digits):
    rng = random.Random(seed)
    before, after = sample(rng, rng.randint(4, 24), digits), sample(rng, rng.randint(4, 24), digits)
    theirs = stats.mannwhitneyu(after, before)
    ours = rank_test(before, after)

    assert (ours.u, ours.p) == pytest.approx((theirs.statistic, theirs.pvalue), abs=1e-12)


@pytest.mark.parametrize(("seed", "digits"), SAMPLES)
def test_slope_and_interval(seed, digits):
    rng = random.Random(seed)
    values = sample(rng, rng.randint(8, 24), digits)
    theirs = stats.theilslopes(values)
    ours = theil_sen(values, range(len(values)))

    assert (ours.slope, ours.intercept) == pytest.approx((theirs.slope, theirs.intercept))
    assert (ours.low, ours.high) == pytest.approx((theirs.low_slope, theirs.high_slope))


@pytest.mark.parametrize(("seed", "digits"), SAMPLES)
def test_kendalls_tau_is_s_over_the_untied_pairs(seed, digits):
    rng = random.Random(seed)
    values = sample(rng, rng.randint(8, 60), digits)
    s = mann_kendall(values)[0]
    pairs = len(values) * (len(values) - 1) / 2
    tied = sum(count * (count - 1) / 2 for count in (values.count(value) for value in set(values)))

    assert s / (pairs * (pairs - tied)) ** 0.5 == pytest.approx(stats.kendalltau(range(len(values)), values).statistic)


@pytest.mark.parametrize(("seed", "digits"), SAMPLES)
def test_spearman(seed, digits):
    rng = random.Random(seed)
    first, second = sample(rng, 15, digits), sample(rng, 15, digits)
    theirs = stats.spearmanr(first, second)

    assert ranks(first) == list(stats.rankdata(first))
    assert spearman(first, second) == pytest.approx((theirs.statistic, theirs.pvalue), abs=1e-12)


@pytest.mark.parametrize("freedom", range(1, 31))
@pytest.mark.parametrize("t", [0.0, 0.3, 1.0, -2.2, 7.0, 40.0])
def test_student(t, freedom):
    assert student_two_sided(t, freedom) == pytest.approx(2 * stats.t.sf(abs(t), freedom), abs=1e-13)


@pytest.mark.parametrize(("first", "second"), [(1, 1), (2, 5), (4, 24), (8, 8), (6, 11)])
def test_the_exact_distribution_of_the_rank_sum(first, second):
    tail = rank_sum_tail(first, second)
    smallest = list(range(first))
    theirs = stats.mannwhitneyu(
        [-1.0 - value for value in smallest], list(range(second)), method="exact", alternative="less"
    )

    assert len(tail) == first * second + 1
    assert tail[0] == pytest.approx(theirs.pvalue)
    assert tail[-1] == 1
    assert all(tail[place] + tail[-place - 2] == pytest.approx(1) for place in range(len(tail) - 1))  # it is symmetric


def test_the_shifts_interval_holds_the_true_shift_as_often_as_it_says():
    rng, held = random.Random(4), 0
    for _ in range(1000):
        _, low, high = hodges_lehmann(sample(rng, 12, None), [value + 3 for value in sample(rng, 9, None)])
        held += low <= 3 <= high
    assert 0.93 <= held / 1000 <= 0.98
