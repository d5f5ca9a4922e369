"""Playing a rule test: the service's own evaluation and delivery, on a clock that jumps from one event to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from bsc_monitor.bus import Bus
from bsc_monitor.cli.rule_file import (
    STALE,
    AlertCheck,
    NotificationCheck,
    RuleTest,
    RuleTestError,
    Sample,
    SeriesName,
    StatusCheck,
    parse_series,
    parse_values,
)
from bsc_monitor.config import Configuration
from bsc_monitor.evaluate.state import State
from bsc_monitor.ingest import Door, Refused
from bsc_monitor.model.alert import Alert, AlertState
from bsc_monitor.model.event import AlertChanged, CollectorFailed, CollectorRan, Event
from bsc_monitor.model.reading import KpiReading, Reading
from bsc_monitor.model.status import CollectorError, ReadingState
from bsc_monitor.notify.lane import Lane
from bsc_monitor.notify.message import Message
from bsc_monitor.notify.office import Office, Settings
from bsc_monitor.notify.outcome import Outcome
from bsc_monitor.notify.render import Rendered
from bsc_monitor.plugin import Http
from bsc_monitor.store import Store

_MOST_STEPS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Check = StatusCheck | AlertCheck | NotificationCheck


@dataclass(slots=True)
class Told:
    """One message that a receiver got."""

    at: datetime
    receiver: str
    message: Message


@dataclass(slots=True)
class Player:
    """Plays one test against a store of its own. ``mismatches`` are sentences."""

    configuration: Configuration
    test: RuleTest
    interval: timedelta
    store: Store
    mismatches: list[str] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    _now: datetime = _EPOCH
    _lanes: dict[str, tuple[Lane, datetime | None]] = field(default_factory=dict)

    async def play(self) -> None:
        """Let it all happen. Raises RuleTestError for a test that cannot be played."""
        test, start = self.test, self.test.start_timestamp
        self._now = start
        series = self._series()
        state = State(self.configuration)
        bus = Bus()
        self._open_lanes(bus)
        await self.store.write(lambda connection: state.restore(connection, start))
        checks: list[_Check] = [*test.kpi_status_test, *test.alert_rule_test, *test.notification_test]
        last = max((check.eval_time for check in checks), default=timedelta(0))
        steps = max((len(values) for _, values in series), default=0)
        samples = range(min(steps, int(last / self.interval) + 1))
        stops: list[tuple[timedelta, int | _Check]] = [(step * self.interval, step) for step in samples]
        stops += [(check.eval_time, check) for check in checks]
        for after, what in sorted(stops, key=lambda stop: (stop[0], not isinstance(stop[1], int))):
            await self._until(state, bus, start + after, including=not isinstance(what, int))
            if isinstance(what, int):
                await self._feed(state, bus, [(name, values[what]) for name, values in series if what < len(values)])
            else:
                self._check(state, what)

    def _series(self) -> list[tuple[SeriesName, list[Sample]]]:
        found = [(parse_series(each.series), parse_values(each.values)) for each in self.test.input_series]
        for name, _ in found:
            if name.kind == "kpi" and name.name not in self.configuration.organisation.kpis:
                raise RuleTestError(f"there is no KPI {name.name!r}")
        return found

    def _open_lanes(self, bus: Bus) -> None:
        configuration = self.configuration
        settings = Settings(
            configuration.alert_rules, configuration.routes, configuration.receivers, configuration.maintenance,
            configuration.inhibitions, configuration.service.timezone,
        )  # fmt: skip
        office = Office(self.store, bus, settings, _no_network, clock=lambda: self._now)
        bus.subscribe(AlertChanged, lambda event: office.heard(event.alert))
        for name, channel in settings.routing.channels().items():
            lane = Lane(channel, office, partial(self._take, channel.receiver.id))
            self._lanes[name] = lane, self._now

    async def _take(self, receiver: str, message: Message, words: Rendered) -> Outcome:  # noqa: ARG002
        self.told.append(Told(self._now, receiver, message))
        return Outcome()

    async def _feed(self, state: State, bus: Bus, samples: Iterable[tuple[SeriesName, Sample]]) -> None:
        door, now = Door(), self._now
        readings: list[KpiReading] = []
        runs: list[CollectorRan | CollectorFailed] = []
        for name, sample in samples:
            if sample is None:
                continue
            if name.kind == "collector":
                source, _, measure = name.name.partition("/")
                ok = sample not in (STALE, 0.0)
                runs.append(
                    CollectorRan(now, source, measure, 0.0, 1)
                    if ok
                    else CollectorFailed(now, source, measure, 0.0, CollectorError.TRANSIENT, "failed in the test")
                )
                continue
            kpi = self.configuration.organisation.kpis[name.name]
            reading = Reading(None, state=ReadingState.NO_DATA) if sample == STALE else Reading(float(sample))
            try:
                readings.append(door.admit(kpi, reading, kpi.unit, now))
            except Refused as refused:
                raise RuleTestError(f"{name.name}: {refused}") from None

        def work(connection: Connection) -> list[Event]:
            events = state.take(connection, readings, now) if readings else state.tick(connection, now)
            for run in runs:
                failing = run.message if isinstance(run, CollectorFailed) else None
                events += state.collected(connection, run, failing)
            return events

        self._publish(bus, await self.store.write(work))

    def _publish(self, bus: Bus, events: Iterable[Event]) -> None:
        bus.publish(events)
        self._lanes = {name: (lane, self._now) for name, (lane, _) in self._lanes.items()}

    async def _until(self, state: State, bus: Bus, target: datetime, *, including: bool) -> None:
        """Let happen what is due before ``target`` (or at it, ``including``), and set the clock to it."""
        for _ in range(_MOST_STEPS):
            dues = [state.next_due(), *(due for _, due in self._lanes.values())]
            due = min((each for each in dues if each is not None), default=None)
            if due is None or due > target or (due == target and not including):
                self._now = target
                return
            self._now = max(due, self._now)
            await self._work(state, bus)
        raise RuleTestError("nothing comes to rest: something is due over and over")

    async def _work(self, state: State, bus: Bus) -> None:
        now = self._now
        due = state.next_due()
        if due is not None and due <= now:
            self._publish(bus, await self.store.write(lambda connection: state.tick(connection, now)))
        for name, (lane, moment) in list(self._lanes.items()):
            if moment is not None and moment <= now:
                self._lanes[name] = lane, await lane.work(now)

    def _check(self, state: State, check: _Check) -> None:
        if isinstance(check, StatusCheck):
            self._check_status(state, check)
        elif isinstance(check, AlertCheck):
            self._check_alerts(state.alerts.alerts.values(), check)
        else:
            self._check_notifications(check)

    def _check_status(self, state: State, check: StatusCheck) -> None:
        found = state.scoring.judgements.get(check.kpi)
        if found is None:
            raise RuleTestError(f"there is no KPI {check.kpi!r}")
        pairs = (
            ("status", check.exp_status, str(found.status)), ("freshness", check.exp_freshness, str(found.freshness)),
            ("score", check.exp_score, found.score), ("value", check.exp_value, found.value),
        )  # fmt: skip
        for what, expected, got in pairs:
            if expected is not None and not _same(expected, got):
                self._miss(check, f"{what} of {check.kpi}", expected, got)

    def _check_alerts(self, alerts: Iterable[Alert], check: AlertCheck) -> None:
        shown = {AlertState.FIRING} | {AlertState(each.exp_state) for each in check.exp_alerts}
        left = [alert for alert in alerts if alert.rule == check.alertname and alert.state in shown]
        got = [f"{alert.state} {_labels(alert.labels)}" for alert in left]
        missing = []
        for expected in check.exp_alerts:
            match = next(
                (a for a in left if a.state == expected.exp_state and expected.exp_labels.items() <= a.labels.items()),
                None,
            )
            if match is None:
                missing.append(expected)
            else:
                left.remove(match)
        if missing or left:
            wanted = [f"{each.exp_state} {_labels(each.exp_labels)}" for each in check.exp_alerts]
            self._miss(check, f"alerts of {check.alertname}", wanted or "none", got or "none")

    def _check_notifications(self, check: NotificationCheck) -> None:
        start = self.test.start_timestamp
        got = [
            each
            for each in self.told
            if each.receiver == check.receiver and start + check.since < each.at <= start + check.eval_time
        ]
        expected = check.exp_notifications
        fits = len(got) == len(expected) and all(
            (want.at is None or start + want.at == each.at)
            and want.exp_status == ("firing" if each.message.firing else "resolved")
            and _cover(want.exp_alerts, [item.alert for item in each.message.items])
            for want, each in zip(expected, got, strict=False)
        )
        if not fits:
            wanted = [f"{each.exp_status} {each.exp_alerts} at {each.at}" for each in expected]
            shown = [
                f"{'firing' if each.message.firing else 'resolved'} "
                f"{[_labels(item.alert.labels) for item in each.message.items]} at {each.at - start}"
                for each in got
            ]
            self._miss(check, f"notifications of {check.receiver}", wanted or "none", shown or "none")

    def _miss(self, check: _Check, what: str, expected: object, got: object) -> None:
        name = f"{self.test.name}: " if self.test.name else ""
        self.mismatches.append(f"{name}at {check.eval_time}, {what}\n    expected: {expected}\n    got:      {got}")


def _same(expected: object, got: object) -> bool:
    if isinstance(expected, float):
        return isinstance(got, int | float) and abs(expected - got) <= 1e-9 + 1e-6 * abs(expected)
    return expected == got


def _cover(expected: Sequence[dict[str, str]], alerts: Sequence[Alert]) -> bool:
    left = list(alerts)
    for labels in expected:
        match = next((alert for alert in left if labels.items() <= alert.labels.items()), None)
        if match is None:
            return False
        left.remove(match)
    return not expected or not left


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"


def _no_network(channel: str) -> Http:
    raise AssertionError(f"a rule test sends nothing to {channel}")
