"""What is true now: the read model that export and web show, kept in the loop's thread by the bus."""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from msgspec.structs import replace

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
from bsc_monitor.model.health import CollectionHealth, waiting
from bsc_monitor.model.insight import InitiativeState, Insight
from bsc_monitor.model.judgement import Judgement, NodeKind, NodeScore
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.status import CollectorError, Status

_NEVER = datetime.min.replace(tzinfo=UTC)
_ERRORS = 3  #: different ones that are told in words


@dataclass(slots=True)
class CollectorHealth:
    """How the runs of one measure of a source went: of all its collections, so that none hides another's failure."""

    source: str
    measure: str
    #: Those that ran, by job; the one whose last success is longest ago (or never was) first.
    collections: OrderedDict[str, CollectionHealth] = field(default_factory=OrderedDict)
    failing: dict[str, dict[str, CollectionHealth]] = field(default_factory=dict)  #: by error, secrets masked, and job
    runs: int = 0  #: since start, failed ones included
    failures: Counter[CollectorError] = field(default_factory=Counter)  #: by reason, since start
    requests: int = 0  #: since start
    readings: int = 0  #: since start
    duration: float | None = None  #: of the last run, seconds; None: it was before the start

    @property
    def error(self) -> str | None:
        """Message of the collection that failed last and fails still, secrets masked; None: none fails."""
        failing = [each for alike in self.failing.values() for each in alike.values()]
        return max(failing, key=lambda each: each.last_failure or _NEVER).error if failing else None

    @property
    def last_success(self) -> datetime | None:
        """When the collection that succeeded longest ago last did; None: one never did, or none ran."""
        return next((each.last_success for each in self.collections.values()), None)

    @property
    def interval(self) -> float | None:
        """From that success to the run after it, seconds."""
        return next((each.interval for each in self.collections.values()), None)

    @property
    def last_failure(self) -> datetime | None:
        """When any of them last failed."""
        return max((each.last_failure for each in self.collections.values() if each.last_failure), default=None)

    @property
    def next_run(self) -> datetime | None:
        """When the first of them runs next."""
        return min((each.next_run for each in self.collections.values() if each.next_run), default=None)

    @property
    def said(self) -> str | None:
        """What fails, in words, and where others do not, who gets no values because of it; None: nothing fails."""
        if not self.failing:
            return None
        if len(self.collections) == 1:
            return self.error
        told = []
        for error, alike in islice(self.failing.items(), _ERRORS):
            names = waiting(alike.values())
            told.append(f"{error} ({names})" if names else error)
        return "; ".join(told) + (" … and other errors" if len(self.failing) > _ERRORS else "")

    def take(self, of: CollectionHealth) -> None:
        """One of them is so since its last run."""
        before = self.collections.get(of.job)
        self.collections[of.job] = of
        if of.last_success is None:
            self.collections.move_to_end(of.job, last=False)
        elif before is not None and before.last_success != of.last_success:
            self.collections.move_to_end(of.job)
        if before is not None and before.error is not None and before.error != of.error:
            self._recovered(before.job, before.error)
        if of.error is not None:
            self.failing.setdefault(of.error, {})[of.job] = of

    def failure_of(self, kpi: str) -> CollectionHealth | None:
        """The collection that fails to feed a KPI; None: it does not fail."""
        return next((each for alike in self.failing.values() for each in alike.values() if kpi in each.kpis), None)

    def keep(self, known: Mapping[str, CollectionHealth]) -> bool:
        """Forget those that are not among ``known``, and name whom the others feed now; whether one that failed is gone."""
        collections, failed, self.failing = self.collections, sum(map(len, self.failing.values())), {}
        self.collections = OrderedDict()
        for job, of in collections.items():
            if job in known:
                self.take(replace(of, kpis=known[job].kpis, initiatives=known[job].initiatives))
        return sum(map(len, self.failing.values())) < failed

    def _recovered(self, job: str, error: str) -> None:
        del self.failing[error][job]
        if not self.failing[error]:
            del self.failing[error]


@dataclass(slots=True)
class ReloadState:
    """How loading the configuration went last."""

    ok: bool = True
    at: datetime | None = None  #: of the last attempt
    succeeded_at: datetime | None = None
    messages: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()  #: keys of the configuration whose new values wait for a restart


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

    def restore(self, collections: Iterable[CollectionHealth]) -> None:
        """Show how collections went before the start."""
        for of in sorted(collections, key=lambda each: each.last_success or _NEVER):
            self._collector(of.source, of.measure).take(of)

    def keep_collections(self, known: Mapping[str, CollectionHealth]) -> list[CollectorHealth]:
        """Forget the collections that are not among these (by job); the measures of which one that failed is gone."""
        asked = {(each.source, each.measure) for each in known.values()}
        self.collectors = {key: health for key, health in self.collectors.items() if key in asked}
        return [health for health in self.collectors.values() if health.keep(known)]

    def replace_organisation(self, organisation: Organisation) -> None:
        """Show another organisation; what is known of KPIs and nodes that it no longer has is dropped."""
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

    def _collector(self, source: str, measure: str) -> CollectorHealth:
        return self.collectors.setdefault((source, measure), CollectorHealth(source, measure))

    def _run(self, event: CollectorRan | CollectorFailed) -> tuple[CollectorHealth, CollectionHealth]:
        """Count a run; the measure, and how its collection was before."""
        health = self._collector(event.source, event.measure)
        health.runs += 1
        health.requests += event.requests
        health.duration = event.duration
        before = health.collections.get(event.job) or CollectionHealth(event.source, event.measure, event.job)
        return health, replace(before, kpis=event.kpis, initiatives=event.initiatives, next_run=event.next_run)

    def _ran(self, event: CollectorRan) -> None:
        health, before = self._run(event)
        health.readings += event.readings
        now = replace(before, last_success=event.at, interval=event.interval, error=None, reason=None)
        health.take(now)

    def _failed(self, event: CollectorFailed) -> None:
        health, before = self._run(event)
        health.failures[event.reason] += 1
        now = replace(before, last_failure=event.at, error=event.message, reason=event.reason)
        health.take(now)

    def _reloaded(self, event: ConfigReloaded) -> None:
        succeeded_at = event.at if event.ok else self.reload.succeeded_at
        waiting = event.waiting if event.ok else self.reload.waiting
        self.reload = ReloadState(event.ok, event.at, succeeded_at, event.messages, waiting)
