"""What a look for insights commits, in one transaction: the insights, forecasts, alerts, tickets to open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bsc_monitor.alert.observing import Finding
from bsc_monitor.alert.step import Effect
from bsc_monitor.config.settings import Action
from bsc_monitor.evaluate.state import State
from bsc_monitor.improve.about_action import Link
from bsc_monitor.improve.assess import Assessment
from bsc_monitor.improve.assurance import assurance_icon
from bsc_monitor.improve.forecast import Forecast
from bsc_monitor.improve.insights import Findings, Reconciled, reconcile
from bsc_monitor.model.event import (
    Event,
    InitiativeChanged,
    InsightEnded,
    InsightFound,
    KpiAssessed,
    LinkAssessed,
)
from bsc_monitor.model.insight import Direction, InitiativeState, Insight, InsightKind, NotEnoughData
from bsc_monitor.store.actions import Ticket, ask_tickets
from bsc_monitor.store.events import StoredEvent, save_events
from bsc_monitor.store.insights import (
    KEPT_AHEAD,
    forget_initiatives,
    keep_forecasts,
    open_insights,
    save_initiatives,
    save_insights,
    settle_forecasts,
)

BY_RULE = "rule"  #: author of what nobody asked for in person


def keep_insights(
    connection: Connection, state: State, found: Findings, subjects: Collection[str], now: datetime
) -> list[Event]:
    """Commit what became of the insights about what was looked at."""
    before = {insight.key: insight for insight in open_insights(connection, subjects)}
    result = reconcile(before.values(), found.insights, now, subjects)
    keep_courses(connection, found.assessments.values())
    effects = _alert(state, result, found.insights, now)
    _ask_tickets(connection, state.configuration.actions.values(), result.opened, now)
    events = _commit(connection, before, result, now)
    events += [_assessed(each, now) for each in found.assessments.values()]
    events += [_linked(each, now) for each in found.links]
    return events + state.tell_effects(connection, effects, now)


def end_insights(connection: Connection, state: State, known: Collection[str], now: datetime) -> list[Event]:
    """End the insights about what the configuration no longer has."""
    before = {insight.key: insight for insight in open_insights(connection) if insight.subject not in known}
    result = reconcile(before.values(), (), now)
    events = _commit(connection, before, result, now)
    return events + state.tell_effects(connection, _alert(state, result, (), now), now)


def _commit(connection: Connection, before: Mapping[str, Insight], result: Reconciled, now: datetime) -> list[Event]:
    save_insights(connection, [*result.opened, *result.updated, *result.ended])
    save_events(connection, [_row("insight_found", each, now) for each in result.opened])
    save_events(connection, [_row("insight_ended", each, now) for each in result.ended])
    found = [InsightFound(now, each, before.get(each.key)) for each in (*result.opened, *result.updated)]
    return [*found, *(InsightEnded(now, each) for each in result.ended)]


def keep_courses(connection: Connection, assessments: Iterable[Assessment]) -> None:
    """Keep what is expected of the next periods, and hold what was expected of the newest against what they were worth."""
    for seen in assessments:
        kpi, series = seen.kpi, seen.series
        for time, value in zip(series.times[-KEPT_AHEAD:], series.values[-KEPT_AHEAD:], strict=True):
            settle_forecasts(connection, kpi.name, kpi.period, time, value)
        if isinstance(seen.forecast, Forecast):
            keep_forecasts(connection, kpi.period, {kpi.name: seen.forecast})


def wants(action: Action, insight: Insight) -> bool:
    """Whether an action opens a ticket for an insight by itself."""
    bad = insight.direction is Direction.WORSENING or insight.kind is InsightKind.STAGNATION
    about = insight.evidence.get("kpi") if insight.subject_kind == "initiative" else insight.subject
    mine = action.scorecard is None or str(about).partition("/")[0] == action.scorecard
    return insight.kind in action.on and mine and (bad or not action.worsening)


def _ask_tickets(connection: Connection, actions: Iterable[Action], opened: Iterable[Insight], now: datetime) -> None:
    asked = [
        Ticket(insight.id, action.id, BY_RULE, now, next_try=now)
        for action in actions
        if action.on
        for insight in opened
        if wants(action, insight)
    ]
    new = ask_tickets(connection, asked)
    rows = [StoredEvent(now, "ticket_asked", each.insight[:400], {"action": each.action, "author": each.author})
            for each in new]  # fmt: skip
    save_events(connection, rows)


def _assessed(seen: Assessment, now: datetime) -> KpiAssessed:
    limits, goal = seen.limits, assurance_icon(seen.assurance) if seen.assurance else None
    lower, upper = seen.possible(limits) if limits else (0.0, 0.0)
    return KpiAssessed(
        now, seen.kpi.name, (lower, limits.centre, upper) if limits else None,
        seen.variation.name, seen.variation.text, goal.name if goal else "", goal.text if goal else "",
    )  # fmt: skip


def _linked(link: Link, now: datetime) -> LinkAssessed:
    if isinstance(link.driver, NotEnoughData):
        return LinkAssessed(now, link.cause.name, link.effect.name, None, "not_enough_data")
    evident = link.driver.verdict != "no_evidence"
    rho = link.driver.best.rho if evident else None
    return LinkAssessed(now, link.cause.name, link.effect.name, rho, link.driver.verdict)


def _row(kind: str, insight: Insight, now: datetime) -> StoredEvent:
    data: dict[str, Any] = {"insight": insight.id, "kind": insight.kind, "sentence": insight.sentence}
    return StoredEvent(now, kind, insight.subject, data)


def _alert(state: State, result: Reconciled, found: Iterable[Insight], now: datetime) -> list[Effect]:
    """What the alert rules make of it. They know an insight by kind and subject: of two such, one that lives counts."""
    lives: dict[tuple[str, str], Insight] = {}
    for each in found:
        key = (each.kind, each.subject)
        if key not in lives or lives[key].strength < each.strength:
            lives[key] = each
    touched = {(each.kind, each.subject): each for each in (*result.opened, *result.updated, *result.ended)}
    findings = [
        Finding(subject, (kind, subject) in lives, kind, note=lives.get((kind, subject), last).sentence)
        for (kind, subject), last in touched.items()
    ]
    told = [(each, True) for each in (*result.opened, *result.updated)] + [(each, False) for each in result.ended]
    forecasts = [
        Finding(each.subject, active, within=each.evidence.get("periods"), note=each.sentence)
        for each, active in told
        if each.kind is InsightKind.FORECAST and each.aspect == "breach"
    ]
    return [*state.alerts.insights(findings, now), *state.alerts.forecasts(forecasts, now)]


def keep_initiatives(
    connection: Connection,
    state: State,
    states: Mapping[str, InitiativeState],
    changes: Iterable[InitiativeChanged],
    now: datetime,
) -> list[Event]:
    """Commit where initiatives are, and what changed of them."""
    forget_initiatives(connection, states)
    save_initiatives(connection, states.values())
    listed = list(changes)
    save_events(
        connection,
        [
            StoredEvent(
                now, "initiative", change.state.initiative, {"phase": change.state.phase, "late": change.state.late}
            )
            for change in listed
            if change.before is None
            or change.before.phase is not change.state.phase
            or change.before.late != change.state.late
        ],
    )
    findings = [
        Finding(each.initiative, each.late or each.verdict in ("no_evidence", "got_worse"), note=_trouble(each))
        for each in states.values()
    ]
    return [*listed, *state.tell_effects(connection, state.alerts.initiatives(findings, now), now)]


def _trouble(state: InitiativeState) -> str:
    if state.late:
        return "It is late."
    return {"no_evidence": "Its effect cannot be seen.", "got_worse": "Things got worse since."}.get(
        state.verdict or "", ""
    )
