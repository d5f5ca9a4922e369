"""What changes by time alone, or by a reading after a time in which nothing happened, is seen when it does."""

from datetime import UTC, date, datetime, timedelta

from tests.unit.score.world import DAY, HOUR, JULY, JUNE, NOW, World, kpi, path, reading, scorecard

from bsc_monitor.model.organisation import TargetPath, TargetStep, Thresholds
from bsc_monitor.model.period import Calendar, PeriodKind
from bsc_monitor.model.status import Freshness, ReadingState, Status

STEP = date(2026, 6, 18)
STEPS = TargetPath((TargetStep(date.min, Thresholds(100.0, 0.0)), TargetStep(STEP, Thresholds(40.0, 0.0))))


def test_a_reading_after_days_without_one_is_shown_though_an_earlier_period_is_still_in_grace():
    world = World(kpi(period=PeriodKind.DAY, grace=10 * DAY))
    world.take(reading(50.0))
    world.run_to(NOW + 3 * DAY)
    assert world.judgement().value is None

    world.take(reading(70.0, NOW + 3 * DAY + HOUR))

    assert world.judgement().value == 70


def test_a_prorated_value_is_judged_as_soon_as_working_time_has_passed():
    world = World(kpi(aggregate="sum", prorate=True, path=path(50, 100)), now=JUNE)
    world.take(reading(1.0, JUNE + 2 * HOUR))
    assert world.judgement().value is None

    world.run_to(JUNE + 10 * HOUR)

    assert world.judgement().value == 1


def test_a_value_that_came_too_early_for_its_share_counts_when_it_is_no_longer_prorated():
    world = World(kpi(aggregate="sum", prorate=True), now=JUNE)
    world.take(reading(1.0, JUNE + 2 * HOUR))

    world.replace(kpi(aggregate="sum"))

    assert world.judgement().value == 1


def test_other_thresholds_come_into_force_for_a_kpi_that_has_no_value():
    world = World(kpi(path=STEPS), kpi("c", formula="42", min_samples=2, path=STEPS))

    world.run_to(NOW + 4 * DAY)

    assert {world.judgement(name).thresholds.target for name in ("it/k", "it/c")} == {40}


def test_other_thresholds_of_a_segment_come_into_force_at_midnight():
    world = World(kpi(by=("team",), segments={"a": STEPS}))
    labels = (("team", "a"),)
    world.take(reading(50.0, labels=labels))

    changes = world.run_to(datetime(2026, 6, 18, tzinfo=UTC))

    assert [(value.labels, value.status) for each in changes for value in each.segments] == [(labels, Status.GREEN)]


def test_a_derived_value_keeps_its_operands_grace_when_its_thresholds_step():
    world = World(kpi("double", formula="k * 2", operands={"k": "it/k"}, path=STEPS), kpi(scored=False, grace=5 * DAY))
    world.take(reading(1.0))

    world.run_to(JULY + 2 * DAY)

    (double,) = [value for value in world.values.values() if value.kpi == "it/double"]
    assert double.closed_at is None


def test_a_derived_kpi_in_a_later_time_zone_has_its_value_when_its_period_begins():
    cards = [scorecard("us", Calendar("America/New_York")), scorecard("asia", Calendar("Asia/Tokyo"))]
    world = World(kpi("us/d", formula="a", operands={"a": "asia/a"}), kpi("asia/a", scored=False), scorecards=cards)
    world.take(reading(7.0, JULY - HOUR, name="asia/a"))

    world.run_to(JULY + 4 * HOUR)

    judgement = world.judgement("us/d")
    assert (judgement.value, judgement.period.label) == (7, "2026-07")


def test_a_derived_value_of_the_previous_period_turns_stale_after_the_last_sign_of_life():
    world = World(
        kpi("sum", formula="a + b", operands={"a": "it/a", "b": "it/b"}, stale_after=4 * DAY), kpi("a"), kpi("b")
    )
    world.take(reading(1.0, JULY - 2 * DAY, "it/a"), reading(2.0, JULY - 2 * DAY, "it/b"))
    world.take(reading(1.0, JULY + DAY, "it/a"))
    looks = []
    for days in (3, 4, 5, 6):
        world.run_to(JULY + days * DAY)
        looks.append((world.judgement("it/sum").value, world.judgement("it/sum").freshness))

    assert looks == [(3, Freshness.FRESH)] * 2 + [(3, Freshness.STALE)] * 2


def test_a_longer_grace_counts_what_was_taken_before():
    world = World(kpi(aggregate="sum", grace=HOUR), now=JUNE - HOUR)
    world.take(reading(10.0), reading(20.0, NOW + HOUR))
    world.run_to(JULY + HOUR)
    world.replace(kpi(aggregate="sum", grace=5 * DAY))

    changes = world.take(reading(30.0, NOW + 2 * HOUR), now=JULY + 2 * HOUR)

    assert [value.value for value in changes.reopened] == [30]
    assert [(value.value, value.revision) for value in changes.values] == [(60, 1)]


def test_nothing_is_due_in_the_quarter_of_an_hour_of_a_prorated_kpi_without_a_period_in_memory():
    world = World(kpi(prorate=True))

    assert world.scoring.next_due() == JULY


def test_an_insufficient_value_is_no_reason_to_look_again():
    world = World(kpi(min_samples=5, stale_after=HOUR))
    world.take(reading(1.0, samples=2))

    assert world.judgement().state is ReadingState.INSUFFICIENT
    assert world.scoring.next_due() == JULY
    assert world.tick(NOW + 2 * HOUR).judgements == []
    assert world.tick(NOW + timedelta(days=1)).judgements == []
