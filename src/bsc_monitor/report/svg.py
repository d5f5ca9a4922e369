"""Charts as SVG that are legible in grey print: meaning is in shape, dash and weight, colour only repeats it."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from bsc_monitor.model.status import Status
from bsc_monitor.report.words import score

COLOURS = {
    Status.GREEN: "#14743f", Status.AMBER: "#b35c00", Status.RED: "#b8202f", Status.UNKNOWN: "#5d6875",
}  # fmt: skip
INK, SOFT = "#16202b", "#55616f"
_GLYPHS = {
    Status.GREEN: '<circle cx="8" cy="8" r="7"/><path class="on" d="M4.6 8.3l2.3 2.4 4.6-5"/>',
    Status.AMBER: '<path d="M8 .8 15.6 14.6H.4z"/><path class="on" d="M8 5.600v4.200M8 12v.6"/>',
    Status.RED: '<path d="M5 .8h6L15.2 5v6L11 15.200H5L.8 11V5z"/><path class="on" d="M5.300 5.300l5.400 5.400M10.700 5.300l-5.400 5.400"/>',
    Status.UNKNOWN: '<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.8" stroke-dasharray="3 2"/>',
}  # fmt: skip


def glyph(status: Status, size: float = 10) -> Markup:
    """The shape of a status: disc with tick, triangle, octagon with cross, dashed ring."""
    inner = _GLYPHS[status].replace('class="on"', 'fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round"')
    colour = COLOURS[status]
    inner = inner.replace("currentColor", colour)
    return Markup(  # noqa: S704 - constants only
        f'<svg class="glyph" width="{size}" height="{size}" viewBox="0 0 16 16" fill="{colour}">{inner}</svg>'
    )


def bar(value: float | None, status: Status, width: float = 120, height: float = 7) -> Markup:
    """A score against its thirds, with a mark where green begins."""
    thirds = "".join(
        f'<rect x="{width * place / 3:.2f}" width="{width / 3:.2f}" height="{height}" fill="{fill}"/>'
        for place, fill in enumerate(("#d3d9e0", "#e1e6eb", "#eef1f4"))
    )
    done = max(0.0, min(100.0, value or 0.0)) / 100 * width
    inner = height * 0.44
    filled = "" if value is None else (
        f'<rect y="{(height - inner) / 2:.2f}" width="{max(done, 1):.2f}" height="{inner:.2f}" fill="{COLOURS[status]}"/>'
    )  # fmt: skip
    mark = width * 2 / 3
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="bar" width="{width}" height="{height}" viewBox="0 0 {width} {height}">{thirds}{filled}'
        f'<path d="M{mark:.2f} 0v{height}" stroke="{INK}" stroke-width="1"/></svg>'
    )


def sparkline(values: Sequence[float | None], status: Status, width: float = 74, height: float = 18) -> Markup:
    """The course of a value, a dot at its end."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return Markup("")
    low, size = min(known), (max(known) - min(known)) or 1.0
    step = (width - 8) / (len(values) - 1)
    path, pen, last = "", "M", (0.0, 0.0)
    for place, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        last = (3 + place * step, height - 3 - (value - low) / size * (height - 6))
        path += f"{pen}{last[0]:.1f} {last[1]:.1f}"
        pen = "L"
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="spark" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<path d="{path}" fill="none" stroke="{SOFT}" stroke-width="1.1" stroke-linejoin="round"/>'
        f'<circle cx="{last[0]:.1f}" cy="{last[1]:.1f}" r="2.3" fill="{COLOURS[status]}"/></svg>'
    )


def history(
    points: Sequence[tuple[str, float | None]], status: Status, width: float = 250, height: float = 92
) -> Markup:
    """The scores of past periods over the thirds of the scale; first and last are labelled."""
    left, right, top, bottom = 6.0, 30.0, 8.0, 16.0
    wide, tall = width - left - right, height - top - bottom

    def y(value: float) -> float:
        return top + tall * (1 - value / 100)

    parts = [
        f'<rect x="{left}" y="{y(high):.1f}" width="{wide}" height="{y(low) - y(high):.1f}" fill="{fill}"/>'
        for low, high, fill in ((0, 100 / 3, "#e7eaee"), (100 / 3, 200 / 3, "#f0f2f5"), (200 / 3, 100, "#f8f9fb"))
    ]
    parts.append(
        f'<path d="M{left} {y(200 / 3):.1f}h{wide}" stroke="{SOFT}" stroke-width=".7" stroke-dasharray="2 2"/>'
    )
    parts.append(text(width - right + 4, y(200 / 3) + 2.6, "green", size=7, fill=SOFT))
    step = wide / max(1, len(points) - 1)
    known = [
        (left + place * step, y(value), label, value)
        for place, (label, value) in enumerate(points)
        if value is not None
    ]
    if known:
        line = "M" + "L".join(f"{x:.1f} {at:.1f}" for x, at, _, _ in known)
        parts.append(f'<path d="{line}" fill="none" stroke="{INK}" stroke-width="1.5" stroke-linejoin="round"/>')
        x, at, label, value = known[-1]
        parts.append(f'<circle cx="{x:.1f}" cy="{at:.1f}" r="3" fill="{COLOURS[status]}" stroke="#fff"/>')
        parts.append(text(x + 6, at + (3 if abs(at - y(200 / 3)) > 8 else 9), score(value), size=9, weight=700))
        parts.append(text(x, height - 4, label, size=7, anchor="end", fill=SOFT))
    if len(known) > 1:
        x, _, label, _ = known[0]
        parts.append(text(x, height - 4, label, size=7, fill=SOFT))
    return whole(width, height, parts)


def progress(share: float | None, width: float = 54, height: float = 5) -> Markup:
    """How far something has come."""
    if share is None:
        return Markup("")
    done = max(0.0, min(1.0, share)) * width
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="progress" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<rect width="{width}" height="{height}" rx="2" fill="#e1e6eb"/>'
        f'<rect width="{done:.1f}" height="{height}" rx="2" fill="{SOFT}"/></svg>'
    )


def text(
    x: float, y: float, words: str, *, size: float, anchor: str = "start", fill: str = INK, weight: int = 400
) -> str:
    """A text at a place."""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{fill}" font-weight="{weight}">{escape(words)}</text>'


def whole(width: float, height: float, parts: Sequence[str]) -> Markup:
    """A whole chart."""
    inner = "".join(parts)
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    face = 'font-family="Report Sans, DejaVu Sans, sans-serif"'
    return Markup(f'<svg class="chart" {face} {size}>{inner}</svg>')  # noqa: S704 - numbers; texts are escaped
