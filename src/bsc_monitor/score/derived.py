"""Derived KPIs: formulas over the period values of other KPIs, computed anew when one of these changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bsc_monitor.model.period import Period
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.model.status import Freshness, ReadingState
from bsc_monitor.score.aggregate import LEAST_FINAL
from bsc_monitor.score.formula import FormulaError, parse_formula
from bsc_monitor.score.judge import is_shown
from bsc_monitor.score.periods import parse_period
from bsc_monitor.score.settle import Step, closed_value, new_slot
from bsc_monitor.score.state import NO_OPERANDS, KpiState, Slot


def link(states: Mapping[str, KpiState]) -> None:
    """Connect every derived KPI with its operands, and rank it above them. A formula that is none has no value."""
    for state in states.values():
        state.formula, state.operands, state.dependents, state.rank = None, NO_OPERANDS, (), 0
        state.grace = state.kpi.grace
    derived = [state for state in states.values() if state.kpi.formula is not None]
    for state in derived:
        try:
            state.formula = parse_formula(state.kpi.formula or "")
        except FormulaError:
            continue
        state.pending = state.pending or {}
        known = {name: states.get(state.kpi.operands.get(name, "")) for name in state.formula.names}
        state.operands = {name: operand for name, operand in known.items() if operand is not None}
        for operand in dict.fromkeys(state.operands.values()):
            operand.dependents = (*operand.dependents, state)
    for state in _operands_first(derived):
        for operand in state.operands.values():
            state.rank = max(state.rank, operand.rank + 1)
            state.grace = max(state.grace, operand.grace)


def derive(state: KpiState, step: Step) -> None:
    """Compute a derived KPI for its pending periods, and mark what changed."""
    formula = state.formula
    pending, state.pending = state.pending, {}
    if formula is None:
        return
    if not state.operands:
        pending = {state.current.label: state.current}
    for period in pending.values():
        own = _own_period(state, period)
        if own.start > step.now:  # it has begun for an operand in another time zone, and is to begin here
            state.pending[period.label] = period
            continue
        values = {name: _operand_value(operand, step, own) for name, operand in state.operands.items()}
        slot = _slot(state, step, own, any(value is not None for value in values.values()))
        if slot is None:
            continue
        raw = _evaluated(state, own, values)
        if raw != slot.raw:
            slot.raw, slot.made, slot.changed = raw, True, True
        state.dirty = (*state.dirty, slot)


def is_stale(state: KpiState) -> bool:
    """Whether a derived KPI rests on a stale operand."""
    return any(
        operand.judgement is not None and operand.judgement.freshness is Freshness.STALE
        for operand in state.operands.values()
    )


def _slot(state: KpiState, step: Step, period: Period, known: bool) -> Slot | None:
    """Where the value goes; a period of which no operand knows anything gets none."""
    there = state.slot(period)
    if there is not None or known or not state.operands:
        return there or new_slot(state, step, period, late=True)
    return None


def _own_period(state: KpiState, period: Period) -> Period:
    """The derived KPI's period of an operand's: the same, or that of the same name in its own time zone."""
    own = state.line.at(period.start)
    return own if own.label == period.label else parse_period(period.label, state.calendar)


def _operand_value(operand: KpiState, step: Step, period: Period) -> PeriodValue | None:
    own = _own_period(operand, period)
    slot = step.past.get((operand, own.start))
    if slot is not None:
        return slot.value
    if own.end + operand.grace <= step.now:
        return closed_value(operand, step, own)
    return operand.value_of(own)


def _evaluated(state: KpiState, period: Period, values: Mapping[str, PeriodValue | None]) -> KpiReading:
    """The formula's result as a reading made for the period, as old as its oldest operand."""
    known = {name: value for name, value in values.items() if value is not None}
    judged = {name: value.value for name, value in known.items() if is_shown(value)}
    result = state.formula.evaluate(judged, state.kpi.missing_operand) if state.formula is not None else None
    samples = [value.samples for name, value in known.items() if name in judged and value.samples is not None]
    observed = [value.observed_at for name, value in known.items() if name in judged and value.observed_at is not None]
    partial = any(value.state is ReadingState.PARTIAL for value in known.values())
    good = ReadingState.PARTIAL if partial else ReadingState.OK
    return KpiReading(
        state.name, min(observed, default=period.start), result, (), min(samples, default=None), None, None, None,
        good if result is not None else ReadingState.NO_DATA,
        max((value.completeness for value in known.values()), key=LEAST_FINAL.index, default=LEAST_FINAL[0]),
        None, None if result is not None else _why_blank(state, judged),
    )  # fmt: skip


def _why_blank(state: KpiState, judged: Mapping[str, float | None]) -> str:
    names = state.formula.names if state.formula is not None else ()
    wanting = [state.kpi.operands.get(name, name) for name in names if name not in judged]
    return f"no value of {', '.join(wanting[:5])}" if wanting else "the formula has no result (a division by zero?)"


def _operands_first(derived: Iterable[KpiState]) -> list[KpiState]:
    ordered: dict[KpiState, None] = {}
    for state in derived:
        stack = [state]
        while stack:
            top = stack[-1]
            waiting = [o for o in top.operands.values() if o.operands and o not in ordered and o not in stack]
            if waiting:
                stack.append(waiting[0])
            else:
                ordered[stack.pop()] = None
    return list(ordered)
