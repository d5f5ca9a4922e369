"""Inbound webhooks: a source system says that something changed, and its collections run soon."""

import asyncio
from collections import OrderedDict
from datetime import UTC, timedelta

from aiohttp import web

from bsc_monitor.web.board import BOARD
from bsc_monitor.web.routes import Policy, Routes
from bsc_monitor.web.signatures import Forged, event_id, event_time, signed_at, verify

ROUTES: Routes = Routes()
READ_WITHIN = 10.0  #: seconds for a body to arrive
WINDOW = timedelta(minutes=5)  #: how far a signed timestamp may be off
_REMEMBERED = 10_000  #: event ids, of all sources

SEEN = web.AppKey("SEEN", OrderedDict[tuple[str, str], None])


@ROUTES.post("/webhooks/{source}", Policy.PUBLIC)
async def webhook(request: web.Request) -> web.Response:
    """Verify the sender, forget repeats, trigger the source's collections; 202 with how many jobs were asked for."""
    board, name = request.app[BOARD], request.match_info["source"]
    source = board.sources().get(name)
    if source is None or not source.webhook_secrets:
        raise web.HTTPNotFound(text="No webhook is set up under this address.")
    async with asyncio.timeout(READ_WITHIN):
        body = await request.read()
    now = board.clock()
    try:
        verify(request.headers, body, [_plain(secret) for secret in source.webhook_secrets])
        sent = signed_at(request.headers)
    except Forged as error:
        raise web.HTTPUnauthorized(text=str(error)) from None
    if sent is not None and abs(now - sent) > WINDOW:
        raise web.HTTPUnauthorized(text="The timestamp is more than five minutes off: a replay, or a wrong clock.")
    id_ = event_id(request.headers)
    if id_ and _seen_before(request.app[SEEN], (name, id_)):
        return web.json_response({"accepted": True, "repeated": True, "jobs": 0}, status=202)
    jobs = await board.operations.webhook(name, min(sent or event_time(body) or now, now).astimezone(UTC))
    return web.json_response({"accepted": True, "repeated": False, "jobs": jobs}, status=202)


def _seen_before(seen: OrderedDict[tuple[str, str], None], key: tuple[str, str]) -> bool:
    if key in seen:
        return True
    seen[key] = None
    if len(seen) > _REMEMBERED:
        seen.popitem(last=False)
    return False


def _plain(secret: object) -> str:
    shown = getattr(secret, "get_secret_value", None)
    return str(shown()) if shown else str(secret)
