from datetime import UTC, datetime, timedelta

from bsc_monitor.bus import Bus
from bsc_monitor.current import Current
from bsc_monitor.model.event import (
    CollectorFailed,
    CollectorRan,
    ConfigReloaded,
    KpiJudged,
    ScoreChanged,
    StatusChanged,
)
from bsc_monitor.model.health import CollectionHealth
from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.status import CollectorError, Status

AT = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = AT + HOUR


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


def test_how_runs_went_before_the_start_is_gone_on_with():
    bus = Bus()
    current = Current(bus)
    current.restore([CollectionHealth("jira", "lead_time", "a", (), (), AT, interval=60.0)])
    bus.publish([CollectorFailed(LATER, "jira", "lead_time", 2.0, CollectorError.AUTH, "refused", job="a")])
    health = current.collectors["jira", "lead_time"]
    assert (health.last_success, health.interval, health.error, health.runs) == (AT, 60.0, "refused", 1)
    current.keep_collections({})
    assert current.collectors == {}


def ran(job, at=LATER, **more):
    return CollectorRan(at, "web", "value", 1.0, 1, job=job, kpis=(f"it/{job}",), **more)


def failed(job, at=LATER, message="404", **more):
    return CollectorFailed(
        at, "web", "value", 1.0, CollectorError.CONFIG, message, job=job, kpis=(f"it/{job}",), **more
    )


def test_a_measure_fails_while_any_of_its_collections_does():
    bus = Bus()
    current = Current(bus)
    bus.publish([ran("a", AT), failed("b"), ran("a"), ran("a", LATER + HOUR)])
    health = current.collectors["web", "value"]
    assert (health.error, health.said) == ("404", "404 (it/b)")
    assert (health.last_success, health.last_failure) == (None, LATER), "one never succeeded"
    assert health.failure_of("it/b").reason is CollectorError.CONFIG
    assert health.failure_of("it/a") is None
    bus.publish([ran("b", LATER + 2 * HOUR)])
    assert (health.error, health.said, health.failing) == (None, None, {})
    assert (health.last_success, health.last_failure) == (LATER + HOUR, LATER), "it is as old as the older one"


def test_a_measure_is_as_late_as_the_collection_that_waits_longest_and_runs_next_when_the_first_does():
    bus = Bus()
    current = Current(bus)
    bus.publish([ran("slow", AT, next_run=AT + 24 * HOUR), ran("quick", LATER, next_run=LATER + HOUR)])
    health = current.collectors["web", "value"]
    assert (health.last_success, health.interval, health.next_run) == (AT, 86_400.0, LATER + HOUR)
    bus.publish([ran("slow", LATER + HOUR, next_run=LATER + 25 * HOUR)])
    assert (health.last_success, health.interval) == (LATER, 3600.0)


def test_collections_restored_in_any_order_are_as_old_as_the_oldest():
    current = Current(Bus())
    known = [CollectionHealth("web", "value", job, (), (), at) for job, at in (("a", LATER), ("b", AT), ("c", LATER))]
    current.restore(known)
    assert current.collectors["web", "value"].last_success == AT
    current.restore([CollectionHealth("web", "value", "d", error="404")])
    assert current.collectors["web", "value"].last_success is None


def test_one_error_of_many_collections_is_said_once_and_names_the_first():
    bus = Bus()
    current = Current(bus)
    bus.publish([ran("fine"), *(failed(f"k{n}") for n in range(7)), failed("x", message="the key was refused")])
    assert current.collectors["web", "value"].said == (
        "404 (it/k0, it/k1, it/k2, it/k3, it/k4 and others); the key was refused (it/x)"
    )
    bus.publish([failed("k0", message="the key was refused")])
    assert list(current.collectors["web", "value"].failing["the key was refused"]) == ["x", "k0"]


def test_collections_that_are_no_more_are_forgotten_and_those_that_stay_feed_whom_they_feed_now():
    bus = Bus()
    current = Current(bus)
    bus.publish([ran("a", AT), failed("b"), failed("c"), CollectorRan(AT, "jira", "sla", 1.0, 1, job="j")])
    known = {job: CollectionHealth("web", "value", job, (f"it/new-{job}",)) for job in "ac"}
    (changed,) = current.keep_collections(known)
    assert list(current.collectors) == [("web", "value")]
    assert changed is current.collectors["web", "value"]
    assert changed.said == "404 (it/new-c)"
    assert (changed.failure_of("it/b"), changed.runs) == (None, 3)
    assert current.keep_collections(known) == [], "nothing that failed is gone"
    (changed,) = current.keep_collections({"a": known["a"]})
    assert (changed.said, changed.last_success) == (None, AT)


def test_a_refused_reload_keeps_the_time_of_the_last_good_one():
    bus = Bus()
    current = Current(bus)
    bus.publish([ConfigReloaded(AT, ok=True), ConfigReloaded(LATER, ok=False, messages=("bad",))])
    assert (current.reload.ok, current.reload.succeeded_at, current.reload.messages) == (False, AT, ("bad",))


def test_what_waits_for_a_restart_waits_on_when_the_next_reload_is_refused():
    bus = Bus()
    current = Current(bus)
    bus.publish([ConfigReloaded(AT, ok=True, waiting=("service.listen",)), ConfigReloaded(LATER, ok=False)])
    assert current.reload.waiting == ("service.listen",)
    bus.publish([ConfigReloaded(LATER, ok=True)])
    assert current.reload.waiting == ()


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
