"""Matchers and instants as people write them on the command line."""

from datetime import UTC, datetime

import pytest
import typer

from bsc_monitor.cli.matchers import moment, parse_matchers

NOW = datetime(2026, 6, 14, tzinfo=UTC)


def test_an_expression_that_could_hold_the_service_up_is_refused_before_it_is_stored():
    with pytest.raises(typer.BadParameter, match="too long"):
        parse_matchers(["kpi=~(.+)+x"])
    assert parse_matchers(["kpi=~m.*"])[0].matches({"kpi": "mttr"})


def test_an_instant_that_no_calendar_reaches_is_refused_in_words():
    with pytest.raises(typer.BadParameter, match="out of reach"):
        moment("0001-01-01T00:00+14:00", NOW)
