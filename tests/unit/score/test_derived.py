"""Derived KPIs: formulas over aggregated period values, recomputed when an operand changes."""

from datetime import datetime, timedelta

import pytest
from tests.unit.score.world import DAY, HOUR, JULY, NOW, World, kpi, month, reading

from bsc_monitor.model.period import Calendar
from bsc_monitor.model.status import Freshness, ReadingState

JUNE = month(6)
LAST = JULY - timedelta(milliseconds=1)


def rate(**more):
    operands = {"good": "it/good", "all": "it/all"}
    return kpi("rate", formula="good / all * 100", operands=operands, **more)


def sources(**more):
    return kpi("good", aggregate="sum", scored=False, **more), kpi("all", aggregate="sum", scored=False, **more)


def test_a_ratio_is_a_ratio_of_sums_never_a_mean_of_ratios():
    world = World(rate(), *sources())
    world.take(reading(1.0, name="it/good"), reading(1.0, name="it/all"))
    assert world.judgement("it/rate").value == 100

    world.take(reading(8.0, NOW + HOUR, name="it/good"), reading(99.0, NOW + HOUR, name="it/all"))

    assert world.judgement("it/rate").value == 9
    assert world.node().score == pytest.approx((100 + 9) / 3)


def test_a_missing_operand_is_blank_and_named():
    world = World(rate(), *sources())
    world.take(reading(1.0, name="it/good"))

    judgement = world.judgement("it/rate")
    assert (judgement.value, judgement.freshness, judgement.note) == (None, Freshness.MISSING, "no value of it/all")


@pytest.mark.parametrize(("policy", "expected"), [("zero", 3), ("ignore", 3), ("blank", None)])
def test_a_missing_operand_does_as_the_kpi_says(policy, expected):
    total = kpi("sum", formula="good + all", operands={"good": "it/good", "all": "it/all"}, missing_operand=policy)
    world = World(total, *sources())
    world.take(reading(3.0, name="it/good"))

    assert world.judgement("it/sum").value == expected


def test_a_division_by_zero_is_blank():
    world = World(rate(), *sources())
    world.take(reading(1.0, name="it/good"), reading(0.0, name="it/all"))

    assert world.judgement("it/rate").value is None


def test_an_operand_with_too_few_samples_counts_as_missing():
    world = World(rate(), *sources(min_samples=2))
    world.take(reading(1.0, name="it/good"), reading(1.0, name="it/all"))
    assert world.judgement("it/rate").value is None

    world.take(reading(1.0, NOW + HOUR, name="it/good"), reading(1.0, NOW + HOUR, name="it/all"))

    assert world.judgement("it/rate").value == 100


def test_a_chain_is_computed_in_one_step_whatever_its_order_in_the_files():
    top = kpi("top", formula="middle * 2", operands={"middle": "it/middle"})
    middle = kpi("middle", formula="k + 1", operands={"k": "it/k"}, scored=False)
    world = World(top, middle, kpi("k", scored=False))

    changes = world.take(reading(4.0))

    assert world.judgement("it/top").value == 10
    assert [judgement.kpi for judgement, _ in changes.judgements] == ["it/k", "it/middle", "it/top"]


def test_a_constant_has_its_value_from_the_start_and_in_every_period():
    world = World(kpi("c", formula="42"))
    assert world.judgement("it/c").value == 42

    world.run_to(JULY + 2 * DAY)

    judgement = world.judgement("it/c")
    assert (judgement.value, judgement.period.label, judgement.freshness) == (42, "2026-07", Freshness.FRESH)
    assert world.value(JUNE, "it/c").closed_at


def test_it_turns_stale_with_its_operand():
    world = World(rate(), *sources(stale_after=HOUR))
    world.take(reading(1.0, name="it/good"), reading(2.0, name="it/all"))

    world.run_to(NOW + HOUR)
    assert world.judgement("it/rate").freshness is Freshness.STALE

    world.take(reading(1.0, NOW + 2 * HOUR, name="it/good"), reading(2.0, NOW + 2 * HOUR, name="it/all"))
    assert world.judgement("it/rate").freshness is Freshness.FRESH


def test_it_is_as_old_as_its_oldest_operand_and_has_its_fewest_samples():
    world = World(rate(), *sources())
    world.take(reading(1.0, name="it/good", samples=3), reading(2.0, NOW + HOUR, name="it/all", samples=9))

    judgement = world.judgement("it/rate")
    assert (judgement.observed_at, judgement.samples) == (NOW, 3)


def test_it_closes_with_its_operands_and_is_reopened_by_them():
    world = World(rate(), kpi("good", scored=False), kpi("all", scored=False))
    made = {"period": JUNE}
    world.take(reading(1.0, LAST, "it/good", **made), reading(2.0, LAST, "it/all", **made), now=JULY + HOUR)
    assert (world.value(JUNE, "it/rate").value, world.value(JUNE, "it/rate").closed_at) == (50, JULY + HOUR)

    changes = world.take(reading(2.0, LAST, "it/good", **made), now=JULY + 2 * HOUR)

    rates = [value for value in changes.closed if value.kpi == "it/rate"]
    assert [(value.value, value.revision) for value in rates] == [(100, 1)]
    assert {value.kpi for value in changes.reopened} == {"it/rate", "it/good"}


def test_it_waits_for_the_longest_grace_of_its_operands():
    world = World(rate(), *sources(grace=5 * DAY))
    world.take(reading(1.0, name="it/good"), reading(2.0, name="it/all"))
    world.run_to(JULY + 2 * DAY)
    assert world.value(JUNE, "it/rate").closed_at is None

    world.run_to(JULY + 5 * DAY)

    assert world.value(JUNE, "it/rate").closed_at == JULY + 5 * DAY


def test_a_back_fill_of_its_operands_fills_it_in_one_after_the_other():
    world = World(rate(), *sources())
    march = month(3)
    at = march.end - timedelta(milliseconds=1)
    world.take(reading(1.0, at, "it/good", period=march), now=NOW)
    world.take(reading(4.0, at, "it/all", period=march), now=NOW + HOUR)

    assert (world.value(march, "it/rate").value, world.value(march, "it/rate").closed_at) == (25, NOW + HOUR)


def test_operands_in_another_time_zone_count_in_the_period_of_the_same_name():
    from tests.unit.score.world import scorecard

    cards = [scorecard("it"), scorecard("asia", Calendar("Asia/Tokyo"))]
    derived = kpi("it/d", formula="a", operands={"a": "asia/a"})
    world = World(derived, kpi("asia/a", scored=False), scorecards=cards)
    world.take(reading(7.0, name="asia/a"))

    assert world.judgement("it/d").value == 7
    assert world.judgement("it/d").period.label == "2026-06"


def test_a_restart_computes_it_from_its_operands():
    world = World(rate(), *sources())
    world.take(reading(1.0, name="it/good"), reading(2.0, name="it/all"))
    del world.values["it/rate", (), JUNE.start]

    world.restart(NOW + HOUR)

    assert world.judgement("it/rate").value == 50


def test_another_formula_is_computed_at_once():
    world = World(rate(), *sources())
    world.take(reading(1.0, name="it/good"), reading(2.0, name="it/all"))

    world.replace(kpi("rate", formula="good", operands={"good": "it/good"}), *sources())

    assert world.judgement("it/rate").value == 1


def test_readings_of_a_derived_kpi_are_not_taken():
    world = World(rate(), *sources())

    world.take(reading(5.0, name="it/rate"))

    assert world.judgement("it/rate").value is None


def test_a_partial_operand_makes_it_partial():
    world = World(rate(), *sources())
    world.take(reading(1.0, name="it/good", state=ReadingState.PARTIAL), reading(2.0, name="it/all"))

    assert world.judgement("it/rate").state is ReadingState.PARTIAL


def test_an_operand_shown_from_the_previous_period_is_missing_in_this_one():
    world = World(rate(), *sources())
    world.take(reading(1.0, name="it/good"), reading(2.0, name="it/all"))
    world.run_to(JULY + HOUR)

    world.take(reading(5.0, datetime(2026, 7, 1, 2, tzinfo=NOW.tzinfo), "it/good"))

    judgement = world.judgement("it/rate")
    assert (judgement.value, judgement.previous_period) == (50, True)
