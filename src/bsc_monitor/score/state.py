"""What scoring keeps of one KPI: the values of its open periods, the last closed ones, how it is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from bsc_monitor.model.judgement import Judgement
from bsc_monitor.model.organisation import Kpi
from bsc_monitor.model.period import Calendar, Period
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.model.status import Completeness
from bsc_monitor.score.aggregate import Accumulator, gathered
from bsc_monitor.score.breakdown import Labels
from bsc_monitor.score.curve import Curve
from bsc_monitor.score.definition import definition_hash
from bsc_monitor.score.formula import Formula
from bsc_monitor.score.judge import Rules, reading_of, rules_at
from bsc_monitor.score.nodes import Leaf
from bsc_monitor.score.periods import timeline
from bsc_monitor.score.targets import final_target

_END: Final = timedelta(milliseconds=1)  #: a run after a period's end stamps its readings so long before it

# empty, and each one for all: never written
_NO_SEGMENTS: dict[Labels, Cell] = {}
_NO_PERIODS: dict[str, Period] = {}
NO_OPERANDS: Mapping[str, KpiState] = {}

Load = Callable[[], Sequence[KpiReading]]


class Cell:
    """One value of a period: the total's, or a segment's."""

    __slots__ = ("accumulator", "changed", "made", "raw", "value")

    def __init__(self) -> None:
        self.raw: KpiReading | None = None  #: the value before it is judged
        self.accumulator: Accumulator | None = None  #: None: not in memory
        self.made = False  #: whether ``raw`` was made for the period by the source
        self.changed = False
        self.value: PeriodValue | None = None  #: judged; frozen where ``closed_at`` is set

    def restore(self, value: PeriodValue, min_samples: int) -> None:
        """Take a stored value, to be judged by today's definition; its observations stay in the store until they are
        needed."""
        self.value = value
        self.raw = reading_of(value, min_samples)
        self.changed = True

    def absorb(self, how: str, readings: Sequence[KpiReading], load: Load | None) -> None:
        """Take readings of this period. ``load`` gives the stored ones; None: there are none but those taken here."""
        before = self.raw
        if how == "last":
            for reading in readings:
                if _displaces(reading, self.raw):
                    self.raw = reading
        elif self.made or any(reading.period is not None for reading in readings):
            self._take_made(readings)
        else:
            self._accumulate(how, readings, load)
        if self.raw is not before:
            self.changed = True

    def _take_made(self, readings: Sequence[KpiReading]) -> None:
        """A value made for the period stands in place of any observations in it; the latest wins."""
        for reading in readings:
            if reading.period is not None and (not self.made or self.raw is None or reading.at >= self.raw.at):
                self.raw, self.made, self.accumulator = reading, True, None

    def _accumulate(self, how: str, readings: Sequence[KpiReading], load: Load | None) -> None:
        accumulator = self.accumulator
        if accumulator is None and load is None:
            accumulator = self.accumulator = Accumulator(how)
            load = tuple
        if accumulator is not None and _follow(accumulator.latest, readings):
            accumulator.add(readings)
        else:  # not in memory, or something older came that may restate what was counted
            stored = load() if load is not None else ()
            made = [reading for reading in stored if reading.period is not None]
            if made:
                self._take_made(made)
                return
            accumulator = self.accumulator = gathered(how, stored, readings)
        self.raw = accumulator.result()


def _displaces(reading: KpiReading, raw: KpiReading | None) -> bool:
    """Whether a reading is the period's last value: the latest is; an observation of nothing only beside no other."""
    if raw is None:
        return True
    if reading.value is None and reading.period is None and raw.value is not None:
        return False
    if raw.value is None and raw.period is None and reading.value is not None:
        return True
    return reading.at >= raw.at


def _follow(latest: KpiReading | None, readings: Sequence[KpiReading]) -> bool:
    """Whether readings come in order, each newer than all before."""
    at = latest.at if latest is not None else None
    for reading in readings:
        if at is not None and reading.at <= at:
            return False
        at = reading.at
    return True


class Slot(Cell):
    """The total of one period that is open, in grace, or being filled in late; and the cells of its segments."""

    __slots__ = ("combined", "early", "ended", "past", "period", "rules", "segments")

    def __init__(self, period: Period) -> None:
        super().__init__()
        self.period = period
        self.segments = _NO_SEGMENTS
        self.combined: KpiReading | None = None  #: the total, where it is made of the segments
        self.ended = False  #: whether it is judged as an ended period
        self.early = False  #: whether too little of it has passed to be judged (pro-rated)
        self.past = False  #: filled in after grace: closes at once
        self.rules: Rules | None = None  #: of an ended period

    def cell(self, labels: Labels) -> Cell:
        """The cell of a segment; of no labels the total."""
        if not labels:
            return self
        found = self.segments.get(labels)
        if found is None:
            found = Cell()
            self.segments = self.segments or {}
            self.segments[labels] = found
        return found

    def cells(self) -> Iterator[Cell]:
        """Total and segments."""
        yield self
        yield from self.segments.values()

    def is_final(self) -> bool:
        """Whether the source has given its last word: a final value made for the period, taken after its end."""
        raw = self.raw
        return (
            raw is not None
            and raw.period is not None
            and raw.period.kind is not None
            and raw.completeness is Completeness.FINAL
            and raw.value is not None
            and raw.at >= self.period.end - _END
        )


class Trailing(Slot):
    """The values of a trailing window, with the observations inside it by segment."""

    __slots__ = ("histories", "length")

    def __init__(self, length: timedelta, end: datetime) -> None:
        super().__init__(Period(end - length, end))
        self.length = length
        self.histories: dict[Labels, dict[datetime, KpiReading]] = {}

    def slide(
        self, how: str, labels: Labels, readings: Sequence[KpiReading], load: Callable[[Period], Sequence[KpiReading]]
    ) -> None:
        """Take readings: the latest value made for a window, or the aggregate of the observations in it."""
        cell = self.cell(labels)
        newest = max(readings, key=lambda reading: reading.at)
        if newest.period is not None:
            if cell.raw is None or newest.at >= cell.raw.at:
                cell.raw, cell.changed = newest, True
        else:
            history = self.histories.get(labels)
            if history is None:
                stored = load(Period(newest.at - self.length, newest.at))
                history = self.histories[labels] = {each.at: each for each in stored if each.period is None}
            history.update((reading.at, reading) for reading in readings)
            end = max(history)
            for at in [at for at in history if at <= end - self.length]:
                del history[at]
            cell.raw, cell.changed = gathered(how, history.values(), ()).result(), True
        if cell.raw is not None and cell.raw.at > self.period.end:
            self.period = Period(cell.raw.at - self.length, cell.raw.at)


class KpiState:
    """One KPI in memory."""

    __slots__ = (
        "calendar", "closed", "current", "curve", "definition", "dependents", "dirty", "due", "earlier", "final", "formula",
        "grace", "heard", "how", "judgement", "kpi", "leaf", "line", "live", "min_samples", "moved", "name", "operands",
        "pending", "prior", "prorate", "rank", "rules", "shown", "since", "stale_after",
        "trailing", "window",
    )  # fmt: skip

    def __init__(self, kpi: Kpi, calendar: Calendar, now: datetime) -> None:
        self.kpi = kpi
        self.name = kpi.name
        self.calendar = calendar
        self.line = timeline(calendar, kpi.period)
        self.since = now  #: from when on everything that was taken is in memory
        self.heard: datetime | None = None  #: the newest observation of any kind
        self.live: tuple[Slot, ...] = ()
        self.trailing: Trailing | None = None
        self.closed: PeriodValue | None = None  #: the last closed total,
        self.earlier: PeriodValue | None = None  #: and the one before
        self.judgement: Judgement | None = None
        self.shown: PeriodValue | None = None  #: what the judgement is made of,
        self.curve: Curve | None = None  #: and what scored it, unless that is frozen
        self.leaf: Leaf | None = None
        self.due: datetime | None = None  #: when it stands on the agenda; never later than something changes
        self.moved = True  #: whether what changes by time alone may now come sooner than that
        self.dirty: tuple[Slot, ...] = ()  #: with changed cells
        self.formula: Formula | None = None
        self.operands = NO_OPERANDS
        self.dependents: tuple[KpiState, ...] = ()
        self.pending = _NO_PERIODS  #: of a derived KPI: periods to compute anew, by label
        self.rank = 0  #: above that of every operand
        self.define(kpi, now)

    def define(self, kpi: Kpi, now: datetime) -> None:
        """Judge by a definition from now on."""
        self.kpi = kpi
        self.definition = ""
        self.final = final_target(kpi) if kpi.baseline is not None else None
        self.grace, self.min_samples, self.prorate = kpi.grace, kpi.min_samples, kpi.prorate
        self.how, self.window, self.stale_after = kpi.aggregate, kpi.window, kpi.stale_after
        self.rules = rules_at(kpi, now, self.calendar)
        self.turn(now)

    def turn(self, now: datetime) -> None:
        """Find the period that is open."""
        self.moved = True
        self.current = self.line.at(now)
        self.prior = self.line.at(self.current.start - timedelta(microseconds=1))

    def hash(self) -> str:
        """The definition's hash, computed when it is first needed."""
        if not self.definition:
            self.definition = definition_hash(self.kpi)
        return self.definition

    def slot(self, period: Period) -> Slot | None:
        """The slot of a period that is in memory."""
        for slot in self.live:
            if slot.period is period or slot.period.start == period.start:
                return slot
        return None

    def value_of(self, period: Period) -> PeriodValue | None:
        """The total of a period that is in memory."""
        slot = self.slot(period)
        if slot is not None:
            return slot.value
        start = period.start
        for value in (self.closed, self.earlier):
            if value is not None and value.period.start == start:
                return value
        return None

    def remember(self, value: PeriodValue) -> None:
        """Keep a closed total, if it is one of the last two."""
        if self.closed is None or value.period.start > self.closed.period.start:
            self.earlier, self.closed = self.closed, value
        elif value.period.start == self.closed.period.start:
            self.closed = value
        elif self.earlier is None or value.period.start >= self.earlier.period.start:
            self.earlier = value
