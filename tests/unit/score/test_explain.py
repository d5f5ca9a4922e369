"""Every score explains itself: contributions add up, and what-ifs are what would really happen."""

import json
import math
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.score.world import DAY, HOUR, JULY, NOW, World, kpi, month, objective, path, reading, scorecard

from bsc_monitor.model.organisation import TargetPath, TargetStep, Thresholds
from bsc_monitor.model.period import Calendar
from bsc_monitor.model.status import Status
from bsc_monitor.score.explain import explain, explain_past, to_data

JUNE = month(6)
VALUES = st.one_of(st.none(), st.floats(-150, 250))
CARDS = [scorecard("it"), scorecard("team", parent="it")]
OBJECTIVES = [objective("team/goal", supports="it/goal", weight=kpi(weight=2.0).weight), objective("it/goal")]


def told(world, kind, name, readings=()):
    return explain(world.organisation, kind, name, world.scoring.judgements, world.now, readings)


@given(
    st.lists(st.tuples(VALUES, st.floats(0, 100)), min_size=1, max_size=6), st.sampled_from(["ignore", "zero", "blank"])
)
def test_contributions_add_up_to_the_score_at_every_level(children, missing):
    kpis = [
        kpi(f"{'it' if n % 2 else 'team'}/k{n}", weight=weight, missing=missing)
        for n, (_, weight) in enumerate(children)
    ]
    world = World(*kpis, objectives=OBJECTIVES, scorecards=CARDS)
    world.take(
        *[reading(value, name=k.name) for k, (value, _) in zip(kpis, children, strict=True) if value is not None]
    )

    for kind, name in world.scoring.nodes:
        said = told(world, kind, name)
        node = world.node(kind, name)
        assert (said.score, said.status, said.coverage, said.counts, said.reason) == (
            node.score, node.status, node.coverage, node.counts, node.reason,
        )  # fmt: skip
        if said.score is not None:
            assert math.fsum(share.contribution for share in said.children) == pytest.approx(said.score, abs=1e-9)


@given(st.lists(st.tuples(VALUES, st.floats(0.01, 100)), min_size=2, max_size=5))
def test_a_gain_is_what_the_better_value_really_adds(children):
    kpis = [kpi(f"k{n}", weight=weight) for n, (_, weight) in enumerate(children)]
    world = World(*kpis)
    world.take(
        *[reading(value, name=k.name) for k, (value, _) in zip(kpis, children, strict=True) if value is not None]
    )
    said = told(world, "scorecard", "it")
    if said.score is None:
        return
    for gain in said.gains:
        other = World(*kpis)
        known = {k.name: value for k, (value, _) in zip(kpis, children, strict=True)} | {gain.kpi: 200.0}
        other.take(*[reading(value, name=name) for name, value in known.items() if value is not None])
        assert other.node("scorecard", "it").score - said.score == pytest.approx(gain.gain_best, abs=1e-9)
    assert [gain.gain_best for gain in said.gains] == sorted((gain.gain_best for gain in said.gains), reverse=True)


def test_what_the_parent_would_be_without_a_child():
    world = World(kpi("a", weight=3.0), kpi("b"))
    world.take(reading(200.0, name="it/a"), reading(-100.0, name="it/b"))

    shares = {share.name: share for share in told(world, "objective", "it/goal").children}

    assert (shares["it/a"].share, shares["it/a"].contribution, shares["it/a"].without) == (0.75, 75, 0)
    assert (shares["it/b"].without, shares["it/b"].gain_best) == (100, 25)
    assert shares["it/b"].gain_green == pytest.approx(50 / 3)
    assert shares["it/a"].gain_green == 0


def test_what_would_raise_a_score_most_comes_first_over_all_levels():
    world = World(kpi("it/light"), kpi("it/heavy", weight=9.0), kpi("team/k"), objectives=OBJECTIVES, scorecards=CARDS)
    world.take(reading(0.0, name="it/light"), reading(50.0, name="it/heavy"), reading(0.0, name="team/k"))

    said = told(world, "scorecard", "it")

    assert [gain.kpi for gain in said.gains] == ["it/heavy", "it/light", "team/k"] or said.gains[
        0
    ].gain_best >= said.gains[1].gain_best
    assert said.children[0].children[0].children, "the supporting objective is explained too"


def test_explaining_leaves_scoring_as_it_was():
    world = World(kpi("a"), kpi("b", key=True))
    world.take(reading(10.0, name="it/a"))
    before = dict(world.scoring.nodes)

    told(world, "scorecard", "it")

    assert world.scoring.nodes == before


def test_a_kpi_is_explained_down_to_its_readings():
    subject = kpi(
        better="lower",
        path=path(24, 8),
        unit="h",
        baseline=30.0,
        source="itsm",
        measure="mttr",
        stale_after=HOUR,
        min_samples=2,
    )
    world = World(subject)
    taken = reading(16.0, samples=5, evidence="https://x/list", note="two left out")
    world.take(taken)

    said = told(world, "kpi", "it/k", [taken]).kpi

    assert (said.value, said.score, said.status, said.unit, said.period) == (16, 50, Status.AMBER, "h", "2026-06")
    assert said.curve == ((-8, 100), (8, 200 / 3), (24, 100 / 3), (40, 0))
    assert said.segment == ((8, 200 / 3), (24, 100 / 3))
    assert said.path[0].start is None
    assert (said.progress, said.reason) == (pytest.approx(14 / 22), "")
    assert said.readings[0].evidence == "https://x/list"


def test_why_a_kpi_has_no_score():
    world = World(
        kpi("none"),
        kpi("few", min_samples=9),
        kpi("old", stale_after=HOUR),
        kpi("off", scored=False),
        kpi("free", path=TargetPath()),
    )
    names = ["few", "old", "off", "free"]
    world.take(*[reading(1.0, name=f"it/{name}", samples=3) for name in names])
    world.run_to(NOW + HOUR)

    said = {name: told(world, "kpi", f"it/{name}").reason for name in ["none", *names]}

    assert said == {
        "none": "no value has come", "few": "3 observations are fewer than the 9 that it asks for",
        "old": "its value is stale and counts as missing", "off": "it is shown without a score",
        "free": "there are no thresholds to judge it by",
    }  # fmt: skip


def test_a_derived_kpi_names_its_operands():
    derived = kpi("d", formula="a / b", operands={"a": "it/a", "b": "it/b"})
    world = World(derived, kpi("a"), kpi("b"))
    world.take(reading(6.0, name="it/a"), reading(3.0, name="it/b"))

    said = told(world, "kpi", "it/d").kpi

    assert [(each.name, each.kpi, each.value) for each in said.operands] == [("a", "it/a", 6), ("b", "it/b", 3)]


def test_a_pro_rated_target_is_shown_as_it_is_in_force():
    world = World(kpi(prorate=True, aggregate="sum"), calendar=Calendar())
    world.take(reading(10.0))

    said = told(world, "kpi", "it/k").kpi

    assert said.prorated
    assert said.thresholds.target < 100 == said.path[0].thresholds.target


def test_the_past_is_explained_as_it_was_frozen():
    world = World(kpi(), kpi("j"))
    world.take(reading(200.0), reading(50.0, name="it/j"))
    world.run_to(JULY + DAY)
    world.take(reading(-100.0, JULY + DAY), reading(-100.0, JULY + DAY, "it/j"))
    values = [value for value in world.values.values() if value.closed_at]

    node = explain_past(world.organisation, "scorecard", "it", JUNE, values, world.now)
    leaf = explain_past(world.organisation, "kpi", "it/k", JUNE, values, world.now)

    assert (node.score, node.at, node.counts.green) == (75, "2026-06", 1)
    assert (leaf.score, leaf.kpi.closed_at, leaf.kpi.value) == (100, JULY + DAY, 200)


def test_a_kpi_unknown_in_the_past_says_so():
    world = World(kpi())

    said = explain_past(world.organisation, "kpi", "it/k", JUNE, [], world.now)

    assert (said.score, said.reason) == (None, "no value has come")


@pytest.mark.parametrize(
    ("kind", "name"), [("objective", "it/nothing"), ("kpi", "it/nothing"), ("scorecard", "nothing")]
)
def test_what_is_not_there_cannot_be_explained(kind, name):
    with pytest.raises(KeyError):
        told(World(kpi()), kind, name)


def test_an_explanation_is_data():
    steps = TargetPath((TargetStep(date(2026, 1, 1), Thresholds(100.0, 0.0)),))
    world = World(kpi(path=steps, window=timedelta(days=30)))
    world.take(reading(10.0, labels=()))
    said = told(world, "kpi", "it/k", [replace(reading(10.0), labels=(("team", "a"),))])

    data = json.loads(json.dumps(to_data(said)))

    assert data["kpi"]["path"][0]["start"] == "2026-01-01"
    assert data["kpi"]["window"] == 30 * 86400
    assert data["kpi"]["readings"][0]["labels"] == {"team": "a"}
    assert data["status"] == "amber"


def test_a_kpi_says_what_it_could_do_for_everything_above_it():
    world = World(kpi("it/k", weight=3.0), kpi("it/j"), kpi("team/k"), objectives=OBJECTIVES, scorecards=CARDS)
    world.take(reading(200.0), reading(200.0, name="it/j"), reading(-100.0, name="team/k"))

    lifts = told(world, "kpi", "team/k").above

    assert [(lift.kind, lift.name, lift.gain_best) for lift in lifts] == [
        ("objective", "team/goal", 100), ("objective", "it/goal", pytest.approx(100 / 3)), ("perspective", "it/customer", pytest.approx(100 / 3)),
        ("perspective", "team/customer", 100), ("scorecard", "it", pytest.approx(100 / 3)), ("scorecard", "team", 100),
    ]  # fmt: skip
    assert lifts[0].gain_green == pytest.approx(200 / 3)


def test_a_kpi_whose_coming_would_give_its_objective_a_score_says_how_much():
    world = World(kpi("a"), kpi("b", weight=3.0))
    world.take(reading(0.0, name="it/a"))

    lift = told(world, "kpi", "it/b").above[0]

    assert (lift.score, lift.gain_best) == (None, pytest.approx((100 / 3 + 300) / 4))
