"""What the evaluator keeps in memory, and one function for each thing that can happen to it, inside a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from msgspec.structs import replace
from sqlalchemy import Connection

from bsc_monitor.alert.engine import AlertEngine
from bsc_monitor.alert.routing import Routing
from bsc_monitor.alert.step import Effect
from bsc_monitor.config import Configuration
from bsc_monitor.evaluate.dating import began, finest
from bsc_monitor.evaluate.freeze import freeze_periods
from bsc_monitor.evaluate.tell import events_of, rows_of, standings_of
from bsc_monitor.ingest import AHEAD
from bsc_monitor.model.alert import AlertState
from bsc_monitor.model.event import (
    AlertChanged,
    CollectorFailed,
    CollectorRan,
    Event,
    KpiJudged,
    PeriodClosed,
    ScoreChanged,
    SegmentJudged,
)
from bsc_monitor.model.health import CollectionHealth
from bsc_monitor.model.judgement import Judgement, NodeKind, NodeScore
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.period import Period
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.model.status import Status
from bsc_monitor.score.changes import Changes
from bsc_monitor.score.freeze import rescore
from bsc_monitor.score.scoring import Scoring
from bsc_monitor.store.alerts import commit_effects, load_alerts
from bsc_monitor.store.events import StoredEvent, save_events
from bsc_monitor.store.periods import (
    closed_value,
    closed_values,
    live_values,
    node_periods,
    period_values,
    save_values,
    unfrozen_periods,
)
from bsc_monitor.store.readings import readings_within, save_readings
from bsc_monitor.store.standing import keep_collections, load_standings, save_collection, save_standings

_GATHER = timedelta(seconds=2)


@dataclass(slots=True)
class State:
    """Scoring and alerts. All methods run in the store's writer thread, but for ``next_due`` after a commit."""

    configuration: Configuration
    broken: bool = True  #: what is in memory is not what the store holds: restore it first
    offset: float | None = None  #: of the wall clock from the monotonic one, by which the timers run; seconds

    unfrozen: dict[Period, None] = field(default_factory=dict)  #: closed periods whose nodes are to be rolled up
    freeze_at: datetime | None = None  #: when: a little later, for periods of many KPIs close together
    scoring: Scoring = None  # type: ignore[assignment]  # set by ``restore``
    alerts: AlertEngine = None  # type: ignore[assignment]

    @property
    def organisation(self) -> Organisation:
        """What is judged."""
        return self.configuration.organisation

    @property
    def routing(self) -> Routing:
        """Who is told of alerts."""
        return Routing(self.configuration.routes, self.configuration.receivers)

    def restore(self, connection: Connection, now: datetime) -> None:
        """Read everything from the store, and judge it as of now."""
        self.scoring = Scoring(self.organisation, now)
        self.alerts = AlertEngine(self.configuration.alert_rules, self.organisation)
        for value in live_values(connection):
            self.scoring.restore(value)
        for each in load_standings(connection):
            if each.kind == "kpi":
                self.scoring.restore_judgement(
                    Judgement(each.name, status=each.status, score=each.score, since=each.since)
                )
            else:
                kind: NodeKind = each.kind  # type: ignore[assignment]
                self.scoring.restore_node(NodeScore(kind, each.name, each.score, each.status, since=each.since))
        self.alerts.restore(load_alerts(connection))
        self.unfrozen = dict.fromkeys(unfrozen_periods(connection))
        self.freeze_at = now if self.unfrozen else None
        self.broken = False

    def restored_events(self, connection: Connection, now: datetime) -> list[Event]:
        """After ``restore``: what time brought since the last run, and all that is judged, for those who only hear the bus."""
        told = [
            event
            for event in self.tick(connection, now)
            if not isinstance(event, (KpiJudged, ScoreChanged, SegmentJudged))
        ]
        return [*self._all(now), *told]

    def take(self, connection: Connection, readings: Sequence[KpiReading], now: datetime) -> list[Event]:
        """Readings that passed the door."""
        readings = [self._in_order(each, now) for each in readings]
        save_readings(connection, readings, now)
        changes = self.scoring.take(
            readings, now, partial(readings_within, connection), partial(closed_value, connection)
        )
        return self._commit(connection, readings, changes, now)

    def enter(self, connection: Connection, reading: KpiReading, now: datetime) -> list[Event]:
        """A value entered by hand: a reading, and on record who said so."""
        data = {
            "value": reading.value,
            "observed_at": reading.at.isoformat(),
            "author": reading.author,
            "note": reading.note,
        }
        save_events(connection, [StoredEvent(now, "value_entered", reading.kpi, data)])
        return self.take(connection, [reading], now)

    def tick(self, connection: Connection, now: datetime) -> list[Event]:
        """Time passed."""
        if self.freeze_at is not None and self.freeze_at <= now:
            self._freeze(connection, now)
        return self._commit(connection, (), self.scoring.tick(now, partial(closed_value, connection)), now)

    def leapt(self, connection: Connection, by: timedelta, now: datetime) -> list[Event]:
        """The clock was set by so much: what runs is to run for as long as it would have."""
        return self.tell_effects(connection, self.alerts.shift(by, now), now)

    def _in_order(self, reading: KpiReading, now: datetime) -> KpiReading:
        """A reading about the present, after all that is known of its KPI.

        What is known from the future was dated before the clock was set back; a present reading would seem late for as
        long as that.
        """
        known = self.scoring.judgement(reading.kpi)
        newest = known.observed_at if known is not None else None
        if newest is None or newest <= now + AHEAD or reading.labels or reading.at < now - AHEAD:
            return reading
        return replace(reading, at=newest + timedelta(microseconds=1))

    def collected(
        self, connection: Connection, event: CollectorRan | CollectorFailed, failing: str | None
    ) -> list[Event]:
        """A run of a collection ended; ``failing``: what fails of its measure now, in words."""
        of = CollectionHealth(event.source, event.measure, event.job)
        if isinstance(event, CollectorFailed):
            of = replace(of, last_failure=event.at, error=event.message, reason=event.reason)
        else:
            of = replace(of, last_success=event.at, interval=event.interval)
        save_collection(connection, of)
        return self.tell_effects(connection, self.alerts.collector(of.source, of.measure, failing, event.at), event.at)

    def keep_collections(
        self,
        connection: Connection,
        known: Mapping[str, CollectionHealth],
        failing: Mapping[tuple[str, str], str | None],
        now: datetime,
    ) -> list[Event]:
        """Other collections are in force; ``failing``: what fails now, of measures that lost one which failed."""
        keep_collections(connection, known)
        effects = [each for key, words in failing.items() for each in self.alerts.collector(*key, words, now)]
        return self.tell_effects(connection, effects, now)

    def replace(self, connection: Connection, configuration: Configuration, now: datetime) -> list[Event]:
        """Another configuration is in force."""
        self.configuration = configuration
        changes = self.scoring.replace(configuration.organisation, now, partial(closed_value, connection))
        ended = self.alerts.replace(configuration.alert_rules, configuration.organisation, now)
        events = self._commit(connection, (), changes, now)
        seen = self.alerts.observe(self.scoring.judgements.values(), self.scoring.nodes.values(), now)
        return events + self.tell_effects(connection, [*ended, *seen], now)

    def rescore(
        self, connection: Connection, kpis: Sequence[str], since: datetime, author: str, now: datetime
    ) -> list[Event]:
        """Judge closed periods that ended after ``since`` by today's definitions, and keep who wanted it."""
        changed: list[PeriodValue] = []
        for name in kpis:
            kpi = self.organisation.kpis[name]
            calendar = self.organisation.scorecards[kpi.scorecard].calendar
            changed += rescore(kpi, calendar, closed_values(connection, [name], since=since), now)
        save_values(connection, changed)
        for value in changed:
            self.scoring.restore(value)
        data = {"author": author, "since": since.isoformat(), "periods": len(changed)}
        save_events(connection, [StoredEvent(now, "rescored", name, data) for name in kpis])
        freeze_periods(connection, self.organisation, dict.fromkeys(value.period for value in changed), now)
        closed = [PeriodClosed(now, value.kpi, value.period, reopened=True) for value in changed]
        return [*closed, *self._commit(connection, (), self.scoring.tick(now, partial(closed_value, connection)), now)]

    def date_back(self, connection: Connection, now: datetime) -> list[Event]:
        """Let ``since`` of each KPI and node reach back over the closed periods that had the status it has now."""
        self._freeze(connection, now)
        changes = Changes()
        for name, judged in self.scoring.judgements.items():
            if judged.since is None or judged.status is Status.UNKNOWN:
                continue
            closed = period_values(connection, name, until=judged.since)
            if (since := began(judged.since, judged.status, closed)) != judged.since:
                dated = replace(judged, since=since)
                self.scoring.restore_judgement(dated)
                changes.judgements.append((dated, judged))
        for (kind, name), node in self.scoring.nodes.items():
            if node.since is None or node.status is Status.UNKNOWN:
                continue
            frozen = finest(node_periods(connection, kind, name), node.since)
            if (since := began(node.since, node.status, frozen)) != node.since:
                older = replace(node, since=since)
                self.scoring.restore_node(older)
                changes.nodes.append((older, node))
        save_standings(connection, standings_of(changes))
        told: list[Event] = [KpiJudged(now, dated, before) for dated, before in changes.judgements]
        return [*told, *(ScoreChanged(now, older, before) for older, before in changes.nodes)]

    def _freeze(self, connection: Connection, now: datetime) -> None:
        freeze_periods(connection, self.organisation, self.unfrozen, now)
        self.unfrozen, self.freeze_at = {}, None

    def next_due(self) -> datetime | None:
        """When time alone changes something next."""
        known = [due for due in (self.scoring.next_due(), self.alerts.next_due(), self.freeze_at) if due is not None]
        return min(known, default=None)

    def tell_effects(self, connection: Connection, effects: Iterable[Effect], now: datetime) -> list[Event]:
        """Store what happened to alerts, with what is to be told of it."""
        listed = list(effects)
        commit_effects(connection, listed, self.routing, now)
        return [AlertChanged(now, effect.alert, effect.before) for effect in listed]

    def _commit(
        self, connection: Connection, readings: Sequence[KpiReading], changes: Changes, now: datetime
    ) -> list[Event]:
        """Store changes and all that follows from them."""
        effects = self.alerts.observe(
            [judgement for judgement, _ in changes.judgements], [node for node, _ in changes.nodes], now
        )
        effects += self.alerts.closed(changes.closed, now)
        effects += self.alerts.tick(now)
        save_values(connection, [*changes.values, *changes.closed])
        save_standings(connection, standings_of(changes))
        save_events(connection, rows_of(changes, now))
        if closed := [value.period for value in changes.closed if not value.labels and value.period.kind]:
            self.unfrozen.update(dict.fromkeys(closed))
            self.freeze_at = now + _GATHER
        commit_effects(connection, effects, self.routing, now)
        return events_of(readings, changes, effects, now)

    def _all(self, now: datetime) -> list[Event]:
        """Everything judged, as events."""
        events: list[Event] = [KpiJudged(now, judgement) for judgement in self.scoring.judgements.values()]
        events += [ScoreChanged(now, node) for node in self.scoring.nodes.values()]
        events += [
            AlertChanged(now, alert, alert.state)
            for alert in self.alerts.alerts.values()
            if alert.state in (AlertState.PENDING, AlertState.FIRING)
        ]
        return events
