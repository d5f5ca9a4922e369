"""The in-memory state of scoring: takes readings and time, tells what changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from heapq import heappop, heappush

from msgspec.structs import replace

from bsc_monitor.model.judgement import Judgement, NodeKind, NodeScore
from bsc_monitor.model.organisation import Kpi, Organisation
from bsc_monitor.model.period import Calendar
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.score.changes import Changes, Turn
from bsc_monitor.score.definition import same_aggregation, same_measure, unchanged
from bsc_monitor.score.derived import derive, link
from bsc_monitor.score.intake import absorb
from bsc_monitor.score.judge import rules_at
from bsc_monitor.score.settle import ClosedValue, Observations, Step, adopt_combined, end, settle
from bsc_monitor.score.show import due_at, may_be_sooner, show
from bsc_monitor.score.state import KpiState, Slot
from bsc_monitor.score.structure import build_tree

__all__ = ["ClosedValue", "Observations", "Scoring"]

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Scoring:
    """Everything that is judged, incrementally. Not for use by two threads at a time.

    Periods: a KPI's period is open until its end; it closes (its value is frozen) as soon as its final value is in (one
    that the source made for the period, marked final and taken after its end), at the latest ``grace`` after its end.
    What comes within grace is counted, and reopens a closed period visibly (``revision`` + 1); what comes later is told
    as late and not counted. A period that has no closed value is filled in and closed at once, however old.
    """

    def __init__(self, organisation: Organisation, now: datetime) -> None:
        self._organisation = organisation
        self._states: dict[str, KpiState] = {}
        self._retired: dict[str, KpiState] = {}  # of KPIs that left, for when they come back
        self._agenda: list[tuple[datetime, int, KpiState]] = []
        self._number = 0
        self._started: datetime | None = now  # until the first step has judged what was restored
        for kpi in organisation.kpis.values():
            self._states[kpi.name] = KpiState(kpi, self._calendar(kpi.scorecard), now)
        self._grow(now)

    def restore(self, value: PeriodValue) -> None:
        """Take a stored value at start: of an open period, of one in grace, or one of the last two closed; later a
        closed one that was judged anew. The next step judges by it."""
        state = self._states.get(value.kpi)
        if state is None or state.line.at(value.period.start) != value.period:
            return
        if value.closed_at is not None and not value.labels:
            state.remember(value)
        if value.observed_at is not None and (state.heard is None or value.observed_at > state.heard):
            state.heard = value.observed_at
        started, slot = self._started, state.slot(value.period)
        if started is None:
            self._book(state, _LONG_AGO)
        elif slot is None and (value.closed_at is None or started < value.period.end + state.grace):
            slot = Slot(value.period)
            state.live = (*state.live, slot)
        if slot is not None:
            slot.cell(value.labels).restore(value, state.min_samples)

    def restore_judgement(self, judgement: Judgement) -> None:
        """Take a stored judgement at start, so that ``since`` outlives a restart."""
        state = self._states.get(judgement.kpi)
        if state is not None:
            state.judgement = judgement

    def restore_node(self, node: NodeScore) -> None:
        """Take a node's stored state at start, so that its ``since`` outlives a restart."""
        found = self._nodes.get((node.kind, node.name))
        if found is not None:
            found.shown = node

    def take(
        self,
        readings: Sequence[KpiReading],
        now: datetime,
        observations: Observations,
        closed: ClosedValue | None = None,
    ) -> Changes:
        """Take readings in their order of arrival; whatever was due by ``now`` happens first.

        ``observations`` gives the stored readings of a KPI with exactly these labels whose ``at`` lies in the period;
        it does not matter whether those taken now are among them. It is asked where an aggregate is not in memory or
        something older came. ``closed`` gives a past period's frozen value, and is asked where that is not in memory.
        Readings of KPIs that the organisation does not have are left out.
        """
        step = Step(now, observations, closed)
        self._elapse(step)
        if len(readings) == 1:
            absorb(self._states.get(readings[0].kpi), step, readings)
        else:
            by_kpi: dict[str, list[KpiReading]] = {}
            for reading in readings:
                by_kpi.setdefault(reading.kpi, []).append(reading)
            for name, group in by_kpi.items():
                absorb(self._states.get(name), step, group)
        return self._finish(step)

    def tick(self, now: datetime, closed: ClosedValue | None = None) -> Changes:
        """Whatever time alone changes: values turning stale, periods turning over and closing, thresholds and weights
        stepping. The first step after the start also judges what was restored. ``closed`` as in ``take``: without it a
        derived value of an ended period is computed anew as if operands that are not in memory had no value."""
        step = Step(now, None, closed)
        self._elapse(step)
        return self._finish(step)

    def next_due(self) -> datetime | None:
        """When ``tick`` has something to do next; None: never."""
        if self._started is not None:
            return self._started
        known = [self._tree.next_step(), self._agenda[0][0] if self._agenda else None]
        return min((at for at in known if at is not None), default=None)

    def replace(self, organisation: Organisation, now: datetime, closed: ClosedValue | None = None) -> Changes:
        """Take another organisation. What is measured as before keeps its values, judged by its new definition; a KPI
        that comes back finds those it left with. ``closed`` as in ``tick``."""
        old, self._states = {**self._retired, **self._states}, {}
        self._organisation = organisation
        for kpi in organisation.kpis.values():
            calendar = self._calendar(kpi.scorecard)
            state = old.get(kpi.name)
            if state is None or state.calendar != calendar or not same_measure(state.kpi, kpi):
                fresh = KpiState(kpi, calendar, now)
                fresh.judgement = state.judgement if state is not None else None
                state = fresh
            elif not unchanged(state.kpi, kpi):
                _redefine(state, kpi, now)
            self._states[kpi.name] = state
        self._retired = {name: state for name, state in old.items() if name not in self._states}
        for state in self._retired.values():
            state.judgement = None
        self._agenda.clear()
        for state in self._states.values():
            state.due = None
        shown = {key: node.shown for key, node in self._nodes.items()}
        self._grow(now)
        for key, node in self._nodes.items():
            node.shown = shown.get(key)
        self._started = now
        return self.tick(now, closed)

    def recompute(self, now: datetime) -> Changes:
        """Everything from the values on anew: score, status, roll-up. It changes nothing (a test holds it to that)."""
        changes = Changes()
        for state in self._states.values():
            curve, shown, judgement = state.curve, state.shown, state.judgement
            if curve is None or shown is None or judgement is None or shown.value is None:
                continue
            score, status = curve.judge(shown.value)
            if score != judgement.score or status is not judgement.status:
                state.judgement = replace(judgement, score=score, status=status)
                changes.judgements.append((state.judgement, judgement))
                if state.leaf is not None:
                    self._tree.set(state.leaf, state.judgement)
        changes.nodes = self._tree.recompute(now)
        return changes

    @property
    def judgements(self) -> dict[str, Judgement]:
        """The newest judgement of each KPI by full name."""
        return {name: state.judgement for name, state in self._states.items() if state.judgement is not None}

    def judgement(self, kpi: str) -> Judgement | None:
        """The newest judgement of one KPI, by full name."""
        state = self._states.get(kpi)
        return state.judgement if state is not None else None

    @property
    def nodes(self) -> dict[tuple[NodeKind, str], NodeScore]:
        """The newest score of each node by (kind, name)."""
        return {key: node.shown for key, node in self._nodes.items() if node.shown is not None}

    def _calendar(self, scorecard: str) -> Calendar:
        card = self._organisation.scorecards.get(scorecard)
        return card.calendar if card is not None else Calendar()

    def _grow(self, now: datetime) -> None:
        """Build the tree and the links between KPIs."""
        self._tree = build_tree(self._organisation, now)
        self._nodes = {(node.kind, node.name): node for node in self._tree.nodes}
        for name, state in self._states.items():
            state.leaf = self._tree.leaves.get(name)
        link(self._states)

    def _elapse(self, step: Step) -> None:
        """Touch whatever is due."""
        if self._started is not None:
            self._started = None
            step.touched = dict.fromkeys(self._states.values())
            for state in step.touched:
                state.dirty = state.live
                for slot in state.live:
                    adopt_combined(state, slot)
                if state.operands:
                    state.pending = {
                        slot.period.label: slot.period for each in state.operands.values() for slot in each.live
                    }
            self._tree.touch_all()
        agenda, now = self._agenda, step.now
        while agenda and agenda[0][0] <= now:
            due, _, state = heappop(agenda)
            if state.due == due:
                state.due = None
                step.touched[state] = None
        self._tree.step(now)

    def _finish(self, step: Step) -> Changes:
        """Settle, judge and roll up what was touched, operands before what is derived from them."""
        judged: list[Turn] = []
        if len(step.touched) == 1:
            (state,) = step.touched
            self._process(step, state, judged)
            if state.dependents:
                self._process_all(step, state.dependents, judged)
        elif step.touched:
            self._process_all(step, step.touched, judged)
        return step.end(judged, self._tree.settle(step.now))

    def _process_all(self, step: Step, states: Iterable[KpiState], judged: list[Turn]) -> None:
        seen = dict.fromkeys(states)
        queue: list[tuple[int, int, KpiState]] = [(state.rank, n, state) for n, state in enumerate(seen)]
        queue.sort()
        number = len(queue)
        while queue:
            _, _, state = heappop(queue)
            self._process(step, state, judged)
            for derived in state.dependents:
                if derived not in seen:
                    seen[derived] = None
                    number += 1
                    heappush(queue, (derived.rank, number, derived))

    def _process(self, step: Step, state: KpiState, judged: list[Turn]) -> None:
        if state.due is None or state.prorate:  # whatever was due by now left the agenda in ``_elapse``
            _advance(state, step)
        if state.formula is not None:
            derive(state, step)
        if state.dirty:
            dirty, state.dirty = state.dirty, ()
            for slot in dirty:
                settle(state, step, slot)
        before = state.judgement
        judgement = show(state, step)
        if before is None or judgement.observed_at != before.observed_at or judgement != before:
            state.judgement = judgement
            judged.append((judgement, before))
        if state.leaf is not None:
            self._tree.set(state.leaf, judgement)
        if may_be_sooner(state, judgement, before):
            state.moved = False
            due = due_at(state, judgement, step.now)
            if state.due is None or due < state.due:
                self._book(state, due)

    def _book(self, state: KpiState, due: datetime) -> None:
        """Have a KPI looked at by the first step from then on."""
        state.due = due
        self._number += 1
        heappush(self._agenda, (due, self._number, state))


def _redefine(state: KpiState, kpi: Kpi, now: datetime) -> None:
    """Judge by another definition what is in memory; other aggregates are built anew from the store when next asked."""
    if kpi.grace > state.kpi.grace:
        state.since = now  # a period that takes readings again is in the store alone
    if not same_aggregation(state.kpi, kpi):
        state.since, state.trailing = now, None
        for slot in state.live:
            for cell in slot.cells():
                cell.accumulator, cell.made = None, False
    state.define(kpi, now)
    for slot in state.live:
        slot.rules, slot.early = None, False
        for cell in slot.cells():
            cell.changed = True
    if state.trailing is not None:
        for cell in state.trailing.cells():
            cell.changed = True


def _advance(state: KpiState, step: Step) -> None:
    """Do what time alone does to a KPI."""
    now = step.now
    if now >= state.current.end:
        state.turn(now)
    until = state.rules.until
    stepped = until is not None and now >= until
    if stepped:
        state.rules, state.moved = rules_at(state.kpi, now, state.calendar), True
    for slot in state.live:
        if slot.period.end <= now:
            end(state, step, slot)
        elif stepped or state.prorate:
            settle(state, step, slot, anew=True)
    if stepped and state.trailing is not None:
        for cell in state.trailing.cells():
            cell.changed = True
