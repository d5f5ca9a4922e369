"""The roll-up: published vectors, coverage, caps, counts, weights over time, cascade."""

import json
import math
import random
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.score.world import NOW, kpi, objective, organisation, scorecard

from bsc_monitor.model.judgement import Counts, Judgement
from bsc_monitor.model.organisation import Weight
from bsc_monitor.model.period import Calendar
from bsc_monitor.model.status import Freshness, Status
from bsc_monitor.score.exact import exact
from bsc_monitor.score.nodes import Node, add, what_if
from bsc_monitor.score.structure import build_tree

VECTORS = json.loads((Path(__file__).parent / "vectors" / "scoring.json").read_text())
SCORES = st.floats(0, 100)
WEIGHTS = st.one_of(st.just(0.0), st.floats(1e-9, 1e6))


def judged(name, score, status=None):
    status = status or (Status.UNKNOWN if score is None else Status.AMBER)
    return Judgement(
        name, score=score, status=status, freshness=Freshness.FRESH if score is not None else Freshness.MISSING
    )


def rolled(kpis, scores, **more):
    """The nodes of a tree after all scores were told."""
    tree = build_tree(organisation(*kpis, **more), NOW)
    for each, score in zip(kpis, scores, strict=True):
        tree.set(tree.leaves[each.name], score if isinstance(score, Judgement) else judged(each.name, score))
    tree.touch_all()
    tree.settle(NOW)
    return {(node.kind, node.name): node.shown for node in tree.nodes}


def goal(children, missing="ignore", **more):
    kpis = [kpi(f"k{n}", weight=weight, missing=missing) for n, (_, weight) in enumerate(children)]
    return rolled(kpis, [score for score, _ in children], objectives=[objective(**more)])["objective", "it/goal"]


@pytest.mark.parametrize("case", VECTORS["rollup"], ids=lambda case: str(case["children"]))
def test_the_published_roll_ups(case):
    more = {"min_coverage": case["min_coverage"]} if "min_coverage" in case else {}
    node = goal(case["children"], case.get("missing", "ignore"), **more)

    assert node.score == (None if case["score"] is None else pytest.approx(case["score"], abs=VECTORS["tolerance"]))
    assert node.coverage == pytest.approx(case["coverage"])


@given(st.lists(st.tuples(SCORES, WEIGHTS), min_size=1, max_size=12), st.randoms())
def test_a_roll_up_lies_between_its_children_and_no_order_changes_a_bit(children, chance):
    node = goal(children)
    shuffled = children[:]
    chance.shuffle(shuffled)
    counting = [score for score, weight in children if weight]

    assert goal(shuffled).score == node.score
    if counting:
        assert min(counting) - 1e-9 <= node.score <= max(counting) + 1e-9
        assert node.score == math.fsum(s * w for s, w in children if w) / math.fsum(w for _, w in children)
    else:
        assert node.score is None


def test_children_that_count_nothing_are_left_out():
    node = goal([(80, 1), (0, 0), (None, 0)])

    assert (node.score, node.coverage) == (80, 1)


def test_coverage_too_low_is_said_and_weights_of_zero_policy_cover():
    assert goal([(80, 1), (None, 3)]).reason == "coverage 0.25 is below 0.5"
    assert goal([(None, 1)], "zero").score == 0
    assert goal([(80, 1), (None, 1)], "blank").reason == "it/k1 without a score leaves it blank"
    assert goal([]).reason == "nothing below it is scored"


def test_a_key_kpi_caps_the_status_and_leaves_the_score_honest():
    kpis = [kpi("good", weight=9), kpi("key", key=True)]
    nodes = rolled(kpis, [judged("it/good", 100, Status.GREEN), judged("it/key", 10, Status.RED)])

    node = nodes["objective", "it/goal"]
    assert (node.score, node.status) == (91, Status.RED)
    assert node.reason == "key KPI it/key is red; by score alone it would be green"
    assert nodes["perspective", "it/customer"].status is Status.GREEN


def test_a_key_kpi_that_nobody_knows_makes_green_unknown_and_hides_no_fault():
    kpis = [kpi("other", weight=9), kpi("key", key=True)]

    green = rolled(kpis, [judged("it/other", 100, Status.GREEN), None])["objective", "it/goal"]
    red = rolled(kpis, [judged("it/other", 10, Status.RED), None])["objective", "it/goal"]

    assert (green.score, green.status) == (100, Status.UNKNOWN)
    assert "has no fresh value" in green.reason
    assert red.status is Status.RED


def test_an_average_never_hides_a_red():
    kpis = [kpi(f"k{n}") for n in range(4)]
    scores = [100, 10, 50, None]
    colours = [Status.GREEN, Status.RED, Status.AMBER, Status.UNKNOWN]
    nodes = rolled(kpis, [judged(k.name, s, c) for k, s, c in zip(kpis, scores, colours, strict=True)])

    for node in nodes.values():
        assert node.counts == Counts(green=1, amber=1, red=1, missing=1)


def test_a_stale_kpi_counts_as_missing():
    stale = Judgement("it/k", 90.0, score=90.0, status=Status.GREEN, freshness=Freshness.STALE)
    node = rolled([kpi()], [stale])["objective", "it/goal"]

    assert (node.score, node.counts.missing) == (None, 1)


def test_supporting_objectives_count_in_the_parent_scorecard_with_their_weight():
    kpis = [kpi("it/k"), kpi("team/k"), kpi("team/j")]
    found = rolled(
        kpis, [90, 30, 30],
        objectives=[objective("team/goal", supports="it/goal", weight=Weight(((date.min, 2.0),)))],
        scorecards=[scorecard("it"), scorecard("team", parent="it")],
    )  # fmt: skip

    assert found["objective", "team/goal"].score == 30
    assert found["objective", "it/goal"].score == 50
    assert found["scorecard", "it"].counts.amber == 3
    assert found["scorecard", "team"].counts.amber == 2


def test_a_kpi_is_counted_once_where_two_ways_lead_to_the_same_scorecard():
    found = rolled(
        [kpi("a/k"), kpi("b/k"), kpi("c/k")], [90, 30, 30],
        objectives=[objective("a/goal", supports="b/goal"), objective("b/goal", supports="a/top"), objective("a/top")],
    )  # fmt: skip

    assert found["scorecard", "a"].counts == Counts(amber=2)


def test_weights_change_at_local_midnight():
    steps = Weight(((date.min, 1.0), (date(2026, 7, 1), 3.0)))
    kpis = [kpi("k", weight=steps), kpi("j")]
    tree = build_tree(organisation(*kpis, calendar=Calendar("Europe/Berlin")), NOW)
    for name, score in (("it/k", 80), ("it/j", 40)):
        tree.set(tree.leaves[name], judged(name, score))
    tree.settle(NOW)
    node = tree.nodes[0]
    assert (node.score, tree.next_step()) == (60, datetime(2026, 6, 30, 22, tzinfo=UTC))

    tree.step(tree.next_step())
    changed = tree.settle(NOW)

    assert node.score == 70
    assert {shown.kind for shown, _ in changed} == {"objective", "perspective", "scorecard"}
    assert tree.next_step() is None


def test_only_the_path_of_a_change_is_touched_and_since_is_kept_while_the_colour_is():
    kpis = [kpi("a/k"), kpi("b/k")]
    tree = build_tree(organisation(*kpis), NOW)
    for each in kpis:
        tree.set(tree.leaves[each.name], judged(each.name, 50))
    tree.settle(NOW)

    tree.set(tree.leaves["a/k"], judged("a/k", 51))
    changed = tree.settle(NOW + timedelta(hours=1))

    assert [shown.name for shown, _ in changed] == ["a/goal", "a/customer", "a"]
    assert {shown.since for shown, _ in changed} == {NOW}


def test_a_score_is_rounded_once_however_small_a_share_is():
    kpis, scores = [kpi("a"), kpi("b", weight=2.0**-54), kpi("c", weight=2.0**-100)], (1.0, 2.0, 2.0**-20)
    tree = build_tree(organisation(*kpis), NOW)
    for each, score in zip(kpis, scores, strict=True):
        tree.set(tree.leaves[each.name], judged(each.name, score))
        tree.settle(NOW)

    [node] = [node for node in tree.nodes if node.kind == "objective"]
    exactly = sum(
        Fraction(each.weight.on(NOW.date())) * Fraction(score) for each, score in zip(kpis, scores, strict=True)
    )
    assert node.dust
    assert node.score == float(exactly) / node.counted
    assert what_if(node, node.children[2], scores[2]) == node.score
    assert what_if(node, node.children[2], None) == float(exactly - Fraction(2.0**-120)) / node.counted != node.score


def test_a_node_without_a_score_does_not_pile_up_those_that_came_below_it():
    kpis = [kpi("k"), kpi("never", weight=9)]
    tree = build_tree(organisation(*kpis), NOW)
    for n in range(1000):
        tree.set(tree.leaves["it/k"], judged("it/k", n % 100 / 3 * 10.0 ** -(n % 60)))
        tree.settle(NOW)
        assert len(tree.nodes[0].dust) < 5

    assert tree.nodes[0].shown.reason == "coverage 0.1 is below 0.5"


@given(st.lists(st.floats(-1e100, 1e100), max_size=40))
def test_a_nodes_sum_is_exact_whatever_is_added(products):
    node = Node("objective", "it/goal", 0)
    for product in products:
        add(node, product)

    assert sum(map(Fraction, (node.sum, node.rest, *node.dust))) == sum(map(Fraction, products))


def _state(tree):
    sums = [[exact([*numbers]) for numbers in ((n.sum, n.rest, *n.dust), n.covered, n.zeros)] for n in tree.nodes]
    return [
        (n.kind, n.name, sums[n.order], n.total, n.blanks, (n.green, n.amber, n.red, n.missing), n.shown)
        for n in tree.nodes
    ]


@given(
    st.lists(st.tuples(st.integers(0, 11), st.one_of(st.none(), SCORES), st.sampled_from(Status)), max_size=40),
    st.lists(WEIGHTS, min_size=12, max_size=12),
)
def test_any_history_of_scores_ends_where_a_fresh_computation_does_to_the_bit(history, weights):
    policies = ["ignore", "zero", "blank"]
    kpis = [
        kpi(f"{'it' if n % 2 else 'team'}/k{n}", weight=weights[n], missing=policies[n % 3], key=n % 5 == 0)
        for n in range(12)
    ]
    cards = [scorecard("it"), scorecard("team", parent="it")]
    world = organisation(*kpis, objectives=[objective("team/goal", supports="it/goal")], scorecards=cards)
    tree = build_tree(world, NOW)
    tree.touch_all()
    tree.settle(NOW)
    for place, score, status in history:
        name = kpis[place].name
        tree.set(tree.leaves[name], judged(name, score, status if score is not None else None))
        tree.settle(NOW)
    before = _state(tree)
    fresh = build_tree(world, NOW)
    fresh.touch_all()
    for name, leaf in tree.leaves.items():
        fresh.set(fresh.leaves[name], judged(name, leaf.score, leaf.status))
    fresh.settle(NOW)

    assert tree.recompute(NOW) == []
    assert _state(tree) == before
    assert [state[:-1] for state in _state(fresh)] == [state[:-1] for state in before]
    assert [n.shown.score for n in fresh.nodes] == [n.shown.score if n.shown else None for n in tree.nodes]


def test_the_heaviest_weights_do_no_harm():
    node = goal([(80, 1.7e308), (40, 1.7e308), (None, 5e-324)])

    assert node.score == 60


def test_a_thousand_children_in_any_order_give_the_identical_float():
    chance = random.Random(4)
    children = [(chance.uniform(0, 100), chance.uniform(0, 9)) for _ in range(1000)]

    assert len({goal(chance.sample(children, 1000)).score for _ in range(3)}) == 1
