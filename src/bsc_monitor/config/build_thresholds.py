"""From ``red``, ``target`` and their like to a path of thresholds that makes sense at every moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Any

from bsc_monitor.config.form_scorecard import KpiForm, SegmentForm
from bsc_monitor.config.notes import Notes
from bsc_monitor.config.positions import Path
from bsc_monitor.config.values import LevelStep, WeightStep
from bsc_monitor.model.organisation import Better, Level, TargetPath, TargetStep, Thresholds, Weight

Fault = tuple[str, str, str]  #: key, message, hint
_KEYS = ("target", "red", "worst", "best", "ideal")


def build_weight(said: float | Sequence[WeightStep], path: Path, notes: Notes) -> Weight:
    """A weight, or its steps over time."""
    if isinstance(said, int | float):
        return _constant(float(said))
    steps = tuple((step.start, float(step.weight)) for step in said)
    _check_dates([start for start, _ in steps], (*path, "weight"), notes)
    return Weight(steps)


@lru_cache(maxsize=256)
def _constant(weight: float) -> Weight:
    return Weight(((date.min, weight),))


def build_path(form: KpiForm | SegmentForm, better: Better, interpolate: Any, path: Path, notes: Notes) -> TargetPath:
    """The thresholds over time. What is wrong with them is noted."""
    plain: dict[str, Any] = {}
    changes: list[tuple[date, Path, LevelStep]] = []
    for key in _KEYS:
        value = getattr(form, key)
        if isinstance(value, list) and value and isinstance(value[0], LevelStep):
            _check_dates([step.start for step in value], (*path, key), notes)
            changes += [(step.start, (*path, key, place), step) for place, step in enumerate(value)]
        elif value is not None:
            plain[key] = _level(value)
    if not changes:
        if not plain:
            return TargetPath(interpolate=interpolate)
        return TargetPath((_step(date.min, plain, better, path, notes),), interpolate)
    dated: dict[date, tuple[Path, dict[str, Any]]] = {}
    for start, where, step in sorted(changes, key=lambda change: change[0]):
        said = {key: _level(value) for key in _KEYS if (value := getattr(step, key)) is not None}
        plain = {**plain, **said}
        first, _ = dated.get(start, (where, plain))
        dated[start] = (first, plain)
    steps = tuple(_step(start, values, better, where, notes) for start, (where, values) in dated.items())
    return TargetPath(steps, interpolate)


def _level(value: Any) -> Level:
    return (float(value[0]), float(value[1])) if isinstance(value, list) else float(value)


def _check_dates(dates: list[date], path: Path, notes: Notes) -> None:
    for place in range(1, len(dates)):
        if dates[place] <= dates[place - 1]:
            notes.error(
                (*path, place, "from"), f"{dates[place]} does not come after {dates[place - 1]}", "order by date"
            )


def _step(start: date, values: dict[str, Any], better: Better, path: Path, notes: Notes) -> TargetStep:
    thresholds, fault = _judged(tuple(values.items()), better)
    if fault is not None:
        key, message, hint = fault
        notes.error((*path, key), message, hint)
    return TargetStep(start, thresholds)


@lru_cache(maxsize=4096)
def _judged(values: tuple[tuple[str, Level], ...], better: Better) -> tuple[Thresholds, Fault | None]:
    """Thresholds and what is wrong with them. Many KPIs have the same."""
    thresholds = Thresholds(**dict(values))  # type: ignore[arg-type]
    given = [key for key, _ in values]
    if thresholds.target is None or thresholds.red is None:
        there, missing = ("red", "target") if thresholds.target is None else ("target", "red")
        key = there if there in given else given[0]
        return thresholds, (key, f"{missing} is missing: a score needs both red and target", f"add {missing} = …")
    return thresholds, _band_fault(thresholds) if better == "target" else _line_fault(thresholds, better)


def _band_fault(t: Thresholds) -> Fault | None:
    for key in ("target", "red"):
        if not isinstance(getattr(t, key), tuple):
            return key, 'better = "target" needs a band', f"{key} = [LOW, HIGH]"
    for key in ("worst", "best"):
        if getattr(t, key) is not None:
            return key, 'has no meaning with better = "target"', "use ideal, or a curve"
    (low, high), (red_low, red_high) = t.target, t.red  # type: ignore[misc]
    if low > high:
        return "target", f"the band [{low:g}, {high:g}] ends before it begins", ""
    if not (red_low < low and high < red_high):
        message = f"red [{red_low:g}, {red_high:g}] must lie around target [{low:g}, {high:g}]"
        return "red", message, "red is where it gets bad, outside the band"
    if t.ideal is not None and not low <= t.ideal <= high:
        return "ideal", f"{t.ideal:g} is outside target [{low:g}, {high:g}]", ""
    return None


def _line_fault(t: Thresholds, better: Better) -> Fault | None:
    for key in ("target", "red"):
        if isinstance(getattr(t, key), tuple):
            return key, f'better = "{better}" needs a number, not a band', 'or better = "target"'
    if t.ideal is not None:
        return "ideal", 'has a meaning only with better = "target"', ""
    sign = 1 if better == "higher" else -1
    beyond = "above" if better == "higher" else "below"
    ordered = [(key, getattr(t, key)) for key in ("worst", "red", "target", "best") if getattr(t, key) is not None]
    for (key, value), (next_key, next_value) in pairwise(ordered):
        if sign * value < sign * next_value:
            continue
        hint = ""
        if (key, next_key) == ("red", "target") and value != next_value:
            hint = f'did you mean better = "{"lower" if better == "higher" else "higher"}"?'
        message = f'with better = "{better}", {next_key} ({next_value:g}) must be {beyond} {key} ({value:g})'
        return "best" if next_key == "best" else key, message, hint
    return None
