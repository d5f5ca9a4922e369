"""Insights, initiatives and forecasts in the store."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.unit.improve.building import kpi, months, noise

from bsc_monitor.improve.forecast import forecast
from bsc_monitor.improve.insights import find, reconcile
from bsc_monitor.model.insight import InitiativePhase, InitiativeState, InsightKind
from bsc_monitor.model.period import PeriodKind
from bsc_monitor.store import Store
from bsc_monitor.store.insights import (
    accuracy,
    forget_initiatives,
    insight_by_id,
    insights,
    keep_forecasts,
    kept_forecasts,
    load_initiatives,
    open_insights,
    save_initiatives,
    save_insights,
    settle_forecasts,
)

NOW = datetime(2026, 7, 1, 6, tzinfo=UTC)
MONTH = PeriodKind.MONTH


@pytest.fixture
def store(tmp_path):
    opened = Store.open(f"sqlite:///{tmp_path / 'test.db'}")
    yield opened
    opened.close()


def found():
    return reconcile([], find(kpi(), months([30, 31, 29, 30.5, 29.5, 30, 31, 29, 30, 30.5, 29, 31, 45])), NOW).opened


def test_an_insight_comes_back_as_it_went_in_and_is_open_until_it_ends(store):
    [insight] = found()
    over = replace(insight, ended_at=NOW)

    store.write_now(lambda connection: save_insights(connection, [insight]))
    assert store.read_now(open_insights) == [insight]
    assert store.read_now(lambda connection: open_insights(connection, ["it/mttr"])) == [insight]
    assert store.read_now(lambda connection: open_insights(connection, ["it/other"])) == []

    store.write_now(lambda connection: save_insights(connection, [over]))
    assert store.read_now(open_insights) == []
    assert store.read_now(lambda connection: insights(connection, subject="it/mttr")) == [over]
    assert store.read_now(lambda connection: insights(connection, kinds=[InsightKind.TREND])) == []
    assert store.read_now(lambda connection: insight_by_id(connection, insight.id)) == over


def test_initiatives_come_back_and_those_without_configuration_are_forgotten(store):
    states = [
        InitiativeState(
            "a", InitiativePhase.CHECKING, NOW, 0.5, 1.0, verdict="no_evidence", kpi="it/mttr", achieved=-0.1
        ),
        InitiativeState("b", InitiativePhase.DOING, NOW),
    ]
    store.write_now(lambda connection: save_initiatives(connection, states))
    assert store.read_now(load_initiatives) == {state.initiative: state for state in states}

    store.write_now(lambda connection: forget_initiatives(connection, ["a"]))
    assert set(store.read_now(load_initiatives)) == {"a"}


def test_a_forecast_is_kept_until_its_month_tells_how_good_it_was(store):
    values = noise(3, 30, 50, 2)

    def live(connection):
        for known in range(12, 30):
            settle_forecasts(connection, "it/mttr", MONTH, known - 1, values[known - 1])
            keep_forecasts(connection, MONTH, {"it/mttr": forecast(values[:known])})

    store.write_now(live)
    kept = store.read_now(lambda connection: kept_forecasts(connection, "it/mttr", MONTH))
    told = accuracy(kept)

    assert (kept[0].time, kept[0].actual) == (29, None)  # of the month that is still open
    assert (told.periods, len(kept)) == (17, 18)
    assert 0.5 < told.error < 3
    assert told.inside >= 0.7
    assert accuracy(kept[:1]) is None
    assert all(each.low <= each.value <= each.high for each in kept)
