"""Frozen nodes of past periods, and judging the past again on purpose."""

from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace
from tests.unit.score.world import DAY, JULY, World, kpi, month, organisation, path, reading

from bsc_monitor.model.organisation import Weight
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import ReadingState, Status
from bsc_monitor.score.definition import definition_hash
from bsc_monitor.score.freeze import freeze_nodes, rescore
from bsc_monitor.score.periods import parse_period

JUNE = month(6)


def closed(score, name="it/k", period=JUNE, **more):
    status = Status.GREEN if score is not None and score >= 66.7 else Status.RED
    return PeriodValue(
        name, period, value=score, score=score, status=status, state=ReadingState.OK, closed_at=JULY + DAY, **more
    )  # fmt: skip


def frozen(values, *kpis, period=JUNE):
    found = freeze_nodes(organisation(*kpis), period, values, JULY + DAY)
    return {node.kind: node for node in found}


def test_a_past_period_rolls_up_its_closed_values():
    nodes = frozen([closed(90.0, "it/a"), closed(10.0, "it/b")], kpi("a"), kpi("b"), kpi("c"))

    card = nodes["scorecard"]
    assert (card.score, card.green, card.red, card.missing, card.period) == (50, 1, 1, 1, JUNE)
    assert (nodes["objective"].coverage, card.closed_at) == (2 / 3, JULY + DAY)


def test_every_node_is_there_even_with_nothing_known():
    nodes = frozen([], kpi())

    assert {node.score for node in nodes.values()} == {None}
    assert set(nodes) == {"objective", "perspective", "scorecard"}


def test_each_kpi_gives_the_value_of_its_own_period_that_ended_last():
    calendar = Calendar()
    quarter = parse_period("2026-Q2", calendar)
    week = parse_period("2026-W26", calendar)
    values = [
        closed(10.0, "it/month", month(5)), closed(90.0, "it/month", month(6)), closed(30.0, "it/quarter", quarter),
        closed(60.0, "it/week", week), closed(0.0, "it/month", month(7)),
    ]  # fmt: skip
    kpis = [kpi("month"), kpi("quarter", period=PeriodKind.QUARTER), kpi("week", period=PeriodKind.WEEK)]

    assert frozen(values, *kpis)["objective"].score == 60


def test_a_value_that_is_too_old_is_missing():
    node = frozen([closed(90.0, period=month(4))], kpi())["objective"]

    assert (node.score, node.missing) == (None, 1)


def test_weights_are_those_of_the_periods_last_day():
    steps = Weight(((date.min, 1.0), (date(2026, 6, 30), 3.0), (date(2026, 7, 1), 99.0)))
    values = [closed(80.0, "it/a"), closed(40.0, "it/b")]

    assert frozen(values, kpi("a", weight=steps), kpi("b"))["objective"].score == 70


def test_segments_take_no_part():
    assert frozen([closed(80.0), closed(0.0, labels=(("team", "a"),))], kpi())["objective"].score == 80


def test_rescore_judges_closed_values_by_todays_definition():
    world = World(kpi())
    world.take(reading(50.0))
    world.run_to(JULY + DAY)
    old = world.value(JUNE)
    strict = kpi(path=path(60, 100))

    (fresh,) = rescore(strict, Calendar(), [old], JULY + 5 * DAY)

    assert (fresh.status, fresh.revision, fresh.closed_at) == (Status.RED, 1, JULY + 5 * DAY)
    assert (fresh.value, fresh.observed_at, fresh.definition) == (50, old.observed_at, definition_hash(strict))


def test_rescore_leaves_what_comes_out_the_same_and_what_is_open():
    value = replace(closed(50.0), status=Status.AMBER, thresholds=path(0, 100).steps[0].thresholds)

    assert rescore(kpi(), Calendar(), [value, replace(value, closed_at=None)], JULY) == []


def test_rescore_knows_segments_of_their_own():
    value = replace(closed(50.0), labels=(("team", "a"),), thresholds=path(0, 100).steps[0].thresholds)

    (fresh,) = rescore(kpi(segments={"a": path(0, 40)}), Calendar(), [value], JULY)

    assert fresh.status is Status.GREEN


def test_what_is_rescored_is_shown_at_once_and_takes_no_more_readings_than_before():
    world = World(kpi())
    world.take(reading(50.0))
    world.run_to(JULY + 2 * DAY)
    strict = kpi(path=path(60, 100))
    world.replace(strict)
    for value in rescore(strict, Calendar(), [world.value(JUNE)], world.now):
        world.scoring.restore(value)
        world.values[value.kpi, value.labels, value.period.start] = value

    world.tick(world.now)

    assert (world.judgement().previous_period, world.judgement().status) == (True, Status.RED)
    late = reading(70.0, JULY - DAY)
    assert world.take(late, now=world.now + DAY).late == [late]
    assert world.scoring.next_due() == datetime(2026, 8, 1, tzinfo=UTC)


def test_the_definitions_hash_changes_with_what_judges_and_with_nothing_else():
    base = definition_hash(kpi())

    assert base == definition_hash(kpi(title="Other", owner="x", weight=3.0, place="a:1", description="d"))
    others = [
        kpi(path=path(0, 90)),
        kpi(aggregate="sum"),
        kpi(min_samples=2),
        kpi(params={"q": 1}),
        kpi(window=timedelta(1)),
    ]
    assert len({base, *map(definition_hash, others)}) == 6


def test_the_end_of_a_window_is_no_period_of_its_own():
    window = Period(JUNE.end - timedelta(days=30), JUNE.end)

    assert frozen([closed(80.0)], kpi(), period=window)["objective"].score == 80
