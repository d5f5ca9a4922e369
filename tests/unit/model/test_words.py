"""What is written in the same words wherever it is read."""

from datetime import UTC, date, datetime

import pytest

from bsc_monitor.model import words
from bsc_monitor.model.organisation import Weight
from bsc_monitor.model.status import Status
from bsc_monitor.model.words import day, node_reason, score, status_word
from bsc_monitor.report import words as report
from bsc_monitor.score.nodes import Edge, Node, refill, roll_up
from bsc_monitor.web import words as board


def test_a_day_is_written_without_a_leading_zero_and_none_is_empty():
    assert (day(date(2026, 3, 1)), day(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)), day(None)) == (
        "1 Mar 2026", "31 Dec 2026", "",
    )  # fmt: skip


def test_a_score_is_rounded_half_up_and_none_is_a_dash():
    assert [score(value) for value in (None, 0.0, 66.4, 66.5, 100.0)] == ["–", "0", "66", "67", "100"]


def test_each_status_has_a_word():
    assert [status_word(each) for each in Status] == ["Green", "Amber", "Red", "No data"]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("coverage 0 is below 0.5", "nothing below it has a score"),
        ("coverage 0.25 is below 0.5", "only 25 % of its weight has a score, and 50 % is needed"),
        ("coverage 0.333 is below 0.75", "only 33.3 % of its weight has a score, and 75 % is needed"),
        ("coverage 0.5 is below 0.5", "just under 50 % of its weight has a score, and 50 % is needed"),
        (
            "key KPI it/mttr is red; by score alone it would be amber",
            "key KPI it/mttr is red; by score alone it would be amber",
        ),
        ("", ""),
    ],
)
def test_why_a_node_has_no_score_is_said_without_terms(reason, words):
    assert node_reason(reason) == words


def test_the_words_are_those_for_what_the_score_says():
    """Should the score say it in another way, this fails rather than that people read it."""
    node = Node("objective", "it/o", 0.5)
    parts = [(Weight(((date.min, weight),)), weight) for weight in (1.0, 3.0)]
    node.children = [
        Edge(Node("objective", f"it/{n}", 0.5), node, *[part, "ignore", weight])
        for n, (part, weight) in enumerate(parts)
    ]
    refill(node)
    assert node_reason(roll_up(node)[2]) == "nothing below it has a score"
    node.children[0].score = 80.0
    refill(node)
    assert node_reason(roll_up(node)[2]) == "only 25 % of its weight has a score, and 50 % is needed"


@pytest.mark.parametrize("name", ["day", "score", "status_word"])
def test_the_board_and_reports_write_it_alike(name):
    assert getattr(board, name) is getattr(report, name) is getattr(words, name)
