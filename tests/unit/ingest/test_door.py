"""What may pass the door, and what it looks like afterwards."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsc_monitor.ingest import MOST_SEGMENTS, Door, Refused, clean_text, last_of_each, restated
from bsc_monitor.model.organisation import Kpi
from bsc_monitor.model.period import Period
from bsc_monitor.model.reading import Reading

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def kpi(unit="h"):
    return Kpi("mttr", "it", "internal_process", "it/restore-fast", "Mean time to resolve", unit=unit)


def admit(reading, unit="h", **more):
    return Door().admit(kpi(), reading, unit, NOW, **more)


def test_a_value_is_converted_into_the_kpis_unit():
    assert admit(Reading(7200.0), unit="s").value == 2.0


def test_a_currency_never_becomes_another():
    with pytest.raises(Refused, match="'USD' cannot become 'EUR'"):
        Door().admit(kpi("EUR"), Reading(1.0, unit="USD"), "", NOW)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), "7", True, 10**400, [1], {}])
def test_what_is_no_finite_number_is_refused(value):
    door = Door()
    with pytest.raises(Refused):
        door.admit(kpi(), Reading(value), "h", NOW)
    assert door.refused == 1


def test_a_value_that_overflows_by_conversion_is_refused():
    with pytest.raises(Refused):
        admit(Reading(1e308), unit="w")


def test_readings_that_differ_in_labels_time_or_period_all_count_and_the_same_one_twice_is_nothing_to_say():
    may, june = (Period(datetime(2026, n, 1, tzinfo=UTC), datetime(2026, n + 1, 1, tzinfo=UTC)) for n in (5, 6))
    given = [
        Reading(1.0), Reading(2.0, labels={"team": "a"}), Reading(3.0, labels={"team": "b"}),
        Reading(4.0, at=NOW - timedelta(hours=1)), Reading(5.0, period=may), Reading(6.0, period=june), Reading(1.0),
    ]  # fmt: skip
    assert restated(given) == []
    kept, said = last_of_each([admit(each) for each in given])
    assert ([each.value for each in kept], said) == ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [])


def test_readings_that_say_another_value_of_the_same_are_named():
    given = [Reading(float(n), labels={"team": "a"}, at=NOW) for n in range(7)] + [Reading(1.0), Reading(None)]
    assert restated(given) == [
        "7 readings of team a at 2026-06-15 12:00 UTC (0, 1, 2, 3, 4, …): only the last counts",
        "2 readings of the total (1, no value): only the last counts",
    ]


def test_a_reading_without_a_time_is_of_now():
    assert admit(Reading(1.0)).at == NOW


@pytest.mark.parametrize("at", [datetime(2026, 6, 1), NOW + timedelta(hours=1), datetime(1970, 1, 1, tzinfo=UTC)])
def test_a_time_that_cannot_be_is_refused(at):
    with pytest.raises(Refused):
        admit(Reading(1.0, at=at))


def test_hostile_labels_are_one_line_of_printable_text():
    found = admit(Reading(1.0, labels={"team": 'a"\n<script>\ud800\u202e'}))
    ((name, value),) = found.labels
    assert name == "team"
    assert value == 'a" <script>\ufffd\ufffd'


def test_labels_grow_to_a_budget_and_not_beyond():
    door = Door()
    for number in range(MOST_SEGMENTS):
        door.admit(kpi(), Reading(1.0, labels={"user": str(number)}), "h", NOW)
    with pytest.raises(Refused, match="more than 1,000"):
        door.admit(kpi(), Reading(1.0, labels={"user": "one more"}), "h", NOW)
    door.admit(kpi(), Reading(1.0, labels={"user": "7"}), "h", NOW)


@pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", " "])
def test_a_link_that_is_no_web_address_is_dropped(link):
    assert admit(Reading(1.0, evidence=link)).evidence is None


@given(st.text(alphabet=st.characters(codec=None), max_size=400))
def test_any_text_becomes_one_line_that_can_be_encoded(text):
    cleaned = clean_text(text, 200)
    cleaned.encode("utf-8")
    assert len(cleaned) <= 200
    assert not set(cleaned) & set("\r\n\t\x00\x7f")
