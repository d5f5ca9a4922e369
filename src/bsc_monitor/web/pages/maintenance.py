"""Maintenance windows on the page of alerts: those that people open, and end."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from bsc_monitor.alert.maintenance import next_opening, window
from bsc_monitor.config.durations import parse_duration
from bsc_monitor.model.alert import Maintenance
from bsc_monitor.web import forms
from bsc_monitor.web.board import BOARD
from bsc_monitor.web.guard import IDENTITY
from bsc_monitor.web.live.hub import HUB
from bsc_monitor.web.operations import Rejected
from bsc_monitor.web.routes import Policy, Routes

ROUTES: Routes = Routes()
#: what can be picked, and cron's day of month and day of week for it
DAYS = {
    "every day": "* *", "Monday to Friday": "* 1-5", "Saturday and Sunday": "* 0,6", "Monday": "* 1", "Tuesday": "* 2",
    "Wednesday": "* 3", "Thursday": "* 4", "Friday": "* 5", "Saturday": "* 6", "Sunday": "* 0", "the first of the month": "1 *",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """A window as the page shows it."""

    of: Maintenance
    open_until: datetime | None
    opens: datetime | None


def shown(of: Maintenance, now: datetime) -> Shown:
    """A window, until when it is open, and when it opens next."""
    found = window(of, now)
    return Shown(of, found[1] if found else None, next_opening(of, now))


@ROUTES.post("/alerts/maintenance", Policy.OPERATOR)
async def maintain(request: web.Request) -> web.Response:
    """Open a window that comes again."""
    board, given = request.app[BOARD], await forms.fields(request)
    zone = board.timezone()
    try:
        lasts = parse_duration(given.get("lasts", ""))
    except ValueError as error:
        raise Rejected(str(error)) from None
    wanted = Maintenance(
        given.get("name", ""), given.get("cron", "").strip() or _cron(given), lasts,
        forms.matchers(given.get("matchers", "")), zone, author=request[IDENTITY].name, comment=given.get("comment", ""),
        until=forms.instant(given.get("until", ""), zone),
    )  # fmt: skip
    if not wanted.match:
        raise Rejected("Say which alerts the window concerns, as label=value.")
    await board.operations.maintain(wanted)
    return await back_to_alerts(request, "maintain")


@ROUTES.post("/alerts/maintenance/{window}/end", Policy.OPERATOR)
async def end(request: web.Request) -> web.Response:
    """End a person's window for good."""
    await request.app[BOARD].operations.end_maintenance(request.match_info["window"], request[IDENTITY].name)
    return await back_to_alerts(request, "end-maintenance")


async def back_to_alerts(request: web.Request, done: str) -> web.Response:
    """Send the browser back to the alerts once they show what was done about them."""
    await request.app[HUB].reread()
    return forms.back("/alerts", done)


def _cron(given: dict[str, str]) -> str:
    """The cron expression of a day and a time that were picked. Raises ``Rejected``."""
    days, (hour, colon, minute) = given.get("days", ""), given.get("at", "").partition(":")
    if days not in DAYS:
        raise Rejected(f"{days[:40]!r} is not one of {', '.join(DAYS)}")
    if not (colon and hour.isdecimal() and minute[:2].isdecimal()):
        raise Rejected("Say at what time the window opens, as 22:00.")
    day, weekday = DAYS[days].split()
    return f"{int(minute[:2])} {int(hour)} {day} * {weekday}"
