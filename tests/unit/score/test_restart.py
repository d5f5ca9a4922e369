"""What a start makes of stored values: what the service would show had it never stopped."""

from datetime import date

import pytest
from tests.unit.score.world import DAY, HOUR, JULY, NOW, World, kpi, month, organisation, path, reading

from bsc_monitor.model.organisation import TargetPath, TargetStep, Thresholds
from bsc_monitor.model.period import PeriodKind
from bsc_monitor.score.periods import period_at

JUNE = month(6)
TEAMS = {"by": ("team",), "combine": "sum"}


def team(name):
    return (("team", name),)


def restarted_as(world, *kpis, **more):
    """A start with another organisation than before the stop."""
    world.organisation = organisation(*kpis)
    return world.restart(**more)


def test_what_was_edited_while_the_service_was_stopped_judges_what_is_stored():
    world = World(kpi())
    world.take(reading(50.0))

    changes = restarted_as(world, kpi(path=path(0, 50)))

    assert world.judgement().score == pytest.approx(200 / 3)
    assert [(value.value, value.thresholds.target) for value in changes.values] == [(50, 50)]


def test_thresholds_that_stepped_while_the_service_was_stopped_judge_what_is_stored():
    steps = TargetPath(
        (TargetStep(date.min, Thresholds(100.0, 0.0)), TargetStep(date(2026, 6, 18), Thresholds(50.0, 0.0)))
    )
    world = World(kpi(path=steps))
    world.take(reading(50.0))

    world.restart(NOW + 5 * DAY)

    assert world.judgement().thresholds.target == 50


def test_a_start_tells_nothing_of_values_that_are_judged_as_before():
    world = World(kpi(**TEAMS, min_samples=5), kpi("j"))
    world.take(*(reading(10.0, labels=team(name), samples=3) for name in "ab"), reading(5.0, name="it/j"))

    changes = world.restart(NOW + HOUR)

    assert (changes.values, changes.closed, changes.reopened) == ([], [], [])


def test_segments_with_too_few_samples_of_their_own_still_make_the_total():
    world = World(kpi(**TEAMS, min_samples=5))
    world.take(*(reading(10.0, labels=team(name), samples=3) for name in "ab"))
    world.restart(NOW + HOUR)

    world.take(reading(50.0, NOW + 2 * HOUR, labels=team("a"), samples=3))

    assert (world.judgement().value, world.judgement().samples) == (60, 6)


def test_a_total_that_is_combined_in_another_way_is_made_anew():
    world = World(kpi(**TEAMS))
    world.take(*(reading(10.0, labels=team(name)) for name in "ab"))

    restarted_as(world, kpi(**{**TEAMS, "combine": "mean"}))

    assert world.judgement().value == 10


def _day(at):
    return period_at(at, PeriodKind.DAY, World(kpi()).organisation.scorecards["it"].calendar)


def test_a_derived_value_keeps_an_operand_that_only_the_store_knows():
    """Of ``early`` each day is closed at once; of ``late`` three days are still in grace at the start."""
    more = {"period": PeriodKind.DAY, "scored": False}
    world = World(
        kpi("sum", formula="early + late", operands={"early": "it/early", "late": "it/late"}, period=PeriodKind.DAY),
        kpi("early", grace=HOUR, **more), kpi("late", grace=4 * DAY, **more),
    )  # fmt: skip
    days = [_day(NOW + n * DAY) for n in range(3)]
    for day in days:
        world.take(reading(1.0, day.end - HOUR, "it/early"), reading(2.0, day.end - HOUR, "it/late"))
    world.run_to(NOW + 3 * DAY)

    changes = world.restart()

    assert (changes.values, changes.closed) == ([], [])
    world.run_to(NOW + 10 * DAY)
    assert [world.value(day, "it/sum").value for day in days] == [3, 3, 3]


def test_a_derived_value_knows_what_its_operands_closed_with_in_the_same_step():
    more = {"period": PeriodKind.DAY, "scored": False}
    world = World(
        kpi("sum", formula="a + b", operands={"a": "it/a", "b": "it/b"}, period=PeriodKind.DAY),
        kpi("a", grace=5 * DAY, **more), kpi("b", grace=HOUR, **more),
    )  # fmt: skip
    days = [_day(NOW + n * DAY) for n in range(4)]
    for day in days:
        world.take(reading(1.0, day.end - HOUR, "it/a"), reading(2.0, day.end - HOUR, "it/b"))
    world.run_to(NOW + 4 * DAY)

    world.restart(NOW + 30 * DAY)

    assert [(world.value(day, "it/sum").value, bool(world.value(day, "it/sum").closed_at)) for day in days] == [
        (3, True)
    ] * 4


def test_a_value_of_a_period_in_grace_that_is_in_the_store_alone_is_reopened_and_not_made_anew():
    world = World(kpi(period=PeriodKind.DAY, grace=5 * DAY))
    days = [_day(NOW + n * DAY) for n in range(3)]
    for day in days:
        world.take(reading(1.0, day.end, period=day), now=day.end)
    stored = world.values
    world.values = {}
    world.restart()
    world.values = stored
    same, other = reading(1.0, days[0].end, period=days[0]), reading(2.0, days[0].end, period=days[0])

    nothing = world.take(same, now=NOW + 4 * DAY)
    changes = world.take(other, now=NOW + 4 * DAY)

    assert (nothing.closed, nothing.values) == ([], [])
    assert [(value.value, value.revision) for value in changes.closed] == [(2, 1)]
    assert [value.value for value in changes.reopened] == [1]


def test_a_period_that_ended_while_the_service_was_stopped_is_shown_by_the_thresholds_of_its_last_day():
    steps = TargetPath(
        (TargetStep(date.min, Thresholds(100.0, 0.0)), TargetStep(date(2026, 7, 1), Thresholds(50.0, 0.0)))
    )
    world = World(kpi(path=steps))
    world.take(reading(50.0))

    world.restart(JULY + HOUR)

    assert (world.judgement().previous_period, world.judgement().thresholds.target) == (True, 100)
