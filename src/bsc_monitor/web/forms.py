"""Forms: what a person sent, and where the browser goes next."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from aiohttp import web

from bsc_monitor.ingest import clean_text
from bsc_monitor.model.alert import Matcher
from bsc_monitor.web.matching import matcher
from bsc_monitor.web.operations import Rejected

_READ_WITHIN = 10.0
_LONGEST = 4000
_SPANS = {"1h": timedelta(hours=1), "4h": timedelta(hours=4), "1d": timedelta(days=1), "1w": timedelta(weeks=1)}

_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
_GROUPED_BY_POINTS = re.compile(r"[+-]?[1-9]\d{0,2}((\.\d{3})+,\d*|(\.\d{3}){2,})")


async def fields(request: web.Request) -> dict[str, str]:
    """The fields of a form, cleaned. Raises HTTPUnsupportedMediaType for anything else."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType(text="Send a form.")
    async with asyncio.timeout(_READ_WITHIN):
        given = await request.post()
    return {name: clean_text(value, _LONGEST) for name, value in given.items() if isinstance(value, str)}


def number(text: str) -> float:
    """A number as people type it: ``1,234.5``, ``1.234,5``, ``12,5`` or ``12.5``. Raises ``Rejected``."""
    plain = text.replace("\u202f", "").replace("\u00a0", "").replace(" ", "").replace("−", "-")
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    elif _GROUPED_BY_POINTS.fullmatch(plain):
        plain = plain.replace(".", "").replace(",", ".")
    elif plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        value = float(plain)
    except ValueError:
        raise Rejected(f"{text[:40]!r} is not a number") from None
    if not abs(value) <= 1e15:
        raise Rejected(f"{text[:40]!r} is not a number that can be stored")
    return value


def instant(text: str, zone: str) -> datetime | None:
    """A local date and time; None for an empty one. Raises ``Rejected``."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Rejected(f"{text[:40]!r} is not a date and time") from None


def matchers(text: str) -> tuple[Matcher, ...]:
    """Conditions as people write them, a comma between two: ``scorecard=it, severity=~warning|info``. Raises ``Rejected``."""
    return tuple(_matcher(part) for part in text.split(",") if part.strip())


def _matcher(text: str) -> Matcher:
    for operator in ("=~", "!~", "!=", "="):
        name, found, value = text.partition(operator)
        if found and name.strip():
            return matcher(name.strip(), operator, value.strip().strip('"'))
    raise Rejected(f"{text[:60]!r} is no matcher: write label=value, !=, =~ or !~.")


def until(text: str, now: datetime) -> datetime | None:
    """The end of a span that was picked; None for "until it resolves". Raises ``Rejected``."""
    if not text:
        return None
    if text not in _SPANS:
        raise Rejected(f"{text[:40]!r} is not one of {', '.join(_SPANS)}")
    return now + _SPANS[text]


def back(to: str, done: str) -> web.Response:
    """Send the browser back to a page, which tells what was done."""
    return web.Response(status=303, headers={"Location": f"{to}?done={done}"})
