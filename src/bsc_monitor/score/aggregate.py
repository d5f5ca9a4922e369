"""From the observations of a period to its value, one at a time, the same to the bit in any order of arrival."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from math import inf

from bsc_monitor.model.reading import KpiReading
from bsc_monitor.model.status import Completeness, ReadingState
from bsc_monitor.score.exact import exact

LEAST_FINAL = (Completeness.FINAL, Completeness.PROVISIONAL, Completeness.PARTIAL)


class Accumulator:
    """The observations of one period (and segment) so far.

    ``how`` is the KPI's aggregate: last, mean, sum, median, pNN, min, max, count. Observations are told apart by their
    ``at``; ``add`` wants each once (see ``gathered`` for what was restated). Observations without a value only matter
    where no other has one.
    """

    __slots__ = ("_completeness", "_denominators", "_empty", "_how", "_newest", "_numerators", "_ordered", "_parts",
                 "_samples", "_state", "count", "latest")  # fmt: skip

    def __init__(self, how: str) -> None:
        self._how = how
        self.count = 0  #: observations with a value
        self.latest: KpiReading | None = None  #: the newest of all, with a value or without
        self._newest: KpiReading | None = None  # with a value
        self._empty: KpiReading | None = None  # the newest without
        self._samples = 0
        self._parts: list[float] | None = []  # of the exact sum; None: beyond a float
        self._ordered: list[float] = []
        self._numerators: list[float] | None = []  # None: not every observation has one
        self._denominators: list[float] | None = []
        self._state = ReadingState.OK  # PARTIAL as soon as one is
        self._completeness = Completeness.FINAL  # the least final of them

    def add(self, readings: Iterable[KpiReading]) -> None:
        """Take observations, older or newer than the others."""
        found: list[KpiReading] = []
        for reading in readings:
            self.latest = _newer(self.latest, reading)
            if reading.value is None:
                self._empty = _newer(self._empty, reading)
                continue
            found.append(reading)
            self._newest = _newer(self._newest, reading)
            self._samples += 1 if reading.samples is None else reading.samples
            if reading.state is ReadingState.PARTIAL:
                self._state = ReadingState.PARTIAL
            if reading.completeness is not Completeness.FINAL:
                self._completeness = max(self._completeness, reading.completeness, key=LEAST_FINAL.index)
        if found:
            self.count += len(found)
            self._numerators = _added(self._numerators, [reading.numerator for reading in found])
            self._denominators = _added(self._denominators, [reading.denominator for reading in found])
            self._add_values([reading.value for reading in found if reading.value is not None])

    def _add_values(self, values: list[float]) -> None:
        how = self._how
        if how in ("mean", "sum"):
            self._parts = _added(self._parts, values)
        elif how == "min":
            self._ordered = [min(*self._ordered, *values, values[0])]
        elif how == "max":
            self._ordered = [max(*self._ordered, *values, values[0])]
        elif how not in ("last", "count"):
            if len(values) == 1:
                insort(self._ordered, values[0])
            else:
                self._ordered = sorted([*self._ordered, *values])

    def result(self) -> KpiReading | None:
        """The value as one reading, at the newest observation behind it; None without observations."""
        newest = self._newest
        if newest is None or self._how == "last":
            return newest or self._empty
        value = self._value()
        return KpiReading(
            newest.kpi, newest.at, value, newest.labels, self._samples, _total(self._numerators),
            _total(self._denominators), None, ReadingState.NO_DATA if value is None else self._state,
            self._completeness, newest.evidence, newest.note if value is not None else "the sum is too large for a number",
        )  # fmt: skip

    def _value(self) -> float | None:
        how = self._how
        if how == "count":
            return float(self.count)
        if how == "sum":
            return _total(self._parts)
        if how == "mean":
            total = _total(self._parts)
            return None if total is None else total / self.count
        if how in ("min", "max"):
            return self._ordered[0]
        return percentile(self._ordered, 0.5 if how == "median" else int(how[1:]) / 100)


def gathered(how: str, stored: Iterable[KpiReading], taken: Iterable[KpiReading]) -> Accumulator:
    """The accumulator of all observations of a period: what is stored, and what is taken now, which restates it."""
    by_time = {reading.at: reading for reading in stored if reading.period is None}
    by_time.update((reading.at, reading) for reading in taken)
    accumulator = Accumulator(how)
    accumulator.add(by_time.values())
    return accumulator


def percentile(ordered: list[float], share: float) -> float:
    """A percentile of ordered values, linear between the two nearest (the method of NumPy and spreadsheets)."""
    place = share * (len(ordered) - 1)
    low = int(place)
    below, above = ordered[low], ordered[min(low + 1, len(ordered) - 1)]
    if above - below == inf:
        return below
    return min(below + (above - below) * (place - low), above)


def _newer(one: KpiReading | None, other: KpiReading) -> KpiReading:
    return other if one is None or other.at >= one.at else one


def _added(parts: list[float] | None, numbers: list[float] | list[float | None]) -> list[float] | None:
    known = [number for number in numbers if number is not None]
    if parts is None or len(known) < len(numbers):
        return None
    try:
        return exact([*parts, *known])
    except OverflowError:
        return None


def _total(parts: list[float] | None) -> float | None:
    return None if parts is None else parts[0] if parts else 0.0
