"""What a look commits: forecasts kept and settled, alerts of what lives, tickets that rules ask for."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.unit.improve.building import initiative, kpi, months, noise, objective, organisation

from bsc_monitor.config import Configuration
from bsc_monitor.config.settings import Action
from bsc_monitor.evaluate.initiatives import id_for, in_force
from bsc_monitor.evaluate.keeping import BY_RULE, end_insights, keep_insights, wants
from bsc_monitor.evaluate.state import State
from bsc_monitor.improve.insights import examine, examined
from bsc_monitor.improve.relations import relations
from bsc_monitor.model.event import InsightEnded, InsightFound
from bsc_monitor.model.insight import Direction, InsightKind
from bsc_monitor.model.period import PeriodKind
from bsc_monitor.store import Store
from bsc_monitor.store.actions import Said, load_said, save_said, ticket_key, tickets
from bsc_monitor.store.insights import kept_forecasts, open_insights

NOW = datetime(2026, 7, 1, 6, tzinfo=UTC)
MTTR = kpi()
COMPANY = organisation([MTTR], [], [objective("restore-fast")])
KNOWN = relations(COMPANY)
RULE = Action("jira", "desk", on=frozenset({InsightKind.TREND, InsightKind.SIGNAL}))


@pytest.fixture
def store(tmp_path):
    opened = Store.open(f"sqlite:///{tmp_path / 'l.db'}")
    yield opened
    opened.close()


def looked(store, values, *, actions=(), now=NOW):
    """Look at the KPI with these closed months; the state, for its alerts."""
    return look(store, values, actions, now)[0]


def told(store, values):
    """Look at the KPI with these closed months; what is told of signals."""
    events = look(store, values)[1]
    return [
        each
        for each in events
        if isinstance(each, InsightFound | InsightEnded) and each.insight.kind is InsightKind.SIGNAL
    ]


def look(store, values, actions=(), now=NOW):
    state = State(Configuration(organisation=COMPANY, actions={each.id: each for each in actions}))

    def work(connection):
        state.restore(connection, now)
        found = examine(KNOWN, {MTTR.name: months(values, MTTR, target=20, red=60)}, now)
        return keep_insights(connection, state, found, examined(KNOWN), now)

    return state, store.write_now(work)


RISING = [20 + 1.5 * at + more for at, more in enumerate(noise(1, 18, 0, 0.5))]
JUMPED = [*(20 + more for more in noise(2, 14, 0, 1)), 45.0]
FELL = [*JUMPED[:-1], 5.0]


def firing(state):
    return {alert.labels["insight"] for alert in state.alerts.firing() if "insight" in alert.labels}


def test_a_signal_that_turned_into_its_opposite_still_fires(store):
    assert "signal" in firing(looked(store, JUMPED))
    state = looked(store, FELL)
    found = [each for each in store.read_now(open_insights) if each.kind is InsightKind.SIGNAL]
    assert [each.direction for each in found] == [Direction.IMPROVING]
    assert "signal" in firing(state), "one ended, the other lives: the alert goes on"
    assert "signal" not in firing(looked(store, JUMPED[:-1]))


def test_what_was_opened_updated_and_ended_is_told(store):
    [opened] = told(store, JUMPED)
    assert opened.before is None
    [again] = told(store, [*JUMPED, 46.0])
    assert again.before == opened.insight
    assert again.insight.evidence != opened.insight.evidence
    [over] = told(store, JUMPED[:-1])
    assert over == InsightEnded(NOW, replace(again.insight, ended_at=NOW))


def test_forecasts_are_kept_and_held_against_what_came(store):
    looked(store, RISING)
    made = store.read_now(lambda c: kept_forecasts(c, MTTR.name, PeriodKind.MONTH))
    assert len(made) == 1
    assert made[0].low <= made[0].value <= made[0].high
    assert made[0].actual is None
    looked(store, [*RISING, 48.0])
    settled = store.read_now(lambda c: kept_forecasts(c, MTTR.name, PeriodKind.MONTH))
    assert [each.actual for each in settled] == [None, 48.0]


def test_a_rule_asks_for_one_ticket_and_off_by_default_none(store):
    looked(store, RISING)
    assert store.read_now(tickets) == [], "no action says on"
    looked(store, JUMPED, actions=[RULE])
    looked(store, JUMPED, actions=[RULE])
    asked = store.read_now(tickets)
    assert [(each.action, each.author, each.link) for each in asked] == [("jira", BY_RULE, "")]
    assert asked[0].key == ticket_key(asked[0].insight, "jira")
    assert " " not in asked[0].key


def test_a_rule_leaves_good_news_and_other_scorecards_alone(store):
    looked(store, FELL)
    good = next(each for each in store.read_now(open_insights) if each.kind is InsightKind.SIGNAL)
    assert not wants(RULE, good)
    assert wants(replace(RULE, worsening=False), good)
    assert not wants(replace(RULE, worsening=False, scorecard="other"), good)


def test_what_is_about_something_that_is_gone_ends(store):
    state = looked(store, JUMPED)
    assert store.read_now(open_insights)
    store.write_now(lambda connection: end_insights(connection, state, set(), NOW))
    assert store.read_now(open_insights) == []


def test_initiatives_of_people_are_in_force_beside_those_of_the_configuration(store):
    mine = initiative("mine", targets=("it/mttr", "it/gone"))
    configured = Configuration(organisation=replace(COMPANY, initiatives={"swarming": initiative()}))
    store.write_now(lambda c: save_said(c, Said("mine", mine, None, 0.25, "", "ana", NOW)))
    store.write_now(lambda c: save_said(c, Said("swarming", None, "abandoned", None, "", "ben", NOW)))
    found = in_force(configured, store.read_now(load_said)).organisation.initiatives
    assert list(found) == ["swarming", "mine"]
    assert found["swarming"].state == "abandoned"
    assert found["mine"].targets == ("it/mttr",)
    assert found["mine"].progress == 0.25


def test_ids_are_made_of_titles_and_are_never_taken_twice():
    assert id_for("Swarm on incidents!", {}) == "swarm-on-incidents"
    assert id_for("Swarm on incidents!", {"swarm-on-incidents": 1}) == "swarm-on-incidents-2"
    assert id_for("会議", {}) == "initiative"
