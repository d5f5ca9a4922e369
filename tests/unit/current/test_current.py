from datetime import UTC, datetime, timedelta

from bsc_monitor.bus import Bus
from bsc_monitor.current import CollectorHealth, Current
from bsc_monitor.model.event import (
    CollectorFailed,
    CollectorRan,
    ConfigReloaded,
    KpiJudged,
    ScoreChanged,
    StatusChanged,
)
from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.organisation import Kpi, Organisation
from bsc_monitor.model.status import CollectorError, Status

AT = datetime(2026, 6, 1, tzinfo=UTC)
LATER = AT + timedelta(hours=1)


def test_a_failed_run_keeps_the_last_success_and_a_good_run_clears_the_error():
    bus = Bus()
    current = Current(bus)
    bus.publish([CollectorRan(AT, "jira", "lead_time", 1.0, readings=3, requests=2)])
    bus.publish([CollectorFailed(LATER, "jira", "lead_time", 2.0, CollectorError.AUTH, "refused", requests=1)])
    health = current.collectors["jira", "lead_time"]
    assert (health.last_success, health.last_failure, health.error) == (AT, LATER, "refused")
    assert (health.runs, health.requests, health.failures[CollectorError.AUTH]) == (2, 3, 1)
    bus.publish([CollectorRan(LATER, "jira", "lead_time", 1.0, readings=1)])
    assert health.error is None


def test_how_runs_went_before_the_start_is_shown_of_what_is_still_asked_for_and_gone_on_with():
    bus = Bus()
    kpi = Kpi("it/speed", "it", "customer", "it/fast", "Speed", unit="h", source="jira", measure="lead_time")
    current = Current(bus, Organisation(kpis={kpi.name: kpi}))
    current.restore([CollectorHealth("jira", "lead_time", AT, interval=60.0), CollectorHealth("jira", "dropped", AT)])
    assert list(current.collectors) == [("jira", "lead_time")]
    bus.publish([CollectorFailed(LATER, "jira", "lead_time", 2.0, CollectorError.AUTH, "refused")])
    health = current.collectors["jira", "lead_time"]
    assert (health.last_success, health.interval, health.error, health.runs) == (AT, 60.0, "refused", 1)
    current.replace_organisation(Organisation())
    assert current.collectors == {}


def test_a_refused_reload_keeps_the_time_of_the_last_good_one():
    bus = Bus()
    current = Current(bus)
    bus.publish([ConfigReloaded(AT, ok=True), ConfigReloaded(LATER, ok=False, messages=("bad",))])
    assert (current.reload.ok, current.reload.succeeded_at, current.reload.messages) == (False, AT, ("bad",))


def test_what_a_new_organisation_no_longer_has_is_dropped():
    bus = Bus()
    current = Current(bus)
    bus.publish([KpiJudged(AT, Judgement("it/mttr")), ScoreChanged(AT, NodeScore("scorecard", "it"))])
    bus.publish([StatusChanged(AT, "it/mttr", Status.RED, Status.GREEN)])
    assert current.status_changes["it/mttr", Status.RED] == 1
    assert current.judgements["it/mttr"].kpi == "it/mttr"
    assert current.nodes["scorecard", "it"].name == "it"
    current.replace_organisation(Organisation())
    assert (current.judgements, current.nodes, current.status_changes) == ({}, {}, {})
