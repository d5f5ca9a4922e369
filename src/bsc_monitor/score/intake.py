"""Where a reading counts: its period, its cell, whether it comes too late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from bsc_monitor.model.period import Period
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.score.breakdown import Labels
from bsc_monitor.score.settle import Step, closed_value, new_slot
from bsc_monitor.score.state import KpiState, Trailing


def absorb(state: KpiState | None, step: Step, readings: Sequence[KpiReading]) -> None:
    """Put readings of one KPI where they belong. Those of a KPI that is not known, or is derived, are left out."""
    if state is None or state.formula is not None:
        return
    step.touched[state] = None
    if len(readings) == 1:
        period, reading = _placed(state, readings[0])
        _put(state, step, period, (reading,))
        return
    groups: dict[tuple[datetime, Labels], list[KpiReading]] = {}
    for each in readings:
        period, reading = _placed(state, each)
        groups.setdefault((period.start, reading.labels), []).append(reading)
    for (start, _), group in groups.items():
        _put(state, step, state.line.at(start), group)


def _placed(state: KpiState, reading: KpiReading) -> tuple[Period, KpiReading]:
    """The calendar period that a reading counts in. One made for another kind of period is taken as an observation."""
    made = reading.period
    if made is None or (made.kind is None and state.window is not None):
        return state.line.at(reading.at), reading
    period = state.line.at(made.start)
    if made.start == period.start and made.end == period.end:
        return period, reading
    return state.line.at(reading.at), replace(reading, period=None)


def _put(state: KpiState, step: Step, period: Period, readings: Sequence[KpiReading]) -> None:
    labels, how = readings[0].labels, state.how
    slot = state.slot(period) or new_slot(state, step, period, labels)
    if slot is None:
        _too_late(state, step, period, readings)
        return
    for reading in readings:
        if state.heard is None or reading.at > state.heard:
            state.heard = reading.at
    cell = slot.cell(labels) if labels else slot
    if slot.combined is not None and not labels:  # the source gives a total after all
        slot.combined = cell.raw = None
    # an accumulator that began with its period has seen everything; any other is filled from the store
    if how == "last" or (cell.accumulator is None and not slot.past and period.start >= state.since):
        cell.absorb(how, readings, None)
    else:
        cell.absorb(how, readings, lambda: _stored(state, step, period, labels))
    if slot not in state.dirty:
        state.dirty = (*state.dirty, slot)
    if state.window is not None and not slot.past:
        if state.trailing is None:
            state.trailing = Trailing(state.window, readings[-1].at)
        state.trailing.slide(how, labels, readings, lambda within: _stored(state, step, within, labels))


def _too_late(state: KpiState, step: Step, period: Period, readings: Sequence[KpiReading]) -> None:
    """Tell of readings that do not count, unless they only say what is frozen already."""
    frozen = closed_value(state, step, period, readings[0].labels)
    for reading in readings:
        says_the_same = reading.period is not None or state.how == "last"
        if frozen is None or not says_the_same or reading.value != frozen.value:
            step.late.append(reading)


def _stored(state: KpiState, step: Step, period: Period, labels: Labels) -> Sequence[KpiReading]:
    """The stored readings that count in a period (or trailing window)."""
    if step.observations is None:
        return ()
    placed = [_placed(state, reading) for reading in step.observations(state.name, labels, period)]
    return [reading for own, reading in placed if period.kind is None or own.start == period.start]
