"""Webhook events are remembered across restarts, and not for ever."""

from datetime import UTC, datetime, timedelta

import pytest

from bsc_monitor.store import Store
from bsc_monitor.store.webhooks import REMEMBERED_FOR, came_before, remember

NOW = datetime(2026, 6, 14, 9, 30, tzinfo=UTC)


@pytest.fixture
def open_store(tmp_path):
    opened = []

    def open_():
        while opened:
            opened.pop().close()
        opened.append(Store.open(f"sqlite:///{tmp_path}/bsc.db"))
        return opened[-1]

    yield open_
    while opened:
        opened.pop().close()


def known(store, event, source="jira", now=NOW):
    return store.read_now(lambda connection: came_before(connection, source, event, now))


def came(store, event, source="jira", now=NOW, **more):
    store.write_now(lambda connection: remember(connection, source, event, now, **more))


def test_an_event_is_known_after_the_store_was_closed_and_opened_again(open_store):
    came(open_store(), "event-1")
    store = open_store()
    assert known(store, "event-1")
    assert not known(store, "event-2")
    assert not known(store, "event-1", source="github"), "ids are the sender's own"


def test_an_event_is_forgotten_after_its_time_and_its_row_goes_with_the_next(open_store):
    store = open_store()
    came(store, "event-1")
    later = NOW + REMEMBERED_FOR
    assert known(store, "event-1", now=later - timedelta(seconds=1))
    assert not known(store, "event-1", now=later)
    came(store, "event-2", now=later)
    assert not known(store, "event-1"), "even for a clock that went back: the row is gone"


def test_of_too_many_the_oldest_are_forgotten(open_store):
    store = open_store()
    for number in range(10):
        came(store, f"event-{number}", most=4)
    assert [number for number in range(10) if known(store, f"event-{number}")] == [6, 7, 8, 9]


def test_one_that_comes_again_late_counts_as_new(open_store):
    store = open_store()
    came(store, "event-1")
    came(store, "event-1", now=NOW + timedelta(hours=20))
    assert known(store, "event-1", now=NOW + timedelta(hours=30))


def test_any_header_can_be_an_id(open_store):
    store = open_store()
    for event in ("\udcff" * 5000, "'; drop table", "é\u202e"):
        came(store, event)
        assert known(store, event)
