"""Targets over time, progress, pro-rating."""

from datetime import UTC, date, datetime

import pytest
from tests.unit.score.world import kpi

from bsc_monitor.model.organisation import TargetPath, TargetStep, Thresholds
from bsc_monitor.model.period import Calendar
from bsc_monitor.score.judge import trend
from bsc_monitor.score.periods import parse_period
from bsc_monitor.score.targets import final_target, next_step, progress, prorated, share_passed, thresholds_on

STEPS = (
    TargetStep(date(2026, 1, 1), Thresholds(12.0, 30.0)),
    TargetStep(date(2026, 7, 1), Thresholds(8.0, 24.0)),
)


@pytest.mark.parametrize(
    ("day", "target"),
    [("2025-06-01", 12), ("2026-01-01", 12), ("2026-06-30", 12), ("2026-07-01", 8), ("2030-01-01", 8)],
)
def test_steps_are_in_force_from_their_date_on(day, target):
    assert thresholds_on(TargetPath(STEPS), date.fromisoformat(day)).target == target


def test_a_linear_path_moves_by_the_day():
    path = TargetPath(STEPS, "linear")
    share = (date(2026, 4, 1) - date(2026, 1, 1)).days / (date(2026, 7, 1) - date(2026, 1, 1)).days

    half = thresholds_on(path, date(2026, 4, 1))

    assert half == Thresholds(pytest.approx(12 - 4 * share), pytest.approx(30 - 6 * share))
    assert thresholds_on(path, date(2026, 7, 1)) == STEPS[1].thresholds
    assert thresholds_on(path, date(2025, 1, 1)) == STEPS[0].thresholds
    assert next_step(path, date(2026, 4, 1)) == date(2026, 4, 2)
    assert next_step(path, date(2026, 7, 1)) is None


@pytest.mark.parametrize("first", [date.min, date(2026, 6, 20)])
def test_the_next_step_of_a_linear_path_is_the_first_day_of_other_thresholds(first):
    moving = (
        TargetStep(date(2026, 6, 24), Thresholds(10.0, 0.0)),
        TargetStep(date(2026, 6, 28), Thresholds(20.0, 0.0)),
    )
    path = TargetPath((TargetStep(first, Thresholds(50.0, 0.0)), *moving), "linear")
    days = [date(2026, 6, day) for day in range(15, 30)]
    for day in days:
        found = [other for other in days if other > day and thresholds_on(path, other) != thresholds_on(path, day)]
        assert next_step(path, day) == (found[0] if found else None)


def test_a_band_moves_with_both_edges():
    steps = (
        TargetStep(date(2026, 1, 1), Thresholds((0.0, 10.0), (-10.0, 20.0))),
        TargetStep(date(2026, 1, 11), Thresholds((5.0, 15.0), (0.0, 30.0))),
    )

    moved = thresholds_on(TargetPath(steps, "linear"), date(2026, 1, 6))

    assert moved == Thresholds((2.5, 12.5), (-5.0, 25.0))


def test_progress_is_measured_from_the_baseline_to_the_final_target():
    mttr = kpi(better="lower", path=TargetPath(STEPS), baseline=30.0)

    assert final_target(mttr) == 8
    assert progress(mttr, 19.0, 8.0) == 0.5
    assert progress(mttr, 41.0, 8.0) == -0.5
    assert progress(kpi(baseline=8.0), 9.0, 8.0) is None
    assert progress(mttr, None, 8.0) is None


def test_the_share_of_a_period_is_that_of_its_working_time():
    calendar = Calendar("Europe/Berlin")
    june = parse_period("2026-06", calendar)

    assert share_passed(june, june.start, calendar) == 0
    assert share_passed(june, datetime(2026, 6, 6, 12, tzinfo=UTC), calendar) == 5 / 22
    assert share_passed(june, june.end, calendar) == 1


def test_a_period_without_working_time_passes_by_the_clock():
    idle = Calendar(work_days=frozenset())
    june = parse_period("2026-06", idle)

    assert share_passed(june, datetime(2026, 6, 16, tzinfo=UTC), idle) == 0.5


def test_thresholds_are_prorated_together():
    assert prorated(Thresholds(100.0, 50.0, 0.0, 200.0), 0.25) == Thresholds(25.0, 12.5, 0.0, 50.0)


@pytest.mark.parametrize(
    ("better", "value", "earlier", "expected"),
    [
        ("higher", 12, 10, 0.2),
        ("lower", 12, 10, -0.2),
        ("lower", 8, 10, 0.2),
        ("higher", -8, -10, 0.2),
        ("higher", 5, 0, None),
    ],
)
def test_a_trend_is_positive_where_it_gets_better(better, value, earlier, expected):
    assert trend(kpi(better=better), value, earlier) == (None if expected is None else pytest.approx(expected))


def test_the_trend_towards_a_band_is_that_of_the_distance_to_its_middle():
    band = TargetPath((TargetStep(date.min, Thresholds((-5.0, 5.0), (-10.0, 10.0))),))

    assert trend(kpi(better="target", path=band), -4.0, 8.0) == 0.5
