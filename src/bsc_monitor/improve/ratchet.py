"""Which target has stopped being a goal? One that the process meets by itself, every time, for a year of periods."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from bsc_monitor.improve.assurance import assurance
from bsc_monitor.improve.xmr import FIRM, Limits
from bsc_monitor.model.organisation import Better, Level

PERIODS = 12  #: that the target must have been met in, without exception


@dataclass(frozen=True, slots=True)
class Ratchet:
    """A target that could be raised."""

    target: float  #: in force
    proposed: float  #: the process centre, rounded to the easier side
    met: int  #: periods in a row


def ratchet(values: Sequence[float], usual: Limits, target: Level | None, better: Better) -> Ratchet | None:
    """Propose the next target; ``values`` are those judged by the target in force. None while the target is still one.

    Bands have no next target.
    """
    if target is None or isinstance(target, tuple) or better == "target" or usual.points < FIRM:
        return None
    met = 0
    for value in reversed(values):
        if not (value <= target if better == "lower" else value >= target):
            break
        met += 1
    if met < PERIODS or assurance(usual.lower, usual.upper, target, better) != "pass":
        return None
    proposed = rounded(usual.centre, usual.upper - usual.centre, abs(usual.centre - target), up=better == "lower")
    harder = proposed < target if better == "lower" else proposed > target
    return Ratchet(target, proposed, met) if harder else None


def rounded(centre: float, reach: float, gap: float, *, up: bool) -> float:
    """A number that people would choose: the multiple of 1, 2 or 5 times a power of ten next to the centre."""
    room = min(reach, gap) / 2 if reach else gap / 2
    if room <= 0:
        return centre
    power = floor(log10(room))
    step = max(each * 10.0**power for each in (1, 2, 5) if each * 10.0**power <= room * (1 + 1e-12))
    ratio = centre / step
    whole = ceil(ratio - 1e-9) if up else floor(ratio + 1e-9)
    return round(whole * step, max(0, 1 - power))
