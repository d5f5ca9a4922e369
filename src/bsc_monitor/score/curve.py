"""From a value to a score of 0–100 and a status (design/scoring.md, "Value → score")."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, Protocol

from bsc_monitor.model.organisation import Better, Kpi, Thresholds
from bsc_monitor.model.status import Status

RED_SCORE: Final = 100 / 3
GREEN_SCORE: Final = 200 / 3
_GREEN_ROUNDED: Final = round(GREEN_SCORE, 9)
_RED_ROUNDED: Final = round(RED_SCORE, 9)
_DUST: Final = 1e-8
_GREEN_ABOVE: Final = GREEN_SCORE + _DUST
_RED_BELOW: Final = RED_SCORE - _DUST
_AMBER_ABOVE: Final = RED_SCORE + _DUST
_AMBER_BELOW: Final = GREEN_SCORE - _DUST
_GREEN: Final = Status.GREEN
_AMBER: Final = Status.AMBER
_RED: Final = Status.RED
_LARGE: Final = 1e300


class Curve(Protocol):
    """What turns a value into its score and status. Curves are values: equal ones count as one."""

    def __hash__(self) -> int: ...

    def judge(self, value: float) -> tuple[float, Status]:
        """The score, 0–100, and the status of a finite value."""

    def points(self) -> tuple[tuple[float, float], ...]:
        """The (value, score) points between which the score is linear, by rising value."""


def curve_of(kpi: Kpi, thresholds: Thresholds) -> Curve | None:
    """The curve of a KPI under the thresholds in force; None: it is not scored."""
    if not kpi.scored:
        return None
    if kpi.curve:
        return _free(kpi.curve)
    if thresholds.target is None or thresholds.red is None:
        return YesNo(kpi.better) if kpi.unit == "yes/no" else None
    return threshold_curve(thresholds, kpi.better)


@lru_cache(maxsize=65536)
def threshold_curve(thresholds: Thresholds, better: Better) -> Curve:
    """The curve through worst (0), red (33⅓), target (66⅔) and best (100), or around a band.

    Thresholds must be monotone, as ``config`` checks. KPIs with equal thresholds share one.
    """
    target, red = thresholds.target, thresholds.red
    if isinstance(target, tuple) and isinstance(red, tuple):
        ideal = thresholds.ideal if thresholds.ideal is not None else target[0] / 2 + target[1] / 2
        below = _line(1, None, red[0], target[0], ideal)
        above = _line(-1, None, red[1], target[1], ideal)
        return Band(ideal, below, above)
    if isinstance(target, tuple) or isinstance(red, tuple) or target is None or red is None:
        raise ValueError(f"a {better} KPI cannot be judged against {thresholds}")
    sign: Literal[1, -1] = -1 if better == "lower" else 1
    return _line(sign, thresholds.worst, red, target, thresholds.best)


def node_status(score: float | None) -> Status:
    """The status of a rolled-up score, compared at 9 decimals so that float dust cannot flip a colour."""
    if score is None:
        return Status.UNKNOWN
    if score > _GREEN_ABOVE:  # rounding is slow and rarely needed
        return _GREEN
    if score < _RED_BELOW:
        return _RED
    if _AMBER_ABOVE < score < _AMBER_BELOW:
        return _AMBER
    rounded = round(score, 9)
    if rounded >= _GREEN_ROUNDED:
        return _GREEN
    return _RED if rounded <= _RED_ROUNDED else _AMBER


@dataclass(frozen=True, slots=True)
class Line:
    """Higher is better after multiplying by ``scale`` (negative: lower is better; its size keeps sums in range)."""

    scale: float
    worst: float
    red: float
    target: float
    best: float

    def judge(self, value: float) -> tuple[float, Status]:
        """The score between the four points; the status from the value itself."""
        x = value * self.scale
        if x >= self.target:
            if x >= self.best:
                return 100.0, _GREEN
            return (200 + 100 * ((x - self.target) / (self.best - self.target))) / 3, _GREEN
        if x > self.red:
            return (100 + 100 * ((x - self.red) / (self.target - self.red))) / 3, _AMBER
        if x <= self.worst:
            return 0.0, _RED
        return 100 * ((x - self.worst) / (self.red - self.worst)) / 3, _RED

    def points(self) -> tuple[tuple[float, float], ...]:
        """Worst, red, target and best, by rising value."""
        scores = (0.0, RED_SCORE, GREEN_SCORE, 100.0)
        found = zip((self.worst, self.red, self.target, self.best), scores, strict=True)
        return tuple(sorted((x / self.scale, score) for x, score in found))


@dataclass(frozen=True, slots=True)
class Band:
    """Best at the ideal, worse on either side of it."""

    ideal: float
    below: Line
    above: Line

    def judge(self, value: float) -> tuple[float, Status]:
        """The score of the side that the value is on."""
        if value == self.ideal:
            return 100.0, _GREEN
        return self.below.judge(value) if value < self.ideal else self.above.judge(value)

    def points(self) -> tuple[tuple[float, float], ...]:
        """The points of both sides; the ideal once."""
        return (*self.below.points()[:-1], (self.ideal, 100.0), *self.above.points()[1:])


@dataclass(frozen=True, slots=True)
class Free:
    """Linear between given points, flat outside; the status is that of a node with this score."""

    values: tuple[float, ...]
    scores: tuple[float, ...]

    def judge(self, value: float) -> tuple[float, Status]:
        """The interpolated score; it has no thresholds, so its status comes from the score."""
        place = bisect_right(self.values, value)
        if place == 0:
            score = self.scores[0]
        elif place == len(self.values):
            score = self.scores[-1]
        else:
            x0, x1 = self.values[place - 1] / 2, self.values[place] / 2
            y0, y1 = self.scores[place - 1], self.scores[place]
            score = y0 + (value / 2 - x0) / (x1 - x0) * (y1 - y0) if x1 > x0 else y0
            score = min(max(score, min(y0, y1)), max(y0, y1))
        return score, node_status(score)

    def points(self) -> tuple[tuple[float, float], ...]:
        """The points as given."""
        return tuple(zip(self.values, self.scores, strict=True))


@dataclass(frozen=True, slots=True)
class YesNo:
    """1 is good (with ``better = "lower"``: 0 is); between them, such as a mean over several, in proportion."""

    better: Better = "higher"

    def judge(self, value: float) -> tuple[float, Status]:
        """100 and green for yes, 0 and red for no."""
        good = min(max(1 - value if self.better == "lower" else value, 0.0), 1.0)
        return 100 * good, _GREEN if good == 1 else _RED if good == 0 else _AMBER

    def points(self) -> tuple[tuple[float, float], ...]:
        """No and yes."""
        return ((0.0, 100.0), (1.0, 0.0)) if self.better == "lower" else ((0.0, 0.0), (1.0, 100.0))


def _line(sign: Literal[1, -1], worst: float | None, red: float, target: float, best: float | None) -> Line:
    """The line through four thresholds, given as they are and flipped here so that higher is better."""
    size = 0.25 if max(abs(x) for x in (red, target, worst or 0.0, best or 0.0)) > _LARGE else 1.0
    scale = sign * size
    r, t = red * scale, target * scale
    w = r - (t - r) if worst is None else worst * scale
    b = t + (t - r) if best is None else best * scale
    return Line(scale, w, r, t, b)


@lru_cache(maxsize=4096)
def _free(points: tuple[tuple[float, float], ...]) -> Free:
    return Free(tuple(value for value, _ in points), tuple(score for _, score in points))
