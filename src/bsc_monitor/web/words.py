"""How values, targets, scores and times are written for people; templates call these by name."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from bsc_monitor.model.organisation import Better, Level, Thresholds
from bsc_monitor.model.status import CollectorError, Freshness
from bsc_monitor.model.unit import BARE, canonical, yes_no
from bsc_monitor.model.words import day, is_extreme, node_reason, power_of_ten, score, status_word

__all__ = [
    "amount",
    "day",
    "element_id",
    "freshness_word",
    "instant",
    "link",
    "local_day",
    "movement",
    "node_reason",
    "number",
    "points",
    "reason_word",
    "score",
    "share",
    "span",
    "status_word",
    "target",
    "unit",
]

_FRESHNESS: Mapping[Freshness, str] = {Freshness.FRESH: "fresh", Freshness.STALE: "stale", Freshness.MISSING: "missing"}
_REASONS: Mapping[CollectorError, str] = {
    CollectorError.AUTH: "sign-in refused",
    CollectorError.PERMISSION: "not permitted",
    CollectorError.RATE_LIMIT: "asked too often",
    CollectorError.TRANSIENT: "source out of reach",
    CollectorError.SCHEMA: "answer not understood",
    CollectorError.CONFIG: "configuration",
    CollectorError.TIMEOUT: "too slow",
    CollectorError.PLUGIN: "fault in the plugin",
}
_LARGE = ((1e12, "T"), (1e9, "bn"), (1e6, "M"))
_SHORT = 3  #: characters of a unit that is a sign rather than a word
_NARROW = "\u202f"  # no-break, narrow


def number(value: float | None) -> str:
    """A value with as many digits as a person reads: ``12.4``, ``1,234``, ``3.21 M``, ``1.2 × 10⁻⁸``; a dash for none."""
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    if is_extreme(value):
        return power_of_ten(value, 4 if size >= 1 else 2, _NARROW)
    for factor, word in _LARGE:
        if size >= factor:
            return f"{value / factor:,.4g}{_NARROW}{word}".replace("-", "−")
    decimals = 0 if size >= 1000 or value == int(value) else 1 if size >= 100 else 2 if size >= 0.1 else 4
    if 0 < size < 0.001:  # two digits that say something, so that nothing but zero reads as zero
        decimals = 1 - math.floor(math.log10(size))
    text = f"{value:,.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text.replace("-", "−")


def unit(name: str) -> str:
    """A unit as it stands behind a number; counts and ratios have none."""
    name = canonical(name)
    return "" if name in BARE or name == "yes/no" else name


def amount(value: float | None, name: str) -> str:
    """A value with its unit: ``8 h``, ``94.2 %``, ``yes``."""
    if name == "yes/no" and value is not None:
        return yes_no(value)
    shown, called = number(value), unit(name)
    space = _NARROW if len(called) <= _SHORT else "\xa0"  # words stand apart as words do
    return f"{shown}{space}{called}" if value is not None and called else shown


def target(thresholds: Thresholds, better: Better, name: str) -> str:
    """The target as a condition: ``≤ 8 h``, ``≥ 95 %``, ``3–5 d``; empty without one."""
    return _level(thresholds.target, better, name)


def _level(level: Level | None, better: Better, name: str) -> str:
    if level is None:
        return ""
    if isinstance(level, tuple):
        return f"{number(level[0])}–{amount(level[1], name)}"
    if name == "yes/no":  # "at least yes" says no more
        return yes_no(level)
    sign = {"higher": "≥", "lower": "≤", "target": "="}[better]
    return f"{sign}{_NARROW}{amount(level, name)}"


def points(change: float | None) -> str:
    """A change of a score with its sign."""
    if change is None:
        return ""
    return "±0" if abs(change) < 0.5 else f"{change:+.0f}".replace("-", "−")


def share(ratio: float | None) -> str:
    """A ratio as a percentage."""
    return "–" if ratio is None else f"{ratio * 100:.0f}{_NARROW}%"


def movement(trend: float | None) -> tuple[str, str]:
    """A relative change (positive = better) as a class and words: ``("better", "4 % better")``."""
    if trend is None:
        return "", ""
    if abs(trend) < 0.005:
        return "steady", "steady"
    word = "better" if trend > 0 else "worse"
    return word, f"{min(abs(trend) * 100, 999):.0f}{_NARROW}% {word}"


def freshness_word(freshness: Freshness) -> str:
    """A freshness in a word."""
    return _FRESHNESS[freshness]


def reason_word(reason: CollectorError) -> str:
    """Why a collection failed, in words."""
    return _REASONS[reason]


def instant(at: datetime | None, zone: str = "UTC", how: str = "ago") -> Markup:
    """A time as an element: absolute for a reader without scripts, relative (``how``: ago, in, at) with."""
    if at is None:
        return Markup("")
    local = at.astimezone(ZoneInfo(zone))
    text = f"{day(local)}, {local:%H:%M}"
    return Markup('<time datetime="{}" data-how="{}" title="{}">{}</time>').format(
        at.isoformat(timespec="seconds"), how, f"{text} {local:%Z}", text
    )


def local_day(at: datetime, zone: str = "UTC") -> str:
    """The day of an instant in a time zone."""
    return day(at.astimezone(ZoneInfo(zone)).date())


def span(duration: timedelta | float | None) -> str:
    """A duration in its largest fitting unit: ``0.4 s``, ``12 min``, ``3 h``, ``11 d``."""
    if duration is None:
        return "–"
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    for size, word in ((86400 * 2, "d"), (3600 * 2, "h"), (120, "min")):
        if seconds >= size:
            return f"{seconds / {'d': 86400, 'h': 3600, 'min': 60}[word]:.0f}{_NARROW}{word}"
    return f"{seconds:.0f}{_NARROW}s" if seconds >= 10 else f"{seconds:.2g}{_NARROW}s"


def element_id(kind: str, name: str) -> str:
    """The id of the element that shows a thing; ids hold no dot, so it is unique."""
    return f"{kind}.{name.replace('/', '.')}"


def link(address: str | None) -> str:
    """An outside address if a browser may safely follow it, else empty: sources and config supply these."""
    text = (address or "").strip()
    return text if text.lower().startswith(("https://", "http://")) else ""
