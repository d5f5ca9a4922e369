"""Alerts: what fires, who took it on, what is silenced, what could not be told."""

from datetime import datetime

from aiohttp import web
from sqlalchemy import Connection

from bsc_monitor.alert.maintenance import window
from bsc_monitor.model.alert import Maintenance, Matcher
from bsc_monitor.store.alerts import AlertChange, alert_history, load_alerts
from bsc_monitor.store.outbox import Row, dead_letters
from bsc_monitor.web import forms
from bsc_monitor.web.api.alerts import check_silence
from bsc_monitor.web.board import BOARD
from bsc_monitor.web.guard import IDENTITY
from bsc_monitor.web.live.hub import HUB
from bsc_monitor.web.operations import Rejected
from bsc_monitor.web.pages.showing import showing
from bsc_monitor.web.routes import Policy, Routes
from bsc_monitor.web.templating import page

ROUTES: Routes = Routes()
_HISTORY = 40


@ROUTES.get("/alerts", Policy.VIEWER)
async def alerts(request: web.Request) -> web.Response:
    """Everything about alerts."""
    board, shown = request.app[BOARD], await showing(request)
    past, names, dead = await board.store.read(_read)
    now = board.clock()
    return page(
        request, "alerts.html", scene=shown.scene, piece=shown.piece, channel=shown.channel("alerts"),
        since=shown.since, past=past, names=names, dead=dead, silences=shown.scene.controls.silences, now=now,
        windows=[(each, _window(each, now)) for each in board.maintenance().values()],
    )  # fmt: skip


@ROUTES.post("/alerts/{fingerprint}/acknowledge", Policy.OPERATOR)
async def acknowledge(request: web.Request) -> web.Response:
    """Take an alert on."""
    board, given = request.app[BOARD], await forms.fields(request)
    until = forms.until(given.get("for", ""), board.clock())
    name = request.match_info["fingerprint"]
    await board.operations.acknowledge(name, given.get("note", ""), until, request[IDENTITY].name)
    await request.app[HUB].reread()
    return forms.back("/alerts", "acknowledge")


@ROUTES.post("/alerts/silence", Policy.OPERATOR)
async def silence(request: web.Request) -> web.Response:
    """Silence what matches."""
    board, given = request.app[BOARD], await forms.fields(request)
    now = board.clock()
    matchers = [_matcher(part) for part in given.get("matchers", "").split(",") if part.strip()]
    ends = forms.until(given.get("for", "") or "1h", now)
    if not matchers or ends is None:
        raise Rejected("Say what to silence, as label=value.")
    check_silence(matchers, now, ends, now)
    await board.operations.silence(matchers, now, ends, request[IDENTITY].name, given.get("comment", ""))
    await request.app[HUB].reread()
    return forms.back("/alerts", "silence")


@ROUTES.post("/alerts/silences/{silence}/expire", Policy.OPERATOR)
async def expire(request: web.Request) -> web.Response:
    """End a silence now."""
    await request.app[BOARD].operations.expire_silence(request.match_info["silence"], request[IDENTITY].name)
    await request.app[HUB].reread()
    return forms.back("/alerts", "expire")


@ROUTES.post("/alerts/retry", Policy.OPERATOR)
async def retry(request: web.Request) -> web.Response:
    """Try a message again that a receiver refused for good."""
    key = (await forms.fields(request)).get("key", "")
    await request.app[BOARD].operations.retry_dead([key], request[IDENTITY].name)
    return forms.back("/alerts", "retry")


def _read(connection: Connection) -> tuple[list[AlertChange], dict[str, str], list[Row]]:
    past = alert_history(connection, limit=_HISTORY)
    known = load_alerts(connection, fingerprints={each.fingerprint for each in past})
    names = {each.fingerprint: each.facts.title or each.subject.partition(":")[2] or each.rule for each in known}
    return past, names, dead_letters(connection, 50)


def _window(of: Maintenance, now: datetime) -> datetime | None:
    """When the window that is open now closes."""
    found = window(of, now)
    return found[1] if found else None


def _matcher(text: str) -> Matcher:
    for operator in ("=~", "!~", "!=", "="):
        name, found, value = text.partition(operator)
        if found and name.strip():
            try:
                return Matcher(name.strip(), operator, value.strip().strip('"'))
            except ValueError as error:
                raise Rejected(str(error)) from None
    raise Rejected(f"{text[:60]!r} is no matcher: write label=value, !=, =~ or !~.")
