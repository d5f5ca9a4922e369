"""Dates of JQL: absolute ones in the calling user's time zone, relative ones, and the functions that make dates."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bsc_monitor.sandbox.jira.jql import Call, JqlError

_FORMATS = ("%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M", "%Y/%m/%d", "%Y-%m-%d")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_DAYS = {"day": 1, "week": 7, "month": 32, "year": 367}  # enough to be in the next one
_VALID = (
    "Valid formats include: 'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format"
    " e.g. '-5d', '4w 2d'."
)


def instant(text: str, field: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment that a literal names. Raises JqlError."""
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=zone)
        except ValueError:
            continue
    found = re.fullmatch(r"([+-]?)((?:\d+[mhdw]\s*)+)", text.strip())
    if found is None:
        raise JqlError(f"Date value '{text}' for field '{field}' is invalid. {_VALID}")
    span = sum((int(n) * _UNITS[u] for n, u in re.findall(r"(\d+)([mhdw])", found[2])), timedelta())
    return now - span if found[1] == "-" else now + span


def computed(call: Call, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment that a function names; None where it makes no date."""
    name = call.name.lower()
    if name in ("now", "currentlogin"):
        return now
    found = re.fullmatch(r"(start|end)of(\w+)", name)
    if found is None or found[2] not in _DAYS:
        return None
    local = now.astimezone(zone)
    if call.arguments:
        local = _shifted(local, call.arguments[0], found[2])
    start = _start(local, found[2])
    if found[1] == "start":
        return start
    return _start(start + timedelta(days=_DAYS[found[2]]), found[2]) - timedelta(milliseconds=1)


def _start(local: datetime, span: str) -> datetime:
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if span == "week":
        return day - timedelta(days=(day.weekday() + 1) % 7)  # weeks start on Sunday, as Jira's do
    if span == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if span == "year" else day


def _shifted(local: datetime, text: str, span: str) -> datetime:
    found = re.fullmatch(r"([+-]?)(\d+)([mhdwMy]?)", text.strip())
    if found is None:
        raise JqlError(
            f"Invalid date increment '{text}': it must be a number with an optional unit of m, h, d, w, M or y."
        )
    number = int(found[1] + found[2])
    unit = found[3] or {"day": "d", "week": "w", "month": "M", "year": "y"}[span]
    if unit in _UNITS:
        return local + number * _UNITS[unit]
    months = local.year * 12 + local.month - 1 + number * (12 if unit == "y" else 1)
    return local.replace(year=months // 12, month=months % 12 + 1, day=min(local.day, 28))
