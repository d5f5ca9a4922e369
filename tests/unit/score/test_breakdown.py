"""Breakdowns: segments judged by the KPI's thresholds or their own, totals made of segments."""

import random

import pytest
from tests.unit.score.world import DAY, HOUR, JULY, NOW, World, kpi, month, path, reading

from bsc_monitor.model.organisation import TargetPath
from bsc_monitor.model.status import ReadingState, Status

JUNE = month(6)


def team(name):
    return (("team", name),)


def each(values, **more):
    return [reading(value, labels=team(name), **more) for name, value in values.items()]


def test_segments_are_judged_beside_the_total():
    world = World(kpi(by=("team",)))

    changes = world.take(reading(50.0), *each({"a": 0.0, "b": 100.0}))

    assert [(value.labels, value.status) for value in changes.segments] == [
        (team("a"), Status.RED), (team("b"), Status.GREEN),
    ]  # fmt: skip
    assert world.judgement().value == 50
    assert world.value(JUNE, labels=team("a")).score == pytest.approx(100 / 3)


def test_a_segment_may_have_thresholds_of_its_own():
    world = World(kpi(by=("team",), segments={"a": path(-100, -50), "c": TargetPath()}))

    changes = world.take(*each({"a": 0.0, "b": 0.0, "c": 0.0}))

    assert [value.status for value in changes.segments] == [Status.GREEN, Status.RED, Status.RED]


def test_segments_close_with_their_period():
    world = World(kpi(by=("team",)))
    world.take(reading(50.0), *each({"a": 0.0}))

    world.run_to(JULY + DAY)

    assert world.value(JUNE, labels=team("a")).closed_at == JULY + DAY


def test_segments_alone_make_no_total_unless_told_how():
    world = World(kpi(by=("team",)))
    world.take(*each({"a": 10.0, "b": 20.0}))

    assert world.judgement().value is None


@pytest.mark.parametrize(
    ("how", "better", "expected"),
    [
        ("sum", "higher", 60),
        ("mean", "higher", 20),
        ("weighted", "higher", 25),
        ("worst", "higher", 10),
        ("worst", "lower", 30),
    ],
)
def test_segments_combine_as_told(how, better, expected):
    thresholds = path(0, 100) if better == "higher" else path(100, 0)
    world = World(kpi(combine=how, better=better, path=thresholds))
    readings = [reading(v, labels=team(n), samples=s) for n, v, s in (("a", 10.0, 1), ("b", 20.0, 1), ("c", 30.0, 4))]

    world.take(*readings)

    judgement = world.judgement()
    assert (judgement.value, judgement.samples, judgement.note) == (expected, 6, f"{how} of 3 segments")


def test_no_order_of_segments_changes_a_bit_of_their_total():
    readings = [reading(0.1 * n, labels=team(str(n)), samples=n) for n in range(30)]
    found = set()
    for seed in range(5):
        world = World(kpi(combine="weighted"))
        for one in random.Random(seed).sample(readings, 30):
            world.take(one)
        found.add((world.judgement().value, world.judgement().score))

    assert len(found) == 1


@pytest.mark.parametrize(("unit", "scale"), [("ratio", 1), ("%", 100)])
@pytest.mark.parametrize("how", ["mean", "weighted"])
def test_ratios_combine_as_a_ratio_of_sums(how, unit, scale):
    world = World(kpi(combine=how, unit=unit))
    parts = [(1.0, 1.0), (8.0, 99.0)]
    world.take(
        *[
            reading(scale * a / b, labels=team(str(n)), numerator=a, denominator=b)
            for n, (a, b) in enumerate(parts)
        ]
    )  # fmt: skip

    assert world.judgement().value == scale * 0.09


def test_numerators_that_are_not_what_the_values_are_made_of_are_not_used():
    world = World(kpi(combine="mean"))
    world.take(
        reading(10.0, labels=team("a"), numerator=1.0, denominator=7.0),
        reading(20.0, labels=team("b"), numerator=1.0, denominator=7.0),
    )

    assert world.judgement().value == 15


def test_a_total_from_the_source_wins_over_a_combined_one():
    world = World(kpi(by=("team",), combine="sum"))
    world.take(*each({"a": 10.0, "b": 20.0}))
    world.take(reading(29.0, NOW + HOUR))
    world.take(reading(15.0, NOW + 2 * HOUR, labels=team("a")))

    assert world.judgement().value == 29


def test_of_two_dimensions_one_is_the_whole():
    world = World(kpi(by=("team", "priority"), combine="sum"))
    world.take(*each({"a": 10.0, "b": 20.0}), reading(30.0, labels=(("priority", "1"),)))

    assert world.judgement().value == 30


def test_a_segment_that_changes_changes_the_total():
    world = World(kpi(combine="sum"))
    world.take(*each({"a": 10.0, "b": 20.0}))
    world.take(reading(50.0, NOW + HOUR, labels=team("a")))

    assert (world.judgement().value, world.judgement().observed_at) == (70, NOW + HOUR)


def test_a_combined_total_outlives_a_restart():
    world = World(kpi(combine="sum"))
    world.take(*each({"a": 10.0, "b": 20.0}))
    world.restart(NOW + HOUR)
    world.take(reading(50.0, NOW + HOUR, labels=team("a")))

    assert world.judgement().value == 70


def test_segments_without_a_value_are_left_out_of_the_total():
    world = World(kpi(combine="mean"))
    world.take(*each({"a": 10.0}), reading(None, labels=team("b"), state=ReadingState.NO_DATA))

    assert world.judgement().value == 10


def test_segments_are_aggregated_like_totals():
    world = World(kpi(by=("team",), aggregate="mean", combine="sum"))
    world.take(*each({"a": 10.0, "b": 1.0}))
    world.take(reading(20.0, NOW + HOUR, labels=team("a")))

    assert world.value(JUNE, labels=team("a")).value == 15
    assert world.judgement().value == 16


@pytest.mark.parametrize("how", ["sum", "mean", "weighted"])
def test_a_total_beyond_a_number_is_none(how):
    world = World(kpi(combine=how))
    world.take(*each({"a": 1.7e308, "b": 1.7e308}, samples=5))

    assert world.judgement().value is None
