"""Has the process become unstable? Moving ranges beyond their limit, and how much wider the values swing than before."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

from bsc_monitor.improve.effect import rank_test
from bsc_monitor.improve.phases import Phase
from bsc_monitor.improve.xmr import FIRM, moving_ranges
from bsc_monitor.model.insight import NotEnoughData

RATIO = 1.5  #: of dispersions, from which (or from whose inverse) a change is worth telling
ALPHA = 0.005  # stricter than elsewhere: neighbouring moving ranges share a value
RECENT = 6  #: periods in which jumps are counted
JUMPS = 3  # one odd value already makes two: there and back


@dataclass(frozen=True, slots=True)
class Volatility:
    """How wide the values swing from one period to the next, lately and usually."""

    recent: float  #: mean moving range, of the current phase or of the last 12 points
    usual: float  #: of the phase before, or of the points before those
    ratio: float  #: recent ÷ usual; 1 where neither swings
    changed: bool  #: the difference is large and hardly chance
    jumps: tuple[int, ...]  #: points among the last 6 that came after a moving range beyond its limit
    since: int  #: index from which ``recent`` counts


def volatility(values: Sequence[float], phases: Sequence[Phase]) -> Volatility | NotEnoughData:
    """Compare the last two phases where both are firm, else the last 12 points of a phase with those before them."""
    last = phases[-1] if phases else None
    if last is None or len(values) < 2 * FIRM:
        return NotEnoughData(len(values), 2 * FIRM)
    split, start = _split(phases)
    if split is None:
        return NotEnoughData(last.end - start, 2 * FIRM)
    usual, recent = moving_ranges(values[start:split]), moving_ranges(values[split : last.end])
    before, now = fsum(usual) / len(usual), fsum(recent) / len(recent)
    ratio = now / before if before else (1.0 if not now else float("inf"))
    changed = (ratio >= RATIO or ratio <= 1 / RATIO) and rank_test(usual, recent).p < ALPHA
    jumps = tuple(place for place in last.jumps if place >= last.end - RECENT)
    return Volatility(now, before, ratio, changed, jumps, split)


def _split(phases: Sequence[Phase]) -> tuple[int | None, int]:
    last = phases[-1]
    if len(last) >= 2 * FIRM:
        return last.end - FIRM, last.start
    if len(phases) > 1 and len(last) >= FIRM and len(phases[-2]) >= FIRM:
        return last.start, phases[-2].start
    return None, last.start
