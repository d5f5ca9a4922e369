"""Where is it going? A robust line, or last season again where that has served better; always with an interval.

Both candidates are back-tested: each of the last periods is forecast from those before it alone, and the mean absolute
error of that is kept with the forecast. The line rests on the process as it is now alone, and a season that the process
has left since is none. The interval (80 %) comes from the quantiles of what the method left
unexplained, widened by the uncertainty of the slope with the distance.
"""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import floor, sqrt
from typing import Literal

from bsc_monitor.improve.present import WINDOW
from bsc_monitor.improve.significance import median
from bsc_monitor.improve.trend import ENOUGH, line_through, slope_rows
from bsc_monitor.model.insight import NotEnoughData

Method = Literal["line", "seasonal"]

CONFIDENCE = 0.8
_FIRST_ORIGIN = 5  # values that a back-tested line rests on at least
_ORIGINS = {"line": 6, "seasonal": 12}  # back-tests at most; a season is judged over all of it


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of one future period: ``low`` ≤ ``value`` ≤ ``high``."""

    ahead: int  #: periods after the newest value
    time: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """The next periods, and how well the method did on those that are known."""

    method: Method
    points: tuple[Expected, ...]
    error: float  #: mean absolute error of one-step back-tests, in the values' unit
    tests: int  #: that the error is the mean of
    slope: float  #: of the line, per period; 0 for a season


@dataclass(frozen=True, slots=True)
class Crossing:
    """When a forecast passes a level, in periods ahead; None: not within the forecast."""

    expected: int | None
    earliest: int | None
    latest: int | None


def forecast(
    values: Sequence[float],
    times: Sequence[int] | None = None,
    *,
    ahead: int = 6,
    season: int | None = None,
    start: int = 0,
    bounds: tuple[float | None, float | None] = (None, None),
    rows: Sequence[Sequence[float]] | None = None,
) -> Forecast | NotEnoughData:
    """Forecast ``ahead`` periods; at least 8 values since ``start``, where today's process begins.

    ``season`` is its length in periods, ``bounds`` what cannot be passed; ``rows`` are the ``slope_rows`` of the newest
    24 values since ``start``.
    """
    if len(values) - start < ENOUGH:
        return NotEnoughData(len(values) - start, ENOUGH)
    moments = range(len(values)) if times is None else times
    origins = _ORIGINS["line"]
    last_season: list[float] | None = None
    if season and moments[-1] - moments[0] + 1 >= 2 * season:
        last_season = _season_errors(values, moments, season, since=moments[start])
        origins = _ORIGINS["seasonal"] if last_season else origins
    first = max(start, len(values) - WINDOW)
    window, when = values[first:], moments[first:]
    line = _line(window, when, slope_rows(window, when) if rows is None else rows, ahead, origins)
    found = line
    if season and last_season and len(last_season) >= origins:
        missed = sum(abs(error) for error in last_season[-origins:]) / origins
        if missed < line.error:
            again = _seasonal(dict(zip(moments, values, strict=True)), moments[-1], season, ahead, last_season)
            found = Forecast("seasonal", again, missed, origins, 0.0) if again else line
    return _within(found, bounds)


def crossing(made: Forecast, level: float, rising: bool) -> Crossing:
    """When the forecast reaches ``level`` or passes it, going up or down; the interval gives earliest and latest."""

    def first(edge: Literal["low", "value", "high"]) -> int | None:
        for point in made.points:
            value: float = getattr(point, edge)
            if value >= level if rising else value <= level:
                return point.ahead
        return None

    soon: Literal["low", "high"] = "high" if rising else "low"
    return Crossing(first("value"), first(soon), first("low" if rising else "high"))


def quantiles(errors: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Lower and upper quantile as order statistics, rounded outwards: with few errors the extremes."""
    ordered = sorted(errors)
    place = max(0, floor((len(ordered) + 1) * (1 - confidence) / 2) - 1)
    return ordered[place], ordered[-1 - place]


def _line(
    values: Sequence[float], times: Sequence[int], rows: Sequence[Sequence[float]], ahead: int, origins: int
) -> Forecast:
    first = max(_FIRST_ORIGIN, len(values) - origins)
    slopes = sorted(chain.from_iterable(rows[:first]))
    ordered = sorted(values[:first])
    missed = 0.0
    for place in range(first, len(values)):
        ahead_of_middle = times[place] - median(times[:place])
        missed += abs(values[place] - median(ordered) - median(slopes) * ahead_of_middle)
        insort(ordered, values[place])
        slopes += rows[place]
        slopes.sort()  # two sorted stretches and a few: nearly linear
    line = line_through(slopes, values, times, CONFIDENCE)
    residuals = [value - line.intercept - line.slope * time for value, time in zip(values, times, strict=True)]
    low, high = quantiles(residuals)
    fitted = sqrt(len(values) / (len(values) - 2))
    down, up = min(0.0, low) * fitted, max(0.0, high) * fitted
    centre, now = median(times), times[-1]
    points = []
    for step in range(1, ahead + 1):
        value, distance = line.intercept + line.slope * (now + step), now + step - centre
        lower = value - sqrt(down**2 + ((line.slope - line.low) * distance) ** 2)
        upper = value + sqrt(up**2 + ((line.high - line.slope) * distance) ** 2)
        points.append(Expected(step, now + step, value, lower, upper))
    tests = len(values) - first
    return Forecast("line", tuple(points), missed / tests, tests, line.slope)


def _season_errors(values: Sequence[float], times: Sequence[int], season: int, since: int) -> list[float]:
    """What last season's values missed; empty where the level moved within the season: the last one tells nothing then."""
    known = dict(zip(times, values, strict=True))
    errors = {time: known[time] - known[time - season] for time in times if time - season in known}
    fresh = [error for time, error in errors.items() if time >= since]
    if times[-1] - since < season and (min(fresh, default=0.0) > 0 or max(fresh, default=0.0) < 0):
        return []
    return list(errors.values())


def _seasonal(
    known: dict[int, float], now: int, season: int, ahead: int, errors: Sequence[float]
) -> tuple[Expected, ...]:
    """The last season again; empty where it has a gap, for a forecast has no holes."""
    low, high = quantiles(errors)
    points = []
    for step in range(1, ahead + 1):
        seasons = 1 + (step - 1) // season
        value = known.get(now + step - seasons * season)
        if value is None:
            return ()
        spread = sqrt(seasons)
        points.append(
            Expected(step, now + step, value, value + min(0.0, low) * spread, value + max(0.0, high) * spread)
        )
    return tuple(points)


def _within(made: Forecast, bounds: tuple[float | None, float | None]) -> Forecast:
    floor_, ceiling = bounds
    if floor_ is None and ceiling is None:
        return made

    def clip(value: float) -> float:
        if floor_ is not None and value < floor_:
            return floor_
        return ceiling if ceiling is not None and value > ceiling else value

    points = tuple(
        Expected(point.ahead, point.time, clip(point.value), clip(point.low), clip(point.high)) for point in made.points
    )
    return Forecast(made.method, points, made.error, made.tests, made.slope)
