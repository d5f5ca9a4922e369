"""What continuous improvement tells on the bus, as metrics: limits, open insights, links, initiatives."""

from bsc_monitor.bus import Bus
from bsc_monitor.export.initiative_metrics import InitiativeMetrics
from bsc_monitor.export.kpi_metrics import KpiMetrics
from bsc_monitor.export.strategy_metrics import StrategyMetrics
from bsc_monitor.model.event import InitiativeChanged, InsightEnded, InsightFound, KpiAssessed, LinkAssessed
from bsc_monitor.model.insight import Insight


class ImprovementMetrics:
    """Hears the events and tells the parts that render."""

    def __init__(self, bus: Bus, kpis: KpiMetrics, strategy: StrategyMetrics, initiatives: InitiativeMetrics) -> None:
        self._kpis = kpis
        self._strategy = strategy
        self._initiatives = initiatives
        self._open: dict[str, dict[str, Insight]] = {}  # by KPI, by key
        bus.subscribe(InsightFound, self._found)
        bus.subscribe(InsightEnded, self._ended)
        bus.subscribe(KpiAssessed, self._assessed)
        bus.subscribe(LinkAssessed, self._linked)
        bus.subscribe(InitiativeChanged, self._changed)

    def _found(self, event: InsightFound) -> None:
        insight = event.insight
        if insight.subject_kind == "kpi":
            self._open.setdefault(insight.subject, {})[insight.key] = insight
            self._show(insight.subject)

    def _ended(self, event: InsightEnded) -> None:
        insight = event.insight
        if self._open.get(insight.subject, {}).pop(insight.key, None) is not None:
            self._show(insight.subject)

    def _show(self, kpi: str) -> None:
        self._kpis.insights(kpi, [(each.kind, each.direction) for each in self._open[kpi].values()])

    def _assessed(self, event: KpiAssessed) -> None:
        names = ("lower", "centre", "upper")
        self._kpis.limits(event.kpi, dict(zip(names, event.limits, strict=True)) if event.limits else {})

    def _linked(self, event: LinkAssessed) -> None:
        scorecard, _, cause = event.cause.partition("/")
        self._strategy.correlated(scorecard, cause, event.effect.rpartition("/")[2], event.correlation)

    def _changed(self, event: InitiativeChanged) -> None:
        state = event.state
        self._initiatives.changed(state.initiative, state.phase, state.progress, state.verdict or "")
