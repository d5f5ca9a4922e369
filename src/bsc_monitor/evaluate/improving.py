"""Continuous improvement at work: looks for insights when periods closed, and follows initiatives.

Statistics take their time, so they are computed beside the writer, over what is committed; what was found is committed
in one transaction with the alerts that it raises.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection

from bsc_monitor.alert.observing import Finding
from bsc_monitor.alert.step import Effect
from bsc_monitor.bus import Bus
from bsc_monitor.evaluate.evaluator import Evaluator
from bsc_monitor.evaluate.state import State
from bsc_monitor.improve.about_action import Link
from bsc_monitor.improve.assess import Assessment
from bsc_monitor.improve.assurance import assurance_icon
from bsc_monitor.improve.initiatives import review
from bsc_monitor.improve.insights import Findings, Reconciled, examine, examined, reconcile
from bsc_monitor.improve.relations import Relations, relations
from bsc_monitor.model.event import (
    Event,
    InitiativeChanged,
    InsightEnded,
    InsightFound,
    KpiAssessed,
    LinkAssessed,
    PeriodClosed,
)
from bsc_monitor.model.insight import InitiativeState, Insight, InsightKind, NotEnoughData
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.store.events import StoredEvent, save_events
from bsc_monitor.store.insights import load_initiatives, open_insights, save_initiatives, save_insights
from bsc_monitor.store.periods import closed_values

_log = structlog.get_logger(__name__)
_GATHER = 3.0  #: seconds: periods of many KPIs close together
_HELPING = 200  #: KPIs looked at between two breaths

Series = Mapping[str, list[PeriodValue]]


class Improving:
    """Build it in the loop's thread; ``start`` it when the evaluator runs. ``organisation`` gives the present one."""

    def __init__(
        self, evaluator: Evaluator, bus: Bus, organisation: Callable[[], Organisation], clock: Callable[[], datetime]
    ) -> None:
        self._evaluator = evaluator
        self._bus = bus
        self._organisation = organisation
        self._clock = clock
        self._closed: set[str] = set()
        self._progress: dict[str, float] = {}
        self._wake = asyncio.Event()
        self._free = asyncio.Event()
        self._free.set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Tell what is known, and begin to look."""
        store = self._evaluator.store
        known = await store.read(open_insights)
        states = await store.read(load_initiatives)
        now = self._clock()
        self._bus.publish([InsightFound(now, insight) for insight in known])
        present = self._organisation().initiatives
        self._bus.publish([InitiativeChanged(now, state) for name, state in states.items() if name in present])
        self._bus.subscribe(PeriodClosed, self._period_closed)
        self._task = asyncio.create_task(self._run())
        self.look_again()

    async def stop(self) -> None:
        """End; what was not looked at is looked at after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def look_again(self) -> None:
        """Look at every KPI and initiative soon: after a start or a reload."""
        self._closed.update(self._organisation().kpis)
        self._wake.set()

    def hold(self, *, held: bool) -> None:
        """Look at nothing while the past is being collected: half a history tells half-truths."""
        if held:
            self._free.clear()
        else:
            self._free.set()

    def progressed(self, progress: Mapping[str, float]) -> None:
        """Tickets say how far initiatives are (0–1, by id)."""
        self._progress.update(progress)
        self._wake.set()

    def _period_closed(self, event: PeriodClosed) -> None:
        self._closed.add(event.kpi)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(_GATHER)
            await self._free.wait()
            self._wake.clear()
            closed, self._closed = self._closed, set()
            progress, self._progress = self._progress, {}
            try:
                await self.look(closed, progress)
            except Exception:  # noqa: BLE001 - one bad series must not end the looking for ever
                _log.exception("looking for insights failed")

    async def look(self, closed: Collection[str], progress: Mapping[str, float] | None = None) -> None:
        """Look at some KPIs, the links and initiatives that they touch, and commit what is found."""
        known = relations(self._organisation())
        await self._follow_initiatives(known, progress or {})
        listed = [name for name in closed if name in known.organisation.kpis]
        for start in range(0, len(listed), _HELPING):
            await self._look_at(known, listed[start : start + _HELPING])

    async def _follow_initiatives(self, known: Relations, progress: Mapping[str, float]) -> None:
        if not known.organisation.initiatives:
            return
        now, store = self._clock(), self._evaluator.store
        values = await self._series({kpi.name for kpis in known.kpis.values() for kpi in kpis[:1]})
        before = await store.read(load_initiatives)
        states, changes = await asyncio.to_thread(review, known, values, now, states=before, progress=progress)
        if changes:
            await self._evaluator.run(
                lambda connection, state: _keep_initiatives(connection, state, states, changes, now)
            )

    async def _look_at(self, known: Relations, kpis: list[str]) -> None:
        now, store = self._clock(), self._evaluator.store
        objectives = {known.organisation.kpis[name].objective for name in kpis}
        linked = {each.name for pair in known.touching(objectives) for each in pair}
        needed = {*kpis, *(kpi.name for name in linked for kpi in known.members.get(name, ()))}
        values = await self._series(needed)
        states = await store.read(load_initiatives)
        found = await asyncio.to_thread(examine, known, values, now, states=states, only=kpis)
        subjects = examined(known, kpis)
        await self._evaluator.run(lambda connection, state: _keep_insights(connection, state, found, subjects, now))

    async def _series(self, kpis: Collection[str]) -> Series:
        grouped: dict[str, list[PeriodValue]] = defaultdict(list)
        for value in await self._evaluator.store.read(lambda connection: closed_values(connection, kpis)):
            grouped[value.kpi].append(value)
        return grouped


def _keep_insights(
    connection: Connection, state: State, found: Findings, subjects: Collection[str], now: datetime
) -> list[Event]:
    """Commit what became of the insights about what was looked at."""
    before = {insight.key: insight for insight in open_insights(connection, subjects)}
    result = reconcile(before.values(), found.insights, now, subjects)
    save_insights(connection, [*result.opened, *result.updated, *result.ended])
    save_events(connection, [_row("insight_found", each, now) for each in result.opened])
    save_events(connection, [_row("insight_ended", each, now) for each in result.ended])
    effects = _alert(state, result, now)
    events: list[Event] = [InsightFound(now, each, before.get(each.key)) for each in (*result.opened, *result.updated)]
    events += [InsightEnded(now, each) for each in result.ended]
    events += [_assessed(each, now) for each in found.assessments.values()]
    events += [_linked(each, now) for each in found.links]
    return events + state.tell_effects(connection, effects, now)


def _assessed(seen: Assessment, now: datetime) -> KpiAssessed:
    limits, goal = seen.limits, assurance_icon(seen.assurance) if seen.assurance else None
    return KpiAssessed(
        now, seen.kpi.name, (limits.lower, limits.centre, limits.upper) if limits else None,
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


def _alert(state: State, result: Reconciled, now: datetime) -> list[Effect]:
    """What the alert rules on insights and forecasts make of it."""
    told = [(each, True) for each in (*result.opened, *result.updated)] + [(each, False) for each in result.ended]
    findings = [Finding(each.subject, active, each.kind, note=each.sentence) for each, active in told]
    forecasts = [
        Finding(each.subject, active, within=each.evidence.get("expected"), note=each.sentence)
        for each, active in told
        if each.kind is InsightKind.FORECAST and each.aspect == "breach"
    ]
    return [*state.alerts.insights(findings, now), *state.alerts.forecasts(forecasts, now)]


def _keep_initiatives(
    connection: Connection,
    state: State,
    states: Mapping[str, InitiativeState],
    changes: Iterable[InitiativeChanged],
    now: datetime,
) -> list[Event]:
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
