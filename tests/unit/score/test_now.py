"""What "now" shows: the open period, the previous one, nothing; trailing windows; staleness; pro-rating."""

from datetime import UTC, date, datetime, timedelta

import pytest
from tests.unit.score.world import DAY, HOUR, JULY, JUNE, NOW, World, kpi, month, path, reading

from bsc_monitor.model.organisation import TargetPath, TargetStep, Thresholds
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.reading import Reading
from bsc_monitor.model.status import Freshness, ReadingState, Status
from bsc_monitor.score.judge import judge, score_reading

GREEN, AMBER, RED, UNKNOWN = Status.GREEN, Status.AMBER, Status.RED, Status.UNKNOWN
FRESH, STALE, MISSING = Freshness.FRESH, Freshness.STALE, Freshness.MISSING


def looks(world, name="it/k"):
    judgement = world.judgement(name)
    return judgement.value, judgement.status, judgement.freshness, judgement.previous_period


def test_a_kpi_without_any_value_is_missing():
    world = World(kpi())

    assert looks(world) == (None, UNKNOWN, MISSING, False)
    assert world.node().score is None


def test_a_reading_is_judged_at_once_and_rolls_up():
    world = World(kpi())

    changes = world.take(reading(100.0, samples=7, evidence="https://x", note="n"))

    assert looks(world) == (100, GREEN, FRESH, False)
    judgement, before = changes.judgements[0]
    assert (judgement.score, judgement.period, judgement.samples) == (200 / 3, month(6), 7)
    assert (judgement.evidence, judgement.note, judgement.since) == ("https://x", "n", NOW)
    assert before.status is UNKNOWN
    assert [node.score for node, _ in changes.nodes] == [200 / 3] * 3
    assert [(value.value, value.closed_at) for value in changes.values] == [(100, None)]


def test_the_same_reading_again_changes_nothing():
    world = World(kpi())
    world.take(reading(50.0))

    changes = world.take(reading(50.0))

    assert (changes.judgements, changes.nodes, changes.values) == ([], [], [])


def test_since_is_kept_while_the_status_is():
    world = World(kpi())
    world.take(reading(50.0))
    world.take(reading(60.0, NOW + HOUR))
    assert world.judgement().since == NOW

    world.take(reading(0.0, NOW + 2 * HOUR))

    assert world.judgement().since == NOW + 2 * HOUR


def test_a_scorecard_does_not_go_grey_on_the_first_of_the_month():
    world = World(kpi())
    world.take(reading(50.0))

    world.run_to(JULY)

    assert looks(world) == (50, AMBER, FRESH, True)
    assert world.judgement().period == month(6)
    world.take(reading(100.0, JULY + HOUR))
    assert looks(world) == (100, GREEN, FRESH, False)


def test_the_previous_period_is_shown_for_at_most_one_period():
    world = World(kpi())
    world.take(reading(50.0))

    world.run_to(datetime(2026, 8, 1, tzinfo=UTC) - timedelta(microseconds=1))
    assert looks(world)[3]
    world.run_to(datetime(2026, 8, 1, tzinfo=UTC))

    assert looks(world) == (None, UNKNOWN, MISSING, False)


def test_an_open_period_with_too_few_samples_waits_behind_the_previous_one():
    world = World(kpi(min_samples=5))
    world.take(reading(50.0, samples=9, period=month(6)))
    world.take(reading(100.0, JULY + HOUR, samples=4, period=month(7)))
    assert looks(world) == (50, AMBER, FRESH, True)

    world.take(reading(100.0, JULY + 2 * HOUR, samples=5, period=month(7)))

    assert looks(world) == (100, GREEN, FRESH, False)


def test_too_few_samples_are_said_where_there_is_nothing_else_to_show():
    world = World(kpi(min_samples=5))

    world.take(reading(100.0, samples=4))

    judgement = world.judgement()
    assert (judgement.value, judgement.freshness, judgement.samples) == (None, MISSING, 4)
    assert judgement.state is ReadingState.INSUFFICIENT


def test_a_count_of_nothing_is_a_value_and_not_unknown():
    world = World(kpi())

    world.take(reading(0.0, samples=0))

    assert looks(world) == (0, RED, FRESH, False)


def test_a_value_turns_stale_by_time_alone_and_leaves_the_roll_up():
    world = World(kpi(stale_after=2 * HOUR))
    world.take(reading(100.0))
    assert world.scoring.next_due() == NOW + 2 * HOUR
    world.tick(NOW + 2 * HOUR - timedelta(microseconds=1))
    assert looks(world)[2] is FRESH

    changes = world.tick(NOW + 2 * HOUR)

    assert looks(world) == (100, GREEN, STALE, False)
    assert world.judgement().score == 200 / 3
    assert [node.score for node, _ in changes.nodes] == [None] * 3


def test_a_reading_makes_fresh_again():
    world = World(kpi(stale_after=2 * HOUR))
    world.take(reading(100.0))
    world.run_to(NOW + 5 * HOUR)

    world.take(reading(100.0, NOW + 5 * HOUR))

    assert looks(world)[2] is FRESH
    assert world.scoring.next_due() == NOW + 7 * HOUR


def test_a_previous_period_stays_fresh_while_the_source_answers_that_there_is_nothing_yet():
    world = World(kpi(stale_after=2 * HOUR))
    world.take(reading(50.0, JULY - HOUR, period=month(6)))
    empty = {"state": ReadingState.NO_DATA, "period": month(7)}
    world.take(reading(None, JULY + HOUR, **empty))
    assert looks(world) == (50, AMBER, FRESH, True)

    world.run_to(JULY + 3 * HOUR)

    assert looks(world) == (50, AMBER, STALE, True)


def test_an_observation_of_nothing_does_not_wipe_the_last_value_but_a_period_made_empty_does():
    world = World(kpi())
    world.take(reading(50.0))
    world.take(reading(None, NOW + HOUR, state=ReadingState.NO_DATA))
    assert looks(world)[0] == 50

    world.take(reading(None, NOW + 2 * HOUR, state=ReadingState.NO_DATA, period=month(6)))

    assert looks(world) == (None, UNKNOWN, MISSING, False)


def test_a_partial_value_is_judged_and_marked():
    world = World(kpi())
    world.take(reading(50.0, state=ReadingState.PARTIAL))

    assert world.judgement().state is ReadingState.PARTIAL
    assert world.judgement().status is AMBER


def test_an_older_reading_does_not_displace_the_last_value():
    world = World(kpi())
    world.take(reading(50.0))
    world.take(reading(0.0, NOW - DAY))

    assert looks(world)[0] == 50


def test_an_unscored_kpi_shows_its_value_and_takes_no_part():
    world = World(kpi(scored=False), kpi("j"))
    world.take(reading(5.0), reading(100.0, name="it/j"))

    assert looks(world) == (5, UNKNOWN, FRESH, False)
    assert (world.node().score, world.node().coverage) == (200 / 3, 1)


def test_thresholds_step_by_time_alone():
    steps = TargetPath(
        (TargetStep(date(2026, 1, 1), Thresholds(100.0, 0.0)), TargetStep(date(2026, 6, 20), Thresholds(40.0, 0.0)))
    )
    world = World(kpi(path=steps), calendar=Calendar("Europe/Berlin"))
    world.take(reading(50.0))
    step = datetime(2026, 6, 19, 22, tzinfo=UTC)
    assert (looks(world)[1], world.scoring.next_due()) == (AMBER, step)

    changes = world.tick(step)

    assert looks(world)[1] is GREEN
    assert changes.values[0].thresholds.target == 40


def test_a_window_judges_the_trailing_days_at_each_reading():
    world = World(kpi(window=timedelta(days=2), aggregate="mean"))
    world.take(reading(0.0))
    world.take(reading(60.0, NOW + DAY))
    assert looks(world)[0] == 30

    world.take(reading(80.0, NOW + 2 * DAY))

    assert looks(world)[0] == 70
    assert world.judgement().period == Period(NOW, NOW + 2 * DAY)
    assert world.value(month(6)).value == pytest.approx(140 / 3)


def test_a_window_that_holds_nothing_any_more_is_missing():
    world = World(kpi(window=timedelta(days=2)))
    world.take(reading(60.0))

    world.run_to(NOW + 2 * DAY)

    assert looks(world) == (None, UNKNOWN, MISSING, False)


def test_a_window_filled_from_the_store_after_a_restart():
    world = World(kpi(window=timedelta(days=30), aggregate="sum"))
    world.take(reading(1.0, NOW - 20 * DAY), reading(2.0, NOW))
    world.restart(NOW + HOUR)

    world.take(reading(4.0, NOW + 2 * HOUR))

    assert looks(world)[0] == 7


def test_a_value_made_for_a_window_is_taken_as_it_is():
    world = World(kpi(window=timedelta(days=30), aggregate="sum"))
    for n in range(3):
        at = NOW + n * DAY
        world.take(reading(10.0 + n, at, period=Period(at - timedelta(days=30), at)))

    assert looks(world)[0] == 12
    assert world.value(month(6)).value == 12


def test_an_open_sum_compares_with_its_share_of_the_target():
    calendar = Calendar("UTC")
    world = World(kpi(aggregate="sum", prorate=True, path=path(50, 100)), calendar=calendar, now=JUNE)
    after_five_days = datetime(2026, 6, 6, tzinfo=UTC)

    world.take(reading(100 * 5 / 22, JUNE + DAY), now=after_five_days)

    assert world.judgement().thresholds.target == pytest.approx(100 * 5 / 22)
    assert looks(world)[1] is GREEN
    world.run_to(after_five_days + 7 * DAY)
    assert looks(world)[1] is RED


def test_a_share_of_nothing_waits_behind_the_previous_period_and_the_closed_value_meets_the_whole_target():
    world = World(kpi(aggregate="sum", prorate=True, path=path(50, 100)), now=NOW)
    world.take(reading(80.0))
    world.run_to(JULY + HOUR)
    world.take(reading(1.0, JULY + 2 * HOUR))
    assert looks(world) == (80, AMBER, FRESH, True)

    assert world.judgement().thresholds.target == 100
    world.run_to(JULY + 10 * HOUR)

    assert looks(world)[3] is False


def test_the_trend_is_against_the_previous_period_and_positive_where_it_gets_better():
    world = World(kpi(better="lower", path=path(100, 0)))
    world.take(reading(50.0))
    world.take(reading(40.0, JULY + HOUR))

    assert world.judgement().trend == pytest.approx(0.2)
    world.run_to(datetime(2026, 8, 1, 1, tzinfo=UTC))
    assert world.judgement().trend == pytest.approx(0.2)


def test_there_is_no_trend_over_a_gap():
    world = World(kpi())
    world.take(reading(50.0))
    world.run_to(datetime(2026, 8, 2, tzinfo=UTC))
    world.take(reading(40.0, datetime(2026, 8, 3, tzinfo=UTC)))

    assert world.judgement().trend is None


def test_progress_stands_beside_the_score():
    world = World(kpi(baseline=-100.0))
    world.take(reading(50.0))

    assert world.judgement().progress == 0.75


def test_judge_alone_says_what_scoring_says():
    subject = kpi(stale_after=2 * HOUR)
    open_value = PeriodValue("it/k", month(6), value=50.0, state=ReadingState.OK, observed_at=NOW)
    world = World(subject)
    world.take(reading(50.0))

    assert judge(subject, open_value, None, NOW, Calendar(), None) == world.judgement()
    world.run_to(JULY + HOUR)
    later = judge(subject, None, open_value, JULY + HOUR, Calendar(), world.judgement())
    assert (later, later.previous_period) == (world.judgement(), True)
    gone = judge(subject, None, open_value, JULY + 40 * DAY, Calendar())
    assert gone.freshness is MISSING


def test_a_dry_run_scores_a_reading_in_its_own_unit():
    hours = kpi(unit="h", better="lower", path=path(24, 8))

    assert score_reading(hours, Reading(8 * 60.0), "min", month(6)) == 200 / 3
    assert score_reading(hours, Reading(None, state=ReadingState.NO_DATA), "min", month(6)) is None
    assert score_reading(kpi(min_samples=5), Reading(50.0, samples=2), "", month(6)) is None


@pytest.mark.parametrize("kind", PeriodKind)
def test_every_kind_of_period_opens_closes_and_is_shown_once_more(kind):
    world = World(kpi(period=kind), calendar=Calendar("Europe/Berlin", 4))
    world.take(reading(50.0))
    period = world.judgement().period

    world.run_to(period.end + DAY)

    assert world.value(period).closed_at == period.end + DAY
    assert looks(world)[3] is (kind is not PeriodKind.DAY)
