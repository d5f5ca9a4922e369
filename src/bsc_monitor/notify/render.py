"""Messages as text: a title of one line, plain text, HTML for mail, and a short form for chats."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from bsc_monitor.model.alert import Alert
from bsc_monitor.notify.message import Item, Message
from bsc_monitor.notify.wording import Wording, harmless, lasted, level, line, link, number, prose, sparkline

_LONGEST_TITLE = 150
_SHOWN_IN_CHAT = 10
_IN_FULL = 20  #: alerts of a mail; the others are a line each: mail readers cut what is long
_NAMED, _LONGEST_NAME = 3, 40  #: alerts, and characters of each, in the title of several


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message in every form."""

    title: str
    text: str
    html: str
    chat_title: str
    chat: str


def render(message: Message, wording: Wording) -> Rendered:
    """Put a message in words. Whatever stands in its alerts, the title is one line and no form is broken."""
    items = sorted(message.items, key=lambda item: (not item.moments, item.state == "resolved", _rank(item)))
    views = [_view(item, message, wording) for item in items]
    title = line(_title(message, views), _LONGEST_TITLE)
    shared = {"message": message, "title": title, "intro": _intro(message), "board": link(wording.board)}
    safe = [{name: harmless(said) if name in _EXTERNAL else said for name, said in view.items()} for view in views]
    chat = {**shared, "items": safe[:_SHOWN_IN_CHAT], "more": max(0, len(safe) - _SHOWN_IN_CHAT)}
    return Rendered(
        title,
        _tidy(_plain().get_template("alert.txt").render(**shared, items=views[:_IN_FULL], rest=views[_IN_FULL:])),
        _html().get_template("alert.html").render(**shared, items=views[:_IN_FULL], rest=views[_IN_FULL:]),
        harmless(title),
        _tidy(_plain().get_template("alert.chat").render(**chat)),
    )


_EXTERNAL = frozenset({"headline", "title", "where", "note", "reason", "owner", "text", "value", "period", "ack"})


def _view(item: Item, message: Message, wording: Wording) -> dict[str, Any]:
    """One alert as words, keyed as the templates use them."""
    alert, facts = item.alert, item.alert.facts
    return {
        "state": item.state,
        "severity": line(alert.labels.get("severity", "")),
        "headline": line(headline(item)),
        "title": line(_titled(alert)),
        "where": line(wording.place(alert)),
        "tone": _tone(item),
        "rank": _rank(item),
        "story": _story(item, message, wording),
        "value": line(number(alert.value, facts.unit)) if alert.value is not None else "",
        "against": _against(alert),
        "trend": sparkline(item.trend),
        "trend_points": len(item.trend[-12:]),
        "status": line(facts.status),
        "score": "" if facts.score is None else f"{facts.score:.0f} of 100",
        "period": line(facts.period),
        "owner": line(facts.owner),
        "note": prose(facts.note),
        "reason": line(alert.reason),
        "no_data": wording.moment(alert.no_data_since) if alert.no_data_since else "",
        "text": item.text,
        "evidence": link(facts.evidence),
        "runbook": "" if item.state == "resolved" else link(item.runbook_url) or line(item.runbook_url),
        "page": wording.subject_link(alert),
        "ack_page": wording.alert_link(alert),
        "ack": ""
        if item.acknowledged is None
        else line(f"{item.acknowledged.author}: {item.acknowledged.note}".rstrip(": ")),
        "fingerprint": alert.fingerprint,
    }


def headline(item: Item) -> str:
    """What it is about, in a few words."""
    alert = item.alert
    title = _titled(alert)
    word = _WORDS.get(item.when, "")
    if item.when == "breach" and alert.facts.status in ("red", "amber"):
        word = alert.facts.status.capitalize()
    return f"{word}: {title}" if word else title


def _titled(alert: Alert) -> str:
    return alert.facts.title or alert.labels.get("kpi") or alert.subject or alert.rule


_WORDS = {
    "score": "Low score", "stale": "No new value", "collector": "Collector failing", "insight": "Insight",
    "initiative": "Initiative off track", "forecast": "Forecast to breach", "watchdog": "Watchdog",
}  # fmt: skip


def _tone(item: Item) -> str:
    """How bad it is, in a colour: that of the status where there is one."""
    if item.state != "firing":
        return "green" if item.state == "resolved" else "flapping"
    if item.when == "breach" and item.alert.facts.status in ("red", "amber"):
        return item.alert.facts.status
    return {"critical": "red", "info": "info", "none": "info"}.get(item.alert.labels.get("severity", ""), "amber")


def _rank(item: Item) -> int:
    """The worst first."""
    severity = item.alert.labels.get("severity", "")
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)


_STATES = ("firing", "flapping", "resolved")
_SEVERITIES = ("critical", "error", "warning", "info", "none")


def _title(message: Message, views: list[dict[str, Any]]) -> str:
    mark = "TEST" if message.test else "ESCALATED" if message.escalated else ""
    if len(message.items) == 1:
        item, view = message.items[0], views[0]
        state = {"firing": view["severity"].upper() or "FIRING", "resolved": "RESOLVED", "flapping": "FLAPPING"}[
            item.state
        ]
        now = "now " if item.state == "resolved" else ""
        value = f" – {now}{view['value']}" if view["value"] and not (now and view["reason"]) else ""
        head = f"{state} {view['headline']}{value}"
    else:
        head = f"{_counts(message, views)}: {_names(views)}"
    cards = {item.alert.labels.get("scorecard", "") for item in message.items} - {""}
    return f"{f'[{mark}] ' if mark else ''}{head}{f' ({cards.pop()})' if len(cards) == 1 else ''}"


def _counts(message: Message, views: list[dict[str, Any]]) -> str:
    """``2 critical, 1 warning, 3 resolved``."""
    words = Counter(
        view["severity"] or "firing" if view["state"] == "firing" else view["state"]
        for view in sorted(views, key=lambda view: (_STATES.index(view["state"]), view["rank"]))
    )
    return ", ".join(f"{count} {word}" for word, count in words.items()) or f"{len(message.items)} alerts"


def _names(views: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(line(view["title"], _LONGEST_NAME) for view in views))
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _intro(message: Message) -> str:
    if message.test:
        return "This is a test message of bsc-monitor. Nothing is wrong."
    if message.escalated:
        return "Nobody has acknowledged this in time, so it comes to you."
    if message.repeated:
        return "A reminder: this is still so."
    return "This receiver could not be reached when it happened." if message.late else ""


def _story(item: Item, message: Message, wording: Wording) -> str:
    """``fired 10:02, resolved 10:09, delivered late``: what happened when."""
    alert, now = item.alert, message.at
    words = {"steady": "came to rest", "flapping": "began to flap"}
    parts = [f"{words.get(moment.kind, moment.kind)} {wording.time(moment.at, now)}" for moment in item.moments]
    only = item.moments[0].kind if len(item.moments) == 1 else ""
    if item.state == "resolved" and only == "resolved" and alert.starts_at and alert.resolved_at:
        parts.insert(0, f"fired {wording.time(alert.starts_at, now)}")
        parts[-1] += f" after {lasted(alert.resolved_at - alert.starts_at)}"
    if not parts and alert.starts_at:
        parts.append(f"firing since {wording.moment(alert.starts_at)}, for {lasted(now - alert.starts_at)}")
    if message.late and item.moments:
        parts.append("delivered late")
    return ", ".join(parts)


def _against(alert: Alert) -> str:
    facts = alert.facts
    parts = [f"target {level(facts.target, facts.unit)}"] if facts.target is not None else []
    parts += [f"red at {level(facts.red, facts.unit)}"] if facts.red is not None else []
    return line(", ".join(parts))


def _tidy(text: str) -> str:
    lines = [each.rstrip() for each in text.strip().splitlines()]
    kept = [each for place, each in enumerate(lines) if each or lines[place - 1]]
    return "\n".join(kept) + "\n"


@lru_cache(maxsize=1)
def _plain() -> Environment:
    return Environment(  # noqa: S701 - plain text knows no markup
        loader=PackageLoader("bsc_monitor.notify"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@lru_cache(maxsize=1)
def _html() -> Environment:
    return Environment(
        loader=PackageLoader("bsc_monitor.notify"), undefined=StrictUndefined, autoescape=True, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
