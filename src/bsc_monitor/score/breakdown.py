"""Breakdowns: which thresholds a segment is judged by, and a total made of segments where the source gave none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import fsum, isclose, isfinite
from typing import get_args

from bsc_monitor.model.organisation import Combine, Kpi, TargetPath
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.model.status import ReadingState
from bsc_monitor.score.aggregate import LEAST_FINAL
from bsc_monitor.score.curve import Curve

Labels = tuple[tuple[str, str], ...]

_NOTE = re.compile(rf"({'|'.join(get_args(Combine))}) of \d+ segments")


def path_of(kpi: Kpi, labels: Labels) -> TargetPath:
    """The thresholds of a segment: the KPI's, or those given for one of its label values."""
    for _, value in labels:
        if value in kpi.segments and kpi.segments[value].steps:
            return kpi.segments[value]
    return kpi.path


def combined(kpi: Kpi, segments: Mapping[Labels, KpiReading], curve: Curve | None) -> KpiReading | None:
    """The total of a breakdown as the KPI's ``combine`` says; None where nothing can be combined.

    Of several dimensions the first of the KPI's ``by`` that was delivered is taken, for each alone is the whole.
    ``mean`` and ``weighted`` (by sample count) become the ratio of sums where every segment says its numerator and
    denominator; ``worst`` is the value that scores lowest.
    """
    parts = [each for each in _one_dimension(kpi, segments) if each.value is not None and _has_value(each)]
    if kpi.combine is None or not parts:
        return None
    try:
        value = _combine(kpi, parts, curve)
        numerator, denominator = _sum(each.numerator for each in parts), _sum(each.denominator for each in parts)
    except OverflowError:
        return None
    if value is None or not isfinite(value):
        return None
    newest = max(parts, key=lambda each: (each.at, each.labels))
    known = [each.samples for each in parts if each.samples is not None]
    return KpiReading(
        kpi.name, newest.at, value, (), sum(known) if known else None, numerator, denominator, newest.period,
        ReadingState.PARTIAL if any(each.state is ReadingState.PARTIAL for each in parts) else ReadingState.OK,
        max((each.completeness for each in parts), key=LEAST_FINAL.index),
        None, f"{kpi.combine} of {len(parts)} segments",
    )  # fmt: skip


def was_combined(total: KpiReading) -> bool:
    """Whether a total was made by ``combined``, by whatever ``combine`` said then; its note tells."""
    return _NOTE.fullmatch(total.note or "") is not None


def _has_value(reading: KpiReading) -> bool:
    return reading.state in (ReadingState.OK, ReadingState.PARTIAL)


def _one_dimension(kpi: Kpi, segments: Mapping[Labels, KpiReading]) -> list[KpiReading]:
    by_dimension: dict[tuple[str, ...], list[KpiReading]] = {}
    for labels, reading in segments.items():
        by_dimension.setdefault(tuple(name for name, _ in labels), []).append(reading)
    wanted = [tuple(sorted(kpi.by)), *((name,) for name in kpi.by), *sorted(by_dimension)]
    return next((by_dimension[names] for names in wanted if names in by_dimension), [])


def _combine(kpi: Kpi, parts: list[KpiReading], curve: Curve | None) -> float | None:
    values = [each.value for each in parts if each.value is not None]
    if kpi.combine == "sum":
        return fsum(values)
    if kpi.combine == "worst":
        return _worst(kpi, values, curve)
    ratio = _ratio_of_sums(kpi, parts)
    if ratio is not None:
        return ratio
    if kpi.combine == "mean":
        return fsum(values) / len(values)
    weights = [1 if each.samples is None else each.samples for each in parts]
    total = sum(weights)
    return fsum(w * v for w, v in zip(weights, values, strict=True)) / total if total else None


def _worst(kpi: Kpi, values: list[float], curve: Curve | None) -> float:
    if curve is not None:
        lowest = min(curve.judge(value)[0] for value in values)
        values = [value for value in values if curve.judge(value)[0] == lowest]
    return max(values) if kpi.better == "lower" else min(values)


def _ratio_of_sums(kpi: Kpi, parts: list[KpiReading]) -> float | None:
    """Σ numerator / Σ denominator, where that is what the values are made of."""
    above, below = _sum(each.numerator for each in parts), _sum(each.denominator for each in parts)
    if above is None or not below:
        return None
    scale = 100.0 if kpi.unit == "%" else 1.0
    for each in parts:
        if each.value is None or each.numerator is None or not each.denominator:
            continue
        if not isclose(each.value, scale * each.numerator / each.denominator, rel_tol=1e-6, abs_tol=1e-9):
            return None
    return scale * above / below


def _sum(numbers: Iterable[float | None]) -> float | None:
    listed = list(numbers)
    known = [number for number in listed if number is not None]
    return fsum(known) if len(known) == len(listed) else None
