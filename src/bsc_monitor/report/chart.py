"""The process-behaviour chart of a report: values, natural limits by phase, targets, forecast with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bsc_monitor.model.status import Status
from bsc_monitor.report.data import Course, Stretch
from bsc_monitor.report.svg import COLOURS, INK, SOFT, text, whole
from bsc_monitor.report.words import number

_WIDTH, _HEIGHT = 520.0, 112.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 36.0, 70.0, 10.0, 20.0
_MARKS = 6  # labels below the chart at most, those of the forecast aside
_TARGET = COLOURS[Status.GREEN]


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where things are on the chart."""

    places: int
    low: float
    high: float

    def x(self, place: float) -> float:
        return _LEFT + place * (_WIDTH - _LEFT - _RIGHT) / max(1, self.places - 1)

    def y(self, value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - (value - self.low) / (self.high - self.low))

    def line(self, points: Sequence[tuple[float, float]]) -> str:
        return "L".join(f"{self.x(place):.1f} {self.y(value):.1f}" for place, value in points)


def course(of: Course) -> Markup:
    """The chart. Filled points are signals, the band is the usual variation; nothing depends on colour."""
    frame = _Frame(len(of.values) + len(of.ahead), *_extent(of))
    parts = [part for stretch in of.stretches for part in _limits(frame, stretch, len(of.values))]
    parts += [*_targets(frame, of), *_ahead(frame, of), *_values(frame, of), *_labels(frame, of)]
    return whole(_WIDTH, _HEIGHT, parts)


def _limits(frame: _Frame, of: Stretch, count: int) -> Iterator[str]:
    if of.lower is None or of.upper is None or of.centre is None:
        return
    start, end = frame.x(max(0, of.start - 0.5)), frame.x(min(count - 0.5, of.end - 0.5))
    top, bottom = frame.y(min(frame.high, of.upper)), frame.y(max(frame.low, of.lower))
    yield f'<rect x="{start:.1f}" y="{top:.1f}" width="{end - start:.1f}" height="{bottom - top:.1f}" fill="#eceff3"/>'
    for edge, dash in ((of.lower, "1 2"), (of.centre, "none"), (of.upper, "1 2")):
        if frame.low <= edge <= frame.high:
            at = frame.y(edge)
            yield f'<path d="M{start:.1f} {at:.1f}H{end:.1f}" stroke="{SOFT}" stroke-width=".7" stroke-dasharray="{dash}"/>'


def _targets(frame: _Frame, of: Course) -> Iterator[str]:
    """The target of every period as a dashed step."""
    place = 0
    while place < len(of.targets):
        target, end = of.targets[place], place
        while end + 1 < len(of.targets) and of.targets[end + 1] == target:
            end += 1
        if target is not None:
            last = len(of.targets) + len(of.ahead) - 1 if end + 1 == len(of.targets) else end + 0.5
            start = frame.x(max(0, place - 0.5))
            yield (
                f'<path d="M{start:.1f} {frame.y(target):.1f}H{frame.x(last):.1f}" stroke="{_TARGET}" '
                'stroke-width="1.2" stroke-dasharray="6 3"/>'
            )
        place = end + 1


def _ahead(frame: _Frame, of: Course) -> Iterator[str]:
    if not of.ahead:
        return
    now, first = len(of.values) - 1, of.values[-1]
    upper = [(now, first), *((now + n, each.high) for n, each in enumerate(of.ahead, 1))]
    lower = [(now, first), *((now + n, each.low) for n, each in enumerate(of.ahead, 1))]
    middle = [(now, first), *((now + n, each.value) for n, each in enumerate(of.ahead, 1))]
    yield f'<path d="M{frame.line(upper)}L{frame.line(lower[::-1])}z" fill="#dfe6ee"/>'
    yield f'<path d="M{frame.line(middle)}" fill="none" stroke="{INK}" stroke-width="1.1" stroke-dasharray="2 2.5"/>'


def _values(frame: _Frame, of: Course) -> Iterator[str]:
    points = list(enumerate(of.values))
    yield f'<path d="M{frame.line(points)}" fill="none" stroke="{INK}" stroke-width="1.3" stroke-linejoin="round"/>'
    for place, value in points:
        fill, radius = (INK, 2.9) if of.flagged[place] else ("#fff", 1.9)
        yield f'<circle cx="{frame.x(place):.1f}" cy="{frame.y(value):.1f}" r="{radius}" fill="{fill}" stroke="{INK}"/>'


def _labels(frame: _Frame, of: Course) -> Iterator[str]:
    for edge in (frame.low, frame.high):
        yield text(_LEFT - 5, frame.y(edge) + 2.6, number(edge), size=7, anchor="end", fill=SOFT)
    last, foot = len(of.values) - 1, _HEIGHT - 5
    end = frame.x(last + len(of.ahead)) + 6
    for place in range(last, -1, -max(1, -(-len(of.values) // _MARKS))):
        at, tick = frame.x(place), _HEIGHT - _BOTTOM
        yield f'<path d="M{at:.1f} {tick:.1f}v3" stroke="{SOFT}" stroke-width=".7"/>'
        yield text(at, foot, of.labels[place], size=7, anchor="middle" if place else "start", fill=SOFT)
    target = of.targets[-1] if of.targets else None
    if of.ahead:
        at = frame.y(of.ahead[-1].value)
        near = target is not None and abs(frame.y(target) - at) < 9
        yield text(frame.x(last + len(of.ahead)), foot, of.ahead[-1].label, size=7, anchor="middle", fill=SOFT)
        yield text(end, at + (-4 if near and target is not None and frame.y(target) >= at else 9 if near else 2.6),
                   number(of.ahead[-1].value), size=7.5, weight=600)  # fmt: skip
    if target is not None:
        yield text(end, frame.y(target) + 2.6, f"target {number(target)}", size=7, fill=_TARGET)


def _extent(of: Course) -> tuple[float, float]:
    known = [*of.values, *(each.low for each in of.ahead), *(each.high for each in of.ahead)]
    known += [target for target in of.targets if target is not None]
    known += [edge for each in of.stretches for edge in (each.lower, each.upper) if edge is not None]
    low, high = min(known), max(known)
    if low == high:
        return low - 1, high + 1
    return (0.0 if 0 < low < 0.35 * high else low), high
