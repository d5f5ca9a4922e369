"""A notifier with real senders, fed by a real engine over a real store; and a web server that keeps what it is sent."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web

from bsc_monitor.alert.engine import AlertEngine
from bsc_monitor.bus import Bus
from bsc_monitor.collect.receiving import receiver_client
from bsc_monitor.model.alert import AlertRule, Route
from bsc_monitor.model.event import AlertChanged, NotificationDelivered, NotificationFailed
from bsc_monitor.model.judgement import Judgement
from bsc_monitor.model.organisation import Kpi, Organisation, Thresholds
from bsc_monitor.model.status import Freshness, Status
from bsc_monitor.notify import Notifier, Pace, Settings
from bsc_monitor.store import Store
from bsc_monitor.store.alerts import commit_effects

FAST = Pace(first=0.05, longest=0.2, resend=timedelta(seconds=1), gather=0.01, look=0.5)
RED = AlertRule("kpi-red", "breach", flap_limit=10**6)


def utcnow():
    return datetime.now(UTC)


async def eventually(condition, what="the condition", seconds=30):
    """Wait for a condition; the deadline only ends a test that has failed."""
    async with asyncio.timeout(seconds):
        while not (found := condition()):  # noqa: ASYNC110 - conditions are of other processes
            await asyncio.sleep(0.02)
        return found


@dataclass
class Got:
    path: str
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Sink:
    """Answers with ``status``; keeps what it got, taken or not."""

    url: str = ""
    status: int = 200
    headers: dict = field(default_factory=dict)
    got: list = field(default_factory=list)
    hold: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self):
        self.hold.set()

    async def handle(self, request):
        self.got.append(Got(request.path, dict(request.headers), await request.read()))
        status, headers = self.status, self.headers
        await self.hold.wait()
        return web.Response(status=status, headers=headers, text="so it is")


@asynccontextmanager
async def web_sink():
    sink = Sink()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", sink.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sink.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    try:
        yield sink
    finally:
        sink.hold.set()
        await runner.cleanup()


class Rig:
    def __init__(self, store, settings, organisation, rules, pace, seconds=15.0):
        self.store, self.bus = store, Bus()
        self.settings = settings
        self.engine = AlertEngine(rules, organisation)
        self.delivered, self.failed, self.clients = [], [], []
        self.bus.subscribe(NotificationDelivered, self.delivered.append)
        self.bus.subscribe(NotificationFailed, self.failed.append)
        self.pace, self._seconds = pace, seconds
        self.notifier = None

    async def start(self):
        clients = {}

        def open_http(channel):
            if channel not in clients:
                clients[channel] = receiver_client(channel, self._seconds)
                self.clients.append(clients[channel])
            return clients[channel].run()

        self.notifier = Notifier(self.store, self.bus, self.settings, open_http, pace=self.pace)
        await self.notifier.start()

    async def stop(self):
        if self.notifier is not None:
            await self.notifier.stop()
        for client in self.clients:
            await client.close()

    async def see(self, **statuses):
        now = utcnow()
        judgements = [
            Judgement(
                f"it/{name}", 9.5 if word == "red" else 3.0, Thresholds(4.0, 8.0), 12.0 if word == "red" else 100.0,
                Status(word), Freshness.FRESH, observed_at=now, evidence="https://acme.example.com/list?q=1&x=2",
                note="12 of 40 incidents took over a day",
            )
            for name, word in statuses.items()
        ]  # fmt: skip
        effects = self.engine.observe(judgements, [], now)
        routing = self.settings.routing
        await self.store.write(lambda connection: commit_effects(connection, effects, routing, now))
        self.bus.publish([AlertChanged(now, effect.alert, effect.before) for effect in effects])


def kpis(*names, **more):
    found = {}
    for name in names:
        said = {"title": f"Time of {name}", "unit": "h", "owner": "ops@example.com", **more}
        found[f"it/{name}"] = Kpi(name, "it", "customer", "it/restore-fast", source="itsm", **said)
    return found


@asynccontextmanager
async def rig(folder, *receivers, organisation=None, rules=(RED,), pace=FAST, seconds=15.0, started=True, **route):
    store = Store.open(f"sqlite:///{folder}/alerts.db")
    times = {"group_wait": timedelta(0), "group_interval": timedelta(milliseconds=50), "group_by": ("kpi",), **route}
    settings = Settings(
        {rule.id: rule for rule in rules}, {"default": Route("default", tuple(r.id for r in receivers), **times)},
        {r.id: r for r in receivers}, timezone="Europe/Berlin", board="https://bsc.example.com",
    )  # fmt: skip
    made = Rig(
        store, settings, organisation or Organisation(kpis=kpis(*"abc")), {r.id: r for r in rules}, pace, seconds
    )
    try:
        if started:
            await made.start()
        yield made
    finally:
        await made.stop()
        store.close()
