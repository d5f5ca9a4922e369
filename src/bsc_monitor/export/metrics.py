"""All metrics of a service, fed by the bus: what ``/metrics`` and ``/metrics/segments`` answer."""

from datetime import UTC, datetime

from bsc_monitor.bus import Bus
from bsc_monitor.current import Current
from bsc_monitor.export.collector_metrics import CollectorMetrics
from bsc_monitor.export.exposition import Exposition
from bsc_monitor.export.families import MAIN_FAMILIES, SEGMENT_FAMILIES
from bsc_monitor.export.kpi_metrics import KpiMetrics
from bsc_monitor.export.own import own_metrics
from bsc_monitor.export.segment_metrics import remove_segments
from bsc_monitor.export.service_metrics import ServiceMetrics
from bsc_monitor.model.event import (
    CollectorFailed,
    CollectorRan,
    ConfigReloaded,
    Event,
    KpiJudged,
    ScoreChanged,
    StatusChanged,
)
from bsc_monitor.model.organisation import Organisation


class Metrics:
    """The two expositions and what keeps them in step. Build it in the loop's thread, after ``Current`` is filled."""

    def __init__(self, bus: Bus, current: Current, version: str) -> None:
        self.main = Exposition(MAIN_FAMILIES, own_metrics())
        self.segments = Exposition(SEGMENT_FAMILIES)
        self.service = ServiceMetrics(self.main, version)
        self._kpis = KpiMetrics(self.main)
        collectors = CollectorMetrics(self.main)
        self._known: set[str] = set()
        self.replace_organisation(current.organisation)
        for judgement in current.judgements.values():
            self._kpis.judged(KpiJudged(judgement.observed_at or datetime.min.replace(tzinfo=UTC), judgement))
        for node in current.nodes.values():
            self._kpis.scored(ScoreChanged(node.since or datetime.min.replace(tzinfo=UTC), node))
        bus.subscribe(Event, self.service.happened)
        bus.subscribe(KpiJudged, self._kpis.judged)
        bus.subscribe(StatusChanged, self._kpis.status_changed)
        bus.subscribe(ScoreChanged, self._kpis.scored)
        bus.subscribe(ConfigReloaded, self._kpis.reloaded)
        bus.subscribe(CollectorRan, collectors.ran)
        bus.subscribe(CollectorFailed, collectors.failed)

    def replace_organisation(self, organisation: Organisation) -> None:
        """Show another organisation: series of what it no longer has are gone at the next scrape."""
        for name in self._known - organisation.kpis.keys():
            remove_segments(self.segments, name)
        self._known = set(organisation.kpis)
        self._kpis.load(organisation)
