"""Units convert exactly once, and never between things that have nothing in common."""

import pytest

from bsc_monitor.model import unit


def test_a_mean_in_hours_becomes_seconds_for_prometheus():
    assert unit.base("h") == ("seconds", 3600)
    assert unit.base("%") == ("ratio", 0.01)
    assert unit.base("EUR") == ("EUR", 1)


def test_a_collector_in_seconds_serves_a_kpi_in_days():
    assert unit.factor("s", "d") * 172800 == 2


def test_two_currencies_are_never_mixed():
    with pytest.raises(ValueError, match="EUR"):
        unit.factor("USD", "EUR")


def test_a_value_of_yes_or_no_is_yes_from_half_way():
    assert [unit.yes_no(value) for value in (0, 0.49, 0.5, 1)] == ["no", "no", "yes", "yes"]
