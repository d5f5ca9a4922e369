"""A whole little service on a clock of its own: engine, store, routes, lanes; receivers are lists that may be down.

``await world.until(seconds)`` lets everything happen that is due on the way, each at its own instant.
"""

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bsc_monitor.alert.engine import AlertEngine
from bsc_monitor.alert.routing import Routing
from bsc_monitor.bus import Bus
from bsc_monitor.model.alert import AlertRule, Matcher, Receiver, Route, Webhook
from bsc_monitor.model.event import AlertChanged, Event
from bsc_monitor.model.judgement import Judgement
from bsc_monitor.model.organisation import Kpi, Organisation, Scorecard
from bsc_monitor.model.status import Freshness, Status
from bsc_monitor.notify import Pace, Settings, controls
from bsc_monitor.notify.lane import Lane
from bsc_monitor.notify.office import Office
from bsc_monitor.notify.outcome import Outcome
from bsc_monitor.store import Store
from bsc_monitor.store.alerts import commit_effects, load_alerts
from bsc_monitor.store.outbox import put_missing

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
RED = AlertRule("red", "breach", flap_limit=1000)


def kpi(name, scorecard="it", **more):
    more = {"perspective": "customer", "objective": f"{scorecard}/o", "title": name.upper(), "source": "itsm", **more}
    return Kpi(name, scorecard, measure=name, **more)


def organisation(*kpis):
    cards = {each.scorecard: Scorecard(each.scorecard, each.scorecard) for each in kpis}
    return Organisation(scorecards=cards, kpis={each.name: each for each in kpis})


def receiver(name="ops", **more):
    return Receiver(name, webhook=Webhook("http://127.0.0.1:9/"), **more)


def route(name="default", receivers=("ops",), **more):
    times = {"group_wait": SECOND, "group_interval": SECOND, "repeat_interval": HOUR}
    return Route(name, tuple(receivers), **{**times, **more})


def is_(label, value, operator="="):
    return Matcher(label, operator, value)


@dataclass
class Sink:
    """A receiver: what it got and when (seconds since the start); ``down`` makes it fail with an outcome."""

    world: "World"
    got: list = field(default_factory=list)
    tried: list = field(default_factory=list)
    down: object = None

    async def __call__(self, message, words):
        self.tried.append(self.world.seconds)
        if self.down is not None:
            return self.down
        self.got.append((self.world.seconds, message, words))
        return Outcome()

    @property
    def told(self):
        """``(second, {kpi: state, …})`` of every message."""
        return [(at, {i.alert.labels.get("kpi", "?"): i.state for i in m.items}) for at, m, _ in self.got]

    @property
    def transitions(self):
        return [moment.key for _, m, _ in self.got for item in m.items for moment in item.moments]


class World:
    def __init__(self, store, rules, org, settings):
        self.store, self.now, self.bus = store, START, Bus()
        self.engine = AlertEngine(rules, org)
        self.settings = settings
        self.sinks, self.failures, self.delivered = {}, [], []
        self.bus.subscribe(Event, self._note)
        self.lanes, self._next = {}, {}
        self.instances = []
        self.instance = self.open()

    def _note(self, event):
        name = type(event).__name__
        if name == "NotificationDelivered":
            self.delivered.append(event)
        if name == "NotificationFailed":
            self.failures.append(event)

    def open(self, instance="one"):
        """Start the lanes (again): all that they knew but the store is forgotten."""
        office = Office(
            self.store, self.bus, self.settings, None, clock=lambda: self.now, instance=instance, pace=Pace()
        )
        for name, channel in self.settings.routing.channels().items():
            lane = Lane(channel, office, self.sinks.setdefault(name, Sink(self)))
            self.lanes[instance, name] = lane
            self._next[instance, name] = self.now
        for alert in self.store.read_now(load_alerts):
            office.heard(alert)
        self.bus.subscribe(AlertChanged, lambda event: office.heard(event.alert))
        return office

    @property
    def seconds(self):
        return (self.now - START).total_seconds()

    async def commit(self, effects):
        effects = list(effects)
        routing, now = self.settings.routing, self.now
        await self.store.write(lambda connection: commit_effects(connection, effects, routing, now))
        self.bus.publish([AlertChanged(now, effect.alert, effect.before) for effect in effects])
        self.wake()

    def wake(self):
        for key in self._next:
            self._next[key] = self.now

    async def see(self, **statuses):
        """KPIs by short id: red, green, stale, unknown; all of scorecard ``it`` unless written ``card__kpi``."""
        judgements = []
        for name, word in statuses.items():
            full = name.replace("__", "/") if "__" in name else f"it/{name}"
            freshness = Freshness.STALE if word == "stale" else Freshness.FRESH
            status = Status.UNKNOWN if word in ("stale", "unknown") else Status(word)
            value = None if word == "unknown" else 1.0
            judgements.append(Judgement(full, value, status=status, freshness=freshness, observed_at=self.now))
        await self.commit(self.engine.observe(judgements, [], self.now))

    async def run(self, source, measure, ok):
        await self.commit(self.engine.collector(source, measure, None if ok else "refused", self.now))

    async def until(self, seconds):
        """Let time pass up to ``seconds`` after the start."""
        target = START + timedelta(seconds=seconds)
        for _ in range(100_000):
            due = self.engine.next_due()
            moments = [moment for moment in (due, *self._next.values()) if moment is not None]
            moment = min(moments, default=None)
            if moment is None or moment > target:
                self.now = max(self.now, target)
                return
            self.now = max(self.now, moment)
            if due is not None and due <= self.now:
                await self.commit(self.engine.tick(self.now))
            for key, lane in self.lanes.items():
                if self._next[key] is not None and self._next[key] <= self.now:
                    self._next[key] = None
                    again = await lane.work(self.now)
                    self._next[key] = again
        raise AssertionError("nothing comes to rest")

    async def reload(self, rules=None, org=None, **settings):
        from dataclasses import replace

        self.settings = replace(self.settings, **settings)
        self.lanes.clear()
        self._next.clear()
        self.open()
        await self.commit(
            self.engine.replace(
                rules or {r.id: r for r in self.engine.rules.values()}, org or self.engine._organisation, self.now
            )
        )
        alerts, routing, now = list(self.engine.alerts.values()), self.settings.routing, self.now
        await self.store.write(lambda connection: put_missing(connection, alerts, routing, now))

    async def silence(self, *matchers, starts=None, ends, author="ann"):
        starts = self.now if starts is None else START + timedelta(seconds=starts)
        work = (list(matchers), starts, START + timedelta(seconds=ends), author, "because", self.now)
        name = await self.store.write(lambda connection: controls.silence(connection, *work))
        self.wake()
        return name

    async def expire(self, name):
        await self.store.write(lambda connection: controls.expire_silence(connection, name, "ann", self.now))
        self.wake()

    async def acknowledge(self, name, until=None):
        alert = next(a for a in self.engine.firing() if a.labels.get("kpi") == name)
        now = self.now
        await self.store.write(
            lambda connection: controls.acknowledge(connection, alert.fingerprint, "on it", until, "ann", now)
        )
        self.wake()

    def rows(self, work):
        return self.store.read_now(work)


@asynccontextmanager
async def world(folder, *, rules=(RED,), kpis=None, receivers=None, routes=None, url=None, **settings):
    store = Store.open(url or f"sqlite:///{folder}/alerts.db")
    org = organisation(*(kpis or [kpi(name) for name in "abcde"]))
    receivers = receivers or [receiver()]
    routes = routes or [route(receivers=[r.id for r in receivers])]
    made = Settings(
        {r.id: r for r in rules}, {r.id: r for r in routes}, {r.id: r for r in receivers},
        {m.id: m for m in settings.pop("maintenance", ())}, {i.id: i for i in settings.pop("inhibitions", ())}, **settings,
    )  # fmt: skip
    try:
        yield World(store, {r.id: r for r in rules}, org, made)
    finally:
        store.close()


def routing_of(*routes, receivers):
    return Routing({r.id: r for r in routes}, {r.id: r for r in receivers})
