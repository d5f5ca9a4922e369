"""Periods: their values judged, closed after grace, reopened by what comes late, filled in for the past."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from bsc_monitor.model.period import Period
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.score.breakdown import Labels, combined, path_of, was_combined
from bsc_monitor.score.changes import Changes, NodeTurn, Turn
from bsc_monitor.score.judge import Rules, prorate, rules_at, rules_of, settled
from bsc_monitor.score.state import Cell, KpiState, Slot

Observations = Callable[[str, Labels, Period], Sequence[KpiReading]]
_AT_ONCE: Final = timedelta(hours=1)  #: a period closed so soon after its grace was closed in the normal course
ClosedValue = Callable[[str, Labels, Period], PeriodValue | None]


class Step:
    """One step of scoring: what it may ask, and what it changed so far."""

    __slots__ = (
        "ask_closed",
        "closed",
        "late",
        "now",
        "observations",
        "past",
        "reopened",
        "segments",
        "touched",
        "values",
    )

    def __init__(self, now: datetime, observations: Observations | None, ask_closed: ClosedValue | None) -> None:
        self.now = now
        self.observations = observations
        self.ask_closed = ask_closed
        self.touched: dict[KpiState, None] = {}
        self.values: dict[tuple[KpiState, datetime, Labels], PeriodValue] = {}
        self.closed: dict[tuple[KpiState, datetime, Labels], PeriodValue] = {}
        self.segments: dict[tuple[KpiState, Labels], PeriodValue] = {}
        self.reopened: list[PeriodValue] = []
        self.late: list[KpiReading] = []
        self.past: dict[tuple[KpiState, datetime], Slot] = {}

    def end(self, judgements: list[Turn], nodes: list[NodeTurn]) -> Changes:
        """All that changed."""
        values, closed, segments = self.values.values(), self.closed.values(), self.segments.values()
        return Changes(judgements, nodes, list(values), list(closed), list(segments), self.reopened, self.late)


def new_slot(state: KpiState, step: Step, period: Period, labels: Labels = (), *, late: bool = False) -> Slot | None:
    """A slot for a value of a period that has none in memory; None: too late (or too early) for it to count.

    A period in grace takes everything, and has what was frozen if it was closed before. After grace a period with a
    closed value takes nothing more, unless it was first closed well after its grace had passed (filled in by a
    back-fill, or after a long stop of the service): then for as long again. One without a closed value is filled in and
    closed at once. ``late``: take it in any case (a derived value follows its operands).
    """
    slot = step.past.get((state, period.start))
    if slot is None:
        if period.start > step.now:
            return None
        slot = Slot(period)
        slot.ended = period.end <= step.now
        if step.now < period.end + state.grace:
            if slot.ended:
                for each in {(), labels}:
                    _recall(state, step, slot, each)
            state.live = (*state.live, slot)
            state.moved = True
        else:
            slot.past = True
            step.past[state, period.start] = slot
    if slot.past and not _open_again(state, step, slot, labels) and not late:
        return None
    return slot


def _open_again(state: KpiState, step: Step, slot: Slot, labels: Labels) -> bool:
    value = _recall(state, step, slot, labels)
    if value is None or value.value is None or value.closed_at is None:
        return True
    over = slot.period.end + state.grace
    filled_in = value.closed_at > over + _AT_ONCE and step.now < value.closed_at + state.grace
    return filled_in or value.closed_at == step.now


def _recall(state: KpiState, step: Step, slot: Slot, labels: Labels) -> PeriodValue | None:
    """The value of a slot; where it was closed before, it has what was frozen then."""
    cell = slot.cell(labels)
    if cell.value is None and cell.raw is None:
        value = closed_value(state, step, slot.period, labels)
        if value is not None:
            cell.restore(value, state.min_samples)
    return cell.value


def closed_value(state: KpiState, step: Step, period: Period, labels: Labels = ()) -> PeriodValue | None:
    """The frozen value of a period: from memory, else from the store."""
    known = (None if labels else state.value_of(period)) or step.closed.get((state, period.start, labels))
    if known is not None:
        return known
    return step.ask_closed(state.name, labels, period) if step.ask_closed is not None else None


def settle(state: KpiState, step: Step, slot: Slot, *, anew: bool = False) -> None:
    """Judge the changed values of a slot (``anew``: all), and close it when it is time."""
    rules = _rules(state, step, slot) if slot.ended or state.prorate else state.rules
    if slot.segments:
        _combine(state, slot, rules)
    if slot.raw is not None and (slot.changed or anew):
        _settle_cell(state, step, slot, slot, slot.raw, rules)
    if slot.segments:
        here = slot.period.start == state.current.start
        for labels, cell in slot.segments.items():
            if cell.raw is not None and (cell.changed or anew):
                _settle_cell(state, step, slot, cell, cell.raw, rules)
                if here and cell.value is not None and state.trailing is None:
                    step.segments[state, labels] = cell.value
    if slot.ended and may_close(state, step, slot):
        for cell in slot.cells():
            _close_cell(state, step, slot, cell, rules)
    for derived in state.dependents:
        derived.pending[slot.period.label] = slot.period


def settle_trailing(state: KpiState, step: Step, slot: Slot) -> None:
    """Judge the changed values of a trailing window. They are not stored: the calendar's period values are."""
    if slot.segments:
        _combine(state, slot, state.rules)
    for labels, cell in [((), slot), *slot.segments.items()]:
        if cell.raw is not None and cell.changed:
            cell.changed = False
            rules = _segment_rules(state, step, slot, labels, state.rules) if labels else state.rules
            cell.value = settled(state.min_samples, slot.period, cell.raw, rules, state.definition or state.hash())
            if labels:
                step.segments[state, labels] = cell.value


def may_close(state: KpiState, step: Step, slot: Slot) -> bool:
    """Whether an ended period is over for good: its final value is in, or its grace has passed."""
    if slot.past or step.now >= slot.period.end + state.grace or slot.is_final():
        return True
    if not state.operands:
        return False
    values = [operand.value_of(slot.period) for operand in state.operands.values()]
    return all(value is not None and value.closed_at is not None for value in values)


def end(state: KpiState, step: Step, slot: Slot) -> None:
    """A period is over: judge it by the thresholds of its last day, unprorated, from now on."""
    if not slot.ended:
        slot.ended, slot.early = True, False
        settle(state, step, slot, anew=True)
        state.moved = True
    elif may_close(state, step, slot):
        settle(state, step, slot)
    if step.now >= slot.period.end + state.grace:
        state.live = tuple(each for each in state.live if each is not slot)


def _rules(state: KpiState, step: Step, slot: Slot) -> Rules | None:
    if slot.ended:
        if slot.rules is None:
            slot.rules = rules_of(state.kpi, slot.period, state.calendar)
        return slot.rules
    rules = prorate(state.rules, state.kpi, slot.period, step.now, state.calendar)
    slot.early = rules is None
    return rules


def _combine(state: KpiState, slot: Slot, rules: Rules | None) -> None:
    """Make the total of the segments, where the source gives none."""
    if state.kpi.combine is None or (slot.raw is not None and slot.raw is not slot.combined):
        return
    segments = {labels: cell.raw for labels, cell in slot.segments.items() if cell.raw is not None}
    raw = combined(state.kpi, segments, rules.curve if rules is not None else None)
    if raw is not None and raw != slot.raw:
        slot.combined = slot.raw = raw
        slot.changed = True


def adopt_combined(state: KpiState, slot: Slot) -> None:
    """Recognise a restored total as made of its segments."""
    if state.kpi.combine is not None and slot.segments and slot.raw is not None and was_combined(slot.raw):
        slot.combined = slot.raw


def _settle_cell(state: KpiState, step: Step, slot: Slot, cell: Cell, raw: KpiReading, rules: Rules | None) -> None:
    value = cell.value
    cell.changed = False
    revision = 0
    if value is not None:
        revision = value.revision
        if value.closed_at is not None:
            if _same(raw, value):
                return
            step.reopened.append(value)
            revision += 1
    if raw.labels and rules is not None:
        rules = _segment_rules(state, step, slot, raw.labels, rules)
    fresh = settled(state.min_samples, slot.period, raw, rules, state.definition or state.hash(), None, revision)
    if value is None or fresh.observed_at != value.observed_at or fresh != value:
        cell.value = fresh
        step.values[state, slot.period.start, raw.labels] = fresh


def _segment_rules(state: KpiState, step: Step, slot: Slot, labels: Labels, rules: Rules) -> Rules:
    kpi = state.kpi
    path = path_of(kpi, labels) if kpi.segments else kpi.path
    if path is kpi.path:
        return rules
    if slot.ended:
        return rules_of(kpi, slot.period, state.calendar, path)
    own = rules_at(kpi, step.now, state.calendar, path)
    if kpi.prorate and slot is not state.trailing:
        return prorate(own, kpi, slot.period, step.now, state.calendar) or own
    return own


def _close_cell(state: KpiState, step: Step, slot: Slot, cell: Cell, rules: Rules | None) -> None:
    value, raw = cell.value, cell.raw
    if value is None or raw is None or value.closed_at is not None:
        return
    if raw.labels and rules is not None:
        rules = _segment_rules(state, step, slot, raw.labels, rules)
    frozen = settled(
        state.min_samples, slot.period, raw, rules, state.definition or state.hash(), step.now, value.revision
    )
    cell.value = frozen
    key = (state, slot.period.start, raw.labels)
    step.values.pop(key, None)
    step.closed[key] = frozen
    if not raw.labels:
        state.remember(frozen)


def _same(raw: KpiReading, value: PeriodValue) -> bool:
    """Whether a reading says of a closed period what is frozen already."""
    return (raw.value, raw.samples, raw.numerator, raw.denominator) == (
        value.value, value.samples, value.numerator, value.denominator,
    )  # fmt: skip


def deadline(state: KpiState, slot: Slot) -> datetime:
    """When a slot has something to do by time alone: at its end, then at the end of its grace."""
    return slot.period.end + state.grace if slot.ended else slot.period.end


def quarter_hour_after(now: datetime) -> datetime:
    """The next quarter of an hour: when pro-rated thresholds move on."""
    minute = now.minute - now.minute % 15
    return now.replace(minute=minute, second=0, microsecond=0) + timedelta(minutes=15)
