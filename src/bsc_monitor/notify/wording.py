"""Numbers, times, names and links as people read them; text from other systems made harmless for each medium."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

import structlog
from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from bsc_monitor.model.alert import Alert, AlertRule
from bsc_monitor.model.organisation import Level
from bsc_monitor.model.unit import BARE, canonical, yes_no
from bsc_monitor.model.words import day, is_extreme, power_of_ten

_log = structlog.get_logger(__name__)
_BARS = "▁▂▃▄▅▆▇█"
_MOST_BARS = 12
_LONGEST_LINE, _LONGEST_TEXT = 300, 2000
_RULES = SandboxedEnvironment(autoescape=False)  # the text is escaped for its medium where it is put
_INVISIBLE = "\u200b"  # zero width: breaks a mention or a link and no reading


@dataclass(frozen=True, slots=True)
class Wording:
    """How to tell: in which time zone, where the board is, and what nodes are called."""

    timezone: str = "UTC"
    board: str = ""  #: address of the board; empty: it is not known
    titles: Mapping[str, str] = field(default_factory=dict)  #: of scorecards, perspectives, objectives: ``kind:name``

    def time(self, instant: datetime, now: datetime) -> str:
        """``10:02 CET``, with its date unless it is today's."""
        zone = ZoneInfo(self.timezone)
        local = instant.astimezone(zone)
        if local.date() == now.astimezone(zone).date():
            return f"{local:%H:%M %Z}"
        return f"{day(local)} {local:%H:%M %Z}"

    def moment(self, instant: datetime) -> str:
        """``1 Mar 2026, 10:02 UTC``."""
        local = instant.astimezone(ZoneInfo(self.timezone))
        return f"{day(local)}, {local:%H:%M %Z}"

    def alert_link(self, alert: Alert) -> str:
        """The alert on the board; empty where the board's address is not known."""
        return f"{self.board.rstrip('/')}/alerts#alert.{alert.fingerprint}" if self.board else ""

    def place(self, alert: Alert) -> str:
        """``IT department › Internal process › Restore fast``: where it belongs, as far as that applies."""
        card = alert.labels.get("scorecard", "")
        known = {"scorecard": card, **{kind: alert.labels.get(kind, "") for kind in ("perspective", "objective")}}
        full = {kind: name if kind == "scorecard" else f"{card}/{name}" for kind, name in known.items() if name}
        return " › ".join(
            self.titles.get(f"{kind}:{name}") or known[kind].replace("_", " ") for kind, name in full.items()
        )

    def subject_link(self, alert: Alert) -> str:
        """The page of what the alert watches; empty where the board's address is not known."""
        kind, _, name = alert.subject.partition(":")
        if not self.board:
            return ""
        if kind in ("kpi", "forecast"):
            page = f"kpis/{quote(name)}"
        elif kind in ("objective", "perspective", "scorecard"):
            page = f"scorecards/{quote(name.partition('/')[0])}"
        else:
            page = "sources" if kind == "collector" else ""
        return f"{self.board.rstrip('/')}/{page}"


def number(value: float | None, unit: str = "") -> str:
    """A value with its unit: four significant digits, thousands apart; ``no value`` without one.

    Counts and ratios stand alone, and what is yes or no is in a word, as on the board.
    """
    if value is None:
        return "no value"
    unit = canonical(unit)
    if unit == "yes/no":
        return yes_no(value)
    plain = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    text = power_of_ten(value, 4) if is_extreme(value) else plain
    return text if unit in BARE else f"{text} {unit}"


def level(value: Level | None, unit: str = "") -> str:
    """A threshold, or the two ends of a band."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return f"{number(value[0])} to {number(value[1], unit)}"
    return number(value, unit)


def sparkline(values: Sequence[float]) -> str:
    """The last twelve values as bars; empty when there are fewer than two."""
    shown = [value for value in values if not math.isnan(value)][-_MOST_BARS:]
    if len(shown) < 2:
        return ""
    low, high = min(shown), max(shown)
    span = high - low
    steps = len(_BARS) - 1
    return "".join(_BARS[round((value - low) / span * steps) if span else steps // 2] for value in shown)


def lasted(span: timedelta) -> str:
    """A stretch of time in its two largest parts: ``2 h 5 min``."""
    minutes = max(0, round(span.total_seconds() / 60))
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{left} min" if left or minutes < 1 else ""]
    return " ".join(part for part in parts if part) if not days else " ".join(part for part in parts[:2] if part)


def line(text: str, most: int = _LONGEST_LINE) -> str:
    """One line of visible characters: what mail headers, titles and logs can hold."""
    cleaned = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", text[: most * 4]))
    cleaned = " ".join(cleaned.split())
    return cleaned if len(cleaned) <= most else cleaned[: most - 1] + "…"


def prose(text: str) -> str:
    """Text of several lines without control characters."""
    lines = (line(part, _LONGEST_TEXT) for part in text[: 4 * _LONGEST_TEXT].splitlines())
    return "\n".join(lines).strip()[:_LONGEST_TEXT]


def harmless(text: str) -> str:
    """Text for chats: no mention, link or markup in it comes to life."""
    text = re.sub(r"(?<![\w.+-])@(?=\w)", f"@{_INVISIBLE}", text)
    text = re.sub(r"<(?=[!@#:/\w])", f"<{_INVISIBLE}", text)
    text = re.sub(r"\]\(", f"]{_INVISIBLE}(", text)
    text = re.sub(r"(?i)\b(https?|ftp|file|mailto|javascript|data|tel|slack|msteams):(?=\S)", rf"\1:{_INVISIBLE}", text)
    return re.sub(r"(?i)\bwww\.(?=\w)", f"www{_INVISIBLE}.", text)


def link(address: str) -> str:
    """A web address that may be made a link; empty when it is none."""
    found = re.fullmatch(r"https?://[^\s<>\"'`\\]+", address.strip())
    if not found or len(address) > 2000:
        return ""
    return re.sub(r"[|^{}]", lambda sign: quote(sign[0], safe=""), found.group())  # as ServiceNow's queries have them


def rule_text(rule: AlertRule, alert: Alert, wording: Wording) -> str:
    """What a rule's own template says of an alert; empty where it has none, or it fails."""
    if not rule.message:
        return ""
    facts = alert.facts
    try:
        said = _RULES.from_string(rule.message).render(
            labels=dict(alert.labels), value=number(alert.value, facts.unit), target=level(facts.target, facts.unit),
            red=level(facts.red, facts.unit), title=facts.title, status=facts.status, score=facts.score, note=facts.note,
            owner=facts.owner, period=facts.period, state=str(alert.state), reason=alert.reason,
            since=wording.moment(alert.starts_at or datetime.now(UTC)), link=wording.subject_link(alert),
            number=alert.value,
        )  # fmt: skip
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError, AttributeError) as error:
        _log.warning("the message of an alert rule cannot be made", rule=rule.id, why=str(error)[:200])
        return ""
    return prose(said)
