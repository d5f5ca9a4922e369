"""JQL, Jira's query language, as the collector writes it: what it asks for, and what shows people the issues behind a number.

JQL reads dates in the calling user's time zone and to the minute.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bsc_monitor.plugin import Calendar, Window

_ORDER = re.compile(r"\s*\border\s+by\b[^\"']*$", re.IGNORECASE)
_SHOWN_KEYS = 100  # evidence names so many issues; beyond it, the condition that finds them


# ---- words


def quoted(value: str) -> str:
    """A value as a JQL string."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def literal(at: datetime, zone: ZoneInfo) -> str:
    """A JQL date at or before an instant. An hour that the clocks repeat is ambiguous, so the time before it is taken."""
    local = at.astimezone(zone)
    while local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        local = (local.astimezone(UTC) - timedelta(minutes=30)).astimezone(zone)
    return f'"{local:%Y-%m-%d %H:%M}"'


def bare(jql: str) -> str:
    """JQL without its ORDER BY."""
    return _ORDER.sub("", jql.strip())


# ---- what is asked for


def scoped(project: str, epic: str, jql: str, *, cloud: bool) -> str:
    """The issues of a project (or several, with commas), under an epic, that meet a condition; each may be empty, not all."""
    parts = []
    if project.strip():
        keys = [quoted(key.strip()) for key in project.split(",") if key.strip()]
        parts.append(f"project = {keys[0]}" if len(keys) == 1 else f"project in ({', '.join(keys)})")
    if epic.strip():
        parts.append(f"{'parent' if cloud else quoted('Epic Link')} = {quoted(epic.strip())}")
    if jql.strip():
        parts.append(bare(jql))
    return " AND ".join(f"({part})" for part in parts) if len(parts) > 1 else parts[0]


def changed(jql: str, since: str, *, dates: Iterable[str], statuses: Collection[str]) -> str:
    """Those that changed since a date, or whose custom date fields ``dates`` did, or that ever were in one of ``statuses``."""
    also = "".join(f" OR cf[{field.rpartition('_')[2]}] >= {since}" for field in dates)
    if statuses:
        also += f" OR status WAS IN ({_listed(statuses)})"
    return f"({jql}) AND (updated >= {since}{also})"


def in_sprints(project: str, sprints: Iterable[str], since: str) -> str:
    """Those of a project that are in one of the sprints, untouched since planning, or may have been taken out since a date."""
    return f"project = {quoted(project)} AND (sprint in ({', '.join(sprints)}) OR updated >= {since})"


def during(jql: str, date_field: str, window: Window, zone: ZoneInfo) -> str:
    """Those whose date field lies in the window; without a field, all."""
    jql = bare(jql)
    if not date_field:
        return jql
    name = date_field if re.fullmatch(r"\w+|cf\[\d+\]", date_field) else quoted(date_field)
    after = f" AND {name} >= {literal(window.start, zone)}" if window.start else ""
    return f"({jql}){after} AND {name} < {literal(window.end, zone)}"


def valued(jql: str, name: str, label: str) -> str:
    """Those that have a value in a field, as ``kit.issues.values_of`` says it."""
    field = name if re.fullmatch(r"\w+", name) else quoted(name)
    condition = f"{field} IS EMPTY" if label == "none" else f"{field} = {quoted(label)}"
    return f"({jql}) AND {condition}"


# ---- what shows the issues behind a number; dates in the zone of the organisation's calendar, whose people look


def between(name: str, period: Window, calendar: Calendar) -> str:
    """A date field lies in the period."""
    start, end = _span(period, calendar)
    return f"{name} >= {start} AND {name} < {end}"


def before(name: str, period: Window, calendar: Calendar) -> str:
    """A date field lies before the period's end."""
    return f"{name} < {_span(period, calendar)[1]}"


def entered(statuses: Collection[str], period: Window, calendar: Calendar) -> str:
    """One of the statuses was entered in the period; empty where there are none."""
    start, end = _span(period, calendar)
    return f"status CHANGED TO ({_listed(statuses)}) DURING ({start}, {end})" if statuses else ""


def ended_in(statuses: Collection[str], period: Window, calendar: Calendar) -> str:
    """One of the statuses was that of the period's end; empty where there are none."""
    _, end = _span(period, calendar)
    return f"status WAS IN ({_listed(statuses)}) DURING ({end}, {end})" if statuses else ""


def showing(keys: Sequence[str], scope: str, condition: str) -> str:
    """Some issues by their keys; where there are none or too many, those of the scope that meet the condition."""
    if 0 < len(keys) <= _SHOWN_KEYS:
        return f"key in ({', '.join(keys)})"
    return f"({scope}) AND {condition}" if condition else scope


def _listed(statuses: Iterable[str]) -> str:
    return ", ".join(sorted(statuses))


def _span(period: Window, calendar: Calendar) -> tuple[str, str]:
    zone = ZoneInfo(calendar.timezone)
    return literal(period.start or datetime(1970, 1, 2, tzinfo=UTC), zone), literal(period.end, zone)
