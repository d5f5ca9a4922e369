"""Aggregates: equal to the plain definition, and to the bit in any order of arrival."""

import math
import random
import statistics
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.score.world import NOW, reading

from bsc_monitor.model.status import Completeness, ReadingState
from bsc_monitor.score.aggregate import Accumulator, gathered, percentile

AGGREGATES = ["last", "mean", "sum", "median", "p85", "p1", "p99", "min", "max", "count"]
VALUES = st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=30)

PLAIN = {
    "last": lambda values: values[-1],
    "sum": math.fsum,
    "mean": lambda values: math.fsum(values) / len(values),
    "min": min,
    "max": max,
    "count": len,
    "median": lambda values: percentile(sorted(values), 0.5),
}


def _series(values):
    return [reading(value, NOW + timedelta(minutes=n)) for n, value in enumerate(values)]


@given(VALUES, st.sampled_from(list(PLAIN)))
def test_an_aggregate_is_what_its_definition_says(values, how):
    accumulator = Accumulator(how)
    for each in _series(values):
        accumulator.add([each])

    assert accumulator.result().value == PLAIN[how](values)


@given(VALUES, st.sampled_from(AGGREGATES), st.randoms())
def test_no_order_of_arrival_changes_a_bit(values, how, chance):
    series = _series(values)
    shuffled = series[:]
    chance.shuffle(shuffled)
    one, other = Accumulator(how), Accumulator(how)
    one.add(series)
    for each in shuffled:
        other.add([each])

    assert one.result() == other.result()


def test_percentiles_are_those_of_the_standard_library():
    values = sorted(random.Random(1).gauss(0, 1) for _ in range(101))
    cuts = statistics.quantiles(values, n=100, method="inclusive")

    for place, cut in enumerate(cuts, 1):
        assert percentile(values, place / 100) == pytest.approx(cut)


@given(VALUES, VALUES)
def test_what_is_restated_counts_once(first, second):
    told, restated = _series(first), _series(second)

    both = gathered("sum", told, restated).result()

    expected = {each.at: each.value for each in [*told, *restated]}
    assert both.value == math.fsum(expected.values())


def test_samples_and_parts_of_ratios_are_summed_and_the_newest_gives_the_evidence():
    accumulator = Accumulator("mean")
    accumulator.add([reading(0.5, NOW + timedelta(hours=1), samples=4, numerator=2.0, denominator=4.0, evidence="new")])
    accumulator.add([reading(1.0, NOW, samples=6, numerator=6.0, denominator=6.0, evidence="old")])

    result = accumulator.result()

    assert (result.samples, result.numerator, result.denominator, result.evidence) == (10, 8.0, 10.0, "new")


def test_one_part_without_a_numerator_leaves_none():
    accumulator = Accumulator("mean")
    accumulator.add([reading(0.5, numerator=2.0), reading(1.0, NOW + timedelta(hours=1))])

    assert accumulator.result().numerator is None


def test_the_least_final_observation_decides_and_partial_is_told():
    accumulator = Accumulator("sum")
    accumulator.add([reading(1.0, completeness=Completeness.PROVISIONAL), reading(2.0, NOW + timedelta(hours=1))])
    accumulator.add([reading(2.0, NOW + timedelta(hours=2), state=ReadingState.PARTIAL)])

    assert (accumulator.result().completeness, accumulator.result().state) == (
        Completeness.PROVISIONAL, ReadingState.PARTIAL,
    )  # fmt: skip


def test_an_observation_of_nothing_matters_only_alone():
    empty = reading(None, NOW, state=ReadingState.NO_DATA)
    accumulator = Accumulator("mean")
    accumulator.add([empty])
    assert accumulator.result() is empty

    accumulator.add([reading(3.0, NOW - timedelta(hours=1))])
    assert accumulator.result().value == 3


def test_a_sum_beyond_a_number_is_no_value():
    result = gathered("sum", [], _series([1.7e308, 1.7e308])).result()

    assert (result.value, result.state) == (None, ReadingState.NO_DATA)
