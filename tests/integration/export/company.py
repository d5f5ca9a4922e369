"""A small company whose service answers on real addresses, once healthy and once sick, with a year behind it.

What the boards are tested over: swap ``served`` for anything that yields an ``Answering`` to test them over more.
"""

import asyncio
import subprocess
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiohttp import web
from msgspec.structs import replace

from bsc_monitor.bus import Bus
from bsc_monitor.current import Current
from bsc_monitor.export.metrics import Metrics
from bsc_monitor.export.openmetrics_history import history_lines
from bsc_monitor.model.alert import AlertRule, AlertState, new_alert
from bsc_monitor.model.event import (
    AlertChanged,
    CollectorFailed,
    CollectorRan,
    ConfigReloaded,
    KpiJudged,
    NotificationDelivered,
    NotificationFailed,
    ScoreChanged,
    SegmentJudged,
    StatusChanged,
)
from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.organisation import (
    Initiative,
    Kpi,
    Objective,
    Organisation,
    Perspective,
    Scorecard,
    Thresholds,
)
from bsc_monitor.model.period import Period
from bsc_monitor.model.period_value import NodePeriod, PeriodValue
from bsc_monitor.model.status import CollectorError, Freshness, Status

VIEWS = ("financial", "customer", "internal_process", "learning_growth")
MONTHS = 14
LIMITS = Thresholds(target=70.0, red=40.0, worst=10.0, best=100.0)
GOOD, POOR, BAD = 85.0, 55.0, 20.0
DAY = timedelta(days=1)


def _card(id, parent=None):
    return Scorecard(id, id.upper(), parent=parent, perspectives=tuple(Perspective(v, id, v.title()) for v in VIEWS))


def _kpi(id, view, objective, source="jira", card="it", **more):
    return Kpi(
        id, card, view, f"{card}/{objective}", id.title(), unit="%", owner="ops", severity="warning", source=source,
        measure=id, stale_after=timedelta(days=40), by=("team",), **more,
    )  # fmt: skip


def organisation(now, *, sick):
    """Two scorecards, one below the other, each with all perspectives."""
    cards = {"company": _card("company"), "it": _card("it", "company")}
    objectives = [
        Objective("grow", "company", "financial", "Grow"),
        Objective("cheap", "it", "financial", "Run at lower cost", supports="company/grow"),
        Objective("reliable", "it", "customer", "Be reliable", drives=("it/cheap",)),
        Objective("fast", "it", "internal_process", "Deliver fast", drives=("it/reliable",)),
        Objective("skilled", "it", "learning_growth", "Be skilled", drives=("it/fast", "it/reliable")),
    ]
    kpis = [
        _kpi("revenue", "financial", "grow", "table", "company"),
        _kpi("availability", "customer", "reliable"), _kpi("cost", "financial", "cheap", "cloud"),
        _kpi("deploys", "internal_process", "fast", leading=True), _kpi("mttr", "internal_process", "fast"),
        _kpi("training", "learning_growth", "skilled", "table", leading=True),
    ]  # fmt: skip
    due = (now + (-10 if sick else 20) * DAY).date()
    initiatives = [
        Initiative("swarm", "Swarm on major incidents", ("it/availability", "it/mttr"), "ops", due=due, progress=0.4),
        Initiative("academy", "Cloud academy", ("it/skilled",), "hr", due=(now + 90 * DAY).date(), progress=0.7),
    ]
    return Organisation(
        cards, {each.name: each for each in objectives}, {each.name: each for each in kpis},
        {each.id: each for each in initiatives}, loaded_at=now,
    )  # fmt: skip


def _score(value):
    return 100 / 3 + (value - 40.0) / 30.0 * 100 / 3


def _status(score):
    return (
        Status.UNKNOWN
        if score is None
        else Status.GREEN
        if score >= 66.6
        else Status.AMBER
        if score > 33.3
        else Status.RED
    )


def values(*, sick):
    """Each KPI's value now; None: missing."""
    usual = {"revenue": 80.0, "availability": GOOD, "cost": 75.0, "deploys": GOOD, "mttr": 78.0, "training": 72.0}
    return usual | {"availability": BAD, "cost": POOR, "training": None} if sick else usual


@dataclass
class Answering:
    """A running service as Prometheus sees it."""

    address: str  #: host:port of ``/metrics`` and ``/metrics/segments``
    organisation: Organisation
    tick: Callable[[], None]  #: makes what is counted happen once more


def _judgements(known, now, *, sick):
    for kpi in known.kpis.values():
        value = values(sick=sick)[kpi.id]
        score = None if value is None else max(0.0, min(100.0, _score(value)))
        stale = sick and kpi.id == "mttr"
        freshness = Freshness.MISSING if value is None else Freshness.STALE if stale else Freshness.FRESH
        since = now - (3 if _status(score) is Status.RED else 60) * DAY
        yield Judgement(
            kpi.name, value, LIMITS, score, _status(score), freshness, observed_at=None if value is None else now - DAY,
            since=since, progress=None if value is None else value / 100.0, trend=-0.2 if value == BAD else 0.05,
        )  # fmt: skip


def _nodes(known, judgements):
    by_name = {each.kpi: each for each in judgements}

    def worth(chosen):
        scores = [by_name[kpi.name].score for kpi in known.kpis.values() if chosen(kpi)]
        found = [score for score in scores if score is not None]
        score = sum(found) / len(found) if found else None
        return score, _status(score), len(found) / len(scores) if scores else 0.0

    for objective in known.objectives.values():
        yield NodeScore("objective", objective.name, *worth(lambda kpi, name=objective.name: kpi.objective == name))
    for card in known.scorecards.values():
        for view in card.perspectives:
            yield NodeScore(
                "perspective",
                view.name,
                *worth(lambda kpi, v=view: (kpi.scorecard, kpi.perspective) == (v.scorecard, v.id)),
            )
        yield NodeScore("scorecard", card.id, *worth(lambda kpi, id=card.id: kpi.scorecard == id))


def _publish(bus, metrics, known, now, *, sick):
    judgements = list(_judgements(known, now, sick=sick))
    bus.publish([ConfigReloaded(now, ok=True)])
    bus.publish(KpiJudged(now, each) for each in judgements)
    bus.publish(ScoreChanged(now, each) for each in _nodes(known, judgements))
    bus.publish(
        SegmentJudged(now, "it/availability", (("team", team),), value, None, _status(_score(value)))
        for team, value in (("Linux", GOOD), ("Windows", BAD if sick else 71.0))
    )
    metrics.alerts.receivers(["mail"])
    metrics.alerts.outbox({"mail": 7 if sick else 0})
    metrics.service.dropped("web", 0)
    metrics.service.stalled(0.01)
    metrics.kpis.limits("it/availability", {"lower": 60.0, "centre": 75.0, "upper": 90.0})
    direction = "worsening" if sick else "improving"
    for name in ("it/availability", "it/deploys"):
        metrics.kpis.insights(name, [("signal", direction), ("forecast", direction), ("ratchet", "improving")])
    metrics.strategy.correlated("it", "fast", "reliable", 0.7)
    metrics.strategy.correlated("it", "skilled", "fast", -0.3)
    metrics.initiatives.changed("swarm", "doing", 0.4)
    metrics.initiatives.changed("academy", "checking", 1.0, "worked")
    if sick:
        place = {"scorecard": "it", "perspective": "customer", "objective": "reliable", "kpi": "availability"}
        for kind, subject in (("breach", place), ("collector", {"source": "cloud", "measure": "cost"})):
            alert = new_alert(AlertRule(kind, kind, severity="critical"), subject)
            bus.publish([AlertChanged(now, replace(alert, state=AlertState.FIRING), AlertState.PENDING)])


def _happens(bus, known, *, sick):
    """A round of collection and delivery; in the sick run one source fails and the receiver refuses."""
    now = datetime.now(UTC)
    for kpi in known.kpis.values():
        run = (now, kpi.source, kpi.measure, 0.2)
        if sick and kpi.source == "cloud":
            bus.publish([CollectorFailed(*run, CollectorError.AUTH, "401", 1)])
        else:
            bus.publish([CollectorRan(*run, 1, 3, now + timedelta(minutes=5))])
    bus.publish([StatusChanged(now, "it/availability", Status.GREEN, Status.AMBER)])
    bus.publish([NotificationFailed(now, "mail", "k", "550") if sick else NotificationDelivered(now, "mail", "k")])


@contextmanager
def served(*, sick):
    """The company's metrics behind an aiohttp server, in a thread with a loop of its own."""
    now = datetime.now(UTC)
    known, loop = organisation(now, sick=sick), asyncio.new_event_loop()
    bus = Bus()

    async def start():
        metrics = Metrics(bus, Current(bus, known), "0.0-test")
        _publish(bus, metrics, known, now, sick=sick)
        _happens(bus, known, sick=sick)

        def answering(exposition):
            async def answer(request):
                headers = request.headers
                body, kind, encoding = await exposition.answer(
                    headers.get("Accept", ""), headers.get("Accept-Encoding", "")
                )
                more = {"Content-Encoding": encoding} if encoding else {}
                return web.Response(body=body, headers={"Content-Type": kind, **more})

            return answer

        app = web.Application()
        app.router.add_get("/metrics", answering(metrics.main))
        app.router.add_get("/metrics/segments", answering(metrics.segments))
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner, site._server.sockets[0].getsockname()[1]

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner, port = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    try:
        yield Answering(
            f"127.0.0.1:{port}", known, lambda: loop.call_soon_threadsafe(lambda: _happens(bus, known, sick=sick))
        )
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()
    assert bus.failures == 0


def _months(now):
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(MONTHS):
        end, start = start, (start - DAY).replace(day=1)
        yield Period(start, end)


def back_fill(folder, answering):
    """Write a year of monthly values into a Prometheus' data folder, as the documentation says to."""
    values, nodes = [], []
    for place, month in enumerate(_months(datetime.now(UTC))):
        score = None
        for kpi in answering.organisation.kpis.values():
            value = BAD if (place, kpi.id) == (2, "availability") else GOOD - place
            score = max(0.0, _score(value))
            values.append(
                PeriodValue(
                    kpi.name,
                    month,
                    value=value,
                    thresholds=LIMITS,
                    score=score,
                    status=_status(score),
                    closed_at=month.end,
                )
            )
        named = [("objective", name) for name in answering.organisation.objectives]
        named += [("scorecard", name) for name in answering.organisation.scorecards]
        named += [
            ("perspective", v.name) for card in answering.organisation.scorecards.values() for v in card.perspectives
        ]
        nodes += [
            NodePeriod(kind, name, month, score, _status(score), 1.0, closed_at=month.end) for kind, name in named
        ]
    target = {"job": "bsc-monitor", "instance": answering.address}
    (folder / "past.om").write_bytes(b"".join(history_lines(answering.organisation, values, nodes, target)))
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "--max-block-duration=8760h", "openmetrics", "past.om", "data"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
