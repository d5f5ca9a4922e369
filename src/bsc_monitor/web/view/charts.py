"""Small charts as SVG in the page: no script, no inline style, a text for those who do not see them."""

from collections.abc import Sequence

from markupsafe import Markup

from bsc_monitor.model.judgement import Counts
from bsc_monitor.model.status import Status
from bsc_monitor.web.words import score, status_word

__all__ = ["bullet", "counts_bar", "glyph", "progress", "ring", "sparkline"]

_GLYPHS = {
    Status.GREEN: '<circle cx="8" cy="8" r="7"/><path class="on" d="M4.6 8.3l2.3 2.4 4.6-5"/>',
    Status.AMBER: '<path d="M8 .8 15.6 14.6H.4z"/><path class="on" d="M8 5.6v4.2M8 12v.6"/>',
    Status.RED: '<path d="M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5z"/><path class="on" d="M5.3 5.3l5.4 5.400M10.7 5.300l-5.4 5.4"/>',
    Status.UNKNOWN: '<circle class="hollow" cx="8" cy="8" r="6.2"/><path class="on dark" d="M5.2 8h5.6"/>',
}


def glyph(status: Status) -> Markup:
    """The shape of a status: disc with tick, triangle, octagon with cross, empty ring. Beside a word, so it is hidden."""
    return Markup(f'<svg class="glyph {status}" viewBox="0 0 16 16" aria-hidden="true">{_GLYPHS[status]}</svg>')  # noqa: S704 - constants only


def ring(value: float | None, status: Status, size: str = "") -> Markup:
    """A score as a ring around its number."""
    share = max(0.0, min(100.0, value or 0.0))
    arc = f'<circle class="arc" cx="32" cy="32" r="27" pathLength="100" stroke-dasharray="{share:.1f} 100"/>'
    label = f"Score {score(value)} of 100, {status_word(status)}" if value is not None else "No score"
    return Markup(  # noqa: S704 - numbers and constants only
        f'<svg class="ring {status} {size}" viewBox="0 0 64 64" role="img" aria-label="{label}">'
        f'<circle class="track" cx="32" cy="32" r="27"/>{arc if value is not None else ""}'
        f'<text x="32" y="33" text-anchor="middle" dominant-baseline="central">{score(value)}</text></svg>'
    )


def bullet(value: float | None, status: Status) -> Markup:
    """A score against its bands: red, amber and green thirds, a mark at the target, the bar as far as the score."""
    width = max(0.0, min(100.0, value or 0.0)) * 1.2
    bar = f'<rect class="bar {status}" x="0" y="3.5" width="{max(width, 1.5):.1f}" height="5"/>'
    label = f"Score {score(value)} of 100; the target is at 67" if value is not None else "Not scored"
    return Markup(  # noqa: S704 - numbers and constants only
        f'<svg class="bullet" viewBox="0 0 120 12" preserveAspectRatio="none" role="img" aria-label="{label}">'
        '<rect class="third1" width="40" height="12"/><rect class="third2" x="40" width="40" height="12"/>'
        f'<rect class="third3" x="80" width="40" height="12"/>{bar if value is not None else ""}'
        '<path class="mark" d="M80 1v10"/></svg>'
    )


_LEAST_CHANGE = 0.01  #: of a value, that fills a sparkline's height


def sparkline(values: Sequence[float | None], status: Status, label: str = "") -> Markup:
    """The course of a value: a line with gaps where there was none, a dot at the end in the status's colour."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return Markup('<span class="spark none" aria-hidden="true"></span>')
    low, high = min(known), max(known)
    size = max(high - low, _LEAST_CHANGE * max(abs(low), abs(high))) or 1.0  # or the dust of sums would look like waves
    low = (low + high - size) / 2
    step = 84 / (len(values) - 1)
    places = [
        None if value is None else (3 + number * step, 21 - (value - low) / size * 18)
        for number, value in enumerate(values)
    ]
    path, pen = "", "M"
    for place in places:
        path += f"{pen}{place[0]:.1f} {place[1]:.1f}" if place else ""
        pen = "L" if place else "M"
    x, y = next(place for place in reversed(places) if place)
    dot = f'<circle class="dot {status}" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>'
    role = Markup('role="img" aria-label="{}"').format(label) if label else 'aria-hidden="true"'
    return Markup(f'<svg class="spark" viewBox="0 0 90 24" {role}><path d="{path}"/>{dot}</svg>')  # noqa: S704 - escaped above


def counts_bar(counts: Counts) -> Markup:
    """How many KPIs are red, amber, green and without data, as one bar. The numbers stand beside it in words."""
    total = counts.red + counts.amber + counts.green + counts.missing
    parts, at = "", 0.0
    for name, count in (
        ("red", counts.red), ("amber", counts.amber), ("green", counts.green), ("unknown", counts.missing),
    ):  # fmt: skip
        width = 120 * count / total if total else 0
        parts += f'<rect class="{name}" x="{at:.1f}" width="{max(width - 1, 0.5):.1f}" height="6"/>' if count else ""
        at += width
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="counts-bar" viewBox="0 0 120 6" preserveAspectRatio="none" aria-hidden="true">{parts}</svg>'
    )


def progress(share: float | None, state: str = "") -> Markup:
    """How far something has come, 0–1."""
    done = max(0.0, min(1.0, share or 0.0))
    return Markup(  # noqa: S704 - numbers and our own words only
        f'<svg class="progress {state}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="track" width="100" height="6"/><rect class="done" width="{done * 100:.0f}" height="6"/></svg>'
    )
