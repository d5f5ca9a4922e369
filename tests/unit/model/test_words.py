"""What is written in the same words wherever it is read."""

from datetime import UTC, date, datetime

import pytest

from bsc_monitor.model import words
from bsc_monitor.model.status import Status
from bsc_monitor.model.words import day, score, status_word
from bsc_monitor.report import words as report
from bsc_monitor.web import words as board


def test_a_day_is_written_without_a_leading_zero_and_none_is_empty():
    assert (day(date(2026, 3, 1)), day(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)), day(None)) == (
        "1 Mar 2026", "31 Dec 2026", "",
    )  # fmt: skip


def test_a_score_is_rounded_half_up_and_none_is_a_dash():
    assert [score(value) for value in (None, 0.0, 66.4, 66.5, 100.0)] == ["–", "0", "66", "67", "100"]


def test_each_status_has_a_word():
    assert [status_word(each) for each in Status] == ["Green", "Amber", "Red", "No data"]


@pytest.mark.parametrize("name", ["day", "score", "status_word"])
def test_the_board_and_reports_write_it_alike(name):
    assert getattr(board, name) is getattr(report, name) is getattr(words, name)
