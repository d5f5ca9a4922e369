"""What is allowed and hardly meant is warned about, at its line."""

import pytest
from tests.unit.config.site import GOOD, line_of, load_text

MANUAL = """
[kpis.share]
objective = "happy"
source = "manual"
unit = "{unit}"
better = "{better}"
red = {red}
target = {target}
"""


@pytest.mark.parametrize(
    ("unit", "better", "red", "target", "meant"),
    [("%", "higher", 0.9, 0.95, 95), ("percent", "higher", 0.9, 0.95, 95), ("ratio", "lower", 15, 5, 0.05)],
)
def test_a_share_with_the_target_of_the_other_unit_is_warned_about(tmp_path, unit, better, red, target, meant):
    text = GOOD + MANUAL.format(unit=unit, better=better, red=red, target=target)

    (warning,) = load_text(tmp_path, text).warnings

    assert (warning.key, warning.line) == ("kpis.share.target", line_of(text, f"target = {target}"))
    assert "met by next to anything" in warning.message
    assert warning.hint == f"did you mean {meant}?"


@pytest.mark.parametrize(
    ("unit", "better", "red", "target"),
    [("%", "higher", 80, 95), ("%", "lower", 1, 0.5), ("ratio", "lower", 0.2, 0.05), ("ratio", "higher", 1, 3)],
)
def test_a_share_with_a_target_that_can_be_missed_is_not(tmp_path, unit, better, red, target):
    text = GOOD + MANUAL.format(unit=unit, better=better, red=red, target=target)
    assert load_text(tmp_path, text).warnings == ()


@pytest.mark.parametrize(
    ("kpi", "change", "words"), [("mttr", 8, "a change of +8"), ("per-hour", -1, "a change of -1")]
)
def test_an_effect_expected_for_the_worse_is_warned_about(tmp_path, kpi, change, words):
    text = GOOD + f"[initiatives.swarm]\nfor = ['{kpi}']\nexpect = {{ kpi = '{kpi}', change = {change} }}\n"

    (warning,) = load_text(tmp_path, text).warnings

    assert (warning.key, warning.line) == ("initiatives.swarm.expect.change", line_of(text, "expect ="))
    assert words in warning.message
    assert warning.hint == f"did you mean {-change:+g}?"


def test_an_effect_expected_for_the_better_is_not(tmp_path):
    text = GOOD + "[initiatives.swarm]\nfor = ['mttr']\nexpect = { kpi = 'mttr', change = -8 }\n"
    assert load_text(tmp_path, text).warnings == ()
