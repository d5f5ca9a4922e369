"""Alertmanager's API v2, as far as people's tools ask for it: what fires, in which groups, and silences.

So that amtool, karma and Grafana's data source show the board's alerts as they show an Alertmanager's. A pending alert is
not there: an Alertmanager never hears of one. Shapes: Alertmanager's own ``api/v2/openapi.yaml``; mistakes are told, as
there, by a JSON string.
"""

import asyncio
import functools
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from bsc_monitor.alert.routing import Routing, group_labels
from bsc_monitor.model.alert import Alert, AlertState, Matcher, MatchOperator, Silence, matches_all
from bsc_monitor.store.controls import load_silences
from bsc_monitor.web.api import alert_models, shapes
from bsc_monitor.web.api.alerts import check_silence, matcher_of
from bsc_monitor.web.board import BOARD
from bsc_monitor.web.guard import IDENTITY
from bsc_monitor.web.live.hub import HUB
from bsc_monitor.web.matching import matcher, pattern
from bsc_monitor.web.operations import Rejected, Unknown
from bsc_monitor.web.routes import Handler, Policy, Routes
from bsc_monitor.web.view.controls import Controls

ROUTES: Routes = Routes()
STARTED = web.AppKey("STARTED", datetime)
_GOOD_FOR = timedelta(minutes=5)  #: an alert that fires is said to end so much later, unless it is told again
_KEPT = timedelta(days=5)  #: for which ended silences are shown, as an Alertmanager does
_READ_WITHIN = 10.0
_MOST_FILTERS = 20
_UNROUTED = "board"  #: named as the receiver of what no route takes: the board shows it
_MATCHER = re.compile(r'([^=!~\s{},"]+)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"{}\s][^"{}]*)?)', re.DOTALL)
_OPERATORS: tuple[MatchOperator, ...] = ("=", "!=", "=~", "!~")
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}


def _in_words(handler: Handler) -> Handler:
    """Tell mistakes as an Alertmanager does, by a JSON string."""

    @functools.wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_context=False, include_input=False)[0]
            return web.json_response(f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}", status=400)
        except Rejected as error:
            return web.json_response(str(error), status=400)
        except Unknown as error:
            return web.json_response(str(error), status=404)

    return answer


@ROUTES.get("/api/v2/status", Policy.VIEWER)
async def status(request: web.Request) -> web.Response:
    """That it answers, and since when, for tools that speak with an Alertmanager."""
    version = dict.fromkeys(("revision", "branch", "buildUser", "buildDate", "goVersion"), "")
    return web.json_response({
        "cluster": {"status": "disabled", "name": "", "peers": []},
        "versionInfo": {"version": request.app[BOARD].version, **version},
        "config": {"original": ""},  # it holds secrets
        "uptime": request.app[STARTED].isoformat(),
    })  # fmt: skip


@ROUTES.get("/api/v2/receivers", Policy.VIEWER)
async def receivers(request: web.Request) -> web.Response:
    """The receivers' names, for tools that speak with an Alertmanager."""
    return web.json_response([{"name": name} for name in request.app[BOARD].routing().receivers or (_UNROUTED,)])


@ROUTES.get("/api/v2/alerts", Policy.VIEWER)
@_in_words
async def alerts(request: web.Request) -> web.Response:
    """What fires, in Alertmanager's shape."""
    found = await _alerts(request)
    return web.json_response([each for each in found if each["receivers"]])


@ROUTES.get("/api/v2/alerts/groups", Policy.VIEWER)
@_in_words
async def groups(request: web.Request) -> web.Response:
    """What fires, by the groups in which it is told, in Alertmanager's shape."""
    routing = request.app[BOARD].routing()
    gathered: dict[tuple[str, tuple[tuple[str, str], ...]], list[dict[str, Any]]] = {}
    for alert in await _alerts(request):
        for name, shared in _told(routing, alert["labels"]).items():
            if {"name": name} in alert["receivers"]:
                gathered.setdefault((name, tuple(sorted(shared.items()))), []).append(alert)
    return web.json_response([
        {"labels": dict(shared), "routeLabels": {}, "receiver": {"name": name}, "alerts": found}
        for (name, shared), found in sorted(gathered.items(), key=lambda item: item[0])
    ])  # fmt: skip


@ROUTES.get("/api/v2/silences", Policy.VIEWER)
@_in_words
async def silences(request: web.Request) -> web.Response:
    """Silences, those that ended within five days too, in Alertmanager's shape."""
    wanted = _filters(request)
    states = {state for state in ("active", "pending", "expired") if _yes(request, state)}
    found = [
        _silence(each, request.app[BOARD].clock())
        for each in await _kept(request)
        if matches_all(wanted, {one.label: one.value for one in each.matchers})
    ]
    return web.json_response([each for each in found if each["status"]["state"] in states])


@ROUTES.get("/api/v2/silence/{silence}", Policy.VIEWER)
@_in_words
async def silence(request: web.Request) -> web.Response:
    """One silence, in Alertmanager's shape."""
    name = request.match_info["silence"]
    for each in await _kept(request):
        if each.id == name:
            return web.json_response(_silence(each, request.app[BOARD].clock()))
    raise Unknown("silence not found")


@ROUTES.post("/api/v2/silences", Policy.OPERATOR)
@_in_words
async def add_silence(request: web.Request) -> web.Response:
    """Silence what matches, as Alertmanager's tools ask for it; the author is who asks."""
    board = request.app[BOARD]
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send application/json.")
    async with asyncio.timeout(_READ_WITHIN):
        body = alert_models.PostedSilence.model_validate_json(await request.read())
    if body.id:
        raise Rejected("a silence is not changed: expire it, and add another")
    starts, ends = alert_models.sane(body.startsAt) or board.clock(), alert_models.sane(body.endsAt) or body.endsAt
    matchers = [matcher_of(each) for each in body.matchers]
    check_silence(matchers, starts, ends, board.clock())
    name = await board.operations.silence(matchers, starts, ends, request[IDENTITY].name, body.comment)
    await request.app[HUB].reread()
    return web.json_response({"silenceID": name})


@ROUTES.delete("/api/v2/silence/{silence}", Policy.OPERATOR)
@_in_words
async def expire_silence(request: web.Request) -> web.Response:
    """End a silence now, as Alertmanager's tools ask for it."""
    await request.app[BOARD].operations.expire_silence(request.match_info["silence"], request[IDENTITY].name)
    await request.app[HUB].reread()
    return web.Response()


async def _alerts(request: web.Request) -> list[dict[str, Any]]:
    board, controls = request.app[BOARD], await request.app[HUB].controls()
    routing, now, wanted = board.routing(), board.clock(), _filters(request)
    receiver = pattern(request.query.get("receiver", ".*"))
    found = []
    for alert in controls.alerts:
        if alert.state is not AlertState.FIRING or not matches_all(wanted, alert.labels):
            continue
        shown = _alert(alert, controls, now, (board.url or str(request.url.origin())).rstrip("/"))
        if _wanted(request, shown["status"]):
            names = [name for name in _told(routing, alert.labels) if receiver.fullmatch(name)]
            found.append({**shown, "receivers": [{"name": name} for name in names]})
    return sorted(found, key=lambda each: str(each["fingerprint"]))


def _alert(of: Alert, controls: Controls, now: datetime, url: str) -> dict[str, Any]:
    """As ``/api/v1/alerts`` shows it, without what Alertmanager has no word for; no instant is null there."""
    said = shapes.alert(of, controls, now, url).model_dump(mode="json")
    shown = {
        name: said[name] for name in ("labels", "annotations", "fingerprint", "generatorURL", "status", "startsAt")
    }
    return {**shown, "updatedAt": said["updatedAt"] or said["startsAt"], "endsAt": (now + _GOOD_FOR).isoformat()}


def _silence(of: Silence, now: datetime) -> dict[str, Any]:
    updated = of.updated_at or of.starts_at
    return {**shapes.silence(of, now).model_dump(mode="json"), "updatedAt": updated.isoformat(), "annotations": {}}


async def _kept(request: web.Request) -> list[Silence]:
    board = request.app[BOARD]
    since = board.clock() - _KEPT
    return await board.store.read(lambda connection: load_silences(connection, since=since))


def _told(routing: Routing, labels: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Which receivers hear of an alert at once, and the labels of the group in which they do."""
    channels = routing.channels()
    return {
        channels[target.channel].receiver.id: group_labels(routing.route(target.route), labels)
        for target in routing.targets(labels)
        if not target.after
    } or {_UNROUTED: {}}


def _wanted(request: web.Request, status: Mapping[str, Any]) -> bool:
    held = {"silenced": "silencedBy", "inhibited": "inhibitedBy", "muted": "mutedBy"}
    if status["state"] == "active":
        return _yes(request, "active")
    return all(not status[by] or _yes(request, word) for word, by in held.items())


def _yes(request: web.Request, name: str) -> bool:
    return request.query.get(name, "true").lower() not in ("false", "0", "f")


def _filters(request: web.Request) -> tuple[Matcher, ...]:
    asked = request.query.getall("filter", ())
    if len(asked) > _MOST_FILTERS:
        raise Rejected(f"there are more than {_MOST_FILTERS} filters")
    return tuple(map(_matcher, asked))


def _matcher(text: str) -> Matcher:
    """``severity=~"warning|critical"``, as Alertmanager's tools write it. Raises ``Rejected``."""
    plain = text.strip()
    found = _MATCHER.fullmatch(plain[1:-1].strip() if plain[:1] == "{" and plain[-1:] == "}" else plain)
    if found is None:
        raise Rejected(f"bad matcher format: {text[:200]}")
    name, sign, quoted, bare = found.groups()
    operator: MatchOperator = next(each for each in _OPERATORS if each == sign)
    value = (bare or "") if quoted is None else re.sub(r"\\(.)", lambda pair: _ESCAPES.get(pair[1], pair[0]), quoted)
    return matcher(name, operator, value)
