"""Closing after grace, reopening within it, what comes late, back-fill, restarts."""

from datetime import UTC, date, datetime, timedelta

import pytest
from tests.unit.score.world import DAY, HOUR, JULY, NOW, World, kpi, month, path, reading

from bsc_monitor.model.organisation import TargetPath, TargetStep, Thresholds
from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.status import Completeness, ReadingState, Status
from bsc_monitor.score.definition import definition_hash

LAST = JULY - timedelta(milliseconds=1)
JUNE = month(6)


def test_a_period_closes_when_its_grace_has_passed():
    world = World(kpi())
    world.take(reading(50.0))
    world.run_to(JULY + DAY - timedelta(seconds=1))
    assert world.value(JUNE).closed_at is None

    changes = world.tick(JULY + DAY)

    (frozen,) = changes.closed
    assert (frozen.value, frozen.score, frozen.status, frozen.revision) == (50, 50, Status.AMBER, 0)
    assert (frozen.closed_at, frozen.definition) == (JULY + DAY, definition_hash(kpi()))
    assert frozen.thresholds == Thresholds(100, 0)
    assert changes.values == []


def test_a_final_value_taken_after_the_end_closes_the_period_at_once():
    world = World(kpi())
    world.take(reading(50.0, period=JUNE))

    changes = world.take(reading(60.0, LAST, period=JUNE), now=JULY + HOUR)

    assert [(value.value, value.closed_at) for value in changes.closed] == [(60, JULY + HOUR)]


@pytest.mark.parametrize("more", [{"completeness": Completeness.PROVISIONAL}, {"period": None}])
def test_a_provisional_value_or_an_observation_waits_for_the_end_of_grace(more):
    world = World(kpi())

    changes = world.take(reading(60.0, LAST, **{"period": JUNE, **more}), now=JULY + HOUR)

    assert changes.closed == []
    assert [value.value for value in world.run_to(JULY + DAY)[-2].closed] == [60]


def test_what_comes_within_grace_reopens_a_closed_period_visibly():
    world = World(kpi())
    world.take(reading(60.0, LAST, period=JUNE), now=JULY + HOUR)

    changes = world.take(reading(70.0, LAST, period=JUNE), now=JULY + 2 * HOUR)

    assert [value.value for value in changes.reopened] == [60]
    assert [(value.value, value.revision) for value in changes.closed] == [(70, 1)]
    assert world.judgement().value == 70


def test_a_reopened_period_without_a_final_value_closes_again_at_the_end_of_grace():
    world = World(kpi())
    world.take(reading(60.0, LAST, period=JUNE), now=JULY + HOUR)

    changes = world.take(reading(70.0, LAST, period=JUNE, completeness=Completeness.PROVISIONAL), now=JULY + 2 * HOUR)
    assert [(value.value, value.revision, value.closed_at) for value in changes.values] == [(70, 1, None)]
    world.run_to(JULY + DAY)

    assert (world.value(JUNE).revision, world.value(JUNE).closed_at) == (1, JULY + DAY)


def test_the_same_value_again_reopens_nothing():
    world = World(kpi())
    world.take(reading(60.0, LAST, period=JUNE), now=JULY + HOUR)

    changes = world.take(reading(60.0, LAST, period=JUNE), now=JULY + 2 * HOUR)

    assert (changes.reopened, changes.closed, changes.values, changes.late) == ([], [], [], [])


def test_what_comes_after_grace_is_told_as_late_and_not_counted():
    world = World(kpi())
    world.take(reading(60.0))
    world.run_to(JULY + DAY)
    late = reading(70.0, LAST, period=JUNE)

    changes = world.take(late, now=JULY + 2 * DAY)

    assert changes.late == [late]
    assert (changes.closed, changes.reopened, world.value(JUNE).value) == ([], [], 60)


def test_a_tick_that_came_a_little_late_does_not_prolong_grace():
    world = World(kpi())
    world.take(reading(60.0))
    world.tick(JULY + DAY + timedelta(minutes=2))

    assert world.take(reading(70.0, LAST, period=JUNE), now=JULY + DAY + 2 * HOUR).late


def test_a_late_reading_that_says_what_is_frozen_is_not_worth_telling():
    world = World(kpi())
    world.take(reading(60.0, period=JUNE))
    world.run_to(JULY + DAY)

    assert world.take(reading(60.0, LAST, period=JUNE), now=JULY + 2 * DAY).late == []


def test_a_reading_from_the_future_is_not_counted():
    world = World(kpi())
    ahead = reading(60.0, JULY + HOUR)

    changes = world.take(ahead, now=NOW)

    assert (changes.late, world.judgement().value) == ([ahead], None)


def test_a_past_period_that_never_closed_is_filled_in():
    world = World(kpi())
    world.take(reading(50.0))
    march = month(3)

    changes = world.take(reading(90.0, march.end - timedelta(milliseconds=1), period=march), now=NOW)

    assert [(value.period, value.value, value.closed_at, value.revision) for value in changes.closed] == [
        (march, 90, NOW, 0)
    ]
    assert world.judgement().value == 50
    assert changes.reopened == []


def test_a_back_fill_may_be_corrected_for_a_grace_and_not_later():
    world = World(kpi())
    march = month(3)
    at = march.end - timedelta(milliseconds=1)
    world.take(reading(90.0, at, period=march), now=NOW)

    changes = world.take(reading(95.0, at, period=march), now=NOW + HOUR)
    assert [(value.value, value.revision) for value in changes.closed] == [(95, 1)]

    assert world.take(reading(99.0, at, period=march), now=NOW + 3 * DAY).late
    assert world.value(march).value == 95


def test_back_filled_observations_are_aggregated_over_any_number_of_steps():
    world = World(kpi(aggregate="mean"))
    march = month(3)
    for n in range(5):
        world.take(reading(float(n), march.start + n * DAY), now=NOW + n * HOUR)

    assert (world.value(march).value, world.value(march).samples) == (2, 5)


def test_a_period_closed_empty_takes_a_value_later():
    world = World(kpi())
    world.take(reading(None, period=JUNE, state=ReadingState.NO_DATA))
    world.run_to(JULY + DAY)
    assert world.value(JUNE).closed_at

    changes = world.take(reading(60.0, LAST, period=JUNE), now=JULY + 3 * DAY)

    assert [(value.value, value.revision) for value in changes.closed] == [(60, 1)]


def test_a_period_without_any_reading_closes_nothing():
    world = World(kpi())

    assert all(changes.closed == [] for changes in world.run_to(JULY + 3 * DAY))


def test_the_closed_value_is_judged_by_the_thresholds_of_the_periods_last_day():
    steps = TargetPath(
        (TargetStep(date.min, Thresholds(100.0, 0.0)), TargetStep(date(2026, 6, 30), Thresholds(40.0, 0.0)),
         TargetStep(date(2026, 7, 1), Thresholds(1000.0, 0.0)))
    )  # fmt: skip
    world = World(kpi(path=steps))
    world.take(reading(50.0))

    world.run_to(JULY + DAY)

    assert world.value(JUNE).thresholds.target == 40
    assert (world.judgement().status, world.judgement().previous_period) == (Status.GREEN, True)


def test_another_definition_does_not_touch_what_is_frozen():
    world = World(kpi())
    world.take(reading(50.0))
    world.run_to(JULY + DAY)
    frozen = world.value(JUNE)

    changes = world.replace(kpi(path=path(0, 10)))

    assert (changes.closed, changes.values, world.value(JUNE)) == ([], [], frozen)
    assert world.judgement().status is Status.AMBER


def test_another_definition_judges_the_open_period_at_once_and_keeps_since():
    world = World(kpi())
    world.take(reading(50.0))

    changes = world.replace(kpi(path=path(0, 90)), now=NOW + HOUR)
    assert (changes.values[0].status, world.judgement().since) == (Status.AMBER, NOW)

    world.replace(kpi(path=path(0, 10)), now=NOW + 2 * HOUR)
    assert (world.judgement().status, world.judgement().since) == (Status.GREEN, NOW + 2 * HOUR)
    assert world.value(JUNE).definition == definition_hash(kpi(path=path(0, 10)))


def test_another_place_in_the_file_or_title_changes_nothing():
    world = World(kpi())
    world.take(reading(50.0))

    changes = world.replace(kpi(place="x.toml:9", title="Other"))

    assert (changes.judgements, changes.nodes, changes.values) == ([], [], [])


def test_another_aggregate_is_built_from_what_is_stored():
    world = World(kpi(aggregate="last"))
    world.take(reading(10.0), reading(30.0, NOW + HOUR))
    world.replace(kpi(aggregate="sum"))

    world.take(reading(60.0, NOW + 2 * HOUR))

    assert world.judgement().value == 100


def test_a_kpi_that_leaves_is_gone_and_one_that_comes_is_missing():
    world = World(kpi("a"), kpi("b"))
    world.take(reading(100.0, name="it/a"), reading(0.0, name="it/b"))

    changes = world.replace(kpi("a"), kpi("c"))

    assert set(world.scoring.judgements) == {"it/a", "it/c"}
    assert (world.node().score, world.node().coverage) == (200 / 3, 0.5)
    assert [judgement.kpi for judgement, _ in changes.judgements] == ["it/c"]


@pytest.mark.parametrize("how", ["last", "mean", "sum", "median", "p85", "min", "max", "count"])
def test_a_restart_in_the_middle_of_a_period_loses_no_observation(how):
    steady, restarted = World(kpi(aggregate=how)), World(kpi(aggregate=how))
    for n, value in enumerate([0.1, 7.0, -3.0, 0.2, 0.3]):
        for world in (steady, restarted):
            world.take(reading(value, NOW + n * HOUR))
        restarted.restart()

    assert restarted.judgement().value == steady.judgement().value
    assert restarted.judgement().score == steady.judgement().score


def test_a_period_that_ended_while_the_service_was_down_closes_at_start():
    world = World(kpi())
    world.take(reading(50.0))

    changes = world.restart(JULY + 5 * DAY)

    assert [(value.value, value.closed_at) for value in changes.closed] == [(50, JULY + 5 * DAY)]
    assert world.judgement().previous_period


def test_since_outlives_a_restart():
    world = World(kpi())
    world.take(reading(50.0))
    judgement, node = world.judgement(), world.node()
    world.scoring.__init__(world.organisation, NOW + DAY)
    world.scoring.restore(world.value(JUNE))
    world.scoring.restore_judgement(judgement)
    world.scoring.restore_node(node)

    changes = world.tick(NOW + DAY)

    assert changes.judgements == []
    assert world.node().since == node.since


def test_a_restated_observation_counts_with_its_new_value():
    world = World(kpi(aggregate="sum"))
    world.take(reading(1.0), reading(2.0, NOW + HOUR))
    world.readings[0] = reading(10.0)

    world.take(reading(10.0), now=NOW + HOUR)

    assert world.judgement().value == 12


def test_a_value_made_for_the_period_stands_in_place_of_observations():
    world = World(kpi(aggregate="mean"))
    world.take(reading(10.0), reading(20.0, NOW + HOUR))
    world.take(reading(90.0, NOW + HOUR, period=JUNE))
    world.take(reading(0.0, NOW + 2 * HOUR))

    assert world.judgement().value == 90


def test_a_value_made_for_another_kind_of_period_is_an_observation():
    world = World(kpi(aggregate="sum"))
    world.take(reading(1.0, period=Period(NOW - DAY, NOW, PeriodKind.DAY)), reading(2.0, NOW + HOUR))

    assert world.judgement().value == 3


def test_late_values_of_a_segment_are_late_too():
    world = World(kpi(by=("team",)))
    labels = (("team", "a"),)
    world.take(reading(60.0), reading(50.0, labels=labels))
    world.run_to(JULY + DAY)

    assert world.take(reading(1.0, LAST, labels=labels), now=JULY + 2 * DAY).late
    assert world.value(JUNE, labels=labels).closed_at == JULY + DAY


def test_readings_of_unknown_kpis_are_left_out():
    world = World(kpi())

    changes = world.take(reading(1.0, name="it/nobody"))

    assert changes.judgements == []


def test_a_take_does_first_what_time_has_made_due():
    world = World(kpi(), kpi("j", stale_after=HOUR))
    world.take(reading(50.0), reading(50.0, name="it/j"))

    changes = world.take(reading(60.0, datetime(2026, 7, 3, tzinfo=UTC)))

    assert {value.kpi for value in changes.closed} == {"it/k", "it/j"}
    assert world.judgement().value == 60


def test_a_kpi_that_comes_back_finds_its_values():
    world = World(kpi("a"), kpi("b"))
    world.take(reading(50.0, name="it/a"))
    world.replace(kpi("b"))
    assert "it/a" not in world.scoring.judgements

    changes = world.replace(kpi("a"), kpi("b"), now=NOW + HOUR)

    assert (world.judgement("it/a").value, world.judgement("it/a").since) == (50, NOW + HOUR)
    assert [(judgement.kpi, before) for judgement, before in changes.judgements] == [("it/a", None)]
