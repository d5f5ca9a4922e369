"""What holds messages back: silences, inhibition, maintenance; and the matchers they share."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from bsc_monitor.alert.inhibit import inhibiting
from bsc_monitor.alert.maintenance import next_opening, window
from bsc_monitor.alert.silence import silencing
from bsc_monitor.model.alert import (
    AlertRule,
    AlertState,
    Inhibition,
    Maintenance,
    Matcher,
    Silence,
    fingerprint,
    new_alert,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [("=", "it", True), ("!=", "it", False), ("=~", "i.", True), ("=~", "i", False), ("!~", "i", True)],
)
def test_matchers_are_anchored_and_negatable(operator, value, expected):
    assert Matcher("scorecard", operator, value).matches({"scorecard": "it"}) is expected


def test_an_absent_label_is_empty_and_wrong_matchers_are_refused_in_words():
    assert Matcher("größe", "=", "").matches({})
    assert Matcher("größe", "=~", ".*").matches({})
    with pytest.raises(ValueError, match="does not compile"):
        Matcher("a", "=~", "(")
    with pytest.raises(ValueError, match="is not a matcher"):
        Matcher("a", "==", "b")


def test_a_fingerprint_knows_no_order_and_confuses_no_borders():
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})
    assert fingerprint({"a": "1b"}) != fingerprint({"a": "1", "b": ""})


def test_a_silence_holds_exactly_inside_its_window():
    silence = Silence("s", (Matcher("kpi", "=~", "m.*"),), NOW, NOW + HOUR, "ann")
    moments = [NOW - timedelta(microseconds=1), NOW, NOW + HOUR - timedelta(microseconds=1), NOW + HOUR]
    assert [bool(silencing([silence], {"kpi": "mttr"}, at)) for at in moments] == [False, True, True, False]
    assert silencing([silence], {"kpi": "cost"}, NOW) == ()
    assert silencing([replace(silence, matchers=())], {"kpi": "mttr"}, NOW) == ()


def test_a_failing_source_inhibits_the_stale_alerts_of_its_kpis_while_it_fires():
    def alert(rule, state=AlertState.FIRING, **labels):
        return structs.replace(new_alert(AlertRule(rule, "stale"), labels), state=state)

    rule = Inhibition(
        "i", (Matcher("alertname", "=", "collector"),), (Matcher("alertname", "=", "stale"),), ("source",)
    )
    failing, target = alert("collector", source="jira"), alert("stale", source="jira", kpi="k")
    assert inhibiting([rule], target, [failing, target]) == (failing.fingerprint,)
    assert inhibiting([rule], target, [structs.replace(failing, state=AlertState.RESOLVED)]) == ()
    assert inhibiting([rule], target, [alert("collector", source="git")]) == ()
    assert inhibiting([Inhibition("empty", (), ())], target, [failing]) == ()


def test_alerts_on_both_sides_of_an_inhibition_do_not_hold_each_other_back():
    everything = (Matcher("alertname", "=~", ".+"),)
    one, two = (structs.replace(new_alert(AlertRule(name, "breach"), {}), state=AlertState.FIRING) for name in "ab")
    assert inhibiting([Inhibition("i", everything, everything)], one, [one, two]) == ()


def test_a_maintenance_window_is_local_time_in_winter_and_in_summer():
    patch_day = Maintenance("patch", "0 22 * * 2", 3 * HOUR, timezone="Europe/Berlin")
    winter, summer = datetime(2026, 1, 6, 21, tzinfo=UTC), datetime(2026, 7, 7, 20, tzinfo=UTC)
    for start in (winter, summer):
        assert window(patch_day, start) == (start, start + 3 * HOUR)
        assert window(patch_day, start - timedelta(seconds=1)) is None
        assert window(patch_day, start + 3 * HOUR - timedelta(seconds=1)) is not None
        assert window(patch_day, start + 3 * HOUR) is None


def test_a_window_over_the_change_of_the_clock_lasts_its_real_time():
    night = Maintenance("night", "0 1 * * *", 3 * HOUR, timezone="Europe/Berlin")
    for start in (datetime(2026, 3, 29, 0, tzinfo=UTC), datetime(2026, 10, 24, 23, tzinfo=UTC)):
        assert window(night, start + 3 * HOUR - timedelta(seconds=1)) == (start, start + 3 * HOUR)
        assert window(night, start + 3 * HOUR) is None


def test_a_persons_window_holds_nothing_back_before_it_was_opened_nor_after_it_ended():
    opened, ended = datetime(2026, 7, 7, 21, tzinfo=UTC), datetime(2026, 7, 14, 21, tzinfo=UTC)
    patch_day = Maintenance("patch", "0 22 * * 2", 3 * HOUR, timezone="Europe/Berlin", since=opened, until=ended)
    begun = datetime(2026, 7, 7, 20, tzinfo=UTC)
    assert window(patch_day, opened - timedelta(microseconds=1)) is None
    assert window(patch_day, opened) == (opened, begun + 3 * HOUR)
    assert window(patch_day, ended - timedelta(microseconds=1)) == (begun + timedelta(weeks=1), ended)
    assert window(patch_day, ended) is None


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Europe/Berlin", "2026-10-25"), ("America/New_York", "2026-11-01"), ("Australia/Lord_Howe", "2026-04-05"),
     ("Europe/Berlin", "2026-03-29"), ("America/New_York", "2026-03-08"), ("Australia/Lord_Howe", "2026-10-04")],
)  # fmt: skip
def test_a_window_opens_once_on_the_day_the_clock_changes_and_says_so_before(zone, day):
    night = Maintenance("night", "30 1 * * *", HOUR, timezone=zone)
    moment = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    end = (datetime.fromisoformat(day) + timedelta(days=1)).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    opens = next_opening(night, moment)
    assert window(night, opens) == (opens, opens + HOUR)
    assert moment < opens < end <= next_opening(night, opens)


def test_a_window_that_ends_before_it_would_open_does_not_open_again():
    weekly = Maintenance("weekly", "0 22 * * 2", HOUR, until=datetime(2026, 7, 7, 22, tzinfo=UTC))
    assert next_opening(weekly, NOW) == datetime(2026, 3, 3, 22, tzinfo=UTC)
    assert next_opening(weekly, datetime(2026, 7, 1, tzinfo=UTC)) is None
