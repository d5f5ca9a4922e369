"""What is told of one KPI, when, and for how long."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from msgspec import structs
from tests.unit.improve.building import initiative, kpi, month, months, noise, objective, organisation

from bsc_monitor.improve.insights import examine, examined, find, find_all, reconcile
from bsc_monitor.improve.relations import relations
from bsc_monitor.model.insight import Direction, InitiativePhase, InitiativeState, InsightKind
from bsc_monitor.model.organisation import TargetPath, TargetStep, Thresholds

NOW = datetime(2026, 7, 1, 6, tzinfo=UTC)
MTTR = kpi()
STEADY = [30, 31, 29, 30.5, 29.5, 30, 31, 29, 30, 30.5, 29, 31]


def one(found, kind):
    [told] = [each for each in found if each.kind is kind]
    return told


def test_a_lasting_shift_reads_as_a_manager_would_say_it():
    told = one(find(MTTR, months([*STEADY, 26, 25, 26.5, 25.5, 26, 25, 26, 25.5])), InsightKind.SIGNAL)

    assert told.sentence == (
        "Mean time to resolve has been better than its average of 30 h for 8 months in a row: something changed for the "
        "better around December 2025."
    )
    assert (told.direction, told.data, told.evidence["rule"]) == (Direction.IMPROVING, "firm", "shift")
    assert told.since == month(12).start


def test_a_shift_is_news_until_its_limits_are_firm():
    values = [*STEADY, 26, 25, 26.5, 25.5, 26, 25, 26, 25.5, 26, 25, 26.5, 25.5]

    assert one(find(MTTR, months(values[:-1])), InsightKind.SIGNAL)
    assert find(MTTR, months(values)) == []


def test_a_point_outside_tells_value_period_and_usual_range():
    told = one(find(MTTR, months([*STEADY, 45])), InsightKind.SIGNAL)

    assert told.sentence == (
        "Mean time to resolve was 45 h in December 2025, above its usual range of 25 to 37.4 h: bad news with a cause, "
        "not chance."
    )
    assert find(MTTR, months([*STEADY, 45, 30])) == []  # the next ordinary month ends it


def test_neither_better_nor_worse_is_said_where_the_direction_means_nothing():
    band = kpi(better="target", title="Change volume", unit="count")
    told = one(find(band, months([*STEADY, 45], band, target=(20.0, 50.0), red=(10.0, 60.0))), InsightKind.SIGNAL)

    assert (told.direction, told.aspect) == (Direction.NONE, "higher")
    assert told.sentence.endswith("this has a cause, not chance.")


def test_a_drift_is_told_once_as_a_trend_with_its_pace():
    values = [20 + place + more for place, more in enumerate(noise(3, 16, 0, 0.8))]
    found = find(MTTR, months(values))

    assert [each.kind for each in found] == [InsightKind.TREND]
    assert found[0].sentence.startswith(
        "Mean time to resolve has been rising steadily over the last 16 months, by about 0.963 h a month ("
    )
    assert found[0].sentence.endswith(", which is worse.")


def test_a_step_is_not_taken_for_a_trend():
    values = [value + 10 * (place < 10) for place, value in enumerate(noise(5, 20))]
    assert InsightKind.TREND not in [each.kind for each in find(MTTR, months(values))]


def test_a_season_tells_of_its_breach_with_the_interval():
    values = [20 + (15 if place % 12 in (6, 7) else 0) + more for place, more in enumerate(noise(8, 41))]
    told = one(find(MTTR, months(values, target=25, red=30)), InsightKind.FORECAST)

    assert (told.evidence["method"], told.evidence["periods"]) == ("seasonal", 2)
    assert "if this season goes like the last one it passes 30 h in June 2028 (80 % of outcomes: " in told.sentence


def test_a_target_within_reach_is_forecast_too():
    values = [40 - place + more for place, more in enumerate(noise(2, 14, 0, 0.7))]
    told = one(find(MTTR, months(values, target=24, red=36)), InsightKind.FORECAST)

    assert (told.aspect, told.direction) == ("target", Direction.IMPROVING)
    assert told.sentence.startswith(
        "Mean time to resolve is on its way to its target: at its present pace it reaches 24 h"
    )


def test_a_promise_that_will_not_be_kept_names_its_date():
    path = TargetPath(
        (TargetStep(date.min, Thresholds(32.0, 40.0)), TargetStep(date(2026, 3, 1), Thresholds(20.0, 30.0)))
    )
    told = one(find(replace(MTTR, path=path), months(STEADY, target=32, red=40)), InsightKind.FORECAST)

    assert told.aspect == "goal"
    assert told.sentence.startswith(
        "Mean time to resolve will not make its target of 20 h in March 2026: 30 h is to be"
    )


def test_a_target_out_of_reach_needs_a_changed_process():
    found = find(MTTR, months(STEADY, target=20, red=40))

    assert one(found, InsightKind.ASSURANCE).sentence == (
        "Mean time to resolve cannot be expected to reach its target of 20 h: left alone it stays between 26.7 and 33.4 h."
    )


def test_red_without_any_action_is_told_until_someone_acts():
    red = months(STEADY, target=20, red=25)
    acting = InitiativeState("x", InitiativePhase.DOING, NOW)
    failed = replace(acting, phase=InitiativePhase.CHECKING, verdict="no_evidence")

    told = one(find(MTTR, red), InsightKind.STAGNATION)
    assert told.sentence == "Mean time to resolve has been red for 12 months, and no initiative is working on it."
    assert InsightKind.STAGNATION not in [each.kind for each in find(MTTR, red, [acting])]
    assert InsightKind.STAGNATION in [each.kind for each in find(MTTR, red, [failed])]


def test_a_month_without_a_value_neither_ends_nor_counts_as_a_red_one():
    red = months([30, 31, None, 30.5], target=20, red=25)

    assert one(find(MTTR, red), InsightKind.STAGNATION).evidence["periods"] == 3
    assert find(MTTR, months([30, None, None, 31], target=20, red=25)) == []


def test_a_process_that_swings_wider_is_told():
    calm = [30 + (0.5 if place % 2 else -0.5) + more / 4 for place, more in enumerate(noise(1, 24))]
    wild = [30 + (4 if place % 2 else -4) + more for place, more in enumerate(noise(2, 12))]
    told = one(find(MTTR, months(calm + wild)), InsightKind.VOLATILITY)

    assert told.direction is Direction.WORSENING
    assert "has become less steady: from one month to the next it now changes by about" in told.sentence


@pytest.mark.parametrize("count", range(6))
def test_too_few_months_raise_nothing(count):
    assert find(MTTR, months([30, 90, 10, 80, 5][:count])) == []


def test_the_open_month_raises_nothing():
    records = months([*STEADY, 45])
    records[-1] = structs.replace(records[-1], closed_at=None)
    assert find(MTTR, records) == []


def test_the_same_finding_is_one_insight_until_it_ends():
    later = NOW.replace(month=8)
    first = find(MTTR, months([*STEADY, 26, 25, 26.5, 25.5, 26, 25, 26, 25.5]))
    second = find(MTTR, months([*STEADY, 26, 25, 26.5, 25.5, 26, 25, 26, 25.5, 25]))

    opened, updated, ended = reconcile([], first, NOW)
    assert ([each.found_at for each in opened], updated, ended) == ([NOW], [], [])

    again = reconcile(opened, second, later)
    assert (again.opened, again.ended) == ([], [])
    assert [each.id for each in again.updated] == [each.id for each in opened]
    assert "9 months in a row" in again.updated[0].sentence
    assert again.updated[0].found_at == NOW

    assert reconcile(again.updated, second, later) == ([], [], [])
    [over] = reconcile(again.updated, [], later).ended
    assert over.ended_at == later
    assert len(reconcile([over], second, later).opened) == 1  # back after its end: opened anew


def test_only_what_was_looked_at_can_end():
    known = find(MTTR, months([*STEADY, 45]))

    assert reconcile(known, [], NOW, {"it/other"}).ended == []
    assert len(reconcile(known, [], NOW, {"it/mttr"}).ended) == 1


CAUSE = kpi("training", objective="it/skills", title="Training", better="higher")
EFFECT = kpi("mttr", objective="it/restore-fast")
MAP = relations(
    organisation(
        [CAUSE, EFFECT],
        [initiative("course", targets=("it/skills",), change=None, start=date(2026, 1, 1), due=date(2026, 12, 31))],
        [
            objective("skills", "Skilled people", drives=("restore-fast",)),
            objective("restore-fast", "Restore service fast"),
        ],
    )
)


def linked(sign):
    steps = noise(9, 30)
    more = noise(10, 30, 0, 0.2)
    cause = [sum(steps[: place + 1]) for place in range(30)]
    return {
        "it/training": months(cause, CAUSE),
        "it/mttr": months([50 + sign * cause[max(0, place - 2)] + more[place] for place in range(30)], EFFECT),
    }


def test_a_link_of_the_map_is_supported_where_fewer_hours_follow_more_training():
    told = one(find_all(MAP, linked(-1), NOW), InsightKind.DRIVER)

    assert (told.subject, told.aspect) == ("it/skills → it/restore-fast", "supported")
    assert told.evidence["lag"] == 2
    assert told.sentence.startswith(
        "The data support that “Skilled people” drives “Restore service fast”: when the first improves, the second tends "
        "to improve 2 months later (rank correlation 0.9"
    )


def test_a_link_is_contradicted_where_more_hours_follow_more_training():
    assert one(find_all(MAP, linked(1), NOW), InsightKind.DRIVER).aspect == "contradicted"


def test_a_close_looks_only_at_what_it_touches_and_finds_the_same():
    values = linked(-1)
    whole = examine(MAP, values, NOW)
    link = "it/skills → it/restore-fast"

    assert examined(MAP, ["it/mttr"]) == {"it/mttr", link}
    assert examined(MAP, ["it/training"]) == {"it/training", "course", link}
    for name in values:
        part = examine(MAP, values, NOW, only=[name])
        assert part.subjects == examined(MAP, [name])
        assert part.insights == [each for each in whole.insights if each.subject in part.subjects]
        assert part.links == whole.links
        assert part.assessments == {name: whole.assessments[name]}
