"""Alerts: what fires, who took it on, what is silenced, what could not be told."""

from aiohttp import web
from sqlalchemy import Connection

from bsc_monitor.store.alerts import AlertChange, alert_history, load_alerts
from bsc_monitor.store.outbox import Row, dead_letters
from bsc_monitor.web import forms
from bsc_monitor.web.api.alerts import check_silence
from bsc_monitor.web.board import BOARD
from bsc_monitor.web.guard import IDENTITY
from bsc_monitor.web.matching import unmet_now
from bsc_monitor.web.operations import Rejected
from bsc_monitor.web.pages.maintenance import DAYS, back_to_alerts, shown
from bsc_monitor.web.pages.showing import showing
from bsc_monitor.web.routes import Policy, Routes
from bsc_monitor.web.templating import page

ROUTES: Routes = Routes()
_HISTORY = 40


@ROUTES.get("/alerts", Policy.VIEWER)
async def alerts(request: web.Request) -> web.Response:
    """Everything about alerts."""
    board, page_of = request.app[BOARD], await showing(request)
    past, names, dead = await board.store.read(_read)
    now, controls = board.clock(), page_of.scene.controls
    silences = [each for each in controls.silences if each.ends_at > now]
    windows = [each for each in controls.windows if each.until is None or each.until > now]
    conditions = [*(each.matchers for each in silences), *(each.match for each in windows)]
    return page(
        request, "alerts.html", scene=page_of.scene, piece=page_of.piece, channel=page_of.channel("alerts"),
        since=page_of.since, past=past, names=names, dead=dead, now=now,
        silences=silences, windows=[shown(each, now) for each in windows], days=tuple(DAYS), zone=board.timezone(),
        unmet=await unmet_now(board, conditions),
    )  # fmt: skip


@ROUTES.post("/alerts/{fingerprint}/acknowledge", Policy.OPERATOR)
async def acknowledge(request: web.Request) -> web.Response:
    """Take an alert on."""
    board, given = request.app[BOARD], await forms.fields(request)
    until = forms.until(given.get("for", ""), board.clock())
    name = request.match_info["fingerprint"]
    await board.operations.acknowledge(name, given.get("note", ""), until, request[IDENTITY].name)
    return await back_to_alerts(request, "acknowledge")


@ROUTES.post("/alerts/silence", Policy.OPERATOR)
async def silence(request: web.Request) -> web.Response:
    """Silence what matches."""
    board, given = request.app[BOARD], await forms.fields(request)
    now = board.clock()
    matchers = list(forms.matchers(given.get("matchers", "")))
    ends = forms.until(given.get("for", "") or "1h", now)
    if not matchers or ends is None:
        raise Rejected("Say what to silence, as label=value.")
    check_silence(matchers, now, ends, now)
    await board.operations.silence(matchers, now, ends, request[IDENTITY].name, given.get("comment", ""))
    return await back_to_alerts(request, "silence")


@ROUTES.post("/alerts/silences/{silence}/expire", Policy.OPERATOR)
async def expire(request: web.Request) -> web.Response:
    """End a silence now."""
    await request.app[BOARD].operations.expire_silence(request.match_info["silence"], request[IDENTITY].name)
    return await back_to_alerts(request, "expire")


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
