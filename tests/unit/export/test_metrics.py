"""The service's metrics, fed by the bus and by what no event tells."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families as parse_text

from bsc_monitor.bus import Bus
from bsc_monitor.current import Current
from bsc_monitor.export.families import BY_NAME
from bsc_monitor.export.metrics import Metrics
from bsc_monitor.model.alert import AlertRule, AlertState, new_alert
from bsc_monitor.model.event import (
    AlertChanged,
    CollectorFailed,
    CollectorRan,
    KpiJudged,
    NotificationDelivered,
    NotificationFailed,
    SegmentJudged,
)
from bsc_monitor.model.health import CollectionHealth
from bsc_monitor.model.judgement import Judgement
from bsc_monitor.model.organisation import Initiative, Kpi, Objective, Organisation, Scorecard
from bsc_monitor.model.status import CollectorError, Freshness, Status

NOW = datetime(2026, 6, 14, tzinfo=UTC)
KPI = Kpi("sla", "it", "customer", "it/fast", "In time", unit="%", source="jira", measure="sla")
OBJECTIVES = {
    "it/fast": Objective("fast", "it", "customer", "Fast", drives=("it/cheap",)),
    "it/cheap": Objective("cheap", "it", "financial", "Cheap"),
}
PLAN = Initiative("swarm", "Swarm on majors", (KPI.name, "it/cheap"), owner="ops", due=date(2026, 7, 1), progress=0.25)
ORGANISATION = Organisation({"it": Scorecard("it", "IT")}, OBJECTIVES, {KPI.name: KPI}, {PLAN.id: PLAN})


def judged(value):
    return Judgement(KPI.name, value, score=90.0, status=Status.GREEN, freshness=Freshness.FRESH, observed_at=NOW)


def fed():
    bus = Bus()
    return bus, Metrics(bus, Current(bus, ORGANISATION), "1.0")


def read(metrics, name):
    """Values of a sample by the labels beyond those of KPIs, which all are the same here."""
    own = ("perspective", "kpi", "unit")
    return {
        tuple(value for label, value in sample.labels.items() if label not in own): sample.value
        for family in parse_text(metrics.main.render()[0].decode())
        for sample in family.samples
        if sample.name == name
    }


def test_events_on_the_bus_change_the_next_scrape_and_what_was_known_at_start_is_there():
    bus = Bus()
    current = Current(bus, ORGANISATION)
    current.judgements[KPI.name] = judged(50.0)
    metrics = Metrics(bus, current, "1.0")
    assert b'kpi="sla",unit="ratio"} 0.5\n' in metrics.main.render()[0]
    bus.publish([KpiJudged(NOW, judged(75.0)), CollectorRan(NOW, "jira", "sla", 0.1, 1)])
    body = metrics.main.render()[0]
    assert b'kpi="sla",unit="ratio"} 0.75\n' in body
    assert b'bsc_collector_up{source="jira",measure="sla"} 1\n' in body
    assert b'bsc_events_total{kind="KpiJudged"} 1\n' in body
    assert bus.failures == 0


def test_a_kpi_that_left_takes_its_segments_collector_initiative_and_links_along():
    bus = Bus()
    current = Current(bus, ORGANISATION)
    metrics = Metrics(bus, current, "1.0")
    bus.publish([
        SegmentJudged(NOW, KPI.name, (("team", "a"),), 1.0, None, Status.RED), CollectorRan(NOW, "jira", "sla", 0.1, 1),
    ])  # fmt: skip
    metrics.strategy.correlated("it", "fast", "cheap", -0.4)
    assert b'segment="a"' in metrics.segments.render()[0]
    for series in (b'kpi="sla"', b'source="jira"', b'initiative="swarm"', b'source="fast"'):
        assert series in metrics.main.render()[0]
    metrics.replace_organisation(Organisation())
    current.keep_collections({})
    metrics.collectors.refresh()
    assert metrics.segments.render()[0] == b""
    for series in (b'kpi="sla"', b'source="jira"', b'initiative="swarm"', b'source="fast"'):
        assert series not in metrics.main.render()[0]


def test_an_alert_has_a_series_while_it_fires_and_none_before_and_after():
    bus, metrics = fed()
    rule = AlertRule("breach", "breach", severity="critical")
    alert = new_alert(rule, {"scorecard": "it", "kpi": "sla"})
    for state, count in ((AlertState.PENDING, 0), (AlertState.FIRING, 1), (AlertState.RESOLVED, 0)):
        bus.publish([AlertChanged(NOW, replace(alert, state=state), AlertState.INACTIVE)])
        body = metrics.main.render()[0]
        assert body.count(b'bsc_alert_firing{alert="breach",severity="critical",scorecard="it",kpi="sla"} 1\n') == count


def test_messages_are_counted_per_receiver_and_failures_beside_the_total():
    bus, metrics = fed()
    metrics.alerts.receivers(["mail", "chat"])
    bus.publish([NotificationDelivered(NOW, "mail", "k"), NotificationFailed(NOW, "mail", "k", "550"),
                 NotificationFailed(NOW, "mail", "k", "550", dead=True)])  # fmt: skip
    metrics.alerts.outbox({"mail": 3})
    assert read(metrics, "bsc_notifications_total") == {("mail",): 3, ("chat",): 0}
    assert read(metrics, "bsc_notification_failures_total") == {("mail",): 2, ("chat",): 0}
    assert read(metrics, "bsc_outbox_pending") == {("mail",): 3}
    metrics.alerts.receivers(["chat"])
    assert b'receiver="mail"' not in metrics.main.render()[0]


def test_a_collectors_interval_is_the_time_to_its_next_run():
    bus, metrics = fed()
    bus.publish([CollectorRan(NOW, "jira", "sla", 0.1, 1, next_run=NOW + timedelta(minutes=5))])
    assert read(metrics, "bsc_collector_interval_seconds") == {("jira", "sla"): 300}


@pytest.mark.parametrize(("error", "up"), [(None, 1), ("401", 0)])
def test_how_a_run_went_before_the_start_is_there_at_the_first_scrape_and_counts_begin_anew(error, up):
    bus = Bus()
    current = Current(bus, ORGANISATION)
    current.restore([CollectionHealth("jira", "sla", "", (), (), NOW, NOW, error, interval=300.0)])
    metrics = Metrics(bus, current, "1.0")
    assert read(metrics, "bsc_collector_up") == {("jira", "sla"): up}
    assert read(metrics, "bsc_collector_last_success_timestamp_seconds") == {("jira", "sla"): NOW.timestamp()}
    assert read(metrics, "bsc_collector_interval_seconds") == {("jira", "sla"): 300}
    assert read(metrics, "bsc_collector_runs_total") == {("jira", "sla"): 0}
    bus.publish([CollectorFailed(NOW, "jira", "sla", 0.1, CollectorError.TRANSIENT, "503")])
    assert read(metrics, "bsc_collector_interval_seconds") == {("jira", "sla"): 300}
    assert read(metrics, "bsc_collector_runs_total") == {("jira", "sla"): 1}


def test_a_measure_is_up_while_no_collection_of_it_fails_and_as_old_as_the_one_that_waits_longest():
    bus = Bus()
    current = Current(bus, ORGANISATION)
    metrics = Metrics(bus, current, "1.0")
    later, soon = NOW + timedelta(hours=1), timedelta(minutes=5)

    def gauges():
        names = ("up", "last_success_timestamp_seconds", "interval_seconds")
        return [read(metrics, f"bsc_collector_{name}").get(("jira", "sla")) for name in names]

    bus.publish([
        CollectorRan(NOW, "jira", "sla", 0.1, 1, next_run=NOW + 2 * soon, job="a"),
        CollectorRan(later, "jira", "sla", 0.1, 1, next_run=later + soon, job="b"),
    ])  # fmt: skip
    assert gauges() == [1, NOW.timestamp(), 600]
    failed = CollectorFailed(later, "jira", "sla", 0.1, CollectorError.TRANSIENT, "503", job="a")
    bus.publish([failed, CollectorRan(later + soon, "jira", "sla", 0.1, 1, next_run=later + 2 * soon, job="b")])
    assert gauges() == [0, NOW.timestamp(), 600], "the success of one does not hide that another fails"
    bus.publish([replace(failed, job="new")])
    assert gauges() == [0, None, None], "one never succeeded"
    current.keep_collections({"b": CollectionHealth("jira", "sla", "b")})
    metrics.collectors.refresh()
    assert gauges() == [1, (later + soon).timestamp(), 300]
    assert read(metrics, "bsc_collector_runs_total") == {("jira", "sla"): 5}, "a counter never falls"
    current.keep_collections({"c": CollectionHealth("jira", "sla", "c")})
    metrics.collectors.refresh()
    assert gauges() == [None, None, None], "none of those that there are has run"


def test_limits_stand_in_the_base_unit_and_an_insight_that_closed_is_gone():
    _, metrics = fed()
    metrics.kpis.limits(KPI.name, {"lower": 80.0, "centre": 90.0, "upper": 100.0})
    metrics.kpis.insights(KPI.name, [("signal", "worsening"), ("ratchet", "improving")])
    metrics.kpis.insights("it/unknown", [("signal", "worsening")])
    bounds = read(metrics, "bsc_kpi_limit_value")
    assert {key[-1]: value for key, value in bounds.items()} == {"lower": 0.8, "centre": 0.9, "upper": 1.0}
    assert {key[-2:] for key in read(metrics, "bsc_insight_active")} == {
        ("signal", "worsening"),
        ("ratchet", "improving"),
    }
    metrics.kpis.limits(KPI.name, {})
    metrics.kpis.insights(KPI.name, [])
    assert not read(metrics, "bsc_kpi_limit_value")
    assert not read(metrics, "bsc_insight_active")


def test_an_initiative_stands_under_each_objective_it_is_for_and_keeps_its_standing_through_a_reload():
    _, metrics = fed()
    assert read(metrics, "bsc_initiative_progress_ratio") == {
        ("it", "fast", "swarm"): 0.25,
        ("it", "cheap", "swarm"): 0.25,
    }
    metrics.initiatives.changed("swarm", "checking", 1.0, "worked")
    metrics.replace_organisation(ORGANISATION)
    assert read(metrics, "bsc_initiative_progress_ratio") == {
        ("it", "fast", "swarm"): 1.0,
        ("it", "cheap", "swarm"): 1.0,
    }
    due = read(metrics, "bsc_initiative_due_timestamp_seconds")["it", "fast", "swarm"]
    assert due == datetime(2026, 7, 2, tzinfo=UTC).timestamp()
    assert b'state="checking",effect="worked"' in metrics.main.render()[0]


def test_every_family_can_be_shown_and_has_the_labels_that_its_table_names():
    _, metrics = fed()
    text = metrics.main.render()[0].decode()
    for family in parse_text(text):
        for sample in family.samples:
            if sample.name.startswith("bsc_"):
                name = sample.name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
                assert set(sample.labels) - {"le"} <= set(BY_NAME[name].labels), sample
    assert b"bsc_exposition_failures_total 0\n" in metrics.main.render()[0]
