"""The dated map of statuses, and what a life is when statuses come to mean something else."""

from datetime import UTC, datetime

from bsc_monitor.kit.flow import Move, past
from bsc_monitor.kit.statuses import Statuses


def day(number):
    return datetime(2026, 5, number, tzinfo=UTC)


def looked(*days):
    """A map after looking on days, each ``(day, {status: (name, category)})``, written down and read again in between."""
    kept = None
    for number, today in days:
        found = Statuses(today, kept, day(number))
        kept = found.plain()
    return found


def test_what_was_seen_first_counts_for_all_time_before():
    found = looked((10, {"3": ("Review", "indeterminate")}))
    assert found.changed == set()
    assert found.at("3", day(1)).category == "indeterminate"
    assert found.at("9", day(1)) is None


def test_a_change_counts_from_the_day_on_which_it_was_seen():
    found = looked((10, {"3": ("Review", "indeterminate")}), (20, {"3": ("Review", "done")}))
    assert found.changed == {"3"}
    assert [found.at("3", day(number)).category for number in (1, 19, 20, 25)] == ["indeterminate"] * 2 + ["done"] * 2
    assert found.turns("3", day(1), None) == [(day(20), "done")]
    assert found.turns("3", day(20), None) == found.turns("3", day(1), day(20)) == []


def test_a_new_name_is_no_turn_and_the_old_one_is_kept():
    found = looked((1, {"4": ("Done", "done")}), (20, {"4": ("Closed", "done")}), (21, {}))
    assert found.changed == set(), "looked at on the 21st, nothing is new"
    assert found.names("4") == ("Closed", "Done")
    assert found.turns("4", day(1), None) == []


def moves(*entered):
    return [Move(at=day(number), status=status, name=status, category=category) for number, status, category in entered]


def life(history, end):
    return past(
        history, day(end), done=lambda move: move.category == "done",
        started=lambda move: move.category == "indeterminate",
    )  # fmt: skip


def test_a_turn_into_done_finishes_at_the_entry_and_only_from_that_day_on():
    history = moves((1, "1", "new"), (3, "2", "indeterminate"), (5, "3", "indeterminate"), (20, "3", "done"))
    assert life(history, 19).finished is None
    assert (life(history, 25).finished, life(history, 25).started) == (day(5), day(3))


def test_a_turn_out_of_done_is_no_reopening_but_a_move_is():
    turned = moves((1, "2", "indeterminate"), (3, "4", "done"), (20, "4", "indeterminate"))
    assert (life(turned, 25).finished, life(turned, 25).reopened) == (None, ())
    assert life(turned, 25).pauses == ((day(3), day(20)),), "it was done in between"
    moved = moves((1, "2", "indeterminate"), (3, "4", "done"), (20, "2", "indeterminate"))
    assert life(moved, 25).reopened == (day(20),)


def test_a_turn_into_work_starts_at_the_entry():
    history = moves((1, "1", "new"), (20, "1", "indeterminate"))
    assert life(history, 10).started is None
    assert life(history, 25).started == day(1)
