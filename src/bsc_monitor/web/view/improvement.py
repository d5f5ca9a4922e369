"""Improvement at a glance: initiatives in their cycle, what was found, and what is red while nobody acts."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from bsc_monitor.improve.words import amount, number, signed
from bsc_monitor.model.insight import Direction, InitiativePhase, InitiativeState, Insight, InsightKind
from bsc_monitor.model.organisation import Initiative, Kpi
from bsc_monitor.web.view.attention import Concern, concerns, without_data
from bsc_monitor.web.view.scene import Scene

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: The columns of the page: plan, do, check, act.
COLUMNS = (
    ("Plan", "not begun yet", (InitiativePhase.PLANNED,)),
    ("Do", "under way", (InitiativePhase.DOING,)),
    ("Check", "done: is there an effect?", (InitiativePhase.CHECKING,)),
    ("Act", "made the standard, or given up", (InitiativePhase.STANDARDISED, InitiativePhase.ABANDONED)),
)
_KINDS = {
    InsightKind.SIGNAL: "Signal", InsightKind.ASSURANCE: "Assurance", InsightKind.TREND: "Trend",
    InsightKind.FORECAST: "Forecast", InsightKind.STAGNATION: "No action", InsightKind.RATCHET: "Raise the target",
    InsightKind.EFFECT: "Effect", InsightKind.DRIVER: "Cause and effect", InsightKind.VOLATILITY: "Unstable",
}  # fmt: skip
#: Most pressing first: what still can be prevented, what gets worse, what nobody works on, what can be raised.
_URGENCY = (
    InsightKind.FORECAST, InsightKind.TREND, InsightKind.SIGNAL, InsightKind.VOLATILITY, InsightKind.EFFECT,
    InsightKind.STAGNATION, InsightKind.DRIVER, InsightKind.RATCHET, InsightKind.ASSURANCE,
)  # fmt: skip
_SHOWN_EVIDENCE = 6


@dataclass(frozen=True, slots=True)
class Course:
    """An initiative on its way."""

    initiative: Initiative
    state: InitiativeState
    aims: tuple[Kpi, ...]  #: KPIs it is for
    objectives: tuple[str, ...]
    expected: str  #: "" without an expectation
    achieved: str  #: "" where nothing can be said yet
    verdict: str
    mood: str  #: green, amber, red, unknown: of the verdict or the time
    proposals: tuple[str, ...]  #: what to do now, after the check


@dataclass(frozen=True, slots=True)
class Finding:
    """An open insight."""

    insight: Insight
    kind: str
    anchor: str
    title: str
    kpi: Kpi | None  #: that the link leads to
    since: date
    evidence: tuple[tuple[str, str], ...]
    tickets: tuple[tuple[str, str], ...]  #: action and link
    offers: tuple[tuple[str, str], ...]  #: tickets that can still be opened


@dataclass(frozen=True, slots=True)
class Topic:
    """What was found about one thing, the most pressing first."""

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        """The one to act on."""
        return self.findings[0]


@dataclass(frozen=True, slots=True)
class Improvement:
    """All that the page shows."""

    columns: tuple[tuple[str, str, tuple[Course, ...]], ...]
    worsening: tuple[Topic, ...]
    idle: tuple[Concern, ...]  #: red, and nobody acts
    dark: int  #: KPIs of which nobody knows whether they are
    opportunities: tuple[Topic, ...]
    news: tuple[Topic, ...]


def picture(scene: Scene) -> Improvement:
    """The page's content, most pressing first."""
    courses = [course(scene, each) for each in scene.initiatives.values()]
    columns = tuple(
        (title, hint, tuple(each for each in courses if each.state.phase in phases)) for title, hint, phases in COLUMNS
    )
    found = findings(scene)
    bad = [each for each in found if _needs_action(each.insight)]
    good = [each for each in found if each.insight.direction is Direction.IMPROVING and each not in bad]
    rest = [each for each in found if each not in bad and each not in good]
    idle = tuple(each for each in concerns(scene) if not each.actions)
    raising = [each for each in good if each.insight.kind is InsightKind.RATCHET]
    news = [each for each in good if each not in raising]
    return Improvement(columns, _topics(bad), idle, without_data(scene, ""), _topics(raising + rest), _topics(news))


def _topics(found: Iterable[Finding]) -> tuple[Topic, ...]:
    by_title: dict[tuple[str, str], list[Finding]] = {}
    for each in found:
        by_title.setdefault((each.kpi.name if each.kpi else "", each.title), []).append(each)
    return tuple(Topic(tuple(each)) for each in by_title.values())


def findings(scene: Scene, kpi: str = "") -> list[Finding]:
    """Open insights, of one KPI or all, most pressing first."""
    chosen = [each for each in scene.insights.values() if kpi in ("", each.subject, str(each.evidence.get("kpi", "")))]
    chosen.sort(key=lambda each: (_URGENCY.index(each.kind), -each.strength, each.key))
    return [_finding(scene, each) for each in chosen]


def course(scene: Scene, initiative: Initiative) -> Course:
    """An initiative with what is known of it."""
    state = scene.states.get(initiative.id) or InitiativeState(
        initiative.id, InitiativePhase(initiative.state or "planned"), _EPOCH,
        initiative.progress if isinstance(initiative.progress, float) else None,
    )  # fmt: skip
    kpis = scene.organisation.kpis
    names = dict.fromkeys((*((initiative.expect.kpi,) if initiative.expect else ()), *initiative.targets))
    measured = kpis.get(state.kpi or "")
    unit = measured.unit if measured else ""
    expected = "" if state.expected is None else f"{signed(state.expected, unit)} expected"
    achieved = "" if state.achieved is None else f"{signed(state.achieved, unit)} so far"
    words, mood = _VERDICTS.get(state.verdict or "", ("", ""))
    if not words:
        words, mood = ("late", "red") if state.late else ("behind its time", "amber") if state.behind else ("", "")
    return Course(
        initiative, state, tuple(kpis[name] for name in names if name in kpis),
        tuple(scene.organisation.objectives[name].title for name in names if name in scene.organisation.objectives),
        expected, achieved, words, mood, tuple(_proposals(scene, state)),
    )  # fmt: skip


_VERDICTS = {
    "worked": ("worked", "green"), "no_evidence": ("no evidence of an effect", "amber"), "got_worse": ("got worse", "red"),
}  # fmt: skip


def _proposals(scene: Scene, state: InitiativeState) -> Iterable[str]:
    """What the check leads to: the A of the cycle."""
    if state.verdict == "worked":
        yield "Make it the standard: write it into the process, and keep its new level as the normal one."
        for each in scene.insights.values():
            if each.kind is InsightKind.RATCHET and each.subject == state.kpi:
                yield each.next_step
    elif state.verdict == "no_evidence":
        yield "Revise it or give it up: doing more of the same is not supported by the data."
    elif state.verdict == "got_worse":
        yield "Stop or revise it, unless something else explains the change."


def _needs_action(insight: Insight) -> bool:
    if insight.direction is Direction.WORSENING or insight.kind is InsightKind.STAGNATION:
        return True
    return insight.kind is InsightKind.EFFECT and insight.direction is not Direction.IMPROVING


def _finding(scene: Scene, insight: Insight) -> Finding:
    kpis = scene.organisation.kpis
    kpi = kpis.get(insight.subject) or kpis.get(str(insight.evidence.get("kpi", "")))
    initiative = scene.initiatives.get(insight.subject)
    title = initiative.title if initiative else kpi.title if kpi else _link(scene, insight.subject)
    zone = ZoneInfo(scene.zone(kpi.scorecard)) if kpi else UTC
    opened = scene.tickets.get(insight.id, {})
    return Finding(
        insight, _KINDS[insight.kind], anchor(insight.id), title, kpi,
        insight.since.astimezone(zone).date(), tuple(_evidence(insight, kpi)),
        tuple(opened.items()), tuple((name, text) for name, text in scene.actions.items() if name not in opened),
    )  # fmt: skip


def _link(scene: Scene, subject: str) -> str:
    """A link of the strategy map by the titles of its ends."""
    names = subject.split(" → ")
    objectives = scene.organisation.objectives
    return " → ".join(objectives[name].title if name in objectives else name for name in names)


def anchor(insight: str) -> str:
    """The id of the element that shows an insight, by the insight's id: where links from tickets lead."""
    return f"insight-{hashlib.sha256(insight.encode()).hexdigest()[:12]}"


def _evidence(insight: Insight, kpi: Kpi | None) -> Iterable[tuple[str, str]]:
    """The numbers behind a finding that a person can read."""
    shown = 0
    for name, value in insight.evidence.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or shown >= _SHOWN_EVIDENCE:
            continue
        shown += 1
        words = name.replace("_", " ").replace("backtest", "back-test")
        whole = not isinstance(value, float) or name in _PLAIN
        yield words, number(value) if whole or kpi is None else amount(value, kpi.unit)


_PLAIN = frozenset({"p", "tau", "rho", "share", "share_of_expected", "ratio", "strength"})
