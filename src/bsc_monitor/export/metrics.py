"""All metrics of a service, fed by the bus: what ``/metrics`` and ``/metrics/segments`` answer."""

from datetime import UTC, datetime

from bsc_monitor.bus import Bus
from bsc_monitor.current import Current
from bsc_monitor.export.alert_metrics import AlertMetrics
from bsc_monitor.export.collector_metrics import CollectorMetrics
from bsc_monitor.export.exposition import Exposition
from bsc_monitor.export.families import BY_NAME, MAIN_FAMILIES
from bsc_monitor.export.improvement_metrics import ImprovementMetrics
from bsc_monitor.export.initiative_metrics import InitiativeMetrics
from bsc_monitor.export.kpi_metrics import KpiMetrics
from bsc_monitor.export.own import own_metrics
from bsc_monitor.export.segment_metrics import SegmentMetrics
from bsc_monitor.export.service_metrics import ServiceMetrics
from bsc_monitor.export.strategy_metrics import StrategyMetrics
from bsc_monitor.export.text import header, line
from bsc_monitor.model.event import (
    AlertChanged,
    CollectorFailed,
    CollectorRan,
    ConfigReloaded,
    Event,
    KpiJudged,
    NotificationDelivered,
    NotificationFailed,
    ScoreChanged,
    SegmentJudged,
    StatusChanged,
)
from bsc_monitor.model.organisation import Organisation

_NEVER = datetime.min.replace(tzinfo=UTC)


class Metrics:
    """The two expositions and what keeps them in step. Build it in the loop's thread, after ``Current`` is filled.

    What no event tells is told by calling the parts: ``kpis.limits``, ``kpis.insights``, ``strategy.correlated``,
    ``initiatives.changed``, ``alerts.alert`` (at start), ``alerts.receivers``, ``alerts.outbox``,
    ``collectors.refresh`` (after ``current.keep_collections``), ``service.dropped``, ``service.stalled``.
    """

    def __init__(self, bus: Bus, current: Current, version: str) -> None:
        self._own = own_metrics()
        breakdowns = SegmentMetrics()
        self.main = Exposition(MAIN_FAMILIES, self._tail)
        self.segments = breakdowns.exposition
        self.service = ServiceMetrics(self.main, version)
        self.kpis = KpiMetrics(self.main)
        self.strategy = StrategyMetrics(self.main)
        self.initiatives = InitiativeMetrics(self.main)
        self.alerts = AlertMetrics(self.main)
        self.collectors = CollectorMetrics(self.main, current)
        self.improvement = ImprovementMetrics(bus, self.kpis, self.strategy, self.initiatives)
        self._loaders = (self.kpis, self.strategy, self.initiatives, breakdowns)
        self.replace_organisation(current.organisation)
        if current.organisation.loaded_at:
            self.service.reloaded(ConfigReloaded(current.organisation.loaded_at, ok=True))
        for judgement in current.judgements.values():
            self.kpis.judged(KpiJudged(judgement.observed_at or _NEVER, judgement))
        for node in current.nodes.values():
            self.strategy.scored(ScoreChanged(node.since or _NEVER, node))
        self.collectors.refresh()
        bus.subscribe(Event, self.service.happened)
        bus.subscribe(KpiJudged, self.kpis.judged)
        bus.subscribe(StatusChanged, self.kpis.status_changed)
        bus.subscribe(ScoreChanged, self.strategy.scored)
        bus.subscribe(SegmentJudged, breakdowns.judged)
        bus.subscribe(AlertChanged, self.alerts.changed)
        bus.subscribe(NotificationDelivered, self.alerts.delivered)
        bus.subscribe(NotificationFailed, self.alerts.failed)
        bus.subscribe(ConfigReloaded, self.service.reloaded)
        bus.subscribe(CollectorRan, self.collectors.ran)
        bus.subscribe(CollectorFailed, self.collectors.failed)

    def replace_organisation(self, organisation: Organisation) -> None:
        """Show another organisation: series of what it no longer has are gone at the next scrape."""
        for part in self._loaders:
            part.load(organisation)

    def _tail(self, openmetrics: bool) -> bytes:
        family = BY_NAME["bsc_exposition_failures_total"]
        failures = self.main.failures + self.segments.failures
        return header(family, openmetrics=openmetrics) + line(family.name, "", failures) + self._own(openmetrics)
