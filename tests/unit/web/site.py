"""A small company to show: two scorecards, every status, hostile names, and a service that writes down what it is asked."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from bsc_monitor.alert.defaults import effective_rules
from bsc_monitor.bus import Bus
from bsc_monitor.current import Current
from bsc_monitor.export.metrics import Metrics
from bsc_monitor.model.alert import (
    Acknowledgement,
    Alert,
    AlertRule,
    AlertState,
    Facts,
    Maintenance,
    Matcher,
    Silence,
    fingerprint,
)
from bsc_monitor.model.event import CollectorFailed, CollectorRan, KpiJudged, ScoreChanged
from bsc_monitor.model.judgement import Counts, Judgement, NodeScore
from bsc_monitor.model.organisation import (
    Initiative,
    Kpi,
    Objective,
    Organisation,
    Perspective,
    Scorecard,
    TargetPath,
    TargetStep,
    Thresholds,
)
from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.period_value import NodePeriod, PeriodValue
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.model.source import Source
from bsc_monitor.model.status import CollectorError, Freshness, ReadingState, Status
from bsc_monitor.store import Store
from bsc_monitor.store.alert_json import to_json
from bsc_monitor.store.alerts import save_alerts
from bsc_monitor.store.controls import Comment, save_acknowledgement, save_comment, save_silence
from bsc_monitor.store.outbox import outbox_row
from bsc_monitor.store.periods import save_nodes, save_values
from bsc_monitor.store.readings import save_readings
from bsc_monitor.store.windows import save_window
from bsc_monitor.web import Board
from bsc_monitor.web.operations import Progress

NOW = datetime(2026, 6, 14, 9, 30, tzinfo=UTC)
HOSTILE = "\"'><script>alert(1)</script>\nline two & more"
FOUR = (
    ("financial", "Financial"),
    ("customer", "Customer"),
    ("internal_process", "Internal process"),
    ("learning_growth", "Learning and growth"),
)


def month(number: int, year: int = 2026) -> Period:
    start = datetime(year, number, 1, tzinfo=UTC)
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return Period(start, end, PeriodKind.MONTH, f"{year}-{number:02}")


@dataclass
class Asked:
    """Operations that note what they were asked."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)
    events: set[tuple[str, str, str]] = field(default_factory=set)
    reload_answer: tuple[bool, tuple[str, ...]] = (True, ())

    async def reload(self):
        self.calls.append(("reload",))
        return self.reload_answer

    async def run_now(self, source):
        self.calls.append(("run_now", source))
        return 3

    async def webhook(self, source, event_time, event=""):
        if event and ("webhook", source, event) in self.events:
            return None
        self.events.add(("webhook", source, event))
        self.calls.append(("webhook", source, event_time))
        return 2

    async def set_value(self, kpi, value, at, note, author):
        self.calls.append(("set_value", kpi, value, at, note, author))

    async def acknowledge(self, fingerprint, note, until, author):
        self.calls.append(("acknowledge", fingerprint, note, until, author))

    async def silence(self, matchers, starts_at, ends_at, author, comment):
        self.calls.append(("silence", tuple(matchers), starts_at, ends_at, author, comment))
        return "s-1"

    async def expire_silence(self, id, author):
        self.calls.append(("expire_silence", id, author))

    async def maintain(self, window):
        self.calls.append(("maintain", window))

    async def end_maintenance(self, id, author):
        self.calls.append(("end_maintenance", id, author))

    async def retry_dead(self, keys, author):
        self.calls.append(("retry_dead", tuple(keys), author))
        return len(keys)

    async def backfill(self, subject, start):
        self.calls.append(("backfill", subject, start))
        return 12

    def backfill_progress(self):
        return Progress(running=True, total=12, done=3)

    async def rescore(self, kpis, since, author):
        self.calls.append(("rescore", tuple(kpis), since, author))
        return 4

    async def comment(self, subject, text, author):
        self.calls.append(("comment", subject, text, author))


def kpi(id, objective, title, unit, better, target, red, *, card="it", **more):
    view = OBJECTIVES[f"{card}/{objective}"][0]
    path = TargetPath((TargetStep(date.min, Thresholds(target, red)),))
    return Kpi(id, card, view, f"{card}/{objective}", title, unit=unit, better=better, path=path, **more)


OBJECTIVES = {
    "company/value": ("financial", "Profitable growth", (), None),
    "company/trust": ("customer", "Customers trust us", ("company/value",), None),
    "it/spend": ("financial", "Spend where it counts", (), "company/value"),
    "it/happy-users": ("customer", "Users who can work", ("it/spend",), "company/trust"),
    "it/restore-fast": ("internal_process", "Restore service fast", ("it/happy-users",), "company/trust"),
    "it/ship-safely": ("internal_process", "Ship small and safely", ("it/restore-fast", "it/happy-users"), None),
    "it/skills": ("learning_growth", "Skills for tomorrow", ("it/ship-safely",), None),
}

#: id → value, score, status, freshness, trend, since days ago
STATE = {
    "it/cloud-cost": (412_350.0, 58.0, Status.AMBER, Freshness.FRESH, -0.031, 12),
    "it/budget": (97.2, 71.0, Status.GREEN, Freshness.FRESH, 0.012, 90),
    "it/csat": (4.4, 74.0, Status.GREEN, Freshness.FRESH, 0.02, 61),
    "it/sla": (86.4, 21.0, Status.RED, Freshness.FRESH, -0.06, 11),
    "it/mttr": (31.5, 12.0, Status.RED, Freshness.FRESH, -0.22, 4),
    "it/backlog": (140.0, 52.0, Status.AMBER, Freshness.STALE, 0.0, 30),
    "it/lead-time": (2.25, 81.0, Status.GREEN, Freshness.FRESH, 0.11, 120),
    "it/failures": (6.1, 70.0, Status.GREEN, Freshness.FRESH, 0.3, 45),
    "it/training": (None, None, Status.UNKNOWN, Freshness.MISSING, None, None),
    "it/audit": (1.0, 100.0, Status.GREEN, Freshness.FRESH, 0.0, 200),
    "company/margin": (18.4, 69.0, Status.GREEN, Freshness.FRESH, 0.04, 30),
    "it/tickets": (450.0, None, Status.UNKNOWN, Freshness.FRESH, 0.1, 9),
    "company/nps": (31.0, 44.0, Status.AMBER, Freshness.FRESH, -0.08, 20),
}


def organisation(hostile: bool = False) -> Organisation:
    kpis = [
        kpi("cloud-cost", "spend", "Cloud cost", "EUR", "lower", 400_000.0, 450_000.0, owner="finops@example.com",
            source="cloud", measure="net_cost", by=("team",)),
        kpi("budget", "spend", "Budget used", "%", "lower", 98.0, 105.0),
        kpi("csat", "happy-users", "User satisfaction", "points", "higher", 4.2, 3.6, leading=True),
        kpi("sla", "happy-users", "Incidents solved in time", "%", "higher", 95.0, 90.0, key=True,
            source="itsm", measure="sla_met_ratio", owner="service-desk@example.com"),
        kpi("mttr", "restore-fast", "Mean time to resolve", "h", "lower", 8.0, 24.0, key=True, source="itsm",
            measure="mttr", by=("team",), runbook_url="https://wiki.example.com/mttr", description="Resolved minus opened."),
        kpi("backlog", "restore-fast", "Open incidents", "count", "lower", 100.0, 200.0, source="itsm", measure="backlog"),
        kpi("lead-time", "ship-safely", "Lead time for changes", "d", "lower", 3.0, 7.0, leading=True),
        kpi("failures", "ship-safely", "Change failure rate", "%", "lower", 10.0, 20.0),
        kpi("audit", "ship-safely", "Audit passed", "yes/no", "higher", None, None),
        kpi("training", "skills", "Training days per person", "d", "higher", 5.0, 2.0, leading=True),
        kpi("tickets", "restore-fast", "Tickets solved", "count", "higher", None, None, scored=False),
        kpi("margin", "value", "Operating margin", "%", "higher", 18.0, 12.0, card="company"),
        kpi("nps", "trust", "Net promoter score", "", "higher", 40.0, 20.0, card="company"),
    ]  # fmt: skip
    if hostile:
        kpis.append(
            Kpi("evil", "it", "customer", "it/happy-users", HOSTILE, unit='"><b>u', owner=HOSTILE, description=HOSTILE,
                runbook_url="javascript:alert(1)", key=True)
        )  # fmt: skip
    cards = {
        name: Scorecard(
            name, title, vision, owner, parent,
            tuple(Perspective(id, name, text) for id, text in FOUR),
        )
        for name, title, vision, owner, parent in (
            ("company", "Example plc", "A company that customers come back to", "ceo@example.com", None),
            ("it", "IT department", HOSTILE if hostile else "Technology people trust", "cio@example.com", "company"),
        )
    }  # fmt: skip
    objectives = {
        name: Objective(
            name.partition("/")[2],
            name.partition("/")[0],
            view,
            HOSTILE if hostile and name == "it/skills" else title,
            drives=drives,
            supports=supports,
        )
        for name, (view, title, drives, supports) in OBJECTIVES.items()
    }
    initiatives = {
        "swarming": Initiative(
            "swarming", HOSTILE if hostile else "Swarm on major incidents", ("it/mttr",), "ops@example.com",
            date(2026, 3, 1), date(2026, 6, 1), progress=0.4, state="doing",
        )
    }  # fmt: skip
    return Organisation(cards, objectives, {each.name: each for each in kpis}, initiatives)


def judgements(org: Organisation) -> list[Judgement]:
    found = []
    for name, (value, score, status, freshness, trend, days) in STATE.items():
        thresholds = org.kpis[name].path.steps[0].thresholds
        found.append(
            Judgement(
                name, value, thresholds, score, status, freshness, month(6),
                observed_at=NOW - timedelta(hours=2) if value is not None else None,
                since=NOW - timedelta(days=days) if days else None, samples=42, trend=trend,
                state=ReadingState.OK if value is not None else ReadingState.NO_DATA,
                evidence=f"https://source.example.com/{name}",
            )
        )  # fmt: skip
    if "it/evil" in org.kpis:
        found.append(Judgement("it/evil", 1.0, Thresholds(2.0, 1.5), 3.0, Status.RED, Freshness.FRESH, month(6), observed_at=NOW, since=NOW, note=HOSTILE, evidence="javascript:alert(1)"))  # fmt: skip
    return found


def nodes(org: Organisation) -> list[NodeScore]:
    since = NOW - timedelta(days=9)
    made = []
    for name, _objective in org.objectives.items():
        below = [STATE[k.name] for k in org.kpis.values() if k.objective == name and k.name in STATE]
        made.append(_node("objective", name, below, since))
    for card in org.scorecards.values():
        for view in card.perspectives:
            below = [
                STATE[k.name]
                for k in org.kpis.values()
                if (k.scorecard, k.perspective) == (card.id, view.id) and k.name in STATE
            ]
            made.append(_node("perspective", view.name, below, since))
        below = [STATE[k.name] for k in org.kpis.values() if k.scorecard == card.id and k.name in STATE]
        made.append(_node("scorecard", card.id, below, since))
    return made


def _node(kind, name, below, since):
    scores = [each[1] for each in below if each[1] is not None and each[3] is Freshness.FRESH]
    tally = Counter(each[2] if each[3] is Freshness.FRESH else Status.UNKNOWN for each in below)
    counts = Counts(tally[Status.GREEN], tally[Status.AMBER], tally[Status.RED], tally[Status.UNKNOWN])
    mean = sum(scores) / len(scores) if scores else None
    status = (
        Status.UNKNOWN
        if mean is None
        else Status.GREEN
        if mean >= 66.6
        else Status.RED
        if mean <= 33.3
        else Status.AMBER
    )
    reason = "" if mean is not None else "no KPI below has data"
    return NodeScore(kind, name, mean, status, len(scores) / max(1, len(below)), counts, reason, since)


def save_past(connection, org: Organisation) -> None:
    """Twelve closed months for every KPI and node, and a few readings."""
    values, frozen = [], []
    for number, (name, (value, score, status, *_)) in enumerate(STATE.items()):
        if value is None:
            continue
        for back in range(12, 0, -1):
            period = month((6 - back - 1) % 12 + 1, 2025 if back >= 6 else 2026)
            wave = 1 + 0.12 * ((back * (number + 3)) % 5 - 2) / 2
            closed = period.end + timedelta(days=1)
            values.append(PeriodValue(name, period, value=value * wave, score=score, status=status, samples=40,
                                      thresholds=org.kpis[name].path.steps[0].thresholds, observed_at=period.end,
                                      state=ReadingState.OK, closed_at=closed))  # fmt: skip
        values.append(PeriodValue(name, month(6), value=value, score=score, status=status, samples=42, state=ReadingState.OK,
                                  thresholds=org.kpis[name].path.steps[0].thresholds, observed_at=NOW))  # fmt: skip
        for team, share in (("Payments", 0.8), ("Platform", 1.3)):
            if org.kpis[name].by:
                values.append(PeriodValue(name, month(6), (("team", team),), value * share, 12, state=ReadingState.OK,
                                          score=50.0, status=Status.AMBER, observed_at=NOW))  # fmt: skip
        save_readings(connection, [
            KpiReading(name, NOW - timedelta(hours=2 * n), value * (1 + 0.01 * n), samples=42, period=month(6),
                       evidence=f"https://source.example.com/{name}?q={n}&x=<y>")
            for n in range(1, 4)
        ], NOW)  # fmt: skip
    for back in range(12, 0, -1):
        period = month((6 - back - 1) % 12 + 1, 2025 if back >= 6 else 2026)
        for node in nodes(org):
            frozen.append(NodePeriod(node.kind, node.name, period, None if node.score is None else max(0, node.score - back),
                                     node.status, node.coverage, 3, 2, 1, 1, "", period.end))  # fmt: skip
    save_values(connection, values)
    save_nodes(connection, frozen)


def make_board(store, *, hostile: bool = False, **more: Any) -> Board:
    """A board over a filled read model."""
    bus = Bus()
    org = organisation(hostile)
    current = Current(bus, org)
    bus.publish([KpiJudged(NOW, each) for each in judgements(org)])
    bus.publish([ScoreChanged(NOW, each) for each in nodes(org)])
    bus.publish([
        CollectorRan(NOW - timedelta(minutes=9), "itsm", "mttr", 1.42, 12, 4, NOW + timedelta(minutes=6)),
        CollectorFailed(NOW - timedelta(minutes=3), "cloud", "net_cost", 0.2, CollectorError.AUTH,
                        HOSTILE if hostile else "the key was refused (403): renew it", 1, NOW + timedelta(minutes=5)),
    ])  # fmt: skip
    sources = {
        "itsm": Source("itsm", "servicenow", None, webhook_secrets=(SecretStr("new-secret"), SecretStr("old-secret"))),
        "cloud": Source("cloud", "aws_cost", None),
    }
    windows = {
        "patch-day": Maintenance("patch-day", "0 22 * * 2", timedelta(hours=3), (Matcher("source", "=", "itsm"),))
    }
    rules = effective_rules({"kpi-red": AlertRule("kpi-red", "breach", severity="critical", labels={"team": "ops"})})
    given = {
        "rules": lambda: rules,
        "maintenance": lambda: windows,
        "clock": lambda: NOW,
        "sources": lambda: sources,
        "version": "0.1.0",
        **more,
    }
    return Board(current, Metrics(bus, current, "0.1.0"), bus, store, Asked(), **given)


def open_store(path, *, hostile: bool = False) -> Store:
    """A store with a year in it."""
    store = Store.open(f"sqlite:///{path}")
    store.write_now(lambda connection: save_past(connection, organisation(hostile)))
    store.write_now(lambda connection: save_alerting(connection, organisation(hostile)))
    return store


def alert(kpi_name: str, rule: str, state: AlertState, hours: float, *, hostile: bool = False, **labels: str) -> Alert:
    org = organisation(hostile)
    kpi = org.kpis[kpi_name]
    marked = {"alertname": rule, "scorecard": kpi.scorecard, "kpi": kpi.id, "severity": "critical", **labels}
    judged = STATE.get(kpi_name, (1.0, 2.0, Status.RED))
    return Alert(
        rule, "hash", marked, fingerprint(marked), state, Freshness.FRESH, judged[0], NOW,
        active_since=NOW - timedelta(hours=hours), starts_at=NOW - timedelta(hours=hours) if state == "firing" else None,
        episode=1, sequence=1, subject=f"kpi:{kpi_name}",
        facts=Facts(kpi.title, kpi.unit, owner=kpi.owner, runbook_url=kpi.runbook_url, note=HOSTILE if hostile else ""),
    )  # fmt: skip


def save_alerting(connection, org: Organisation) -> None:
    """Two firing alerts and a pending one; one acknowledged; a silence, a comment, a letter that could not be delivered."""
    hostile = "it/evil" in org.kpis
    slow = alert("it/mttr", "kpi-red", AlertState.FIRING, 96)
    late = alert("it/sla", "kpi-red", AlertState.FIRING, 264, owner="service-desk@example.com")
    soon = alert("it/cloud-cost", "cost-rising", AlertState.PENDING, 0.5)
    save_alerts(
        connection,
        [slow, late, soon, *([alert("it/evil", "kpi-red", AlertState.FIRING, 1, hostile=True)] if hostile else [])],
    )
    note = HOSTILE if hostile else "Working through the backlog with the vendor"
    save_acknowledgement(
        connection, Acknowledgement(slow.fingerprint, 1, "ops@example.com", NOW - timedelta(hours=3), note)
    )
    kept = Silence("5f9d2c1e-silence", (Matcher("scorecard", "=", "company"), Matcher("severity", "=~", "info|warning")),
                   NOW - timedelta(hours=1), NOW + timedelta(hours=5), "cio@example.com", note)  # fmt: skip
    save_silence(connection, kept, NOW)
    deploys = Maintenance("deploys", "0 20 * * *", timedelta(minutes=90), (Matcher("source", "=", "git"),),
                          author="ann", comment=note, since=NOW - timedelta(days=3))  # fmt: skip
    save_window(connection, deploys)
    save_comment(connection, Comment("kpi:it/mttr", NOW - timedelta(days=1), "Ana", note))
    connection.execute(outbox_row.insert(), {
        "key": "dead-1", "channel": "ops", "route": "default", "group_key": "g", "fingerprint": late.fingerprint,
        "kind": "firing", "open": True, "quiet": False, "escalates": False, "at": NOW, "not_before": NOW,
        "payload": to_json(late), "state": "dead", "attempts": 3, "done_at": NOW, "error": note,
    })  # fmt: skip
