"""Any history of readings, edits and time ends, to the bit, where a fresh computation does."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.score.world import DAY, HOUR, NOW, World, kpi, objective, path, reading, scorecard

from bsc_monitor.model.organisation import TargetPath, TargetStep, Thresholds, Weight
from bsc_monitor.model.period import Calendar, PeriodKind
from bsc_monitor.model.status import ReadingState

BERLIN = Calendar("Europe/Berlin", 4)
CARDS = [scorecard("it", BERLIN), scorecard("team", Calendar("America/New_York"), parent="it")]
OBJECTIVES = [objective("team/goal", supports="it/goal"), objective("it/goal"), objective("it/other")]

DEFINITIONS = {
    "it/last": {"stale_after": 5 * HOUR, "key": True},
    "it/mean": {"aggregate": "mean", "baseline": -10.0, "missing": "zero"},
    "it/sum": {"aggregate": "sum", "prorate": True, "period": PeriodKind.WEEK},
    "it/p85": {"aggregate": "p85", "period": PeriodKind.DAY, "grace": 6 * HOUR},
    "it/steps": {
        "weight": Weight(((date.min, 1.0), (date(2026, 6, 18), 4.5))),
        "path": TargetPath((TargetStep(date(2026, 6, 1), Thresholds(90.0, 0.0)), TargetStep(date(2026, 6, 29), Thresholds(10.0, 0.0))), "linear"),
    },
    "it/ratio": {"formula": "last / mean", "operands": {"last": "it/last", "mean": "it/mean"}},
    "it/again": {"formula": "ratio * 2", "operands": {"ratio": "it/ratio"}, "missing_operand": "zero"},
    "team/teams": {"by": ("team",), "combine": "mean", "min_samples": 2, "segments": {"a": path(50, 60)}},
    "team/k": {"missing": "blank", "objective": "team/goal"},
}  # fmt: skip
MEASURED = [name for name, more in DEFINITIONS.items() if "formula" not in more]

values = st.one_of(st.none(), st.floats(-50, 150), st.sampled_from([0.0, 100.0, 0.1, 1 / 3]))
readings = st.tuples(
    st.just("read"),
    st.sampled_from(MEASURED),
    values,
    st.integers(-60, 0),
    st.sampled_from(["", "a", "b"]),
    st.booleans(),
)
waits = st.tuples(st.just("wait"), st.integers(0, 200))
edits = st.tuples(st.just("edit"), st.sampled_from(sorted(DEFINITIONS)), st.integers(0, 4))
histories = st.lists(st.one_of(readings, readings, waits, edits), max_size=25)


def _built(definitions):
    return [kpi(name, **more) for name, more in definitions.items()]


def _reading(world, name, value, back, segment, made):
    at = world.now + back * HOUR
    labels = (("team", segment),) if segment and name == "team/teams" else ()
    state = ReadingState.OK if value is not None else ReadingState.NO_DATA
    period = None
    if made:
        known = world.scoring.judgements[name].period
        period = known if known is not None and known.start <= at else None
    return reading(value, at, name, labels=labels, state=state, samples=3, period=period)


def _edit(world, definitions, name, number):
    """Remove a KPI, bring it back, or change one thing about it."""
    if number == 0 and len(definitions) > 1:
        definitions.pop(name, None)
    else:
        ways = [
            {},
            {"path": path(-20, 40)},
            {"weight": 2.5},
            {"aggregate": "max"},
            {"better": "lower", "path": path(70, 20)},
        ]
        definitions[name] = {**DEFINITIONS[name], **ways[number]}
    world.replace(*_built(definitions), objectives=OBJECTIVES, scorecards=CARDS)


def _lived(history):
    definitions = dict(DEFINITIONS)
    world = World(*_built(definitions), objectives=OBJECTIVES, scorecards=CARDS)
    for what, *more in history:
        if what == "read" and more[0] in definitions:
            each = _reading(world, *more)
            world.readings = [r for r in world.readings if (r.kpi, r.labels, r.at) != (each.kpi, each.labels, each.at)]
            world.take(each, now=world.now)
        elif what == "wait":
            world.run_to(world.now + timedelta(hours=more[0]))
        elif what == "edit":
            _edit(world, definitions, *more)
    quarter = timedelta(minutes=15)
    world.run_to(world.now + quarter)
    return world


def _comparable(scoring):
    judgements = {name: replace(each, since=None, trend=None) for name, each in scoring.judgements.items()}
    nodes = {key: replace(node, since=None) for key, node in scoring.nodes.items()}
    return judgements, nodes


@settings(max_examples=120)
@given(histories)
def test_what_remains_is_what_a_fresh_start_computes_from_the_stored_values(history):
    world = _lived(history)
    before = _comparable(world.scoring)
    live = _kept_by_now(world)

    world.values = live
    world.restart()

    assert _comparable(world.scoring) == before


def _kept_by_now(world):
    """The values that the store would give: of KPIs that are no more, or are measured otherwise, none."""
    return {
        key: value for key, value in world.values.items()
        if key[0] in world.organisation.kpis and value.period.kind is world.organisation.kpis[key[0]].period
    }  # fmt: skip


@settings(max_examples=120)
@given(histories)
def test_recomputing_everything_changes_nothing(history):
    world = _lived(history)
    before = _comparable(world.scoring)

    changes = world.scoring.recompute(world.now)

    assert (changes.judgements, changes.nodes) == ([], [])
    assert _comparable(world.scoring) == before


@settings(max_examples=80)
@given(
    st.lists(st.tuples(st.sampled_from(MEASURED), st.floats(-50, 150), st.integers(0, 400)), max_size=20, unique_by=lambda r: r[::2]),
    st.randoms(),
)  # fmt: skip
def test_no_order_of_arrival_changes_a_bit(taken, chance):
    ordered = [reading(value, NOW - minutes * timedelta(minutes=1), name) for name, value, minutes in taken]
    shuffled = ordered[:]
    chance.shuffle(shuffled)
    worlds = []
    for arrival in (ordered, shuffled):
        world = World(*_built(DEFINITIONS), objectives=OBJECTIVES, scorecards=CARDS, now=NOW)
        for each in arrival:
            world.take(each, now=NOW)
        worlds.append(_comparable(world.scoring))
    together = World(*_built(DEFINITIONS), objectives=OBJECTIVES, scorecards=CARDS, now=NOW)
    together.take(*shuffled, now=NOW)

    assert worlds[0] == worlds[1] == _comparable(together.scoring)


@settings(max_examples=60)
@given(histories)
def test_nothing_is_missed_between_two_due_instants(history):
    """Ticking when something is due, and ticking at every hour besides, end the same."""
    world = _lived(history)
    eager = _lived([step for each in history for step in (each, ("wait", 0))])
    for other in (world, eager):
        other.run_to(other.now + 3 * DAY)
    for hour in range(1, 48):
        eager.tick(eager.now + HOUR * (hour > 0))
    world.run_to(eager.now)

    assert _comparable(world.scoring) == _comparable(eager.scoring)
