"""How things are written for people."""

from datetime import timedelta

import pytest

from bsc_monitor.model.organisation import Thresholds
from bsc_monitor.web import words


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0, "0"), (-0.0, "0"), (12.0, "12"), (12.345, "12.35"), (0.00123, "0.0012"), (123.45, "123.5"), (1234.5, "1,234"),
     (-3.5, "−3.5"), (3_214_000.0, "3.214\u202fM"), (2.5e9, "2.5\u202fbn"), (float("nan"), "–"), (99.999, "100"),
     (0.0000123, "0.000012"), (-0.00004, "−0.00004"), (1.23e-8, "1.2\u202f×\u202f10⁻⁸"), (1e-7, "1\u202f×\u202f10⁻⁷"),
     (999.4e12, "999.4\u202fT"), (123456789012345678.0, "1.235\u202f×\u202f10¹⁷"), (-1.5e300, "−1.5\u202f×\u202f10³⁰⁰")],
)  # fmt: skip
def test_numbers_have_as_many_digits_as_a_person_reads(value, text):
    assert words.number(value) == text


def test_values_carry_their_unit_where_it_says_something():
    assert words.amount(8.0, "hours") == "8\u202fh"
    assert words.amount(12.0, "count") == "12"
    assert (words.amount(1.0, "yes/no"), words.amount(0.0, "yes/no"), words.amount(None, "yes/no")) == (
        "yes",
        "no",
        "–",
    )


def test_targets_read_as_conditions():
    assert words.target(Thresholds(8.0, 24.0), "lower", "h") == "≤\u202f8\u202fh"
    assert words.target(Thresholds(95.0, 90.0), "higher", "%") == "≥\u202f95\u202f%"
    assert words.target(Thresholds((3.0, 5.0), (1.0, 9.0)), "target", "d") == "3–5\u202fd"
    assert words.target(Thresholds(), "lower", "h") == ""
    assert words.target(Thresholds(1.0, 0.0), "higher", "yes/no") == "yes"
    assert words.target(Thresholds(0.0, 1.0), "lower", "yes/no") == "no"


def test_movement_is_better_or_worse_whatever_the_direction():
    assert words.movement(0.042) == ("better", "4\u202f% better")
    assert words.movement(-0.3) == ("worse", "30\u202f% worse")
    assert words.movement(0.001) == ("steady", "steady")
    assert words.movement(None) == ("", "")


def test_a_score_is_rounded_half_up_and_none_is_a_dash():
    assert [words.score(each) for each in (None, 66.5, 66.4, 0.0)] == ["–", "67", "66", "0"]


def test_spans_use_the_largest_unit_that_fits():
    shown = [words.span(each) for each in (0.42, 42, 300, 7200, timedelta(days=11), None)]
    assert shown == ["0.42\u202fs", "42\u202fs", "5\u202fmin", "2\u202fh", "11\u202fd", "–"]


def test_only_addresses_that_a_browser_may_follow_become_links():
    assert words.link("https://example.com/a?b=c") == "https://example.com/a?b=c"
    for bad in ("javascript:alert(1)", " data:text/html,x", "//example.com", "ftp://x", "", None):
        assert words.link(bad) == ""
