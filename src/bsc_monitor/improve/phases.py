"""Phases of a process: stretches with limits of their own, parted by lasting shifts and declared changes.

How a shift is found: limits rest on the phase's first 12 points and, when nothing has shifted by then, once more on its
first 24; after that they stand. A run on one side of the centre that is long enough for the rule set *and* lies on
average more than one moving range (about 1.1 standard deviations) off the centre starts a new phase at its first point.
The second condition is ours: on noise alone one run of eight comes up in about 250 points, and most lie nearer.

A change may show some points after it was declared, and a run may begin with a point that is of the old process: the
first points that lie nearer the middle of those before than of those after stay with the phase before, lest they widen
the new one's limits.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Literal

from bsc_monitor.improve.significance import median
from bsc_monitor.improve.xmr import (
    FIRM,
    PROVISIONAL,
    Form,
    Limits,
    Rules,
    Signal,
    limits,
    range_signals,
    run_length,
    sides,
    signals,
    stretches,
)  # fmt: skip
from bsc_monitor.model.insight import NotEnoughData

BASELINE = 24  #: points of a phase that its limits rest on at most
Cause = Literal["start", "shift", "declared"]


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch ``[start, end)`` of the points, what is normal in it, and what is not."""

    start: int
    end: int
    cause: Cause  #: why it began
    limits: Limits | NotEnoughData
    signals: tuple[Signal, ...] = ()
    jumps: tuple[int, ...] = ()  #: points that came after a moving range beyond its limit

    def __len__(self) -> int:
        return self.end - self.start


def phases(
    values: Sequence[float], *, rules: Rules = "wheeler", form: Form = "mean", declared: Collection[int] = ()
) -> tuple[Phase, ...]:
    """The phases of a series, oldest first, without gaps; ``declared`` are indices at which the process was changed."""
    found: list[Phase] = []
    borders = sorted({place for place in declared if 0 < place < len(values)})
    start, cause = 0, _START
    while start < len(values):
        border = next((place for place in borders if place > start), len(values))
        shift = _shift(values, start, border, rules, form)
        if shift is None:
            following = next((place for place in borders if place > border), len(values))
            end, after = _past_stragglers(values, start, border, min(following, border + FIRM)), _DECLARED
        else:
            end, after = _past_stragglers(values, start, shift, shift + run_length(rules)), _SHIFT
        found.append(_phase(values, start, end, cause, rules, form))
        start, cause = end, after
    return tuple(found)


_START: Cause = "start"
_SHIFT: Cause = "shift"
_DECLARED: Cause = "declared"


def _phase(values: Sequence[float], start: int, end: int, cause: Cause, rules: Rules, form: Form) -> Phase:
    own = limits(values[start : min(end, start + BASELINE)], form)
    if isinstance(own, NotEnoughData):
        return Phase(start, end, cause, own)
    stretch = values[start:end]
    return Phase(
        start, end, cause, own, tuple(signals(stretch, own, rules, start)), tuple(range_signals(stretch, own, start))
    )


def _shift(values: Sequence[float], start: int, end: int, rules: Rules, form: Form) -> int | None:
    """Where the first lasting shift after ``start`` begins; a phase before it keeps enough points for limits."""
    if end - start < PROVISIONAL + run_length(rules):
        return None
    for size, reach in ((FIRM, BASELINE), (BASELINE, end - start)):
        known = limits(values[start : min(end, start + size)], form)
        if isinstance(known, NotEnoughData):
            return None
        found = _lasting_run(values, start, min(end, start + reach), known, run_length(rules))
        if found is not None or start + reach >= end:
            return found
    return None


def _past_stragglers(values: Sequence[float], start: int, border: int, end: int) -> int:
    """Where the points from ``border`` on cease to lie nearer the middle of those before it than of those up to ``end``."""
    if border == end or isinstance(known := limits(values[start : min(border, start + BASELINE)]), NotEnoughData):
        return border
    before, after = median(sorted(values[start:border])), median(sorted(values[border:end]))
    if abs(after - before) <= known.range_centre + known.dust:
        return border  # no other level, so no stragglers
    return next(place for place in range(border, end) if abs(values[place] - before) >= abs(values[place] - after))


def _lasting_run(values: Sequence[float], start: int, end: int, known: Limits, enough: int) -> int | None:
    stretch = values[start:end]
    for _, first, last in stretches(sides(stretch, known.centre - known.dust, known.centre + known.dust)):
        if first < PROVISIONAL or last - first + 1 < enough:
            continue
        for after in range(first + enough, last + 2):
            offset = fsum(stretch[first:after]) / (after - first) - known.centre
            if abs(offset) > known.range_centre + known.dust:
                return start + first
    return None
