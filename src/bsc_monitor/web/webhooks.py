"""Inbound webhooks: a source system says that something changed, and its collections run soon."""

import asyncio
from datetime import UTC, timedelta

from aiohttp import web

from bsc_monitor.web.board import BOARD
from bsc_monitor.web.routes import Policy, Routes
from bsc_monitor.web.signatures import Forged, event_id, event_time, signed_at, verify

ROUTES: Routes = Routes()
READ_WITHIN = 10.0  #: seconds for a body to arrive
WINDOW = timedelta(minutes=5)  #: how far a signed timestamp may be off


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
    happened = min(sent or event_time(body) or now, now).astimezone(UTC)
    jobs = await board.operations.webhook(name, happened, event_id(request.headers))
    return web.json_response({"accepted": True, "repeated": jobs is None, "jobs": jobs or 0}, status=202)


def _plain(secret: object) -> str:
    shown = getattr(secret, "get_secret_value", None)
    return str(shown()) if shown else str(secret)
