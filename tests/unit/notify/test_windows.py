"""Maintenance windows that people open and end: kept, refused in words, on record."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bsc_monitor.model.alert import Maintenance, Matcher
from bsc_monitor.notify.controls import NotPossible, NotThere
from bsc_monitor.notify.windows import end_window, open_window
from bsc_monitor.store import Store
from bsc_monitor.store.events import events
from bsc_monitor.store.windows import load_windows

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PATCH = Maintenance(
    "patch-day", "0 22 * * 2", 3 * HOUR, (Matcher("source", "=~", "it.*"),), "Europe/Berlin", author=" ann \n",
    comment="patches",
)  # fmt: skip


@pytest.fixture
def store(tmp_path):
    one = Store.open(f"sqlite:///{tmp_path}/a.db")
    yield one
    one.close()


def opened(store, wanted=PATCH, now=NOW):
    return store.write_now(lambda connection: open_window(connection, wanted, {"nightly"}, now))


def ended(store, name, now=NOW, author="bob"):
    store.write_now(lambda connection: end_window(connection, name, author, {"nightly"}, now))


def kept(store, since=NOW):
    return store.read_now(lambda connection: load_windows(connection, since=since))


def test_a_window_is_kept_as_it_was_asked_for_and_counts_from_now_on(store):
    opened(store)
    assert kept(store) == [replace(PATCH, author="ann", since=NOW)]


def test_an_ended_window_explains_the_past_and_its_name_is_free_again(store):
    opened(store)
    ended(store, "patch-day", NOW + HOUR)
    assert kept(store, NOW + HOUR) == []
    assert [each.until for each in kept(store, NOW)] == [NOW + HOUR]
    opened(store, replace(PATCH, cron="0 21 * * 2"), NOW + HOUR)
    assert [(each.cron, each.since) for each in kept(store, NOW)] == [
        ("0 22 * * 2", NOW),
        ("0 21 * * 2", NOW + HOUR),
    ]


def test_who_opened_and_ended_it_and_when_is_on_record(store):
    opened(store)
    ended(store, "patch-day", NOW + HOUR)
    (last, first) = store.read_now(lambda connection: events(connection))
    assert (first.kind, first.subject, first.at, first.data["author"]) == (
        "maintenance_opened", "patch-day", NOW, "ann",
    )  # fmt: skip
    assert (first.data["cron"], first.data["matchers"], first.data["lasts"]) == ("0 22 * * 2", "source=~it.*", "3 h")
    assert (last.kind, last.at, last.data["author"]) == ("maintenance_ended", NOW + HOUR, "bob")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": "Patch day"}, "no name for a window"),
        ({"id": "nightly"}, "configuration file has a window"),
        ({"cron": "0 22 * *"}, "4 fields instead of 5"),
        ({"cron": "0 0 31 2 *"}, "never fires"),
        ({"timezone": "Europe/Nowhere"}, "no time zone"),
        ({"timezone": "../x"}, "no time zone"),
        ({"lasts": timedelta(0)}, "longer than nothing"),
        ({"lasts": timedelta(days=32)}, "lasts up to 31 d"),
        ({"until": NOW}, "has passed"),
        ({"match": ()}, "must not match everything"),
        ({"match": (Matcher("kpi", "=~", ".*"),)}, "must not match everything"),
    ],
)
def test_what_makes_no_window_is_refused_in_words_and_nothing_is_kept(store, change, words):
    with pytest.raises(NotPossible, match=words):
        opened(store, replace(PATCH, **change))
    assert kept(store, datetime(2000, 1, 1, tzinfo=UTC)) == []


def test_a_name_belongs_to_one_window_at_a_time(store):
    opened(store)
    with pytest.raises(NotPossible, match="end it first"):
        opened(store)
    assert len(kept(store)) == 1


def test_a_window_of_the_configuration_is_ended_there_and_one_that_is_not_there_is_said_with_those_that_are(store):
    with pytest.raises(NotPossible, match=r"take \[maintenance.nightly\] out of it"):
        ended(store, "nightly")
    with pytest.raises(NotThere, match="nobody opened one"):
        ended(store, "patch")
    opened(store)
    with pytest.raises(NotThere, match="people opened patch-day"):
        ended(store, "patch")


def test_a_cron_expression_that_the_store_could_not_keep_is_refused(store):
    minutes = ",".join(map(str, range(60)))
    with pytest.raises(NotPossible, match="200 characters"):
        opened(store, replace(PATCH, cron=f"{minutes} {','.join(map(str, range(24)))} * * *"))
