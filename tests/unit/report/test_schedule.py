"""When a scheduled report is due: once a day whatever the clock does, and made up for after an outage."""

from datetime import UTC, datetime, timedelta

from bsc_monitor.service.reports import newest_slot
from bsc_monitor.store import Store
from bsc_monitor.store.reports import Sending, begin_run, last_slot, open_sendings, save_sendings

DAILY = "30 2 * * *"


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_daily_report_is_due_once_in_the_night_that_has_half_past_two_twice():
    last, slots, now = at("2026-10-23 12:00"), [], at("2026-10-23 12:00")
    while now < at("2026-10-27 12:00"):
        now += timedelta(minutes=10)
        if (slot := newest_slot(DAILY, "Europe/Berlin", last, now)) is not None:
            slots.append(slot)
            last = slot
    assert [f"{slot:%d}" for slot in slots] == ["24", "25", "26", "27"]


def test_a_daily_report_is_due_in_the_night_that_skips_half_past_two():
    assert newest_slot(DAILY, "Europe/Berlin", at("2026-03-28 12:00"), at("2026-03-29 12:00")) is not None


def test_after_an_outage_the_newest_is_made_up_for_and_the_others_are_not():
    assert newest_slot("0 7 2 * *", "UTC", at("2026-01-05 00:00"), at("2026-06-14 00:00")) == at("2026-06-02 07:00")


def test_nothing_is_due_when_the_clock_goes_back():
    assert newest_slot(DAILY, "UTC", at("2026-06-14 02:30"), at("2026-06-13 09:00")) is None


def test_a_slot_is_taken_once_and_what_waits_survives_a_restart(tmp_path):
    url, slot = f"sqlite:///{tmp_path / 's.db'}", at("2026-06-02 07:00")
    store = Store.open(url)
    assert store.write_now(lambda c: begin_run(c, "monthly", slot, "2026-05", slot, ["board", "mail"]))
    assert not store.write_now(lambda c: begin_run(c, "monthly", slot, "2026-05", slot, ["board", "mail"]))
    store.write_now(lambda c: save_sendings(c, [Sending("monthly", slot, "board", 1, delivered_at=slot)]))
    store.close()
    store = Store.open(url)
    assert store.read_now(lambda c: last_slot(c, "monthly")) == slot
    assert [each.channel for each in store.read_now(open_sendings)] == ["mail"]
    store.close()
