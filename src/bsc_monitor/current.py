"""What is true now: the read model that export and web show, kept in the loop's thread by the bus."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from bsc_monitor.bus import Bus
from bsc_monitor.model.event import (
    CollectorFailed,
    CollectorRan,
    ConfigReloaded,
    Event,
    InitiativeChanged,
    InsightEnded,
    InsightFound,
    KpiJudged,
    ScoreChanged,
    StatusChanged,
    TicketOpened,
)
from bsc_monitor.model.insight import InitiativeState, Insight
from bsc_monitor.model.judgement import Judgement, NodeKind, NodeScore
from bsc_monitor.model.organisation import LiveProgress, Organisation
from bsc_monitor.model.status import CollectorError, Status


@dataclass(slots=True)
class CollectorHealth:
    """How the runs of one measure of one source went."""

    source: str
    measure: str
    last_success: datetime | None = None
    last_failure: datetime | None = None
    error: str | None = None  #: message of the last run when it failed, secrets masked; None: it succeeded
    runs: int = 0  #: since start, failed ones included
    failures: Counter[CollectorError] = field(default_factory=Counter)  #: by reason, since start
    requests: int = 0  #: since start
    readings: int = 0  #: since start
    duration: float | None = None  #: of the last run, seconds; None: it was before the start
    next_run: datetime | None = None
    interval: float | None = None  #: from the last success to the run after it, seconds


def asked(organisation: Organisation) -> set[tuple[str, str]]:
    """The sources and measures that KPIs and initiatives are fed by."""
    found = {(kpi.source, kpi.measure) for kpi in organisation.kpis.values() if kpi.source and kpi.measure}
    ways = [each.progress for each in organisation.initiatives.values()]
    return found | {(way.source, way.measure) for way in ways if isinstance(way, LiveProgress)}


@dataclass(slots=True)
class ReloadState:
    """How loading the configuration went last."""

    ok: bool = True
    at: datetime | None = None  #: of the last attempt
    succeeded_at: datetime | None = None
    messages: tuple[str, ...] = ()


class Current:
    """The present state. Others read its attributes; only bus events and the service's start-up write them."""

    def __init__(self, bus: Bus, organisation: Organisation | None = None) -> None:
        self.organisation = organisation or Organisation()
        self.judgements: dict[str, Judgement] = {}
        self.nodes: dict[tuple[NodeKind, str], NodeScore] = {}
        self.collectors: dict[tuple[str, str], CollectorHealth] = {}  #: by (source, measure)
        self.status_changes: Counter[tuple[str, Status]] = Counter()  #: by (KPI, status entered)
        self.insights: dict[str, Insight] = {}  #: open ones, by key
        self.initiatives: dict[str, InitiativeState] = {}  #: where they are, by id
        self.tickets: dict[str, dict[str, str]] = {}  #: links by insight's id and action
        self.events: Counter[str] = Counter()  #: by event type name, since start
        self.reload = ReloadState()
        bus.subscribe(Event, self._count)
        bus.subscribe(KpiJudged, self._judged)
        bus.subscribe(ScoreChanged, self._scored)
        bus.subscribe(StatusChanged, self._status_changed)
        bus.subscribe(InsightFound, self._found)
        bus.subscribe(InsightEnded, self._ended)
        bus.subscribe(InitiativeChanged, self._initiative)
        bus.subscribe(TicketOpened, self._ticket)
        bus.subscribe(CollectorRan, self._ran)
        bus.subscribe(CollectorFailed, self._failed)
        bus.subscribe(ConfigReloaded, self._reloaded)

    def restore(self, collectors: Iterable[CollectorHealth]) -> None:
        """Show how runs went before the start, of what is still asked for."""
        known = asked(self.organisation)
        self.collectors |= {(of.source, of.measure): of for of in collectors if (of.source, of.measure) in known}

    def replace_organisation(self, organisation: Organisation) -> None:
        """Show another organisation; what is known of KPIs, nodes and runs that it no longer has is dropped."""
        self.organisation = organisation
        known = {
            "kpi": organisation.kpis.keys(),
            "objective": organisation.objectives.keys(),
            "perspective": {p.name for card in organisation.scorecards.values() for p in card.perspectives},
            "scorecard": organisation.scorecards.keys(),
        }
        self.judgements = {name: kept for name, kept in self.judgements.items() if name in organisation.kpis}
        self.nodes = {key: node for key, node in self.nodes.items() if key[1] in known[key[0]]}
        self.initiatives = {name: kept for name, kept in self.initiatives.items() if name in organisation.initiatives}
        runs = asked(organisation)
        self.collectors = {key: kept for key, kept in self.collectors.items() if key in runs}
        for key in [key for key in self.status_changes if key[0] not in organisation.kpis]:
            del self.status_changes[key]

    def _count(self, event: Event) -> None:
        self.events[type(event).__name__] += 1

    def _judged(self, event: KpiJudged) -> None:
        self.judgements[event.judgement.kpi] = event.judgement

    def _scored(self, event: ScoreChanged) -> None:
        self.nodes[event.node.kind, event.node.name] = event.node

    def _status_changed(self, event: StatusChanged) -> None:
        self.status_changes[event.kpi, event.status] += 1

    def _found(self, event: InsightFound) -> None:
        self.insights[event.insight.key] = event.insight

    def _ended(self, event: InsightEnded) -> None:
        self.insights.pop(event.insight.key, None)
        self.tickets.pop(event.insight.id, None)

    def _initiative(self, event: InitiativeChanged) -> None:
        if event.state.initiative in self.organisation.initiatives:
            self.initiatives[event.state.initiative] = event.state

    def _ticket(self, event: TicketOpened) -> None:
        self.tickets.setdefault(event.insight, {})[event.action] = event.link

    def _health(self, event: CollectorRan | CollectorFailed) -> CollectorHealth:
        key = (event.source, event.measure)
        health = self.collectors.setdefault(key, CollectorHealth(*key))
        health.runs += 1
        health.requests += event.requests
        health.duration = event.duration
        health.next_run = event.next_run
        return health

    def _ran(self, event: CollectorRan) -> None:
        health = self._health(event)
        health.readings += event.readings
        health.last_success = event.at
        health.interval = event.interval
        health.error = None

    def _failed(self, event: CollectorFailed) -> None:
        health = self._health(event)
        health.failures[event.reason] += 1
        health.last_failure = event.at
        health.error = event.message

    def _reloaded(self, event: ConfigReloaded) -> None:
        succeeded_at = event.at if event.ok else self.reload.succeeded_at
        self.reload = ReloadState(event.ok, event.at, succeeded_at, event.messages)
