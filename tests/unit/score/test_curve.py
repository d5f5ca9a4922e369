"""Values become scores: the published vectors, and what must hold for every curve."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.score.world import kpi, path

from bsc_monitor.model.organisation import TargetPath, Thresholds
from bsc_monitor.model.status import Status
from bsc_monitor.score.curve import curve_of, node_status, threshold_curve

VECTORS = json.loads((Path(__file__).parent / "vectors" / "scoring.json").read_text())
NUMBERS = st.floats(-1e12, 1e12, allow_nan=False)
VALUES = st.floats(allow_nan=False, allow_infinity=False)


def _level(value):
    return tuple(value) if isinstance(value, list) else value


def _curve(case):
    if "curve" in case:
        return curve_of(kpi(curve=tuple(map(tuple, case["curve"])), path=TargetPath()), Thresholds())
    keys = ("target", "red", "worst", "best", "ideal")
    return threshold_curve(Thresholds(**{key: _level(case[key]) for key in keys if key in case}), case["better"])


@pytest.mark.parametrize(
    "case", VECTORS["cases"], ids=lambda case: f"{case.get('better', 'curve')}-{case.get('target')}"
)
def test_the_published_values_have_the_published_scores(case):
    curve = _curve(case)

    for value, score, status in case["values"]:
        found, colour = curve.judge(value)
        assert found == pytest.approx(score, abs=VECTORS["tolerance"]), value
        assert status is None or colour == status, value


@st.composite
def lines(draw):
    better = draw(st.sampled_from(["higher", "lower"]))
    levels = sorted(draw(st.lists(NUMBERS, min_size=4, max_size=4, unique=True)), reverse=better == "lower")
    worst, red, target, best = levels
    ends = draw(st.sampled_from([(None, None), (worst, None), (None, best), (worst, best)]))
    return better, Thresholds(target, red, ends[0], ends[1])


@st.composite
def bands(draw):
    low, a, ideal, b, high = sorted(draw(st.lists(NUMBERS, min_size=5, max_size=5, unique=True)))
    return "target", Thresholds((a, b), (low, high), ideal=draw(st.sampled_from([None, ideal, a, b])))


@given(lines(), VALUES, VALUES)
def test_a_better_value_never_scores_less(case, one, other):
    better, thresholds = case
    curve = threshold_curve(thresholds, better)
    worse, good = sorted([one, other], reverse=better == "lower")

    assert curve.judge(worse)[0] <= curve.judge(good)[0]
    assert 0 <= curve.judge(worse)[0] <= 100


@given(bands(), VALUES, VALUES)
def test_nearer_the_ideal_never_scores_less(case, one, other):
    _, thresholds = case
    curve = threshold_curve(thresholds, "target")
    ideal = thresholds.ideal if thresholds.ideal is not None else thresholds.target[0] / 2 + thresholds.target[1] / 2
    if (one < ideal) == (other < ideal):
        far, near = sorted([one, other], reverse=one >= ideal)
        assert curve.judge(far)[0] <= curve.judge(near)[0]


def _mirrored(level):
    if isinstance(level, tuple):
        return -level[1], -level[0]
    return None if level is None else -level


@given(st.one_of(lines(), bands()), VALUES)
def test_mirroring_value_and_thresholds_changes_no_bit(case, value):
    better, thresholds = case
    other = {"higher": "lower", "lower": "higher", "target": "target"}[better]
    keys = ("target", "red", "worst", "best", "ideal")
    mirrored = Thresholds(**{key: _mirrored(getattr(thresholds, key)) for key in keys})

    assert threshold_curve(thresholds, better).judge(value) == threshold_curve(mirrored, other).judge(-value)


@given(lines())
def test_exactly_at_target_is_green_and_exactly_at_red_is_red(case):
    better, thresholds = case
    curve = threshold_curve(thresholds, better)

    assert curve.judge(thresholds.target) == (200 / 3, Status.GREEN)
    assert curve.judge(thresholds.red) == (100 / 3, Status.RED)


@given(bands())
def test_the_edges_of_a_band_are_green_and_the_red_edges_red(case):
    _, thresholds = case
    curve = threshold_curve(thresholds, "target")

    assert {curve.judge(edge)[1] for edge in thresholds.target} == {Status.GREEN}
    assert {curve.judge(edge) for edge in thresholds.red} == {(100 / 3, Status.RED)}


@pytest.mark.parametrize("size", [1e300, 1.7e308, 5e-324])
def test_thresholds_at_the_edge_of_what_a_number_can_hold_still_give_a_score(size):
    curve = threshold_curve(Thresholds(size, -size), "higher")

    scores = [curve.judge(value)[0] for value in (-size, -size / 2, 0.0, size / 2, size, 1.7e308, -1.7e308)]

    assert all(math.isfinite(score) and 0 <= score <= 100 for score in scores)


def test_a_boolean_scores_nothing_or_all():
    yes_no = curve_of(kpi(unit="yes/no", path=TargetPath()), Thresholds())

    assert (yes_no.judge(1.0), yes_no.judge(0.0)) == ((100.0, Status.GREEN), (0.0, Status.RED))


def test_a_boolean_with_thresholds_is_judged_by_them():
    assert curve_of(kpi(unit="yes/no"), path(0, 1).steps[0].thresholds).judge(0.0)[0] == pytest.approx(100 / 3)


def test_an_unscored_kpi_and_one_without_thresholds_have_no_curve():
    assert curve_of(kpi(scored=False), Thresholds(1.0, 0.0)) is None
    assert curve_of(kpi(), Thresholds()) is None


def test_float_dust_does_not_flip_the_colour_of_a_node():
    assert node_status(66.66666666666663) is Status.GREEN
    assert node_status(33.33333333333337) is Status.RED
    assert node_status(66.6666666) is Status.AMBER
    assert node_status(None) is Status.UNKNOWN
