"""The service's metrics, fed by the bus."""

from datetime import UTC, datetime

from bsc_monitor.bus import Bus
from bsc_monitor.current import Current
from bsc_monitor.export.metrics import Metrics
from bsc_monitor.export.segment_metrics import set_segments
from bsc_monitor.model.event import CollectorRan, KpiJudged
from bsc_monitor.model.judgement import Judgement
from bsc_monitor.model.organisation import Kpi, Objective, Organisation, Scorecard
from bsc_monitor.model.status import Freshness, Status

NOW = datetime(2026, 6, 14, tzinfo=UTC)
KPI = Kpi("sla", "it", "customer", "it/fast", "In time", unit="%")
ORGANISATION = Organisation(
    {"it": Scorecard("it", "IT")}, {"it/fast": Objective("fast", "it", "customer", "Fast")}, {KPI.name: KPI}
)


def judged(value):
    return Judgement(KPI.name, value, score=90.0, status=Status.GREEN, freshness=Freshness.FRESH, observed_at=NOW)


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


def test_a_kpi_that_left_takes_its_segments_along():
    bus = Bus()
    metrics = Metrics(bus, Current(bus, ORGANISATION), "1.0")
    set_segments(metrics.segments, KPI, "team", {"a": (1.0, Status.RED)})
    assert b'segment="a"' in metrics.segments.render()[0]
    metrics.replace_organisation(Organisation())
    assert metrics.segments.render()[0] == b""
    assert b'kpi="sla"' not in metrics.main.render()[0]
