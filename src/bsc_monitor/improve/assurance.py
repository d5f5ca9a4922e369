"""Variation and assurance: the two questions of NHS England's *Making Data Count*, with their icons in words."""

from dataclasses import dataclass
from typing import Literal

from bsc_monitor.improve.phases import Phase
from bsc_monitor.improve.xmr import Signal
from bsc_monitor.model.insight import Direction
from bsc_monitor.model.organisation import Better, Level

Assurance = Literal["pass", "fail", "hit_and_miss"]


@dataclass(frozen=True, slots=True)
class Icon:
    """An icon by name, and the words that stand beside it."""

    name: str
    letter: str  #: in the icon: H, L, P, F, ?
    text: str
    direction: Direction


_VARIATION = {
    (Direction.IMPROVING, 1): Icon("improvement_high", "H", "Changed for the better: higher", Direction.IMPROVING),
    (Direction.IMPROVING, -1): Icon("improvement_low", "L", "Changed for the better: lower", Direction.IMPROVING),
    (Direction.WORSENING, 1): Icon("concern_high", "H", "Changed for the worse: higher", Direction.WORSENING),
    (Direction.WORSENING, -1): Icon("concern_low", "L", "Changed for the worse: lower", Direction.WORSENING),
    (Direction.NONE, 1): Icon("neither_high", "H", "Changed: higher, neither better nor worse", Direction.NONE),
    (Direction.NONE, -1): Icon("neither_low", "L", "Changed: lower, neither better nor worse", Direction.NONE),
}
_COMMON = Icon("common_cause", "", "Nothing but the usual variation", Direction.NONE)
_ASSURANCE = {
    "pass": Icon("pass", "P", "Will meet its target every time", Direction.IMPROVING),
    "fail": Icon("fail", "F", "Will miss its target every time unless something changes", Direction.WORSENING),
    "hit_and_miss": Icon("hit_and_miss", "?", "Will sometimes meet its target and sometimes miss it", Direction.NONE),
}


def assurance(lower: float, upper: float, target: Level, better: Better) -> Assurance:
    """Whether a process with these natural limits meets a target (inclusive; a band for ``better="target"``) by itself."""
    if isinstance(target, tuple):
        if target[0] <= lower and upper <= target[1]:
            return "pass"
        return "fail" if upper < target[0] or lower > target[1] else "hit_and_miss"
    if better == "lower":
        return "pass" if upper <= target else "fail" if lower > target else "hit_and_miss"
    return "pass" if lower >= target else "fail" if upper < target else "hit_and_miss"


def assurance_icon(found: Assurance) -> Icon:
    """The icon of an assurance."""
    return _ASSURANCE[found]


def variation_icon(signal: Signal | None, direction: Direction) -> Icon:
    """The icon of the newest point: of the signal that it is part of, or of the usual variation."""
    return _COMMON if signal is None else _VARIATION[direction, signal.side]


def good_side(better: Better, target: Level | None, centre: float) -> int:
    """Which side of a process centre is better: 1 higher, -1 lower, 0 neither (in the middle of a band, or no band)."""
    if better != "target":
        return 1 if better == "higher" else -1
    if not isinstance(target, tuple) or target[0] <= centre <= target[1]:
        return 0
    return 1 if centre < target[0] else -1


def direction_of(side: int, good: int) -> Direction:
    """Good or bad news: a move to ``side`` where ``good`` is the better one."""
    return Direction.NONE if not good else Direction.IMPROVING if side == good else Direction.WORSENING


def newest_signal(phase: Phase) -> Signal | None:
    """The strongest signal that the phase's last point is part of: beyond a limit, a run, near a limit, a trend."""
    current = [signal for signal in phase.signals if signal.last == phase.end - 1]
    return min(current, key=lambda signal: _LOUDNESS.index(signal.rule), default=None)


_LOUDNESS = ("beyond_limit", "run", "near_limit", "trend")
